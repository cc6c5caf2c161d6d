import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/** What a process finds after many objects have lived for a while, prepared for a terminal UI or not. */
function after(prepared: boolean): { fetch: string; env: string | undefined; young: number } {
  const prepare = join(import.meta.dirname, '../../framework/tui/prepare.ts');
  const script = `
    const { getHeapSpaceStatistics } = await import('node:v8');
    const env = {};
    if (${prepared}) await (await import(${JSON.stringify(prepare)})).prepareUi(env);
    let kept = [];
    for (let i = 0; i < 3_000_000; i++) {
      kept.push({ i });
      if (kept.length > 300_000) kept = kept.slice(150_000);
    }
    const young = getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size;
    console.log(JSON.stringify({ fetch: typeof fetch, env: env.NODE_ENV, young }));
  `;
  const options = ['--input-type=module', '--conditions=source', '--eval', script];
  return JSON.parse(
    execFileSync(process.execPath, options, { encoding: 'utf8', cwd: join(import.meta.dirname, '../..') }),
  );
}

test('a prepared process keeps the space for young objects small, and has everything that others have', () => {
  const [prepared, plain] = [after(true), after(false)];
  expect({ ...prepared, young: 0 }).toEqual({ fetch: 'function', env: 'production', young: 0 });
  expect(prepared.young).toBeLessThan(plain.young / 3);
});
