import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { simulatedArchive } from '../assets/exchanges/simulated/archive.ts';
import { SIMULATED } from '../assets/exchanges/simulated/defaults.ts';
import { writeMirror } from '../assets/exchanges/simulated/mirror.ts';
import { type BenchOptions, CACHE, type Measurement, median } from './support.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const GOAL_MS = 500;

/** The mirror of real files beside the repository, else (and for a quick bench) one of the simulated exchange. */
async function findMirror(quick: boolean): Promise<{ directory: string; simulated: boolean }> {
  const real = join(ROOT, '../shared/data/archive');
  if (!quick && existsSync(real)) return { directory: real, simulated: false };
  const directory = join(CACHE, 'simulated');
  if (!existsSync(directory)) {
    await mkdir(CACHE, { recursive: true });
    const making = await mkdtemp(join(CACHE, 'making-'));
    await writeMirror(simulatedArchive(SIMULATED), making);
    await rename(making, directory);
  }
  return { directory, simulated: true };
}

interface Ran {
  readonly ms: number;
  readonly stdout: string;
}

function node(args: readonly string[]): Ran {
  const started = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
  const ms = performance.now() - started;
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}: ${stderr}${stdout}`);
  return { ms, stdout };
}

/** A whole process that finds nothing to do, in the order a person waits for it: start, load, observe, plan, say so. */
export async function benchNoop({ quick, say }: BenchOptions): Promise<Measurement[]> {
  if (!existsSync(join(ROOT, 'dist/cli.js'))) throw new Error('dist/ is missing: npm run build');
  const { directory, simulated } = await findMirror(quick);
  await mkdir(CACHE, { recursive: true });
  const work = await mkdtemp(join(CACHE, 'noop-'));
  try {
    const cli = join(ROOT, 'bin/lakehouse.js');
    const sets = [
      `dataDir=${work}`,
      `exchanges.binance.archive.directory=${directory}`,
      `exchanges.binance.archive.simulated=${simulated}`,
    ];
    const materialize = [cli, 'materialize', '--json', ...sets.flatMap((set) => ['--set', set])];
    say(`mirror: ${simulated ? 'simulated' : 'real'} files, ${directory}`);
    const first = node(materialize);
    say(`first run: ${(first.ms / 1000).toFixed(1)} s`);
    const last = first.stdout.trimEnd().split('\n').at(-1) ?? '';
    const partitions = Number(/"computed":(\d+)/.exec(last)?.[1]);
    if (!(partitions > 0)) throw new Error(`The first run computed nothing: ${last}`);

    const runs = { empty: ['-e', '0'], help: [cli, '--help'], materialize };
    const times: Record<keyof typeof runs, number[]> = { empty: [], help: [], materialize: [] };
    // In turn, so that a busy moment of the machine hits all three.
    for (let round = 0; round <= (quick ? 5 : 9); round++) {
      for (const name of ['empty', 'help', 'materialize'] as const) {
        const { ms, stdout } = node(runs[name]);
        if (name === 'materialize' && !/"computed":0\b/.test(stdout))
          throw new Error(`The second run computed something: ${stdout}`);
        if (round > 0) times[name].push(ms);
      }
    }
    const ms = { empty: median(times.empty), help: median(times.help), materialize: median(times.materialize) };
    return [
      { what: 'node -e 0', value: ms.empty, unit: 'ms' },
      { what: 'lakehouse --help', value: ms.help, unit: 'ms', yardstick: 'empty process', ratio: ms.help / ms.empty },
      {
        what: `lakehouse materialize, nothing to do in ${partitions.toLocaleString('en')} partitions`,
        value: ms.materialize,
        unit: 'ms',
        yardstick: 'empty process',
        ratio: ms.materialize / ms.empty,
        note: `goal: ${GOAL_MS} ms; fastest ${Math.min(...times.materialize).toFixed(0)}`,
      },
    ];
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
