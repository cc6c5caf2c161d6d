import { copyFile, link, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { simulatedArchive } from '../assets/exchanges/simulated/archive.ts';
import { writeMirror } from '../assets/exchanges/simulated/mirror.ts';
import { klineText } from '../assets/klines.ts';
import { inflateMember, readSingleMember } from '../framework/formats/zip.ts';
import { materializeAll, openBenchLake } from './lake.ts';
import { type BenchOptions, CACHE, type Cost, type Measurement, median, medianCost, timed } from './support.ts';

const MARK = 0.35;
const PRICES = ['open', 'high', 'low', 'close'];

/** A mirror of day zips and the same days unzipped, kept between runs. */
export interface Input {
  readonly mirror: string;
  readonly csvs: readonly string[];
  readonly symbols: readonly string[];
}

export async function makeInput(symbols: number, days: number, say: BenchOptions['say']): Promise<Input> {
  const names = Array.from({ length: symbols }, (_, i) => `S${String(i).padStart(2, '0')}USDT`);
  const directory = join(CACHE, `klines-${symbols}x${days}`);
  const [mirror, csv] = [join(directory, 'mirror'), join(directory, 'csv')];
  const ready = await stat(directory).then(
    () => true,
    () => false,
  );
  say(`input: ${directory}${ready ? '' : ' (is made now, and kept for the next time)'}`);
  if (!ready) {
    const to = new Date(Date.UTC(2023, 0, days)).toISOString().slice(0, 10);
    const listings = names.map((symbol, i) => ({ market: 'spot' as const, symbol, price: 10 ** (i % 5) }));
    const archive = simulatedArchive({
      seed: 'bench',
      listings,
      intervals: ['1m'],
      from: '2023-01-01',
      to,
      monthlyPublished: false,
    });
    await mkdir(CACHE, { recursive: true });
    const making = await mkdtemp(join(CACHE, 'making-'));
    await writeMirror(archive, join(making, 'mirror'));
    await mkdir(join(making, 'csv'));
    for (const key of archive.keys().filter((one) => one.endsWith('.zip'))) {
      const zip = await readFile(join(making, 'mirror', key));
      await writeFile(
        join(making, 'csv', key.replace(/^.*\/(.*)\.zip$/, '$1.csv')),
        inflateMember(readSingleMember(zip, key)),
      );
    }
    await rename(making, directory);
  }
  return { mirror, csvs: (await readdir(csv)).sort().map((name) => join(csv, name)), symbols: names };
}

/**
 * R: one statement that a person would write for this one job. It reads what is already unzipped, trusts it, checks nothing,
 * and writes the product's column types in the fastest way known (wide decimals by way of narrow ones).
 */
function referenceSql(csvs: readonly string[], to: string): string {
  const amount = (name: string) =>
    `coalesce(TRY_CAST(${name} AS DECIMAL(18,8))::DECIMAL(38,8), ${name}::DECIMAL(38,8)) AS ${name}`;
  const time = (name: string) => `make_timestamp(${name} * 1000) AS ${name}`;
  const columns = [
    time('open_time'),
    ...PRICES,
    amount('volume'),
    time('close_time'),
    amount('quote_volume'),
    'count',
    amount('taker_buy_volume'),
    amount('taker_buy_quote_volume'),
  ];
  const typeOf = (name: string) => {
    if (PRICES.includes(name)) return 'DECIMAL(18,8)';
    return ['open_time', 'close_time', 'count'].includes(name) ? 'BIGINT' : 'VARCHAR';
  };
  const types = klineText.map((name) => `'${name}': '${typeOf(name)}'`).join(', ');
  const files = csvs.map((path) => `'${path}'`).join(', ');
  return `COPY (SELECT ${columns.join(', ')} FROM read_csv([${files}], columns = {${types}}, header = false, auto_detect = false, delim = ','))
    TO '${to}' (FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION V2)`;
}

/** A lake with the same objects, by hard links, and a state of its own. */
export async function copyLake(from: string, to: string): Promise<void> {
  for (const entry of await readdir(from, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const target = join(to, path.slice(from.length));
    await mkdir(dirname(target), { recursive: true });
    await (path.includes('/.lakehouse/') ? copyFile : link)(path, target);
  }
}

/** Throughput of silver/klines from the lake's own zips, through the whole materializer, against {@link referenceSql}. */
export async function benchSilver({ quick, say }: BenchOptions): Promise<Measurement[]> {
  const [symbols, days, rounds] = quick ? [2, 60, 2] : [20, 365, 3];
  const files = symbols * days;
  const input = await makeInput(symbols, days, say);
  const work = await mkdtemp(join(CACHE, 'silver-'));
  try {
    const settings = [
      `exchanges.binance.archive.directory=${input.mirror}`,
      'exchanges.binance.archive.simulated=true',
      `exchanges.binance.symbols=[${input.symbols.join(', ')}]`,
      'exchanges.binance.intervals=[1m]',
    ];
    const master = join(work, 'bronze');
    await mkdir(master);
    const first = await openBenchLake(master, settings);
    const bronze = await timed(() => materializeAll(first, '+bronze/klines_daily'));
    await first.close();
    say(`bronze: ${(bronze.ms / files).toFixed(2)} ms a zip`);

    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    await connection.run("SET TimeZone = 'UTC'");
    const sql = referenceSql(input.csvs, join(work, 'reference.parquet'));
    const reference: Cost[] = [];
    const own: Cost[] = [];
    let rows = 0;
    for (let round = 0; round < rounds; round++) {
      const r = await timed(() => connection.run(sql));
      const directory = join(work, `round-${round}`);
      await copyLake(master, directory);
      const lake = await openBenchLake(directory, settings);
      const ours = await timed(async () => {
        const { counts } = await materializeAll(lake, 'silver/klines');
        if (counts.computed !== files) throw new Error(`${counts.computed} of ${files} partitions were computed`);
        rows = counts.rows;
      });
      await lake.close();
      await rm(directory, { recursive: true });
      reference.push(r);
      own.push(ours);
      say(
        `round ${round + 1}: R ${r.ms.toFixed(0)} ms (${r.cpuMs.toFixed(0)} of CPU), silver ${ours.ms.toFixed(0)} ms (${ours.cpuMs.toFixed(0)}): ${(r.ms / ours.ms).toFixed(2)} × R`,
      );
    }
    connection.closeSync();
    instance.closeSync();
    const [r, ours] = [medianCost(reference), medianCost(own)];
    // Round by round, because the machine is not the same machine a minute later.
    const ratio = (unit: keyof Cost) => median(own.map((cost, i) => cost[unit] / (reference[i]?.[unit] ?? Number.NaN)));
    return [
      {
        what: `R: one statement, ${files.toLocaleString('en')} CSVs to one Parquet`,
        value: r.ms / files,
        unit: 'ms a day',
        note: `${(rows / r.ms / 1000).toFixed(2)} M rows/s`,
      },
      {
        what: 'silver/klines from zips',
        value: ours.ms / files,
        unit: 'ms a day',
        yardstick: 'speed of R',
        ratio: 1 / ratio('ms'),
        note: `${(rows / ours.ms / 1000).toFixed(2)} M rows/s; mark: ${MARK}`,
      },
      {
        what: 'silver/klines, CPU',
        value: ours.cpuMs / files,
        unit: 'ms a day',
        yardstick: 'CPU of R',
        ratio: ratio('cpuMs'),
      },
      {
        what: 'bronze/klines_daily: observe, verify, copy',
        value: bronze.ms / files,
        unit: 'ms a zip',
        yardstick: 'time of R',
        ratio: bronze.ms / r.ms,
      },
    ];
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
