import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as ranges from '../../framework/partition/ranges.ts';
import type { NewEvent } from '../../framework/state/events.ts';
import type { StateReader, StateWriter } from '../../framework/state/store.ts';
import { materialized, named, observed, outcome } from './make.ts';
import { downgrade, lake } from './support.ts';

const ASSET = 'silver/x';
const SERIES = ['symbol=A', 'symbol=B'];
const EVER = Number.MAX_SAFE_INTEGER;

/** `series time` → the file it lives in. */
type Residents = Readonly<Record<string, string>>;

function residentsNow(state: StateReader, of = (_path: string): boolean => true): Residents {
  const found: [string, string][] = [];
  for (const series of state.index().asset(ASSET)?.series.keys() ?? []) {
    const details = state.details(ASSET, series);
    details?.file.forEach((id, at) => {
      const path = id < 0 ? undefined : state.file(id)?.path;
      if (path !== undefined && of(path)) found.push([`${series} ${details.base + at}`, path]);
    });
  }
  return Object.fromEntries(found.sort());
}

/** The same of an earlier revision; the revision since which it can be told where it cannot. */
function residentsAt(state: StateReader, revision: number): Residents | number {
  const then = state.filesAt(ASSET, revision);
  if (then === undefined) throw new Error('keeps no history');
  if (revision < then.since) return then.since;
  const paths = new Set(then.files.map(({ path }) => path));
  const found = Object.entries(residentsNow(state, (path) => paths.has(path)));
  for (const { path, series, left } of then.files)
    for (const time of ranges.iterate({ bounds: left })) found.push([`${series} ${time}`, path]);
  expect(new Set(found.map(([key]) => key)).size, 'nothing is there twice').toBe(found.length);
  return Object.fromEntries(found.sort());
}

type Step = (state: StateWriter, unique: string) => NewEvent | 'forget' | 'reopen' | undefined;

const series = fc.constantFrom(...SERIES);
const times = fc.uniqueArray(fc.integer({ min: -2, max: 9 }), { minLength: 1, maxLength: 5 });
const set = fc
  .tuple(series, fc.integer({ min: -3, max: 8 }), fc.integer({ min: 1, max: 6 }))
  .map(([name, lo, width]) => [{ ...named(name), ranges: [lo, lo + width] }]);

const step: fc.Arbitrary<Step> = fc.oneof(
  // Out of the files it takes them from, into one or two of their own; sometimes the content is what it was.
  fc.record({ series, times, same: fc.boolean(), files: fc.constantFrom(0, 1, 2) }).map(
    ({ series, times, same, files }): Step =>
      (_, unique) => {
        const made = outcome(series, Object.fromEntries(times.map((time) => [time, same ? 'x' : unique])), 0);
        const used = Math.min(files, times.length);
        const file = made.file.map((_, i) => (used === 0 ? -1 : i % used));
        const paths = Array.from({ length: used }, (_, i) => ({ path: `${unique}-${i}`, bytes: 1 }));
        return materialized(ASSET, 0, [{ ...made, file }], { files: paths });
      },
  ),
  // Everything of a series into one file.
  fc.record({ series }).map(
    ({ series }): Step =>
      (state, unique) => {
        const files = [...state.files(ASSET)].filter((file) => file.series === series);
        if (files.length === 0) return undefined;
        const details = state.details(ASSET, series);
        const moved = [...(details?.file ?? [])].flatMap((id, at) => (id < 0 ? [] : [at + (details?.base ?? 0)]));
        return {
          kind: 'compacted',
          asset: ASSET,
          run: 'r1',
          files: [{ path: unique, bytes: 1 }],
          moved: [{ ...named(series), times: Int32Array.from(moved), file: new Int32Array(moved.length) }],
          supersedes: files.map(({ path }) => path),
        };
      },
  ),
  fc.record({ set, reason: fc.constantFrom('wiped' as const, 'excluded' as const) }).map(
    ({ set, reason }): Step =>
      () => ({ kind: 'departed', asset: ASSET, run: 'r1', reason, set }),
  ),
  fc.constant<Step>(() => observed('source/s', [outcome('symbol=A', { 1: 'x' })])),
  fc.constant<Step>(() => 'forget'),
  fc.constant<Step>(() => 'reopen'),
);

test('of every earlier revision exactly what lived where then is told, or that it cannot be', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 25 }), fc.nat(), (steps, seed) => {
      const { open } = lake();
      let state = open();
      const then: Residents[] = [residentsNow(state)];
      let gone: Residents[] = [];
      steps.forEach((make, i) => {
        const made = make(state, `a/f${i}.g.parquet`);
        if (made === 'forget') {
          const spare = [...state.supersededFiles(EVER), ...state.keptFiles()].filter((_, k) => (seed >> k) % 2 === 0);
          state.forgetFiles(spare.map(({ id }) => id));
          const paths = new Set(spare.map(({ path }) => path));
          // Answered is all that needs none of them, and comes after all that does.
          gone = then.filter((one) => Object.values(one).some((path) => paths.has(path)) || gone.includes(one));
        } else if (made === 'reopen') {
          state.checkpoint();
          state.prune({ keepEventsAfterMs: seed % 2 === 0 ? EVER : 0 });
          state = open();
        } else if (made !== undefined) {
          state.append(made);
          then.push(residentsNow(state));
        }
      });
      const last = gone.length === 0 ? -1 : Math.max(...gone.map((one) => then.indexOf(one)));
      then.forEach((expected, revision) => {
        const told = residentsAt(state, revision);
        if (revision <= last) expect(told).toBe(last + 1);
        else expect(told).toEqual(expected);
      });
      expect(residentsAt(open({ readOnly: true }), state.index().head)).toEqual(then.at(-1));
      expect(state.integrityCheck()).toEqual([]);
    }),
    { numRuns: 60 },
  );
});

/** Two revisions of one partition, the second in another file. */
function replaced() {
  const made = lake();
  const state = made.open();
  for (const path of ['g1', 'g2'])
    state.append(materialized(ASSET, 0, [outcome('symbol=A', { 1: path }, 0)], { files: [{ path, bytes: 1 }] }));
  return { ...made, state };
}

describe('the history of files', () => {
  test('ends before their objects go, so that nobody is told of files that are not there', () => {
    const { state } = replaced();
    expect(residentsAt(state, 1)).toEqual({ 'symbol=A 1': 'g1' });
    state.endHistory([1]);
    expect(residentsAt(state, 1)).toBe(2);
    expect([...state.supersededFiles(EVER)].map(({ path }) => path)).toEqual(['g1']);
    // Not that of a current one.
    state.endHistory([2]);
    expect(residentsAt(state, 2)).toEqual({ 'symbol=A 1': 'g2' });
  });

  test('goes with them: what is remembered is bounded by the files', () => {
    const { state, path } = replaced();
    const db = new DatabaseSync(path, { readOnly: true });
    const remembered = () => db.prepare('SELECT count(*) AS n FROM departures').get()?.n;
    expect(remembered()).toBe(1);
    state.forgetFiles([1, 2]);
    expect(remembered()).toBe(0);
    db.close();
  });

  test('of a state of an older program begins when it is written again', () => {
    const { state, path, open } = replaced();
    state.close();
    downgrade(path, 2);
    const reader = open({ readOnly: true });
    expect(reader.filesAt(ASSET, 2)).toBeUndefined();
    expect([reader.integrityCheck(), reader.keptMs(), reader.revisionAt(0)]).toEqual([[], new Map(), 0]);
    const after = open();
    expect(residentsAt(after, 1)).toBe(2);
    expect(residentsAt(after, 2)).toEqual({ 'symbol=A 1': 'g2' });
    after.append(materialized(ASSET, 2, [outcome('symbol=A', { 1: 'g3' }, 0)], { files: [{ path: 'g3', bytes: 1 }] }));
    expect(residentsAt(after, 2)).toEqual({ 'symbol=A 1': 'g2' });
    expect(after.integrityCheck()).toEqual([]);
  });

  test('is safe from an older program that had the file open', () => {
    const { state, path } = replaced();
    const older = new DatabaseSync(path);
    expect(residentsAt(state, 1)).toEqual({ 'symbol=A 1': 'g1' });
    expect(() => older.exec('UPDATE files SET live = 0, superseded = 3, superseded_at = 9 WHERE id = 2')).toThrow(
      'a later version keeps this log by now, start this program again',
    );
    older.exec('DELETE FROM files WHERE id = 1 AND superseded IS NOT NULL');
    older.close();
    expect([residentsAt(state, 1), residentsAt(state, 2)]).toEqual([2, { 'symbol=A 1': 'g2' }]);
    expect(state.integrityCheck()).toEqual([]);
  });

  test('is told as of one revision, whatever is appended meanwhile', () => {
    const { state, open } = replaced();
    const reader = open({ readOnly: true });
    const look = () => [reader.refresh().head, [...reader.files(ASSET)].map(({ path }) => path)];
    const seen = reader.atOnce(() => {
      const before = look();
      state.append(
        materialized(ASSET, 0, [outcome('symbol=A', { 1: 'g3' }, 0)], { files: [{ path: 'g3', bytes: 1 }] }),
      );
      return [before, look(), reader.atOnce(look), reader.filesAt(ASSET, 2)?.files.map(({ left }) => left)];
    });
    expect(seen).toEqual([[2, ['g2']], [2, ['g2']], [2, ['g2']], [[]]]);
    expect(look()).toEqual([3, ['g3']]);
    expect(() =>
      reader.atOnce(() => reader.append({ kind: 'run-started', run: 'r', command: '', selection: '' })),
    ).toThrow();
    expect(look()).toEqual([3, ['g3']]);
  });

  test('that lost something is found', () => {
    const { state, path } = replaced();
    const db = new DatabaseSync(path);
    db.exec('DELETE FROM departures');
    db.close();
    expect(state.integrityCheck()).toEqual(['The history of the file g1 is not complete']);
  });
});

describe('the revision at an instant', () => {
  test('is the last that was appended until then; of pruned events only the last', () => {
    const { state } = replaced();
    const instants = () => [...state.events()].map(({ at }) => at);
    const [first = 0, second = 0] = instants();
    const asked = [first - 1, first, second - 1, second, second + 9];
    expect(asked.map((at) => state.revisionAt(at))).toEqual([0, 1, 1, 2, 2]);
    for (let i = 0; i < 2; i++) {
      state.append({ kind: 'run-started', run: `r${i}`, command: 'c', selection: '*' });
      state.checkpoint();
    }
    const [, , third = 0, fourth = 0] = instants();
    expect(state.prune({ keepEventsAfterMs: EVER })).toEqual({ events: 3, runs: 0 });
    const pruned = [second, third - 1, third, fourth - 1, fourth];
    expect(pruned.map((at) => state.revisionAt(at))).toEqual([undefined, undefined, 3, 3, 4]);
  });

  test('is not invented of what an older program pruned', () => {
    const { state, path, open } = replaced();
    for (let i = 0; i < 2; i++) {
      state.append({ kind: 'run-started', run: `r${i}`, command: 'c', selection: '*' });
      state.checkpoint();
    }
    state.prune({ keepEventsAfterMs: EVER });
    state.close();
    downgrade(path, 2);
    const next = open();
    const [{ at } = { at: 0 }] = next.events();
    expect(next.prune({ keepEventsAfterMs: 0 })).toEqual({ events: 0, runs: 0 });
    expect([next.revisionAt(at - 1), next.revisionAt(at)]).toEqual([undefined, 4]);
  });
});
