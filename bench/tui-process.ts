import { monitorEventLoopDelay } from 'node:perf_hooks';
import { PassThrough, Writable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import type { OpenedLake } from '../framework/materialize/open.ts';

// A process of its own, as `lakehouse ui` is one. Its screen is a stream that throws away what is drawn: no terminal is measured.
const [mode = '', path = '', symbols, days, keys, idleMs] = process.argv.slice(2);
const COLUMNS = 200;
const ROWS = 50;
/** As keyboards repeat. */
const REPEAT_MS = 33;

const waiting: { readonly wanted: RegExp; readonly done: (at: number) => void }[] = [];
const stdout = Object.assign(
  new Writable({
    write(chunk: Buffer, _, done) {
      const at = performance.now();
      const text = waiting.length > 0 ? stripVTControlCharacters(chunk.toString()) : '';
      for (const one of [...waiting]) {
        if (!one.wanted.test(text)) continue;
        waiting.splice(waiting.indexOf(one), 1);
        one.done(at);
      }
      done();
    },
  }),
  { isTTY: true, columns: COLUMNS, rows: ROWS },
) as unknown as NodeJS.WriteStream;
const stdin = Object.assign(new PassThrough(), {
  isTTY: true,
  setRawMode: () => undefined,
  ref: () => undefined,
  unref: () => undefined,
}) as unknown as NodeJS.ReadStream & PassThrough;
/** When something was written that has this in it; ms since the process began. */
const written = (wanted: RegExp) => new Promise<number>((done) => waiting.push({ wanted, done }));
// Streams in memory keep no process alive.
const alive = setInterval(() => undefined, 60_000);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const delay = monitorEventLoopDelay({ resolution: 1 });
const stopped = new AbortController();
const first = written(/Reading|Assets|line 1/);
const whole = mode === 'ui' ? written(/gold\/features.*\d%/s) : first;
const { ended } =
  mode === 'ui' ? await startUi() : await (await import('./tui-ink.ts')).startInk(stdin, stdout, stopped.signal);
const firstAt = await first;
const firstCpu = cpuMs();
delay.enable();
const wholeAt = await whole;
const wholeCpu = cpuMs();
// Until everything that is read after the counts is read too.
for (let quiet = 0; quiet < 3; ) {
  const started = performance.now();
  await pause(100);
  quiet = performance.now() - started < 120 ? quiet + 1 : 0;
}
delay.disable();
const blockedMs = delay.max / 1e6;
// What was only needed to get here is no part of what the process needs: the collector is asked to look.
globalThis.gc?.();
const memory = process.memoryUsage();
const peak = 1024 * process.resourceUsage().maxRSS;

if (mode === 'ui') {
  stdin.write(':gold/features\r');
  await written(/Partitions.*gold\/features/s);
  await pause(200);
  stdin.write('g');
  await pause(300);
}
// No move undoes another one at an edge, so each key changes what is seen.
const moves = ['l', 'j', 'l', 'j', 'h', 'k', '-', '+'];
const press = (n: number) => stdin.write(moves[n % moves.length] ?? 'l');
// Now and then: the frame has come, and what is said of the cell, before the next key.
const single: number[] = [];
let beforeKeys = cpuMs();
for (let n = 0; n < Number(keys); n++) {
  const frame = written(/./s);
  const pressed = performance.now();
  press(n);
  single.push((await frame) - pressed);
  await pause(700);
}
const singleCpu = (cpuMs() - beforeKeys) / Number(keys);
// Held down: a key comes when it comes, whether the one before was answered or not.
const held: number[] = [];
beforeKeys = cpuMs();
const held0 = performance.now();
for (let n = 0; n < 4 * Number(keys); n++) {
  const due = held0 + n * REPEAT_MS;
  if (due > performance.now()) await pause(due - performance.now());
  void written(/./s).then((at) => held.push(at - due));
  press(n);
}
// Keys that undo each other within a frame have none.
if (Number(keys) > 0) await pause(1_000);
const heldCpu = (cpuMs() - beforeKeys) / (4 * Number(keys));
await pause(500);
const before = cpuMs();
const started = performance.now();
await pause(Number(idleMs));
const idle = (cpuMs() - before) / (performance.now() - started);
const follow = mode === 'ui' ? [await followed('gold/features'), await followed('silver/ticks')] : [];
process.stdout.write(
  JSON.stringify({
    follow,
    firstAt,
    firstCpu,
    wholeAt,
    wholeCpu,
    blockedMs,
    single,
    singleCpu,
    held,
    heldCpu,
    idle,
    memory,
    peak,
    rssAfter: process.memoryUsage().rss,
  }),
);
clearInterval(alive);
stopped.abort();
await ended;
process.exit(0);

/** What it costs this process that another one commits a batch. */
async function followed(asset: string): Promise<{ readonly cpuMs: number; readonly blockedMs: number }> {
  const [{ openState }, { benchGraph, clock }, { batchOf }] = await Promise.all([
    import('../framework/state/sqlite.ts'),
    import('./plan-lake.ts'),
    import('./tui-lake.ts'),
  ]);
  const size = { symbols: Number(symbols), days: Number(days) };
  const writer = openState(path, { now: () => clock(size) });
  const event = batchOf(benchGraph(), size, asset, writer.index().head);
  // To look every millisecond would cost more than what is looked for.
  const watch = monitorEventLoopDelay({ resolution: 20 });
  await pause(1_000);
  writer.append(event);
  writer.close();
  watch.enable();
  const before = cpuMs();
  const waited = 5_000;
  await pause(waited);
  watch.disable();
  return { cpuMs: cpuMs() - before - idle * waited, blockedMs: watch.max / 1e6 - 20 };
}

async function startUi(): Promise<{ readonly ended: Promise<unknown> }> {
  await (await import('../framework/tui/prepare.ts')).prepareUi(process.env);
  const [{ runUi }, { createTheme }, { openState }, { benchGraph, clock }] = await Promise.all([
    import('../framework/tui/app/run.ts'),
    import('../framework/tui/view/theme.ts'),
    import('../framework/state/sqlite.ts'),
    import('./plan-lake.ts'),
  ]);
  const at = clock({ symbols: Number(symbols), days: Number(days) });
  const lake = async (): Promise<OpenedLake> => {
    const state = openState(path, { readOnly: true, now: () => at });
    const settings = { limits: { maxPartitions: 1000, maxPacks: 32 } };
    // What looking at a lake needs of it.
    return { graph: benchGraph(), state, settings, now: () => at, close: async () => state.close() } as never;
  };
  const ended = runUi({
    stdin,
    stdout,
    open: lake,
    readOnly: true,
    asset: undefined,
    theme: createTheme('dark', true),
    title: 'bench',
    program: 'lakehouse',
    now: () => at,
    suspend: async () => undefined,
    signal: stopped.signal,
  });
  return { ended };
}
