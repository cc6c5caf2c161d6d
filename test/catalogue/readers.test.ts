import { spawn, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ticksOf } from '../materialize/fixture.ts';
import { openTestLake, run } from '../materialize/lake.ts';
import { atEnd, temporaryDirectory, tiny } from '../materialize/support.ts';
import { query } from '../real/query.ts';
import { kindsLake, NOON } from './kinds.ts';
import { python } from './python.ts';

const canRead = spawnSync(python, ['-c', 'import pyarrow.dataset']).status === 0;
const without = canRead
  ? ''
  : ' (SKIPPED: no pyarrow; python3 -m venv node_modules/.wire && node_modules/.wire/bin/pip install -r test/catalogue/requirements.txt)';

interface Summary {
  readonly rows: number;
  readonly schema: Readonly<Record<string, string>>;
  readonly sums: Readonly<Record<string, unknown>>;
}
type Found = Readonly<
  Record<string, { catalogue: Summary; glob: Summary; declared: Readonly<Record<string, string>> }>
>;

const script = join(import.meta.dirname, 'read.py');
function read(directory: string, ...assets: string[]): Found {
  const { status, stdout, stderr } = spawnSync(python, [script, directory, ...assets], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Found;
}

describe.skipIf(!canRead)(`pyarrow reads the lake${without}`, () => {
  test('by the catalogue and by glob, as DuckDB does: every type, and values that directories encode', async () => {
    const directory = await temporaryDirectory();
    const lake = await openTestLake(kindsLake(), directory, { sets: ['engine.threads=1'], now: () => NOON });
    atEnd(() => lake.close());
    await run(lake);
    const found = read(directory, 'silver/kinds', 'silver/hours', 'gold/months_2', 'gold/single');
    for (const [asset, { catalogue, glob, declared }] of Object.entries(found)) {
      expect(catalogue.schema, asset).toEqual(declared);
      expect(glob, asset).toEqual(catalogue);
    }
    // As the page says it is done.
    const page = await readFile(join(import.meta.dirname, '../../docs/catalogue.md'), 'utf8');
    const code = (/```python\n([\s\S]*?)```/.exec(page)?.[1] ?? '')
      .replace('"data"', JSON.stringify(directory))
      .replace('silver/klines', 'silver/kinds');
    const printed = spawnSync(python, ['-c', `${code}\nprint(table.num_rows)`], { encoding: 'utf8' });
    expect([printed.stderr, printed.stdout]).toEqual(['', '36\n']);
    const sums = found['silver/kinds']?.catalogue.sums ?? {};
    const [mine] = await query(
      lake,
      `SELECT count(*), CAST(sum(CAST(n AS DECIMAL(38, 10))) AS VARCHAR), CAST(sum(CAST(price AS DECIMAL(38, 10))) AS VARCHAR),
        CAST(sum(huge) AS VARCHAR), CAST(sum(CAST(cheap AS DECIMAL(38, 10))) AS VARCHAR), sum(ratio), count(*) FILTER (ok),
        [CAST(min(ts) AS VARCHAR), CAST(max(ts) AS VARCHAR)], [CAST(min(day) AS VARCHAR), CAST(max(day) AS VARCHAR)],
        list_sort(list(DISTINCT coalesce(note, 'None'))), list_sort(list(DISTINCT name)) FROM silver.kinds`,
    );
    const { n, price, huge, cheap, ratio, ok, ts, day, note, name } = sums;
    expect([BigInt(found['silver/kinds']?.catalogue.rows ?? 0), n, price, huge, cheap]).toEqual(mine?.slice(0, 5));
    expect(ratio).toBeCloseTo(Number(mine?.[5]), 9);
    expect([BigInt(Number(ok)), ts, day, note, name]).toEqual(mine?.slice(6));
  });

  test('by the catalogue while runs replace files: every table that it gets is one that there was', async () => {
    const { lake, archive, directory } = await tiny();
    const days = [1, 2, 3].map((n) => `2020-04-0${n}`);
    // All days of a version have as many rows, so a mixture of versions has another number of them in all.
    const put = (count: number) => {
      for (const day of days) archive.put('A', day, ticksOf(day, count, count));
    };
    put(2);
    await run(lake, { selection: '+silver/ticks' });
    const child = spawn(python, [join(import.meta.dirname, 'follow.py'), directory, 'silver/ticks'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    atEnd(async () => child.kill('SIGKILL'));
    let said = '';
    const first = new Promise<void>((resolve) => {
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        resolve();
      });
    });
    await first;
    for (const count of [3, 4, 5, 6, 7]) {
      put(count);
      await run(lake, { selection: '+silver/ticks' });
    }
    const closed = new Promise<number | null>((resolve) => {
      child.on('close', resolve);
    });
    child.stdin.end();
    expect(await closed).toBe(0);
    const counts = said.trim().split('\n').map(Number);
    expect(counts.filter((rows) => ![6, 9, 12, 15, 18, 21].includes(rows))).toEqual([]);
    expect(new Set(counts).size).toBeGreaterThan(1);
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
  });
});
