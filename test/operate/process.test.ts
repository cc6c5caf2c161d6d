import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openOperate } from '../../framework/operate/sqlite.ts';
import { versionHex } from '../../framework/state/events.ts';
import { openState } from '../../framework/state/sqlite.ts';

// Real daemons: processes that are started, told things by signals, and killed.
vi.setConfig({ testTimeout: 600_000 });

/** Kills of a daemon at work; more by hand: DAEMON_ROUNDS=100. */
const ROUNDS = Number(process.env.DAEMON_ROUNDS ?? 10);
const PATIENCE_MS = 60_000;
const root = resolve(import.meta.dirname, '../..');

const definitions = (code: string) => `import { readdirSync, readFileSync } from 'node:fs';
import { asset, bytes, daily, defineLakehouse, source } from 'crypto-lakehouse';
import { answer } from './answer.ts';

const date = daily({ start: '2024-01-01', end: '2024-12-31' });
const files = source('files/days', {
  partitions: { date },
  observe: async function* () {
    for (const name of readdirSync('in').sort()) yield { partition: { date: name }, version: readFileSync('in/' + name, 'utf8') };
  },
  read: async ({ partition: { values } }) => {
    const content = readFileSync('in/' + values.date, 'utf8');
    return { bytes: Buffer.from(content), version: content };
  },
});
const raw = asset('raw/days', { partitions: { date }, inputs: { files }, format: bytes({ extension: '.txt' }), compute: ({ inputs }) => inputs.files.bytes() });
const copy = asset('gold/days', { partitions: { date }, inputs: { raw }, format: bytes({ extension: '.txt' }), codeVersion: answer,
  compute: async ({ inputs }) => Buffer.concat([Buffer.from(await inputs.raw.bytes()), Buffer.from('!')]) });
export const lakehouse = defineLakehouse({ assets: [files, raw, copy] });
${code}`;

let home = '';
const children: ChildProcess[] = [];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'daemon-'));
  mkdirSync(join(home, 'assets'));
  mkdirSync(join(home, 'in'));
  mkdirSync(join(home, 'node_modules'));
  symlinkSync(root, join(home, 'node_modules/crypto-lakehouse'));
  writeFileSync(join(home, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(home, 'assets/answer.ts'), "export const answer = '1';\n");
  writeFileSync(join(home, 'assets/index.ts'), definitions(''));
  configure('* * * * * *');
});

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }
  rmSync(home, { recursive: true, force: true });
});

function configure(cron: string, more = ''): void {
  writeFileSync(
    join(home, 'lakehouse.yaml'),
    `daemon: { leaseTtlMs: 3000 }\nschedules:\n  all: { cron: '${cron}' }\n${more}`,
  );
}

interface Started {
  readonly process: ChildProcess;
  readonly log: readonly Record<string, unknown>[];
  says(message: string | RegExp, count?: number): Promise<Record<string, unknown>>;
  ended(): Promise<number | string>;
}

function start(...args: readonly string[]): Started {
  const child = spawn(
    process.execPath,
    ['--conditions=source', '--no-warnings', join(import.meta.dirname, 'child.ts'), ...args],
    { cwd: home, stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env.PATH, HOME: home } },
  );
  children.push(child);
  const log: Record<string, unknown>[] = [];
  let rest = '';
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = `${rest}${text}`.split('\n');
    rest = lines.pop() ?? '';
    // Other commands than the daemon print other things.
    for (const line of lines) if (line.startsWith('{"')) log.push(JSON.parse(line) as Record<string, unknown>);
  });
  const matches = (line: Record<string, unknown>, what: string | RegExp) =>
    typeof what === 'string' ? line.message === what : what.test(String(line.message));
  return {
    process: child,
    log,
    says: async (what, count = 1) => {
      const until = Date.now() + PATIENCE_MS;
      for (;;) {
        const found = log.filter((line) => matches(line, what))[count - 1];
        if (found) return found;
        if (Date.now() > until || child.exitCode !== null)
          throw new Error(`It did not say ${what}:\n${log.map((line) => JSON.stringify(line)).join('\n')}\n${errors}`);
        await setTimeout(20);
      }
    },
    ended: async () => {
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      return child.exitCode ?? child.signalCode ?? 'unknown';
    },
  };
}

const directory = () => join(home, 'data/.lakehouse');

/** What was ever committed, by asset and day, with its data version. */
function committed(): string[] {
  const state = openState(join(directory(), 'state.sqlite'), { readOnly: true, now: Date.now });
  try {
    const found: string[] = [];
    for (const { event } of state.events()) {
      if (event.kind !== 'materialized') continue;
      for (const { series, times, version } of event.outcomes)
        for (let i = 0; i < times.length; i++)
          found.push(`${event.asset} ${series} ${times[i]} ${versionHex(version, i)}`);
    }
    return found.sort();
  } finally {
    state.close();
  }
}

function ticks() {
  const store = openOperate(join(directory(), 'operate.sqlite'), { readOnly: true, host: '' });
  try {
    return store.ticks({ limit: 100_000 }).reverse();
  } finally {
    store.close();
  }
}

test(`a daemon that is killed ${ROUNDS} times loses nothing and does nothing twice`, async () => {
  let day = Date.parse('2024-01-01');
  const put = (content: string) => {
    writeFileSync(join(home, 'in', new Date(day).toISOString().slice(0, 10)), content);
    day += 86_400_000;
  };
  let expected = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const daemon = start('daemon');
    for (let file = 0; file < 3; file++, expected++) put(`${round}.${file}`);
    await daemon.says('active');
    // At any moment of a tick: before it, in the middle of its run, after it.
    await setTimeout((round * 137) % 1_500);
    daemon.process.kill('SIGKILL');
    expect(await daemon.ended()).toBe('SIGKILL');
  }
  const calm = start('daemon');
  await calm.says(/^tick succeeded/);
  await calm.says(/nothing was stale/);
  calm.process.kill('SIGTERM');
  expect(await calm.ended()).toBe(0);

  const all = committed();
  expect(new Set(all).size).toBe(all.length);
  expect(all.filter((line) => line.startsWith('gold/days'))).toHaveLength(expected);
  expect(all.filter((line) => line.startsWith('raw/days'))).toHaveLength(expected);
  const found = ticks();
  expect(found.filter(({ outcome }) => outcome === 'running')).toEqual([]);
  // What was interrupted was begun again: the last word on every instant is that it was done, or that another stood for it.
  const final = new Map(found.map(({ due, outcome }) => [due, outcome]));
  // But for the last: it may be what SIGTERM met.
  const last = found.findLast(({ outcome }) => outcome !== 'skipped');
  const undone = [...final].filter(
    ([due, outcome]) => due !== last?.due && !['succeeded', 'skipped'].includes(outcome),
  );
  expect(undone).toEqual([]);
  const verified = start('verify', '--deep');
  expect(await verified.ended()).toBe(0);
});

test('a second daemon stands by, and takes over when the first is killed', async () => {
  writeFileSync(join(home, 'in/2024-01-01'), 'a');
  const first = start('daemon');
  await first.says('active');
  const second = start('daemon');
  await second.says('standing by, another daemon is active');
  await first.says(/^tick succeeded/);
  expect(second.log.some(({ message }) => message === 'active')).toBe(false);
  first.process.kill('SIGKILL');
  await second.says('active');
  writeFileSync(join(home, 'in/2024-01-02'), 'b');
  await second.says(/2 partitions computed/);
  second.process.kill('SIGTERM');
  expect(await second.ended()).toBe(0);
});

test('a daemon that was stopped like a laptop lets go when it goes on and another has taken over', async () => {
  const first = start('daemon');
  await first.says('active');
  const second = start('daemon');
  await second.says('standing by, another daemon is active');
  first.process.kill('SIGSTOP');
  await second.says('active');
  first.process.kill('SIGCONT');
  await first.says('another daemon has taken over; standing by');
  await first.says('standing by, another daemon is active');
  await second.says(/^tick succeeded/);
  for (const one of [first, second]) {
    one.process.kill('SIGTERM');
    expect(await one.ended()).toBe(0);
  }
});

test('SIGHUP reads settings and definitions again; what is broken changes nothing', async () => {
  writeFileSync(join(home, 'in/2024-01-01'), 'a');
  const daemon = start('daemon');
  await daemon.says(/^tick succeeded: 2 partitions computed: raw\/days \(missing 1\), gold\/days \(missing 1\)/);

  writeFileSync(join(home, 'assets/answer.ts'), 'export const answer = ;\n');
  daemon.process.kill('SIGHUP');
  const failed = await daemon.says('the reload failed; going on with what was loaded before');
  expect(failed).toMatchObject({ level: 'error', error: { code: 'definitions-failed' } });

  configure('not a cron');
  writeFileSync(join(home, 'assets/answer.ts'), "export const answer = '1';\n");
  daemon.process.kill('SIGHUP');
  const refused = await daemon.says('the reload failed; going on with what was loaded before', 2);
  expect(refused).toMatchObject({ level: 'error', error: { code: 'bad-schedules' } });
  await daemon.says(/^tick succeeded: nothing was stale/);

  // A module that the definitions import: it is read again too.
  configure('*/2 * * * * *');
  writeFileSync(join(home, 'assets/answer.ts'), "export const answer = '2';\n");
  daemon.process.kill('SIGHUP');
  await daemon.says('reloaded');
  await daemon.says(/^tick succeeded: 1 partition computed: gold\/days \(code 1\)/);
  daemon.process.kill('SIGTERM');
  expect(await daemon.ended()).toBe(0);
});

test('--once does what is due and ends', async () => {
  writeFileSync(join(home, 'in/2024-01-01'), 'a');
  configure('* * * * * *');
  // A new schedule has nothing to make up for.
  expect(await start('daemon', '--once').ended()).toBe(0);
  expect(ticks()).toEqual([]);
  await setTimeout(1_100);
  expect(await start('daemon', '--once').ended()).toBe(0);
  expect(ticks().map(({ outcome }) => outcome)).toContain('succeeded');
  expect(committed()).toHaveLength(2);
});

test('what it cannot start with it says, with exit code 2', async () => {
  configure('not a cron');
  const daemon = start('daemon');
  let said = '';
  daemon.process.stderr?.on('data', (text: string) => {
    said += text;
  });
  expect(await daemon.ended()).toBe(2);
  expect(said).toContain(
    "The schedules cannot be used:\n  - lakehouse.yaml:3:10: schedules.all.cron: 'not a cron': it has 3 fields, and not five",
  );
});
