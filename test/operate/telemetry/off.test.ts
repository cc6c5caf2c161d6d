import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { followWork, traced, type Work } from '../../../framework/common/trace.ts';

const loadedWith = (...sets: string[]): string[] => {
  const script = join(import.meta.dirname, 'loaded.ts');
  const args = ['--conditions=source', '--no-warnings', script, ...sets];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', env: {} })) as string[];
};
const ours = (names: readonly string[]) =>
  names.filter((name) => /otel|lineage|delivery|http|opentelemetry/.test(name));

test('what is not switched on is not loaded', () => {
  expect(ours(loadedWith())).toEqual([]);
  expect(ours(loadedWith('telemetry.openLineage.file=x'))).toEqual(['./lineage.ts', './delivery.ts']);
  expect(ours(loadedWith('http.port=0'))).toEqual(
    expect.arrayContaining(['./otel.ts', './http.ts', '@opentelemetry/exporter-prometheus']),
  );
});

describe('work', () => {
  const statement = (sql: string): Work => ({ type: 'statement', where: 'x', sql });

  test('is done as it would be without anybody who follows', async () => {
    const error = new Error('no');
    const result = {};
    const check = async () => {
      expect(await traced(statement('a'), async () => result)).toBe(result);
      await expect(traced(statement('a'), () => Promise.reject(error))).rejects.toBe(error);
    };
    await check();
    const end = followWork(
      () => ({}),
      () => undefined,
    );
    await check();
    end();
  });

  test('is told with what it is part of, several at a time too, until nobody follows any more', async () => {
    interface Seen {
      readonly name: string;
    }
    const begun: string[] = [];
    const ended: string[] = [];
    const nameOf = (work: Work) => (work.type === 'statement' ? work.sql : work.type);
    const forget = followWork<Seen>(
      (work, around) => {
        const name = `${around ? `${around.name}/` : ''}${nameOf(work)}`;
        begun.push(name);
        return { name };
      },
      ({ name }, _, { result, error }) => {
        ended.push(`${name} ${error === undefined ? JSON.stringify(result) : String(error)}`);
      },
    );
    const outer = (name: string, ms: number) =>
      traced(statement(name), async () => {
        await setTimeout(ms);
        const inner = await Promise.allSettled([
          traced(statement('1'), async () => setTimeout(ms, [1])),
          traced(statement('2'), () => Promise.reject(new Error('bad'))),
        ]);
        return inner.length;
      });
    await Promise.all([outer('a', 1), outer('b', 20)]);
    expect(begun.toSorted()).toEqual(['a', 'a/1', 'a/2', 'b', 'b/1', 'b/2']);
    expect(ended.toSorted()).toEqual(['a 2', 'a/1 [1]', 'a/2 Error: bad', 'b 2', 'b/1 [1]', 'b/2 Error: bad']);
    forget();
    await outer('c', 1);
    expect(begun.length).toBe(6);
  });
});
