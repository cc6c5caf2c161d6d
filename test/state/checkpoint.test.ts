import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { describeIndex } from '../../framework/state/describe.ts';
import { versionHex } from '../../framework/state/events.ts';
import type { StateWriter } from '../../framework/state/store.ts';
import { materialized, observed, outcome, versionOf } from './make.ts';
import { lake, refusal } from './support.ts';

const S = 'symbol=BTC/interval=1m';
const T = 'symbol=ETH/interval=1m';

function day(state: StateWriter, time: number, text = `v${time}`): void {
  const files = [{ path: `${time}-${text}`, bytes: 1 }];
  state.append(materialized('u', state.index().head, [outcome(S, { [time]: text }, 0)], { files }));
  state.append(observed('source', [outcome(T, { [time]: text })]));
}

const versions = (state: StateWriter, asset: string, series: string, times: number[]) => {
  const details = state.details(asset, series);
  return times.map((time) => versionHex(details?.version ?? new Uint8Array(16), time - (details?.base ?? 0)));
};

/** A state with two checkpoints, at events 20 and 40, and 20 events after; closed. */
function checkpointed(prune = false) {
  const made = lake();
  const state = made.open();
  for (let i = 0; i < 10; i++) day(state, i);
  state.checkpoint();
  for (let i = 10; i < 20; i++) day(state, 1000 * i);
  state.checkpoint();
  if (prune) state.prune({ keepEventsAfterMs: Number.MAX_SAFE_INTEGER });
  for (let i = 0; i < 10; i++) day(state, i, 'again');
  const described = describeIndex(state.index());
  state.close();
  const alter = (sql: string): void => {
    const db = new DatabaseSync(made.path);
    expect(Number(db.prepare(sql).run().changes)).toBeGreaterThan(0);
    db.close();
  };
  return { ...made, described, alter };
}
const whatever = (open: () => StateWriter, described: unknown): StateWriter => {
  const state = open();
  expect(describeIndex(state.index())).toEqual(described);
  const times = [0, 9, 10_000, 19_000];
  const expected = ['again', 'again', 'v10000', 'v19000'].map((text) => versionHex(versionOf(text)));
  expect(versions(state, 'u', S, times)).toEqual(expected);
  expect(versions(state, 'source', T, times)).toEqual(expected);
  return state;
};

describe('checkpoints', () => {
  test('opening folds only what came after the newest one', () => {
    const { open, described } = checkpointed();
    const state = whatever(open, described);
    expect(state.eventsSinceCheckpoint()).toBe(20);
    state.checkpoint();
    expect(state.eventsSinceCheckpoint()).toBe(0);
    state.checkpoint();
    whatever(open, described);
    expect(state.integrityCheck()).toEqual([]);
  });

  test('only chunks that were written into are written again', () => {
    const { open, path } = checkpointed();
    const db = new DatabaseSync(path, { readOnly: true });
    const chunks = (table: string) =>
      db
        .prepare(`SELECT asset, chunk, revision FROM ${table} ORDER BY asset, chunk, revision`)
        .all()
        .map((row) => `${row.asset} ${row.chunk}@${row.revision}`);
    const assets = ['source', 'u'];
    // Days 0–9 at the first, 10,000–19,000 at the second: hot chunks of 4096 points.
    expect(chunks('hot')).toEqual(
      assets.flatMap((asset) => [`${asset} 0@20`, `${asset} 2@40`, `${asset} 3@40`, `${asset} 4@40`]),
    );
    const state = open();
    state.checkpoint();
    // The state at 40 is the previous checkpoint now, and needs the chunk as of 20.
    expect(chunks('hot')).toEqual(
      assets.flatMap((asset) => [`${asset} 0@20`, `${asset} 0@60`, `${asset} 2@40`, `${asset} 3@40`, `${asset} 4@40`]),
    );
    day(state, 5, 'third');
    state.checkpoint();
    expect(chunks('hot')).toEqual(
      assets.flatMap((asset) => [`${asset} 0@60`, `${asset} 0@62`, `${asset} 2@40`, `${asset} 3@40`, `${asset} 4@40`]),
    );
    expect(
      db
        .prepare('SELECT revision FROM checkpoints ORDER BY revision')
        .all()
        .map((row) => row.revision),
    ).toEqual([60, 62]);
    db.close();
  });

  test.each([
    ['its header', `UPDATE checkpoints SET header = replace(header, '"A"', '"B"') WHERE revision = 40`],
    [
      'a chunk of the index',
      `UPDATE hot SET body = zeroblob(length(body)) WHERE revision = 40 AND asset = 'u' AND chunk = 3`,
    ],
    [
      'a chunk that sits in another’s place',
      `UPDATE hot SET chunk = 7 WHERE revision = 40 AND asset = 'u' AND chunk = 3`,
    ],
    ['a chunk of details', `UPDATE cold SET body = zeroblob(length(body)) WHERE revision = 40 AND asset = 'u'`],
  ])(
    'one whose damage is in %s: the previous one and the log give the same, and the next one is whole again',
    (_, sql) => {
      const { open, described, alter } = checkpointed(true);
      alter(sql);
      whatever(() => open({ readOnly: true }), described);
      const state = whatever(open, described);
      expect(state.damage()).toHaveLength(1);
      expect(state.damage()[0]).toContain('damaged');
      expect(refusal(() => state.prune({ keepEventsAfterMs: Number.MAX_SAFE_INTEGER }))?.code).toBe('state-corrupt');
      state.checkpoint();
      expect(state.damage()).toEqual([]);
      expect(whatever(open, described).damage()).toEqual([]);
      expect(state.integrityCheck()).toEqual([]);
    },
  );

  test('both damaged: the whole log while it is there, and a clear error when it was pruned', () => {
    const whole = checkpointed();
    whole.alter('UPDATE hot SET body = zeroblob(length(body))');
    const state = whatever(whole.open, whole.described);
    expect(state.damage()).toHaveLength(2);
    state.checkpoint();
    expect(whatever(whole.open, whole.described).damage()).toEqual([]);

    const pruned = checkpointed(true);
    pruned.alter('UPDATE hot SET body = zeroblob(length(body))');
    const error = refusal(() => pruned.open());
    expect(error?.code).toBe('state-corrupt');
    expect(error?.message).toContain('no checkpoint is sound and the events before them were pruned');
    expect(error?.hint).toContain('Restore the file');
  });

  test('one of a newer format is refused, not passed over', () => {
    const { open, alter } = checkpointed();
    alter('UPDATE checkpoints SET format = 3 WHERE revision = 40');
    expect(refusal(() => open())).toMatchObject({
      code: 'state-too-new',
      message: 'Checkpoint 40 is written in format 3; this version reads up to 2',
    });
  });

  test('two processes that make them in turn, and one that sleeps meanwhile, agree', () => {
    const { open } = lake();
    const [a, b, sleeper] = [open(), open(), open()];
    for (let i = 0; i < 6; i++) {
      day(a, i);
      a.checkpoint();
      day(b, i + 600);
      versions(sleeper, 'u', S, [i]);
      b.checkpoint();
      if (i === 3) b.prune({ keepEventsAfterMs: Number.MAX_SAFE_INTEGER });
    }
    a.prune({ keepEventsAfterMs: Number.MAX_SAFE_INTEGER });
    const expected = describeIndex(open().index());
    expect(describeIndex(sleeper.refresh())).toEqual(expected);
    expect(describeIndex(a.refresh())).toEqual(expected);
    const times = [0, 5, 600, 605];
    const texts = times.map((time) => versionHex(versionOf(`v${time}`)));
    for (const state of [a, b, sleeper, open()]) expect(versions(state, 'u', S, times)).toEqual(texts);
    expect(a.integrityCheck()).toEqual([]);
  });

  test('one that slept through two checkpoints and a pruning starts from the newest', () => {
    const { open } = lake();
    const [awake, sleeper] = [open(), open()];
    for (let i = 0; i < 3; i++) {
      day(awake, i);
      awake.checkpoint();
    }
    expect(awake.prune({ keepEventsAfterMs: Number.MAX_SAFE_INTEGER }).events).toBe(4);
    expect(describeIndex(sleeper.refresh())).toEqual(describeIndex(awake.index()));
    expect(sleeper.append(observed('source', [outcome(T, { 0: 'v0', 1: 'other' })])).changed).toBe(1);
  });
});
