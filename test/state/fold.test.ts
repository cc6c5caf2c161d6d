import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { describeIndex } from '../../framework/state/describe.ts';
import { type NewEvent, type PackedSet, versionHex } from '../../framework/state/events.ts';
import { type AssetState, CHECK_FAILED, PRESENT, type SeriesState } from '../../framework/state/index.ts';
import type { StateWriter } from '../../framework/state/store.ts';
import { materialized, named, observed, outcome } from './make.ts';
import { Model } from './model.ts';
import { lake, pointOf } from './support.ts';

const ASSETS = ['gold/x', 'silver/y'];
const SERIES = ['symbol=A/interval=1m', 'symbol=B/interval=1m', ''];
// Around the borders of checkpoint chunks of both sorts, before the epoch, and far away.
const TIMES = [-4097, -513, -1, 0, 1, 2, 3, 15, 16, 511, 512, 4095, 4096, 9000];

const asset = fc.constantFrom(...ASSETS);
const series = fc.constantFrom(...SERIES);
const time = fc.constantFrom(...TIMES);
const content = fc.dictionary(time.map(String), fc.constantFrom('v1', 'v2', 'longer'), { minKeys: 1, maxKeys: 6 });
const set: fc.Arbitrary<PackedSet> = fc
  .uniqueArray(fc.tuple(series, time, fc.integer({ min: 1, max: 600 })), { selector: ([name]) => name, minLength: 1 })
  .map((items) =>
    items.map(([name, lo, width]) => ({ ...named(name), ranges: [lo, lo + width, lo + width + 5, lo + width + 9] })),
  );
const contents = fc.uniqueArray(fc.tuple(series, content), { selector: ([name]) => name, minLength: 1 });

type Step = (state: StateWriter, unique: string) => NewEvent | undefined;

/** Everything one file and another hold goes into a third. */
function compaction(state: StateWriter, key: string, unique: string): NewEvent | undefined {
  const files = [...state.files(key)];
  const target = files[0];
  if (target === undefined) return undefined;
  const same = files.filter((file) => file.series === target.series);
  const details = state.details(key, target.series);
  const times = Array.from(details?.file ?? [], (id, at) =>
    same.some((file) => file.id === id) ? at + (details?.base ?? 0) : undefined,
  );
  const moved = Int32Array.from(times.filter((found) => found !== undefined));
  return {
    kind: 'compacted',
    asset: key,
    run: 'r1',
    files: [{ path: `${unique}-packed`, bytes: 9 }],
    moved: [{ ...named(target.series), times: moved, file: new Int32Array(moved.length) }],
    supersedes: same.map((file) => file.path),
  };
}

const step: fc.Arbitrary<Step> = fc.oneof(
  fc
    .record({
      asset,
      contents,
      code: fc.constantFrom('A', 'B', 'C'),
      ordered: fc.boolean(),
      bad: fc.boolean(),
      inFile: fc.boolean(),
      chosen: fc.boolean(),
    })
    .map(
      ({ asset, contents, code, ordered, bad, inFile, chosen }): Step =>
        (state, unique) => {
          const outcomes = contents.map(([name, points], k) => {
            const made = outcome(name, points, inFile ? k : -1);
            return chosen ? { ...made, choice: Uint8Array.from(made.times, (_, i) => i % 2) } : made;
          });
          const first = outcomes[0];
          return materialized(asset, Math.max(0, state.index().head - 1), outcomes, {
            code,
            ordered,
            files: inFile ? contents.map((_, k) => ({ path: `${unique}-${k}`, bytes: 7 })) : [],
            ...(chosen && { choices: ['daily', 'monthly'] }),
            ...(first !== undefined && {
              checks: [
                {
                  check: 'c',
                  severity: 'error',
                  blocking: bad,
                  ...named(first.series),
                  time: first.times[0] as number,
                  failedRows: 2,
                },
              ],
            }),
          });
        },
    ),
  fc.record({ asset, contents, withdrawn: fc.option(set, { nil: undefined }) }).map(
    ({ asset, contents, withdrawn }): Step =>
      () =>
        observed(
          asset,
          contents.map(([name, points]) => outcome(name, points)),
          {
            withdrawn: (withdrawn ?? []).filter((gone) => !contents.some(([name]) => name === gone.series)),
          },
        ),
  ),
  fc
    .record({
      asset,
      set,
      behind: fc.nat({ max: 3 }),
      decisive: fc.boolean(),
      failing: fc.option(fc.constantFrom('warn' as const, 'error' as const)),
    })
    .map(
      ({ asset, set, behind, decisive, failing }): Step =>
        (state) => ({
          kind: 'checked',
          asset,
          run: 'r1',
          head: Math.max(0, state.index().head - behind),
          checks: ['c'],
          set,
          decisive,
          failures:
            failing === null
              ? []
              : set.map(({ series, values, ranges }) => ({
                  check: 'c',
                  severity: failing,
                  blocking: failing === 'error',
                  series,
                  values,
                  time: ranges[0] as number,
                  failedRows: 1,
                })),
        }),
    ),
  fc.record({ asset, set }).map(
    ({ asset, set }): Step =>
      () => ({ kind: 'departed', asset, run: 'r1', reason: 'wiped', set }),
  ),
  fc
    .record({
      asset,
      code: fc.constantFrom('A', 'B'),
      at: fc.uniqueArray(fc.tuple(series, time, fc.boolean()), { minLength: 1, maxLength: 4 }),
    })
    .map(
      ({ asset, code, at }): Step =>
        (state) => ({
          kind: 'failed',
          asset,
          run: 'r1',
          code,
          head: state.index().head,
          failures: at.map(([name, when, transient]) => ({
            ...named(name),
            time: when,
            transient,
            error: { message: 'no' },
          })),
        }),
    ),
  fc.record({ asset, from: fc.constantFrom('A', 'B'), to: fc.constantFrom('B', 'C') }).map(
    ({ asset, from, to }): Step =>
      () => ({ kind: 'accepted', asset, run: 'r1', from, to }),
  ),
  asset.map(
    (key): Step =>
      (state, unique) =>
        compaction(state, key, unique),
  ),
  fc.constantFrom('A', 'B').map(
    (code): Step =>
      () => ({ kind: 'definitions', versions: { [ASSETS[0] as string]: code } }),
  ),
);

const moments = fc.constantFrom('nothing', 'nothing', 'checkpoint', 'reopen', 'checkpoint and prune', 'look');

/** Index and details as the model describes them, points that never were left out. */
function described(state: StateWriter): unknown {
  const index = state.refresh();
  const points: [string, unknown][] = [];
  for (const key of index.assetKeys()) {
    const found = index.asset(key) as AssetState;
    for (const [name, columns] of found.series) {
      for (let at = 0; at < columns.length; at++) {
        const flags = columns.flags[at] as number;
        if (flags !== 0) points.push([`${key}|${name}|${columns.base + at}`, describePoint(state, key, columns, at)]);
      }
    }
  }
  points.sort(([a], [b]) => (a < b ? -1 : 1));
  const same = Object.entries(index.accepted).flatMap(([key, sets]) =>
    sets.flatMap((codes) => codes.map((code) => `${key}|${code}: ${codes}`)),
  );
  return { head: index.head, definitions: index.definitions, same: same.sort(), points: Object.fromEntries(points) };
}

function describePoint(state: StateWriter, key: string, columns: SeriesState, at: number): unknown {
  const index = state.index();
  const when = columns.base + at;
  const failure = index.asset(key)?.failure(columns.key, when);
  const details = state.details(key, columns.key);
  const cold = when - (details?.base ?? 0);
  const path = state.fileOf(key, columns.key, when)?.path;
  const flags = columns.flags[at] as number;
  return {
    changed: columns.changed[at],
    verified: columns.verified[at],
    code: index.codes[columns.code[at] as number],
    choice: index.choices[columns.choice[at] as number],
    flags,
    ...(failure && { failure: { ...failure, code: index.codes[failure.code] } }),
    ...((flags & PRESENT) !== 0 &&
      details && {
        version: versionHex(details.version, cold),
        rows: details.rows[cold],
        revision: details.revision[cold],
      }),
    ...(path !== undefined && { path }),
  };
}

test('results of checks count for what is there and was not computed again since they were looked up', () => {
  const { open } = lake();
  const state = open();
  const point = { ...named('symbol=A'), time: 3 };
  state.append(materialized('silver/y', 0, [outcome('symbol=A', { 3: 'v1', 4: 'v1' })]));
  const failure = { check: 'c', severity: 'error', blocking: true, ...point, failedRows: 1 } as const;
  const checked = (head: number, failures: readonly (typeof failure)[]) =>
    ({
      kind: 'checked',
      asset: 'silver/y',
      run: 'r2',
      head,
      checks: ['c'],
      set: [
        { ...named('symbol=A'), ranges: [2, 5] },
        { ...named('symbol=B'), ranges: [0, 9] },
      ],
      decisive: true,
      failures,
    }) satisfies NewEvent;
  state.append(checked(1, [failure]));
  expect(pointOf(state, 'silver/y', 'symbol=A', 3)?.flags).toBe(PRESENT | CHECK_FAILED);
  expect(pointOf(state, 'silver/y', 'symbol=A', 4)?.flags).toBe(PRESENT);
  state.append(materialized('silver/y', 2, [outcome('symbol=A', { 4: 'v1' })]));
  state.append(checked(2, []));
  expect([...state.events({ kind: 'checked' })].map(({ event }) => event)).toEqual([
    { ...checked(1, [failure]), set: [{ ...named('symbol=A'), ranges: [3, 5] }] },
    { ...checked(2, []), set: [{ ...named('symbol=A'), ranges: [3, 4] }] },
  ]);
  expect(pointOf(state, 'silver/y', 'symbol=A', 3)).toEqual({
    changed: 1,
    verified: 0,
    code: 'A',
    choice: '',
    flags: PRESENT,
  });
  expect(() => state.append(checked(9, []))).toThrow('saw revision 9');
});

test('an event of a kind that earlier versions do not know is written in a format that they refuse', () => {
  const { open, path } = lake();
  const state = open();
  state.append(materialized('silver/y', 0, [outcome('symbol=A', { 3: 'v1' })]));
  const set = [{ ...named('symbol=A'), ranges: [3, 4] }];
  state.append({
    kind: 'checked',
    asset: 'silver/y',
    run: 'r',
    head: 1,
    checks: [],
    set,
    decisive: false,
    failures: [],
  });
  const db = new DatabaseSync(path, { readOnly: true });
  expect(db.prepare('SELECT kind, format FROM events ORDER BY revision').all()).toEqual([
    expect.objectContaining({ kind: 'materialized', format: 1 }),
    expect.objectContaining({ kind: 'checked', format: 2 }),
  ]);
  db.close();
});

test('any log folds to what the rules say, from any checkpoint, in any process: index and details', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(step, moments), { minLength: 1, maxLength: 14 }), (steps) => {
      const { open } = lake();
      const model = new Model();
      const watcher = open();
      let state = open();
      steps.forEach(([makeEvent, moment], k) => {
        const event = makeEvent(state, `f${k}`);
        if (event === undefined) return;
        const held = state.index();
        const before = describeIndex(held);
        state.append(event);
        model.apply(event);
        expect(describeIndex(held)).toEqual(before);
        if (moment === 'checkpoint' || moment === 'checkpoint and prune') state.checkpoint();
        if (moment === 'checkpoint and prune') state.prune({ keepEventsAfterMs: Number.MAX_SAFE_INTEGER });
        if (moment === 'look') expect(described(state)).toEqual(model.describe());
        if (moment === 'reopen') {
          state.close();
          state = open();
        }
      });
      expect(described(state)).toEqual(model.describe());
      // One that only followed, one that starts from the checkpoint, one that may not write.
      expect(described(watcher)).toEqual(model.describe());
      expect(described(open())).toEqual(model.describe());
      expect(described(open({ readOnly: true }))).toEqual(model.describe());
      expect(state.integrityCheck()).toEqual([]);
      expect(state.damage()).toEqual([]);
    }),
    { numRuns: 60 },
  );
}, 120_000);
