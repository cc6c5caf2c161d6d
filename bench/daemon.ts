import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { asset, bytes, daily, defineLakehouse, schedule, source } from 'crypto-lakehouse';
import { Daemon } from '../framework/operate/daemon.ts';
import { openOperate } from '../framework/operate/sqlite.ts';
import { openTestLake } from '../test/materialize/lake.ts';
import { type BenchOptions, CACHE, type Measurement } from './support.ts';

const MINUTE_MS = 60_000;

/** What a daemon costs that has nothing to do: the time of a tick against the two writes it cannot do without, and memory over many. */
export async function benchDaemon({ quick, say }: BenchOptions): Promise<Measurement[]> {
  const ticks = quick ? 2_000 : 100_000;
  const runs = quick ? 20 : 500;
  const directory = mkdtempSync(join(CACHE, 'daemon-'));
  const clock = { now: Date.parse('2024-01-01T00:00:30Z') };
  const date = daily({ start: '2024-01-01', end: '2024-01-02' });
  const files = source('bench/files', {
    partitions: { date },
    observe: async function* () {
      yield { partition: { date: '2024-01-01' }, version: 'v1' };
    },
    read: async () => ({ bytes: Buffer.from('x'), version: 'v1' }),
  });
  const raw = asset('bench/raw', {
    partitions: { date },
    inputs: { files },
    format: bytes({ extension: '.txt' }),
    compute: ({ inputs }) => inputs.files.bytes(),
  });
  const lake = await openTestLake(defineLakehouse({ assets: [files, raw] }), directory, { now: () => clock.now });
  const path = join(directory, 'operate.sqlite');
  const store = openOperate(path, { host: 'bench' });
  try {
    const write = writeMs(join(directory, 'yardstick.sqlite'));
    const answer = store.acquire({ host: 'bench', pid: 1, started: 1 }, Number.MAX_SAFE_INTEGER / 2, clock.now);
    if (!('lease' in answer)) throw new Error('The lease was refused');
    const daemonOf = (action: 'materialize-stale' | (() => string)) =>
      new Daemon({
        loaded: { lake, schedules: [schedule({ name: 'minutely', cron: '* * * * *', action })], sensors: [] },
        store: store.fenced(answer.lease),
        log: () => undefined,
        now: () => clock.now,
        maxRuns: 1,
        ticksKept: 1_000,
        redact: (text) => text,
        retentionDays: 1,
        automationEveryMs: 30_000,
        wake: () => undefined,
      });
    const idle = daemonOf(() => 'nothing');
    const pass = async (daemon: Daemon, count: number) => {
      for (let n = 0; n < count; n++) {
        daemon.turn();
        await daemon.settled();
        clock.now += MINUTE_MS;
      }
    };
    await pass(idle, 1_000);
    const heap = heapMb();
    const began = performance.now();
    await pass(idle, ticks);
    const perTick = (performance.now() - began) / ticks;
    const after = heapMb();
    say(`${ticks.toLocaleString('en')} ticks of a function`);
    const working = daemonOf('materialize-stale');
    await pass(working, 10);
    const started = performance.now();
    await pass(working, runs);
    const perRun = (performance.now() - started) / runs;
    return [
      { what: 'transaction that is on disk', value: write, unit: 'ms' },
      {
        what: 'tick of a function that does nothing',
        value: perTick,
        unit: 'ms',
        yardstick: 'two transactions',
        ratio: perTick / (2 * write),
      },
      {
        what: `heap after ${ticks.toLocaleString('en')} ticks`,
        value: after,
        unit: 'MiB',
        yardstick: 'heap after 1,000',
        ratio: after / heap,
        note: `${(statSync(path).size / 1024).toFixed(0)} KiB on disk`,
      },
      {
        what: 'tick of a run that finds nothing stale',
        value: perRun,
        unit: 'ms',
        yardstick: 'two transactions',
        ratio: perRun / (2 * write),
      },
    ];
  } finally {
    store.close();
    await lake.close();
    rmSync(directory, { recursive: true });
  }
}

/** The least that remembers something for good. */
function writeMs(path: string): number {
  const db = new DatabaseSync(path);
  try {
    db.exec('PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = FULL; CREATE TABLE t (x)');
    const insert = db.prepare('INSERT INTO t VALUES (1)');
    const count = 200;
    const began = performance.now();
    for (let n = 0; n < count; n++) insert.run();
    return (performance.now() - began) / count;
  } finally {
    db.close();
  }
}

function heapMb(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed / 2 ** 20;
}
