import { describe, expect, test } from 'vitest';
import { describeEvent } from '../../framework/state/describe.ts';
import type { NewEvent } from '../../framework/state/events.ts';
import { CHECK_FAILED, PRESENT } from '../../framework/state/index.ts';
import type { ClaimToken } from '../../framework/state/store.ts';
import { materialized, named, observed, outcome, versionOf } from './make.ts';
import { downgrade, lake, pointOf, refusal } from './support.ts';

const S = 'symbol=BTC/interval=1m';
const T = 'symbol=ETH/interval=1m';

describe('events', () => {
  test('come back as they were given, whatever the caller does with its columns afterwards', () => {
    const { open } = lake();
    const state = open();
    const choice = Uint8Array.of(1, 0);
    const error = { message: 'no', code: 'x', kind: 'data' as const, cause: { message: 'why' } };
    const check = {
      check: 'c',
      severity: 'error' as const,
      blocking: true,
      ...named(S),
      time: 3,
      failedRows: 1,
      sample: [{ a: 1 }],
      sql: 'SELECT',
    };
    const given: NewEvent[] = [
      { kind: 'run-started', run: 'r1', command: 'materialize', selection: '*' },
      { kind: 'definitions', versions: { u: 'A' } },
      materialized(
        'u',
        2,
        [
          { ...outcome(S, { '-3': 'a', 3: 'b' }, 1), choice },
          { ...outcome(T, { 9: 'c' }, 0), choice: Uint8Array.of(1) },
        ],
        {
          ordered: true,
          choices: ['daily', 'monthly'],
          files: [
            { path: 'p0', bytes: 2 ** 40, sha256: 'ff' },
            { path: 'p1', bytes: 1 },
          ],
          checks: [check],
          stats: { seconds: 0.5 },
        },
      ),
      observed('s', [{ ...outcome(S, { 1: 'x' }), rows: Uint32Array.of(0) }], { detail: '{"a":1}' }),
      {
        kind: 'compacted',
        asset: 'u',
        run: 'r1',
        files: [{ path: 'p2', bytes: 3 }],
        moved: [{ ...named(S), times: Int32Array.of(-3, 3), file: Int32Array.of(0, 0) }],
        supersedes: ['p1'],
      },
      { kind: 'departed', asset: 's', run: 'r1', reason: 'withdrawn', set: [{ ...named(S), ranges: [1, 2] }] },
      {
        kind: 'failed',
        asset: 'u',
        run: 'r1',
        code: 'A',
        head: 6,
        failures: [{ ...named(S), time: 4, transient: true, error }],
      },
      { kind: 'accepted', asset: 'u', run: 'r1', from: 'A', to: 'B' },
      { kind: 'run-finished', run: 'r1', outcome: 'failed', counts: { failed: 1 }, error },
    ];
    const expected = structuredClone(given);
    for (const event of given) state.append(event);
    choice.fill(0);
    const read = open();
    expect([...read.events()].map((stored) => stored.event)).toEqual(expected);
    expect([...read.events({ asset: 's' })].map((stored) => stored.revision)).toEqual([4, 6]);
    expect([...read.events({ run: 'r1', after: 4, limit: 2 })].map((stored) => stored.revision)).toEqual([5, 6]);
    expect(pointOf(read, 'u', S, 3)).toEqual({
      changed: 3,
      verified: 3,
      code: 'B',
      choice: 'daily',
      flags: PRESENT | CHECK_FAILED,
    });
    expect(pointOf(read, 'u', S, -3)).toEqual({
      changed: 3,
      verified: 3,
      code: 'B',
      choice: 'monthly',
      flags: PRESENT,
    });
  });

  test('as JSON: one object per point, versions in hex, files by path', () => {
    const state = lake().open();
    state.append(
      materialized('u', 0, [{ ...outcome(S, { 3: 'ab' }, 0), choice: Uint8Array.of(0) }], {
        files: [{ path: 'p', bytes: 5 }],
        choices: ['daily'],
      }),
    );
    const [stored] = state.events();
    expect(stored && JSON.parse(JSON.stringify(describeEvent(stored)))).toEqual({
      revision: 1,
      at: '2023-11-14T22:13:21.000Z',
      kind: 'materialized',
      asset: 'u',
      run: 'r1',
      code: 'A',
      verified: 0,
      choices: ['daily'],
      files: [{ path: 'p', bytes: 5 }],
      outcomes: [
        {
          series: S,
          values: { symbol: 'BTC', interval: '1m' },
          points: [
            {
              time: 3,
              version: Buffer.from(versionOf('ab')).toString('hex'),
              rows: 2,
              bytes: 200,
              file: 'p',
              choice: 'daily',
              changed: true,
            },
          ],
        },
      ],
    });
  });

  test.each<[string, NewEvent]>([
    ['times not ascending', materialized('u', 0, [{ ...outcome(S, { 1: 'a', 2: 'b' }), times: Int32Array.of(2, 1) }])],
    ['a column too short', materialized('u', 0, [{ ...outcome(S, { 1: 'a', 2: 'b' }), rows: Uint32Array.of(1) }])],
    ['a file that is not there', materialized('u', 0, [outcome(S, { 1: 'a' }, 0)])],
    ['a file of nothing', materialized('u', 0, [outcome(S, { 1: 'a' })], { files: [{ path: 'p', bytes: 1 }] })],
    [
      'a file of two series',
      materialized('u', 0, [outcome(S, { 1: 'a' }, 0), outcome(T, { 1: 'a' }, 0)], {
        files: [{ path: 'p', bytes: 1 }],
      }),
    ],
    [
      'a file path that was used',
      materialized('u', 0, [outcome(S, { 1: 'a' }, 0)], { files: [{ path: 'used', bytes: 1 }] }),
    ],
    ['a series twice', materialized('u', 0, [outcome(S, { 1: 'a' }), outcome(S, { 2: 'a' })])],
    ['a revision of the future', materialized('u', 99, [])],
    [
      'a choice outside its table',
      materialized('u', 0, [{ ...outcome(S, { 1: 'a' }), choice: Uint8Array.of(1) }], { choices: ['only'] }),
    ],
    [
      'a partition brought and withdrawn',
      observed('u', [outcome(S, { 1: 'a' })], { withdrawn: [{ ...named(S), ranges: [0, 5] }] }),
    ],
  ])('that contradict themselves are refused and leave nothing: %s', (_, event) => {
    const { open } = lake();
    const state = open();
    state.append(materialized('u', 0, [outcome(T, { 1: 'a' }, 0)], { files: [{ path: 'used', bytes: 1 }] }));
    expect(refusal(() => state.append(event))).toMatchObject({ code: 'bad-event', kind: 'internal' });
    expect(
      state.append(materialized('u', 1, [outcome(S, { 1: 'a' }, 0)], { files: [{ path: 'good', bytes: 1 }] })).revision,
    ).toBe(2);
    expect([...open().files()].map((file) => file.path)).toEqual(['used', 'good']);
    expect(state.integrityCheck()).toEqual([]);
  });

  test('a partition absurdly far away is refused before it is logged', () => {
    const state = lake().open();
    state.append(materialized('u', 0, [outcome(S, { 1: 'a' })]));
    expect(refusal(() => state.append(materialized('u', 0, [outcome(S, { 2000000000: 'a' })])))?.code).toBe(
      'time-window-too-wide',
    );
    expect(state.append(materialized('u', 1, [outcome(S, { 2: 'a' })])).revision).toBe(2);
    expect(state.index().asset('u')?.series.get(S)?.length).toBe(16);
  });
});

describe('details', () => {
  test('that are held are never altered by what is appended later', () => {
    const { open } = lake();
    const [state, other] = [open(), open()];
    state.append(materialized('u', 0, [outcome(S, { 1: 'a' })]));
    const held = state.details('u', S);
    const copy = structuredClone(held);
    state.append(materialized('u', 1, [outcome(S, { 1: 'longer', 2: 'b' })]));
    other.append(materialized('u', 2, [outcome(S, { 1: 'longest' })]));
    expect(state.details('u', S)?.rows[1]).toBe('longest'.length);
    expect({ ...held }).toEqual({ ...copy });
    expect([state.details('u', T), state.details('v', S)]).toEqual([undefined, undefined]);
  });

  test('a data version of nothing but zeros is a version like any other', () => {
    const state = lake().open();
    const zeros = { ...outcome(S, { 1: 'a' }), version: new Uint8Array(16) };
    expect(state.append(observed('u', [zeros])).changed).toBe(1);
    expect(state.append(observed('u', [zeros])).changed).toBe(0);
    state.append({
      kind: 'departed',
      asset: 'u',
      run: 'r',
      reason: 'withdrawn',
      set: [{ ...named(S), ranges: [0, 5] }],
    });
    expect(state.append(observed('u', [zeros])).changed).toBe(1);
  });
});

describe('files', () => {
  test('are superseded when no partition lives in them, by replacement, wiping or a move; and forgotten when told', () => {
    const { open } = lake();
    const state = open();
    state.append(
      materialized('u', 0, [outcome(S, { 1: 'a', 2: 'b' }, 0), outcome(T, { 1: 'c' }, 1)], {
        files: [
          { path: 'p0', bytes: 5 },
          { path: 'p1', bytes: 6, sha256: 'aa' },
        ],
      }),
    );
    state.append(materialized('u', 0, [outcome(S, { 1: 'A' }, 0)], { files: [{ path: 'p2', bytes: 7 }] }));
    const current = () => [...state.files('u')].map(({ path, live }) => `${path}:${live}`);
    expect(current()).toEqual(['p0:1', 'p1:1', 'p2:1']);
    expect(state.fileOf('u', T, 1)).toEqual({
      id: 2,
      path: 'p1',
      asset: 'u',
      series: T,
      bytes: 6,
      sha256: 'aa',
      createdRevision: 1,
      live: 1,
      written: 1,
    });
    const { at } = state.append({
      kind: 'departed',
      asset: 'u',
      run: 'r',
      reason: 'wiped',
      set: [{ ...named(S), ranges: [2, 3] }],
    });
    expect(current()).toEqual(['p1:1', 'p2:1']);
    expect(state.fileOf('u', S, 2)).toBeUndefined();
    expect(state.supersededFiles(at - 1)).toEqual([]);
    const [old] = state.supersededFiles(at);
    expect(old).toEqual({
      id: 1,
      path: 'p0',
      asset: 'u',
      series: S,
      bytes: 5,
      createdRevision: 1,
      live: 0,
      written: 2,
      supersededRevision: 3,
      supersededAt: at,
    });
    expect(state.file('p0')).toEqual(old);
    state.forgetFiles([1, 2]);
    expect([state.file(1), state.file(2)?.path]).toEqual([undefined, 'p1']);
    expect([...state.files('other')]).toEqual([]);
  });
});

describe('claims', () => {
  const owner = (pid: number, host = 'h') => ({ run: `r${pid}`, host, pid });

  test('all or none; renewed they last, released they are free', () => {
    const { open } = lake();
    const [a, b] = [open(), open()];
    const mine = a.claim('u', ['p', 'q'], owner(1), 100, 0) as ClaimToken;
    expect(b.claim('u', ['q', 'r'], owner(2), 100, 50)).toMatchObject({ packs: ['q'] });
    expect(b.claim('v', ['q'], owner(2), 100, 50)).toMatchObject({ asset: 'v' });
    expect(a.renew(mine, 90)).toBe(true);
    expect(b.claim('u', ['r', 'q'], owner(2), 100, 150)).toEqual({
      heldBy: { ...owner(1), expires: 190 },
      packs: ['q'],
    });
    a.release(mine);
    expect(b.claim('u', ['q', 'r'], owner(2), 100, 150)).toMatchObject({ packs: ['q', 'r'] });
    expect(a.renew(mine, 150)).toBe(false);
  });

  test('of a process that is gone are taken over at once on the same host, elsewhere when they expire', () => {
    const { open } = lake();
    const state = open({ isAlive: (pid) => pid !== 1 });
    const dead = state.claim('u', ['p'], owner(1), 100, 0) as ClaimToken;
    expect(state.claim('u', ['p'], owner(2, 'elsewhere'), 100, 10)).toMatchObject({ heldBy: { pid: 1 } });
    const taken = state.claim('u', ['p'], owner(2), 100, 10) as ClaimToken;
    expect(taken.token).not.toBe(dead.token);
    expect(refusal(() => state.append(materialized('u', 0, []), { claim: dead }))?.code).toBe('claim-lost');
    expect(state.claim('u', ['p'], owner(3), 100, 109)).toMatchObject({ heldBy: { pid: 2 } });
    expect(state.claim('u', ['p'], owner(3, 'elsewhere'), 100, 110)).toMatchObject({ packs: ['p'] });
  });
});

describe('runs, facts and retention', () => {
  test('runs are listed, latest first, with their events; one that died stays unfinished', () => {
    const state = lake().open();
    const error = { message: 'broken' };
    state.append({ kind: 'run-started', run: 'r1', command: 'materialize', selection: '+gold' });
    state.append(materialized('u', 0, [outcome(S, { 1: 'a' })]));
    state.append({ kind: 'run-started', run: 'r2', command: 'observe', selection: '*' });
    state.append({ kind: 'run-finished', run: 'r1', outcome: 'failed', counts: { done: 1 }, error });
    const at = (revision: number) => 1_700_000_000_000 + 1000 * revision;
    const first = {
      run: 'r1',
      command: 'materialize',
      selection: '+gold',
      startedAt: at(1),
      startedRevision: 1,
      finishedAt: at(4),
      finishedRevision: 4,
      outcome: 'failed',
      counts: { done: 1 },
      error,
    };
    const second = { run: 'r2', command: 'observe', selection: '*', startedAt: at(3), startedRevision: 3 };
    expect(state.runs(10)).toEqual([second, first]);
    expect(state.runs(1)).toEqual([second]);
    const found = state.run('r1');
    expect([found?.record, found?.events.map((stored) => stored.revision)]).toEqual([first, [1, 2, 4]]);
    expect(state.run('r3')).toBeUndefined();
  });

  test('runs are found by their tags', () => {
    const state = lake().open();
    const started = (run: string, tags?: Record<string, string>) =>
      state.append({ kind: 'run-started', run, command: 'c', selection: 's', ...(tags && { tags }) });
    started('r1', { reason: 'backfill', team: 'a' });
    started('r2');
    started('r3', { reason: 'backfill' });
    const found = (limit: number, tags?: Record<string, string>) => state.runs(limit, tags).map(({ run }) => run);
    expect(found(9)).toEqual(['r3', 'r2', 'r1']);
    expect(found(9, { reason: 'backfill' })).toEqual(['r3', 'r1']);
    expect(found(1, { reason: 'backfill' })).toEqual(['r3']);
    expect(found(9, { reason: 'backfill', team: 'a' })).toEqual(['r1']);
    expect(found(9, { reason: 'other' })).toEqual([]);
    expect(state.run('r1')?.record.tags).toEqual({ reason: 'backfill', team: 'a' });
    expect([...state.events({ run: 'r1' })].map(({ event }) => event)).toMatchObject([{ tags: { team: 'a' } }]);
  });

  test('a state from before there were tags is read as it is, and gets them when it is written', () => {
    const { path, open } = lake();
    const before = open();
    before.append({ kind: 'run-started', run: 'r1', command: 'c', selection: 's' });
    before.close();
    downgrade(path, 1);
    const reader = open({ readOnly: true });
    expect(reader.runs(9).map(({ run, tags }) => [run, tags])).toEqual([['r1', undefined]]);
    reader.close();
    const after = open();
    after.append({ kind: 'run-started', run: 'r2', command: 'c', selection: 's', tags: { a: 'b' } });
    expect(after.runs(9).map(({ run, tags }) => [run, tags])).toEqual([
      ['r2', { a: 'b' }],
      ['r1', undefined],
    ]);
  });

  test('pruning keeps what was appended since, what the previous checkpoint needs, and the latest runs', () => {
    const { open } = lake();
    const state = open();
    const marks: number[] = [];
    for (let i = 1; i <= 5; i++) {
      state.append({ kind: 'run-started', run: `run${i}`, command: 'c', selection: 's' });
      marks.push(state.append(materialized('u', 0, [outcome(S, { [i]: 'a' })])).at);
    }
    expect(state.prune({ keepEventsAfterMs: Number.MAX_SAFE_INTEGER })).toEqual({ events: 0, runs: 0 });
    state.checkpoint();
    expect(state.prune({ keepEventsAfterMs: Number.MAX_SAFE_INTEGER })).toEqual({ events: 0, runs: 0 });
    state.append(materialized('u', 0, [outcome(S, { 9: 'a' })]));
    state.checkpoint();
    expect(state.prune({ keepEventsAfterMs: marks[1] as number, keepRuns: 2 })).toEqual({ events: 3, runs: 3 });
    expect(state.prune({ keepEventsAfterMs: Number.MAX_SAFE_INTEGER, keepRuns: 2 })).toEqual({ events: 7, runs: 0 });
    expect([...state.events()].map((stored) => stored.revision)).toEqual([11]);
    expect(
      open()
        .runs(9)
        .map((run) => run.run),
    ).toEqual(['run5', 'run4']);
    expect(open().append(materialized('u', 11, [])).revision).toBe(12);
  });

  test('a fact about the lake is set once', () => {
    const { open } = lake();
    const [a, b] = [open(), open()];
    expect([
      a.meta('origin'),
      a.setMetaOnce('origin', 'real'),
      b.setMetaOnce('origin', 'simulated'),
      b.meta('origin'),
    ]).toEqual([undefined, 'real', 'real', 'real']);
    expect(open({ readOnly: true }).meta('origin')).toBe('real');
  });
});
