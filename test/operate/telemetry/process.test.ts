import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { LineageEvent } from '../../../framework/operate/telemetry/lineage.ts';
import { receiver } from './wire.ts';

// Real processes: what the command line switches on, and what reaches the outside.
vi.setConfig({ testTimeout: 120_000 });

const root = resolve(import.meta.dirname, '../../..');
const definitions = (code: string) => `import { asset, bytes, daily, defineLakehouse, source } from 'crypto-lakehouse';
${code}
const date = daily({ start: '2024-01-01', end: '2024-12-31' });
const files = source('files/days', {
  partitions: { date },
  observe: async function* () { yield { partition: { date: '2024-01-01' }, version: '1' }; },
  read: async () => { throw new Error('401 for key old-secret-key'); },
});
const raw = asset('raw/days', { partitions: { date }, inputs: { files }, format: bytes({ extension: '.txt' }), compute: ({ inputs }) => inputs.files.bytes() });
export const lakehouse = defineLakehouse({ assets: [files, raw] });
`;

let home = '';
const children: ChildProcess[] = [];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'telemetry-'));
  mkdirSync(join(home, 'assets'));
  mkdirSync(join(home, 'node_modules'));
  symlinkSync(root, join(home, 'node_modules/crypto-lakehouse'));
  writeFileSync(join(home, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(home, 'assets/index.ts'), definitions(''));
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

function configure(key: string, otlp: string): void {
  const telemetry = `telemetry:\n  otlp: { endpoint: '${otlp}' }\n  openLineage: { file: lineage.ndjson }\n`;
  writeFileSync(
    join(home, 'lakehouse.yaml'),
    `http: { port: 0 }\nworkflow: { retryAttempts: 0 }\nschedules: { all: { cron: '* * * * * *' } }\ns3: { secretAccessKey: ${key} }\n${telemetry}`,
  );
}

function start(...args: readonly string[]) {
  const child = spawn(
    process.execPath,
    ['--conditions=source', '--no-warnings', join(root, 'test/operate/child.ts'), ...args],
    { cwd: home, stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env.PATH, HOME: home } },
  );
  children.push(child);
  const said = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.err += text;
  });
  const lines = () =>
    said.out
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return {
    child,
    said,
    says: (message: string, count = 1) =>
      vi.waitFor(
        () => {
          const found = lines().filter((line) => line.message === message);
          if (found.length < count)
            throw new Error(`'${message}' was not said ${count} times:\n${said.out.slice(-2000)}\n${said.err}`);
          return found[count - 1] as Record<string, unknown>;
        },
        { timeout: 60_000, interval: 50 },
      ),
    ended: async () => {
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      return child.exitCode ?? child.signalCode;
    },
  };
}

const lineage = (): string[] =>
  readFileSync(join(home, 'lineage.ndjson'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as LineageEvent)
    .map(({ eventType, job }) => `${eventType} ${job.name}`);

test('a daemon is asked, sends its traces, and keeps secrets through reloads', async () => {
  const { url, received } = await receiver();
  configure('old-secret-key', url);
  const { child, said, says, ended } = start('daemon');
  const { address } = await says('listening');
  await says('run failed');
  const ready = await fetch(`${address}/ready`);
  expect(await ready.json()).toMatchObject({ status: 'ready', role: 'active' });
  const scrape = async () => (await fetch(`${address}/metrics`)).text();
  await vi.waitFor(async () => {
    const text = await scrape();
    expect(text).toMatch(/^lakehouse_partitions_failed_total\{asset="raw\/days",kind="data"\} 1$/m);
    expect(text).toMatch(/^lakehouse_ticks_total\{kind="schedule",name="all",outcome="failed"\} \d+$/m);
    expect(text).toMatch(/^lakehouse_partitions\{asset="raw\/days",status="failed"\} 1$/m);
    expect(text).toMatch(/^lakehouse_daemon_active 1$/m);
  });
  // What runs with the old settings still fails with the old key.
  configure('new-secret-key', url);
  child.kill('SIGHUP');
  await says('reloaded');
  writeFileSync(
    join(home, 'assets/index.ts'),
    definitions(`console.assert(false); throw new Error('no use for newest-secret-key');`),
  );
  configure('newest-secret-key', url);
  child.kill('SIGHUP');
  await says('the reload failed; going on with what was loaded before');
  // The lake that was loaded is still looked at.
  expect(await scrape()).toMatch(/^lakehouse_daemon_active 1$/m);
  child.kill('SIGTERM');
  expect(await ended()).toBe(0);
  expect(said.out).toContain('401 for key ***');
  expect(said.out).toContain('no use for ***');
  expect(`${said.out}${said.err}`).not.toContain('secret-key');

  const traces = received
    .filter(({ path }) => path === '/v1/traces')
    .map(({ body }) => body)
    .join('\n');
  expect(traces).toContain('"name":"tick all"');
  expect(traces).not.toContain('secret-key');
  const events = lineage();
  expect(events.slice(0, 4)).toEqual(['START schedule all', 'START raw/days', 'FAIL raw/days', 'FAIL schedule all']);
  expect(readFileSync(join(home, 'lineage.ndjson'), 'utf8')).not.toContain('secret-key');
});

test('a single run sends the same', async () => {
  const { url, received } = await receiver();
  configure('old-secret-key', url);
  const { ended, said } = start('materialize');
  expect(await ended()).toBe(1);
  expect(said.err).not.toContain('telemetry');
  expect(lineage()).toEqual(['START materialize', 'START raw/days', 'FAIL raw/days', 'FAIL materialize']);
  const paths = received.map(({ path }) => path);
  expect(paths).toContain('/v1/traces');
  expect(paths).toContain('/v1/metrics');
  expect(received.map(({ body }) => body).join('\n')).not.toContain('secret-key');
});
