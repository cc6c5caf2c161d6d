import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { simulatedArchive } from '../assets/exchanges/simulated/archive.ts';
import { writeMirror } from '../assets/exchanges/simulated/mirror.ts';
import { materializeAll, openBenchLake } from './lake.ts';
import { type BenchOptions, CACHE, type Cost, type Measurement, median, medianCost, timed } from './support.ts';

const GOAL = 2;
/** Files at once; each is two requests, the zip and its CHECKSUM. */
const AT_ONCE = 8;

const run = promisify(execFile);

interface Input {
  readonly mirror: string;
  readonly keys: readonly string[];
  readonly bytes: number;
}

/** A mirror of day zips with their CHECKSUMs, kept between runs. */
async function makeInput(symbols: number, days: number, say: BenchOptions['say']): Promise<Input> {
  const mirror = join(CACHE, `download-${symbols}x${days}`);
  const made = await stat(mirror).then(
    () => true,
    () => false,
  );
  say(`input: ${mirror}${made ? '' : ' (is made now, and kept for the next time)'}`);
  const archive = simulatedArchive({
    seed: 'download',
    listings: Array.from({ length: symbols }, (_, i) => ({
      market: 'um' as const,
      symbol: `S${String(i).padStart(2, '0')}USDT`,
      price: 10 ** (i % 5),
    })),
    intervals: ['1m'],
    from: '2023-01-01',
    to: new Date(Date.UTC(2023, 0, days)).toISOString().slice(0, 10),
    monthlyPublished: false,
  });
  if (!made) {
    await mkdir(CACHE, { recursive: true });
    const making = await mkdtemp(join(CACHE, 'making-'));
    await writeMirror(archive, making);
    await rename(making, mirror);
  }
  const keys = archive.keys();
  const sizes = await Promise.all(keys.map((key) => stat(join(mirror, key))));
  return { mirror, keys, bytes: sizes.reduce((sum, { size }) => sum + size, 0) };
}

async function serve(mirror: string): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const program = fileURLToPath(new URL('download-server.ts', import.meta.url));
  const child = spawn(process.execPath, ['--conditions=source', program, mirror], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [port] = await once(child.stdout, 'data');
  return { child, url: `http://127.0.0.1:${String(port).trim()}` };
}

/** Undefined where there is no curl. */
const curlVersion = (): Promise<string | undefined> =>
  run('curl', ['--version']).then(
    ({ stdout }) => stdout.split(' ', 2).join(' '),
    () => undefined,
  );

/** Day zips from a server on this machine into bronze, proved against their CHECKSUMs, against curl fetching the same files. */
export async function benchDownload({ quick, say }: BenchOptions): Promise<Measurement[]> {
  const [symbols, days, rounds] = quick ? [4, 50, 2] : [20, 100, 5];
  const files = symbols * days;
  const input = await makeInput(symbols, days, say);
  const curl = await curlVersion();
  if (curl === undefined) say('there is no curl here: nothing to compare with');
  const { child, url } = await serve(input.mirror);
  const work = await mkdtemp(join(CACHE, 'downloads-'));
  try {
    const config = join(work, 'curl.txt');
    const target = join(work, 'curl');
    await writeFile(config, input.keys.map((key) => `url=${url}/${key}\noutput=${join(target, key)}\n`).join(''));
    const downloads: Cost[] = [];
    const own: Cost[] = [];
    for (let round = 0; round < rounds; round++) {
      if (curl !== undefined) {
        const options = ['--parallel', '--parallel-max', String(2 * AT_ONCE), '--silent', '--fail', '--create-dirs'];
        downloads.push(await timed(() => run('curl', [...options, '--config', config])));
        const found = (await readdir(target, { recursive: true, withFileTypes: true })).filter((one) => one.isFile());
        if (found.length !== input.keys.length) throw new Error(`curl fetched ${found.length} files`);
        await rm(target, { recursive: true });
      }
      const directory = join(work, `round-${round}`);
      await mkdir(directory);
      const lake = await openBenchLake(directory, [
        `exchanges.binance.archive.baseUrl=${url}`,
        `exchanges.binance.archive.listUrl=${url}/bucket`,
        'exchanges.binance.archive.simulated=true',
        `workflow.concurrencyLimit=${AT_ONCE}`,
        'exchanges.binance.markets=[um]',
        "exchanges.binance.symbols=['*']",
        'exchanges.binance.intervals=[1m]',
      ]);
      own.push(
        await timed(async () => {
          const { counts } = await materializeAll(lake, '+bronze/klines_daily');
          if (counts.computed !== files) throw new Error(`${counts.computed} of ${files} files were fetched`);
        }),
      );
      await lake.close();
      await rm(directory, { recursive: true });
      const seconds = (costs: readonly Cost[]) => ((costs.at(-1)?.ms ?? Number.NaN) / 1000).toFixed(2);
      say(`round ${round + 1}: bronze ${seconds(own)} s${curl === undefined ? '' : `, curl ${seconds(downloads)} s`}`);
    }
    const [theirs, ours] = [medianCost(downloads), medianCost(own)];
    const speed = ({ ms }: Cost) =>
      `${Math.round((files / ms) * 1000).toLocaleString('en')} files/s, ${(input.bytes / ms / 1000).toFixed(1)} MB/s`;
    const ratio = median(own.map(({ ms }, i) => ms / (downloads[i]?.ms ?? Number.NaN)));
    const size = `${files.toLocaleString('en')} zips of ${Math.round(input.bytes / files / 1000)} kB`;
    return [
      ...(curl === undefined
        ? []
        : [
            {
              what: `${curl} --parallel: ${size} and their CHECKSUMs`,
              value: theirs.ms / files,
              unit: 'ms a file',
              note: speed(theirs),
            },
          ]),
      {
        what: `bronze/klines_daily: list, fetch, prove, keep: ${size}`,
        value: ours.ms / files,
        unit: 'ms a file',
        note: `${speed(ours)}; goal: ${GOAL} ×`,
        ...(curl !== undefined && { yardstick: 'time of curl', ratio }),
      },
      { what: 'bronze/klines_daily, CPU', value: ours.cpuMs / files, unit: 'ms a file' },
    ];
  } finally {
    child.stdin?.end();
    await rm(work, { recursive: true, force: true });
  }
}
