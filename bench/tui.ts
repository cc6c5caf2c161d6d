import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { PRESENT } from '../framework/plan/view.ts';
import { openState } from '../framework/state/sqlite.ts';
import { benchGraph, clock, type Size } from './plan-lake.ts';
import { type BenchOptions, CACHE, type Measurement, median } from './support.ts';
import { benchHeatmap } from './tui-heatmap.ts';
import { usedLake } from './tui-lake.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

interface Answer {
  /** Since the process began, ms. */
  readonly firstAt: number;
  readonly wholeAt: number;
  readonly blockedMs: number;
  /** Of all threads until then, ms. */
  readonly firstCpu: number;
  readonly wholeCpu: number;
  /** From a key to the frame it causes, ms: of keys now and then, and of one that is held down and repeats 30 times a second. */
  readonly single: readonly number[];
  readonly held: readonly number[];
  /** Of all threads per key, ms; now and then with what is said of the cell afterwards. */
  readonly singleCpu: number;
  readonly heldCpu: number;
  /** Share of one core. */
  readonly idle: number;
  readonly memory: NodeJS.MemoryUsage;
  readonly rssAfter: number;
  /** The most that was resident at any time, until the keys. */
  readonly peak: number;
  /** When another process commits a batch of an asset that nothing reads, and of one that most others read. */
  readonly follow: readonly { readonly cpuMs: number; readonly blockedMs: number }[];
}

/** A lake of so many symbols has about 18,700 partitions of each, over a source and nine assets. */
const DAYS = 2_525;
const MILLION = 60;
const TWENTY_MILLION = 1_070;

/** The terminal UI in processes of its own, against Ink alone with lines that were made beforehand; then the heat map by itself. */
export async function benchTui(options: BenchOptions): Promise<Measurement[]> {
  const { quick, say } = options;
  await mkdir(CACHE, { recursive: true });
  const work = await mkdtemp(join(CACHE, 'tui-'));
  const program = await mkdtemp(join(ROOT, 'node_modules', '.bench-'));
  try {
    const start = await built(program);
    const keys = quick ? 4 : 40;
    const idleMs = quick ? 500 : 10_000;
    const rounds = quick ? 1 : 3;
    // The first one fills the cache of compiled code, as the first start after an installation does.
    start(['ink', '', '0', '0', '0', '0']);
    const bare = Array.from({ length: rounds }, () => start(['ink', '', '0', '0', String(keys), String(idleMs)]));
    const measurements = alone(bare);
    for (const symbols of quick ? [MILLION] : [MILLION, TWENTY_MILLION]) {
      const size: Size = { symbols, days: DAYS };
      const { kept, partitions } = await make(size, say);
      say(`${partitions.toLocaleString('en')} partitions`);
      const path = join(work, 'state.sqlite');
      const count = symbols === MILLION ? rounds : 1;
      const args = ['ui', path, String(symbols), String(DAYS), String(keys), String(idleMs)];
      const answers: Answer[] = [];
      for (let round = 0; round < count; round++) {
        // Each process appends to it at last.
        await copyFile(kept, path);
        answers.push(start(args));
      }
      measurements.push(...rowsOf(partitions, answers, bare));
      await rm(path, { force: true });
    }
    return [...measurements, ...(await benchHeatmap(options))];
  } finally {
    await rm(work, { recursive: true, force: true });
    await rm(program, { recursive: true, force: true });
  }
}

/** Made once and kept: appending thousands of events takes minutes. */
async function make(size: Size, say: (text: string) => void): Promise<{ kept: string; partitions: number }> {
  const kept = join(CACHE, `used-lake-${size.symbols}x${size.days}-1.sqlite`);
  const now = () => clock(size);
  if (!existsSync(kept)) {
    say(`a lake of ${size.symbols} symbols is made`);
    const draft = `${kept}.new`;
    await rm(draft, { force: true });
    const state = openState(draft, { now });
    for (const event of usedLake(benchGraph(), size)) state.append(event);
    state.checkpoint();
    state.close();
    await rename(draft, kept);
  }
  const state = openState(kept, { readOnly: true, now });
  let partitions = 0;
  for (const key of state.index().assetKeys()) {
    for (const { flags } of state.index().asset(key)?.series.values() ?? []) {
      for (const flag of flags) if (flag & PRESENT) partitions++;
    }
  }
  state.close();
  return { kept, partitions };
}

/** The process, bundled as `npm run build` bundles the program. */
async function built(directory: string): Promise<(args: readonly string[]) => Answer> {
  await build({
    absWorkingDir: ROOT,
    entryPoints: ['bench/tui-process.ts'],
    outdir: directory,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22.18',
    packages: 'external',
    alias: { 'crypto-lakehouse': join(ROOT, 'framework/index.ts') },
    conditions: ['source'],
    logLevel: 'warning',
    outExtension: { '.js': '.mjs' },
  });
  const options = ['--expose-gc', '--max-old-space-size=8192', join(directory, 'tui-process.mjs')];
  const env = { ...process.env, NODE_COMPILE_CACHE: join(directory, 'compiled') };
  return (args) =>
    JSON.parse(execFileSync(process.execPath, [...options, ...args], { encoding: 'utf8', maxBuffer: 1 << 24, env }));
}

const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(Math.floor(values.length * share), values.length - 1)] ?? Number.NaN;
const MB = 2 ** 20;
const cpu = (ms: number): string => `CPU of all threads ${Math.round(ms)} ms`;
/** Of the answers, the middle one of a number. */
const middle = (answers: readonly Answer[], pick: (answer: Answer) => number): number => median(answers.map(pick));
const singleP95 = ({ single }: Answer): number => percentile(single, 0.95);
const heldP95 = ({ held }: Answer): number => percentile(held, 0.95);
const spread = (frames: readonly number[] = []): string =>
  `median ${percentile(frames, 0.5).toFixed(1)} ms, most ${Math.max(...frames).toFixed(1)} ms`;

function alone(bare: readonly Answer[]): Measurement[] {
  return [
    { what: 'Ink alone: process start to first frame', value: middle(bare, ({ firstAt }) => firstAt), unit: 'ms' },
    { what: 'Ink alone: key to frame, p95', value: middle(bare, singleP95), unit: 'ms' },
    { what: 'Ink alone: a held key to frame, p95', value: middle(bare, heldP95), unit: 'ms' },
    { what: 'Ink alone: CPU of a held key', value: middle(bare, ({ heldCpu }) => heldCpu), unit: 'ms' },
    { what: 'Ink alone: idle', value: 100 * middle(bare, ({ idle }) => idle), unit: '% of a core' },
    { what: 'Ink alone: memory', value: middle(bare, ({ memory }) => memory.rss) / MB, unit: 'MiB' },
  ];
}

function rowsOf(partitions: number, answers: readonly Answer[], bare: readonly Answer[]): Measurement[] {
  const lake = `${(partitions / 1e6).toFixed(1)} million`;
  const measure = (
    what: string,
    unit: string,
    pick: (answer: Answer) => number,
    { against = pick, note = '' }: { readonly against?: (answer: Answer) => number; readonly note?: string } = {},
  ): Measurement => ({
    what: `${lake}: ${what}`,
    value: middle(answers, pick),
    unit,
    yardstick: 'Ink alone',
    ratio: middle(answers, pick) / middle(bare, against),
    note,
  });
  const [one] = answers;
  const mib = (bytes: number | undefined) => `${Math.round((bytes ?? 0) / MB)} MiB`;
  return [
    measure('process start to first frame (screen, without counts)', 'ms', ({ firstAt }) => firstAt, {
      note: cpu(middle(answers, ({ firstCpu }) => firstCpu)),
    }),
    measure('process start to the counts of all assets', 'ms', ({ wholeAt }) => wholeAt, {
      against: ({ firstAt }) => firstAt,
      note: cpu(middle(answers, ({ wholeCpu }) => wholeCpu)),
    }),
    {
      what: `${lake}: longest time without answering a key while it is read`,
      value: middle(answers, ({ blockedMs }) => blockedMs),
      unit: 'ms',
    },
    measure('heat map 200×50, key to frame, p95', 'ms', singleP95, { note: spread(one?.single) }),
    measure('heat map 200×50, a held key to frame, p95', 'ms', heldP95, { note: spread(one?.held) }),
    measure('heat map 200×50, CPU of a held key', 'ms', ({ heldCpu }) => heldCpu, {
      note: `${(one?.singleCpu ?? 0).toFixed(0)} ms of a single one, with what is said of the cell`,
    }),
    measure('idle on the heat map', '% of a core', ({ idle }) => 100 * idle),
    {
      what: `${lake}: a batch of an asset that nothing reads, committed by another process`,
      value: middle(answers, ({ follow }) => follow[0]?.cpuMs ?? Number.NaN),
      unit: 'ms of CPU',
      note: `longest time without answering a key ${(one?.follow[0]?.blockedMs ?? 0).toFixed(0)} ms`,
    },
    {
      what: `${lake}: a batch of an asset that most others read`,
      value: middle(answers, ({ follow }) => follow[1]?.cpuMs ?? Number.NaN),
      unit: 'ms of CPU',
      note: `longest time without answering a key ${(one?.follow[1]?.blockedMs ?? 0).toFixed(0)} ms`,
    },
    measure('memory (resident, after a collection)', 'MiB', ({ memory }) => memory.rss / MB, {
      note: `arrays ${mib(one?.memory.arrayBuffers)}, JavaScript heap ${mib(one?.memory.heapUsed)}; ${mib(one?.rssAfter)} after the keys, ${mib(one?.peak)} at most before`,
    }),
  ];
}
