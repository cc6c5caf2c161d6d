import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asset, columns, daily, defineLakehouse, double, sql, staticDimension, timestamp } from 'crypto-lakehouse';
import type { OpenedLake } from '../framework/materialize/open.ts';
import { askLake, type Scan } from '../framework/report/query.ts';
import { materializeAll, openBenchLake } from './lake.ts';
import { type BenchOptions, type Measurement, median, timed } from './support.ts';

const DAY_MS = 86_400_000;
const FIRST = Date.UTC(2024, 0, 1);

/** A lake of small files: one a day and symbol, ten rows each. */
function lakeOf(symbols: number) {
  const ticks = asset('silver/ticks', {
    partitions: {
      symbol: staticDimension(Array.from({ length: symbols }, (_, i) => `S${i}`)),
      date: daily({ start: '2024-01-01' }),
    },
    packs: ['partition'],
    columns: columns({ at: timestamp(), price: double() }),
    sortBy: ['at'],
    query: (_, { partition }) =>
      sql`SELECT ${partition.start} + i * INTERVAL 1 HOUR AS at, i::DOUBLE AS price FROM range(10) r(i)`,
  });
  return defineLakehouse({ assets: [ticks] });
}

/** One statement over many small files: what is opened when the log says which files can hold its rows, and when it does not. */
export async function benchQuery({ quick, say }: BenchOptions): Promise<Measurement[]> {
  const [symbols, days, times] = quick ? [5, 20, 2] : [50, 100, 5];
  const directory = await mkdtemp(join(tmpdir(), 'lakehouse-bench-query-'));
  const now = () => FIRST + days * DAY_MS;
  try {
    const lake = await openBenchLake(directory, [], lakeOf(symbols), now);
    try {
      const made = await timed(() => materializeAll(lake, '*'));
      say(`${[...lake.state.files()].length} files in ${(made.ms / 1000).toFixed(1)} s`);
      return await measured(lake, times, say);
    } finally {
      await lake.close();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function measured(lake: OpenedLake, times: number, say: (text: string) => void): Promise<Measurement[]> {
  const found: Measurement[] = [];
  const cases = {
    'one symbol and day': "symbol = 'S3' AND date = '2024-01-10'",
    'one symbol': "symbol = 'S3'",
    'ten days': "date BETWEEN '2024-01-05' AND '2024-01-14'",
    'a condition of the rows alone': 'price > 100',
  };
  for (const [what, condition] of Object.entries(cases)) {
    const text = `SELECT count(*), sum(price) FROM silver.ticks WHERE ${condition}`;
    const pruned: number[] = [];
    const whole: number[] = [];
    let last: Answer | undefined;
    for (let i = 0; i < times; i++) {
      const all = await ask(lake, text, true);
      last = await ask(lake, text, false);
      if (all.row !== last.row) throw new Error(`${text}: ${all.row} of all files, ${last.row} of those needed`);
      whole.push(all.ms);
      pruned.push(last.ms);
    }
    const [{ files = 0, lake: of = 0 } = {}] = last?.scans ?? [];
    say(`${what}: ${files} of ${of} files`);
    found.push({
      what: `query of ${what}`,
      value: median(pruned),
      unit: 'ms',
      yardstick: `all files opened: ${Math.round(median(whole))} ms`,
      ratio: median(whole) / median(pruned),
      note: `${files} of ${of} files`,
    });
  }
  return found;
}

interface Answer {
  readonly row: string;
  readonly ms: number;
  readonly scans: readonly Scan[];
}

async function ask(lake: OpenedLake, text: string, all: boolean): Promise<Answer> {
  let [row, scans]: [string, readonly Scan[]] = ['', []];
  const { ms } = await timed(() =>
    askLake(
      lake,
      { sql: text, ...(all && { needs: () => true }) },
      new AbortController().signal,
      async (result, read) => {
        scans = read;
        for await (const batch of result.batches) row = String(batch);
      },
    ),
  );
  return { row, ms, scans };
}
