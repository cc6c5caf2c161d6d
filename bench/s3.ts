import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { OpenedLake } from '../framework/materialize/open.ts';
import { lakeViews } from '../framework/materialize/views.ts';
import { queryAnew } from '../framework/report/query.ts';
import { httpfs } from '../test/support/httpfs.ts';
import { needsS3, type S3Server, s3Available, s3Proxy, startS3 } from '../test/support/s3.ts';
import { materializeAll, openBenchLake } from './lake.ts';
import { makeInput } from './silver.ts';
import { type BenchOptions, CACHE, type Cost, type Measurement, median, timed } from './support.ts';

const MARK = 1.3;
const never = new AbortController().signal;

async function readAll(lake: OpenedLake): Promise<void> {
  const sql = 'SELECT symbol, count(*), sum(volume), max(close_time) FROM silver.klines GROUP BY 1';
  const views = (files: Parameters<typeof lakeViews>[1]) =>
    lakeViews(lake, files, ({ key }) => key === 'silver/klines');
  await queryAnew(lake, views, sql, never, async ({ batches }) => {
    for await (const _ of batches);
  });
}

/**
 * silver/klines of a lake in a bucket of a MinIO on the loopback against the same in a directory, originals and all: each is made
 * from nothing. Then what it takes to read silver, with the cache cold and warm.
 */
export async function benchS3({ quick, say }: BenchOptions): Promise<Measurement[]> {
  if (!s3Available) {
    say(`nothing was measured${needsS3}`);
    return [];
  }
  const [symbols, days, rounds] = quick ? [2, 60, 2] : [10, 180, 3];
  const files = symbols * days;
  const input = await makeInput(symbols, days, say);
  const work = await mkdtemp(join(CACHE, 's3-'));
  const server = await startS3();
  try {
    await using proxy = await s3Proxy(server.endpoint);
    const settings = [
      `exchanges.binance.archive.directory=${input.mirror}`,
      'exchanges.binance.archive.simulated=true',
      `exchanges.binance.symbols=[${input.symbols.join(', ')}]`,
      'exchanges.binance.intervals=[1m]',
    ];
    const onS3 = (prefix: string, endpoint: string) => [
      ...settings,
      ...bucketOf(server, prefix, endpoint),
      's3.reads=cache',
    ];
    const made = async (name: string, sets: readonly string[]): Promise<{ bronze: Cost; silver: Cost }> => {
      const directory = join(work, name);
      await mkdir(directory);
      const lake = await openBenchLake(directory, sets);
      try {
        const bronze = await timed(() => materializeAll(lake, '+bronze/klines_daily'));
        const silver = await timed(async () => {
          const { counts } = await materializeAll(lake, 'silver/klines');
          if (counts.computed !== files) throw new Error(`${counts.computed} of ${files} partitions were computed`);
        });
        return { bronze, silver };
      } finally {
        await lake.close();
      }
    };
    const near: { bronze: Cost; silver: Cost }[] = [];
    const far: typeof near = [];
    for (let round = 0; round < rounds; round++) {
      const local = await made(`local-${round}`, settings);
      const remote = await made(`s3-${round}`, onS3(`round-${round}`, server.endpoint));
      near.push(local);
      far.push(remote);
      say(
        `round ${round + 1}: silver ${local.silver.ms.toFixed(0)} ms in a directory, ${remote.silver.ms.toFixed(0)} ms on S3; bronze ${local.bronze.ms.toFixed(0)} and ${remote.bronze.ms.toFixed(0)} ms`,
      );
      await rm(join(work, `local-${round}`), { recursive: true });
      if (round > 0) await rm(join(work, `s3-${round}`), { recursive: true });
    }

    const asked = async (...more: string[]): Promise<{ cost: Cost; gets: number }[]> => {
      const reader = await openBenchLake(join(work, 's3-0'), [...onS3('round-0', proxy.endpoint), ...more]);
      const out = [];
      for (let time = 0; time < 4; time++) {
        proxy.clear();
        const cost = await timed(() => readAll(reader));
        out.push({ cost, gets: proxy.counts().GET ?? 0 });
      }
      await reader.close();
      return out;
    };
    const [cold, ...warm] = await asked(`s3.cache.directory=${join(work, 'cache')}`);
    const [, ...direct] = httpfs === undefined ? [] : await asked('s3.reads=httpfs', `s3.httpfs=${httpfs}`);
    const gets = (all: typeof warm) => `${all.reduce((sum, one) => sum + one.gets, 0)} GETs in ${all.length} queries`;
    const ratio = (of: 'bronze' | 'silver', unit: keyof Cost = 'ms') =>
      median(far.map((one, i) => one[of][unit] / (near[i]?.[of][unit] ?? Number.NaN)));
    const ms = (all: typeof near, of: 'bronze' | 'silver') => median(all.map((one) => one[of].ms)) / files;
    return [
      {
        what: 'silver/klines on S3',
        value: ms(far, 'silver'),
        unit: 'ms a day',
        yardstick: 'time in a directory',
        ratio: ratio('silver'),
        note: `mark: ${MARK}`,
      },
      {
        what: 'silver/klines on S3, CPU',
        value: median(far.map(({ silver }) => silver.cpuMs)) / files,
        unit: 'ms a day',
        yardstick: 'CPU in a directory',
        ratio: ratio('silver', 'cpuMs'),
        note: 'of this process, without the server',
      },
      {
        what: 'bronze/klines_daily on S3: an object each',
        value: ms(far, 'bronze'),
        unit: 'ms a zip',
        yardstick: 'time in a directory',
        ratio: ratio('bronze'),
      },
      {
        what: 'a query of all silver, cold cache',
        value: cold?.cost.ms ?? Number.NaN,
        unit: 'ms',
        note: `${cold?.gets} GETs`,
      },
      {
        what: 'the same, warm',
        value: median(warm.map(({ cost }) => cost.ms)),
        unit: 'ms',
        note: gets(warm),
      },
      ...(direct.length === 0
        ? []
        : [
            {
              what: "the same by DuckDB's httpfs",
              value: median(direct.map(({ cost }) => cost.ms)),
              unit: 'ms',
              note: gets(direct),
            },
          ]),
    ];
  } finally {
    await server.stop();
    await rm(work, { recursive: true, force: true });
  }
}

const bucketOf = (server: S3Server, prefix: string, endpoint: string): string[] => [
  ...server.settings(prefix, endpoint),
  `s3.accessKeyId=${server.accessKeyId}`,
  `s3.secretAccessKey=${server.secretAccessKey}`,
];
