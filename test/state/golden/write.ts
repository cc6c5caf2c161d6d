/**
 * Wrote `v1.jsonl` and `v1.json` with the first version of the log: `node test/state/golden/write.ts v1`. A log of a released
 * version is kept for ever and never written again; a later format gets a golden log of its own, by a new name. v2: checkpoints of
 * format 2, and events that say that checks were made again. v3: files say what has left them.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { NewEvent } from '../../../framework/state/events.ts';
import { openState } from '../../../framework/state/sqlite.ts';
import { materialized, named, observed, outcome } from '../make.ts';
import { describeState } from './describe.ts';

const S = 'exchange=binance/market=spot/symbol=BTCUSDT/interval=1m';
const T = 'exchange=binance/market=spot/symbol=币安人生USDT/interval=1mo';
const error = { message: 'The archive has two members', code: 'bad-zip', kind: 'data' as const };
const days = (from: number, to: number, text: string) =>
  Object.fromEntries(Array.from({ length: to - from }, (_, i) => [from + i, `${text}${from + i}`]));
const check = {
  check: 'unique',
  severity: 'error' as const,
  blocking: true,
  ...named(S),
  time: 18262,
  failedRows: 3,
  sql: 'SELECT 1',
};

const before: NewEvent[] = [
  { kind: 'definitions', versions: { 'bronze/klines': 'code-1', 'silver/klines': 'code-2' } },
  { kind: 'run-started', run: 'run-1', command: 'materialize', selection: '+silver/klines' },
  observed('binance/archive', [outcome(S, days(18262, 18270, 'etag')), outcome(T, { 600: 'etag' })], {
    run: 'run-1',
    observedAt: 1_700_000_000_000,
    detail: '{"listed":9}',
  }),
  materialized('bronze/klines', 3, [outcome(S, days(18262, 18268, 'zip'), 0), outcome(T, { 600: 'zip' }, 1)], {
    run: 'run-1',
    code: 'code-1',
    files: [
      { path: 'bronze/klines/1', bytes: 2 ** 33, sha256: 'ab'.repeat(32) },
      { path: 'bronze/klines/2', bytes: 77 },
    ],
    stats: { seconds: 1.25 },
  }),
  materialized(
    'silver/klines',
    4,
    [{ ...outcome(S, days(18262, 18266, 'rows'), 0), choice: Uint8Array.of(0, 1, 1, 0) }],
    {
      run: 'run-1',
      code: 'code-2',
      choices: ['raw=bronze/monthly', 'raw=bronze/daily'],
      files: [{ path: 'silver/klines/1', bytes: 5 }],
      checks: [check],
    },
  ),
  {
    kind: 'failed',
    asset: 'silver/klines',
    run: 'run-1',
    code: 'code-2',
    head: 5,
    failures: [{ ...named(S), time: 18266, transient: false, error }],
  },
  { kind: 'run-finished', run: 'run-1', outcome: 'failed', counts: { succeeded: 12, failed: 1 }, error },
  {
    kind: 'departed',
    asset: 'bronze/klines',
    run: 'run-2',
    reason: 'wiped',
    set: [{ ...named(S), ranges: [18263, 18264, 18266, 18267] }],
  },
];
const checked = {
  kind: 'checked' as const,
  asset: 'silver/klines',
  run: 'run-2',
  head: 8,
  checks: ['unique'],
  set: [{ ...named(S), ranges: [18262, 18266] }],
  decisive: true,
};
before.push({
  ...checked,
  failures: [check, { ...check, check: 'gaps', severity: 'warn', blocking: false, time: 18264 }],
});
const after: NewEvent[] = [
  // What failed before passes, another one fails that did not.
  { ...checked, head: 9, failures: [{ ...check, time: 18265, failedRows: 1, sample: [{ close: 1.5 }] }] },
  { kind: 'accepted', asset: 'silver/klines', run: 'run-2', from: 'code-2', to: 'code-3' },
  { kind: 'definitions', versions: { 'silver/klines': 'code-3' } },
  materialized('bronze/klines', 9, [outcome(S, { 18263: 'zip18263', 18270: 'zip18270' }, 0)], {
    run: 'run-2',
    code: 'code-1',
    files: [{ path: 'bronze/klines/3', bytes: 9 }],
    moved: [{ ...named(S), times: Int32Array.of(18262, 18264, 18265, 18267), file: new Int32Array(4) }],
    supersedes: ['bronze/klines/1'],
  }),
  {
    kind: 'compacted',
    asset: 'silver/klines',
    run: 'run-2',
    files: [{ path: 'silver/klines/2', bytes: 4 }],
    moved: [{ ...named(S), times: Int32Array.of(18262, 18263, 18264, 18265), file: new Int32Array(4) }],
    supersedes: ['silver/klines/1'],
  },
  materialized('gold/chain', 12, [outcome(S, days(18262, 18265, 'gold'))], {
    run: 'run-2',
    code: 'code-4',
    ordered: true,
  }),
  observed('binance/archive', [outcome(S, { 18262: 'etag18262', 18263: 'republished' })], {
    run: 'run-2',
    observedAt: 1_700_000_100_000,
    withdrawn: [{ ...named(S), ranges: [18268, 18270] }],
  }),
];

const [name = ''] = process.argv.slice(2);
const target = join(import.meta.dirname, `${name}.jsonl`);
if (name === '' || existsSync(target)) throw new Error(`${target} is there already, or no name was given`);
const directory = mkdtempSync(join(tmpdir(), 'golden-'));
const path = join(directory, 'state.sqlite');
let clock = 1_700_000_000_000;
const state = openState(path, { now: () => (clock += 1000), writer: 'crypto-lakehouse 0.1.0' });
state.setMetaOnce('origin', 'real');
for (const event of before) state.append(event);
state.checkpoint();
for (const event of after) state.append(event);
state.claim('silver/klines', ['2020-01'], { run: 'run-2', host: 'host', pid: 7 }, 60_000, clock);
writeFileSync(join(import.meta.dirname, `${name}.json`), `${JSON.stringify(describeState(state), undefined, 1)}\n`);
state.close();

const db = new DatabaseSync(path, { readOnly: true });
const lines: unknown[] = [{ applicationId: db.prepare('PRAGMA application_id').get()?.application_id }];
const made = db
  .prepare("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'")
  .all();
for (const { sql } of made) lines.push({ sql });
for (const { name: table } of made.filter((row) => row.type === 'table')) {
  for (const row of db.prepare(`SELECT * FROM ${table}`).all()) {
    const values = Object.values(row).map((value) =>
      value instanceof Uint8Array ? { base64: Buffer.from(value).toString('base64') } : value,
    );
    lines.push({ table, values });
  }
}
db.close();
writeFileSync(target, `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`);
rmSync(directory, { recursive: true });
