import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asset, columns, daily, decimal, defineLakehouse, dynamicDimension, timestamp } from '../framework/index.ts';
import { publish } from '../framework/materialize/catalogue.ts';
import type { OpenedLake } from '../framework/materialize/open.ts';
import type { MaterializedEvent } from '../framework/state/events.ts';
import { openTestLake } from '../test/materialize/lake.ts';
import { type BenchOptions, type Measurement, median, timed } from './support.ts';

const DAYS = 1000;
const FIRST = Math.floor(Date.parse('2020-01-01T00:00:00Z') / 86_400_000);

const table = asset('silver/table', {
  partitions: { symbol: dynamicDimension(), date: daily({ start: '2020-01-01' }) },
  columns: columns({ ts: timestamp(), price: decimal(18, 8) }),
  sortBy: ['ts'],
  compute: () => [],
});

/** Days of one series, as if computed into files of so many days. The catalogue opens no file, so there are none. */
function days(lake: OpenedLake, series: number, from: number, count: number, each: number): MaterializedEvent {
  const symbol = `S${series}`;
  const path = (file: number) => `silver/table/symbol=${symbol}/${from + file * each}.${lake.id()}.parquet`;
  return {
    kind: 'materialized',
    asset: table.key,
    run: 'bench',
    code: lake.graph.node(table.key).code,
    verified: lake.state.index().head,
    choices: [''],
    outcomes: [
      {
        series: `symbol=${symbol}`,
        values: { symbol },
        times: Int32Array.from({ length: count }, (_, i) => FIRST + from + i),
        version: Uint8Array.from({ length: 16 * count }, (_, i) => (i * 31 + series) % 256),
        rows: new Uint32Array(count).fill(1440),
        bytes: new Float64Array(count).fill(5000),
        file: Int32Array.from({ length: count }, (_, i) => Math.floor(i / each)),
        choice: new Uint8Array(count),
      },
    ],
    files: Array.from({ length: Math.ceil(count / each) }, (_, file) => ({
      path: path(file),
      bytes: 5000 * each,
      sha256: 'a1'.repeat(32),
    })),
  };
}

/** What it costs a run of one partition to tell other engines of it, in lakes of different sizes. */
export async function benchCatalogue({ quick, say }: BenchOptions): Promise<Measurement[]> {
  const sizes = [
    { series: 100, each: 30, what: '100,000 days in files of 30' },
    ...(quick
      ? []
      : [
          { series: 1000, each: 30, what: '1,000,000 days in files of 30' },
          { series: 100, each: 1, what: '100,000 days in files of one' },
        ]),
  ];
  const measured: Measurement[] = [];
  for (const { series, each, what } of sizes) {
    say(what);
    const directory = await mkdtemp(join(tmpdir(), 'lakehouse-bench-catalogue-'));
    const lake = await openTestLake(defineLakehouse({ assets: [table] }), directory);
    try {
      for (let one = 0; one < series; one++) lake.state.append(days(lake, one, 0, DAYS, each));
      lake.state.checkpoint();
      const whole = await timed(() => publish(lake));
      const costs = [];
      for (let i = 0; i < 5; i++) {
        lake.state.append(days(lake, i, DAYS, 1, each));
        costs.push(await timed(() => publish(lake)));
      }
      const nothing = await timed(() => publish(lake));
      const { assets } = JSON.parse(Buffer.from(await lake.store.read('_catalog.json')).toString());
      const { size } = await stat(join(directory, assets[table.key].catalog));
      const note = `CPU; ${(size / 1e6).toFixed(1)} MB, whole ${Math.round(whole.cpuMs)} ms, nothing new ${nothing.cpuMs.toFixed(1)} ms`;
      const value = median(costs.map(({ cpuMs }) => cpuMs));
      measured.push({ what: `one new day of ${what}`, value, unit: 'ms', note });
    } finally {
      await lake.close();
      await rm(directory, { recursive: true, force: true });
    }
  }
  return measured;
}
