import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { openEngine } from '../framework/engine/engine.ts';
import type { BoundPart } from '../framework/engine/port.ts';
import { writeZip } from '../framework/formats/zip.ts';
import { formatIndex } from '../framework/partition/time.ts';
import { bronze, CSV_COLUMNS, kline, klineCsv, silver } from '../test/engine/klines.ts';
import { bind, sha16, target } from '../test/engine/support-data.ts';

/**
 * Silver throughput: a year of day zips of one symbol per batch, against R, one hand-written DuckDB statement over the unzipped
 * CSVs of all symbols that writes the same column types and verifies nothing.
 * Usage: node --conditions=source bench/silver.ts [symbols=2] [days=365] [rounds=3]
 */
const [symbols = 2, days = 365, rounds = 3] = process.argv.slice(2).map(Number);
const FIRST_DAY = 19_358; // 2023-01-01

const directory = await mkdtemp(join(tmpdir(), 'lakehouse-bench-'));
try {
  await mkdir(join(directory, 'csv'));
  const batches: { parts: BoundPart[]; csvs: string[] }[] = [];
  for (let s = 0; s < symbols; s++) {
    const batch = { parts: [] as BoundPart[], csvs: [] as string[] };
    for (let d = 0; d < days; d++) {
      const date = formatIndex('day', FIRST_DAY + d);
      const text = new TextEncoder().encode(klineCsv(date, { seed: s + 1 }));
      const zip = writeZip('data.csv', text, { modified: new Date('2024-01-01T00:00:00Z') });
      const name = `S${s}-${date}`;
      await writeFile(join(directory, 'csv', `${name}.csv`), text);
      await writeFile(join(directory, `${name}.zip`), zip);
      batch.csvs.push(join(directory, 'csv', `${name}.csv`));
      batch.parts.push({ ...target(bronze, kline(`S${s}`, date)), path: join(directory, `${name}.zip`), version: sha16(zip) });
    }
    batches.push(batch);
  }
  const files = symbols * days;
  console.log(`${files} day files, ${files * 1440} rows`);

  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  const list = batches.flatMap(({ csvs }) => csvs).map((path) => `'${path}'`);
  const exact = (name: string) => `coalesce(TRY_CAST(${name} AS DECIMAL(18,8))::DECIMAL(38,8), ${name}::DECIMAL(38,8)) AS ${name}`;
  const price = (name: string) => `${name}::DECIMAL(18,8) AS ${name}`;
  const time = (name: string) => `make_timestamp(${name}::BIGINT * 1000) AS ${name}`;
  const sql = `COPY (SELECT ${[
    time('open_time'),
    ...['open', 'high', 'low', 'close'].map(price),
    exact('volume'),
    time('close_time'),
    exact('quote_volume'),
    'count::BIGINT AS count',
    ...['taker_buy_volume', 'taker_buy_quote_volume'].map(exact),
  ].join(', ')} FROM read_csv([${list}], columns = {${CSV_COLUMNS.map((c) => `'${c}': 'VARCHAR'`).join(', ')}}, header = false, auto_detect = false, delim = ','))
    TO '${join(directory, 'reference.parquet')}' (FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION V2)`;

  const engine = openEngine({ tempDirectory: directory, scratchDirectory: '/dev/shm' });
  const inputs = batches.map(({ parts }) => {
    const targets = parts.map((part) => target(silver, kline(part.values.symbol ?? '', formatIndex('day', part.time))));
    return { targets, input: bind('raw', bronze, parts, targets, (t, part) => t.time === part.time) };
  });
  const ours = async (round: number) => {
    const work = inputs.map(async ({ targets, input }, i) =>
      engine.computeBatch({
        definition: silver,
        targets,
        inputs: [input],
        packs: [{ path: join(directory, `ours-${round}-${i}.parquet`), targets: targets.map((_, j) => j), carry: [] }],
        signal: new AbortController().signal,
      }),
    );
    await Promise.all(work);
  };
  const measure = async (work: () => Promise<unknown>) => {
    const started = performance.now();
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    return { ms: performance.now() - started, cpu: (user + system) / 1000 };
  };
  type Cost = Awaited<ReturnType<typeof measure>>;
  const median = (costs: Cost[], unit: keyof Cost) => costs.map((cost) => cost[unit]).sort((a, b) => a - b)[costs.length >> 1] ?? 0;
  const show = ({ ms, cpu }: Cost) => `${ms.toFixed(0)} ms (${cpu.toFixed(0)} ms of CPU)`;
  const r: Cost[] = [];
  const own: Cost[] = [];
  for (let round = 0; round < rounds; round++) {
    const [reference, mine] = [await measure(() => connection.run(sql)), await measure(() => ours(round))];
    r.push(reference);
    own.push(mine);
    console.log(`round ${round + 1}: R ${show(reference)}, ours ${show(mine)}`);
  }
  for (const unit of ['ms', 'cpu'] as const) {
    const [a, b] = [median(r, unit), median(own, unit)];
    console.log(`${unit} a file: R ${(a / files).toFixed(2)}, ours ${(b / files).toFixed(2)}: ${(a / b).toFixed(2)} x R`);
  }
  await engine.close();
} finally {
  await rm(directory, { recursive: true, force: true });
}
