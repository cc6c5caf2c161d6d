import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { describeIndex } from '../../framework/state/describe.ts';
import type { CompactedEvent, NewEvent } from '../../framework/state/events.ts';
import { FAILED, LEFT, PRESENT } from '../../framework/state/index.ts';
import type { ClaimToken } from '../../framework/state/store.ts';
import { materialized, named, observed, outcome } from './make.ts';
import { child, lake, pointOf, refusal } from './support.ts';

const S = 'symbol=BTC/interval=1m';
const wiped = (asset: string, ranges: number[]): NewEvent => ({
  kind: 'departed',
  asset,
  run: 'r1',
  reason: 'wiped',
  set: [{ ...named(S), ranges }],
});

describe('counterexamples of cases.md, as far as the log decides them', () => {
  test('case 3, return: content that comes back after a departure is a change, although it is the same', () => {
    const state = lake().open();
    state.append(materialized('u', 0, [outcome(S, { 7: 'v1' })]));
    expect(state.append(wiped('u', [0, 100])).changed).toBe(1);
    expect(pointOf(state, 'u', S, 7)).toEqual({ changed: 2, verified: 0, code: '', choice: '', flags: LEFT });
    state.append(materialized('d', 2, [outcome(S, { 7: 'without' })]));
    expect(state.append(materialized('u', 3, [outcome(S, { 7: 'v1' })])).changed).toBe(1);
    expect(pointOf(state, 'u', S, 7)).toEqual({ changed: 4, verified: 3, code: 'A', choice: '', flags: PRESENT });
    expect(pointOf(state, 'd', S, 7)?.verified).toBe(2);
  });

  test('case 6 and 4: a chain is as of its own revision only if nothing that it read changed before the append', () => {
    const { open } = lake();
    const [p1, p2] = [open(), open()];
    p1.append(observed('u', [outcome(S, { 7: 'v1' })]));
    const links = (verified: number, text: string) =>
      materialized('d', verified, [outcome(S, { 7: text, 8: text })], { ordered: true });
    const verified = () => pointOf(p1, 'd', S, 8)?.verified;
    p1.append(links(1, 'a'), { upstream: ['u'] });
    expect(verified()).toBe(2);
    p2.append(observed('other', [outcome(S, { 7: 'v2' })]));
    p1.append(links(2, 'b'), { upstream: ['u'] });
    expect(verified()).toBe(4);
    // Another process brings a new version of what was read, or computes an earlier link.
    p2.append(observed('u', [outcome(S, { 7: 'v2' })]));
    p1.append(links(4, 'c'), { upstream: ['u'] });
    expect(verified()).toBe(4);
    p2.append(materialized('d', 6, [outcome(S, { 6: 'x' })]));
    p1.append(links(6, 'd'), { upstream: ['u'] });
    expect(verified()).toBe(6);
  });

  test('case 7, cutoff against an old version: changed is decided against the version that is current inside the append', () => {
    const { open } = lake();
    const [p1, p2] = [open(), open()];
    p1.append(observed('u', [outcome(S, { 7: 'v1' })]));
    p2.refresh();
    p1.append(materialized('other', 1, []));
    // P1 reads v1 as current and computes v1; P2 commits v2 meanwhile, and D reads that.
    expect(p2.append(materialized('u', 1, [outcome(S, { 7: 'v2' })]))).toMatchObject({ revision: 3, changed: 1 });
    p2.append(materialized('d', 3, [outcome(S, { 7: 'd' })]));
    expect(p1.append(materialized('u', 1, [outcome(S, { 7: 'v1' })]))).toMatchObject({ revision: 5, changed: 1 });
    expect(pointOf(p1, 'u', S, 7)?.changed).toBe(5);
    expect(pointOf(p1, 'd', S, 7)?.verified).toBe(3);
    // And the same content once more changes nothing.
    expect(p2.append(materialized('u', 5, [outcome(S, { 7: 'v1' })]))).toMatchObject({ revision: 6, changed: 0 });
    expect(pointOf(p2, 'u', S, 7)).toEqual({ changed: 5, verified: 5, code: 'A', choice: '', flags: PRESENT });
  });

  test('case 11, accept-code after A→B→C: only what was made by exactly B is blessed', () => {
    const state = lake().open();
    state.append(materialized('u', 0, [outcome(S, { 1: 'x' })], { code: 'A' }));
    state.append(materialized('u', 0, [outcome(S, { 2: 'x', 3: 'x' })], { code: 'B' }));
    state.append(materialized('v', 0, [outcome(S, { 2: 'x' })], { code: 'B' }));
    state.append(wiped('u', [3, 4]));
    state.append({ kind: 'accepted', asset: 'u', run: 'r1', from: 'B', to: 'C' });
    expect([1, 2, 3].map((time) => pointOf(state, 'u', S, time)?.code)).toEqual(['A', 'C', '']);
    expect(pointOf(state, 'u', S, 2)?.changed).toBe(2);
    expect(pointOf(state, 'v', S, 2)?.code).toBe('B');
  });

  test('case 12, two code versions: a writer whose code is not the newest logged one is refused', () => {
    const { open } = lake();
    const [daemon, person] = [open(), open()];
    daemon.append({ kind: 'definitions', versions: { u: 'A', v: 'V' } });
    const guard = { code: { asset: 'u', version: 'A' } };
    expect(daemon.append(materialized('u', 1, [outcome(S, { 1: 'x' })]), guard).revision).toBe(2);
    person.append({ kind: 'definitions', versions: { u: 'B' } });
    expect(refusal(() => daemon.append(materialized('u', 2, [outcome(S, { 1: 'y' })]), guard))).toMatchObject({
      code: 'stale-definitions',
      kind: 'conflict',
    });
    expect(pointOf(person, 'u', S, 1)).toEqual({ changed: 2, verified: 1, code: 'A', choice: '', flags: PRESENT });
    expect(person.refresh().head).toBe(3);
    expect(person.append(materialized('u', 3, []), { code: { asset: 'u', version: 'B' } }).revision).toBe(4);
    expect(person.append(materialized('v', 3, []), { code: { asset: 'v', version: 'V' } }).revision).toBe(5);
    expect(person.append(materialized('new', 3, []), { code: { asset: 'new', version: 'N' } }).revision).toBe(6);
    expect(daemon.refresh().definitions).toEqual({ u: 'B', v: 'V' });
  });

  test('case 16, lost update: two runs that rewrite two days of one pack cannot lose one', () => {
    const { open } = lake();
    const [p1, p2] = [open(), open()];
    p1.append(
      materialized('u', 0, [outcome(S, { 5: 'a', 6: 'b', 7: 'c' }, 0)], { files: [{ path: 'month-1', bytes: 30 }] }),
    );
    const rewrite = (day: number, others: number[], path: string) =>
      materialized('u', 1, [outcome(S, { [day]: `new ${day}` }, 0)], {
        files: [{ path, bytes: 30 }],
        moved: [{ ...named(S), times: Int32Array.from(others), file: new Int32Array(others.length) }],
        supersedes: ['month-1'],
      });
    p1.append(rewrite(5, [6, 7], 'month-2'));
    expect(refusal(() => p2.append(rewrite(6, [5, 7], 'month-3')))).toMatchObject({
      code: 'pack-conflict',
      kind: 'conflict',
      message: 'The file month-1 is no longer a current file of u',
    });
    const again = { ...rewrite(6, [5, 7], 'month-3'), supersedes: ['month-2'] };
    p2.append(again);
    const files = [...p2.files('u')].map(({ path, live }) => ({ path, live }));
    expect(files).toEqual([{ path: 'month-3', live: 3 }]);
    expect([5, 6, 7].map((time) => pointOf(p2, 'u', S, time)?.changed)).toEqual([2, 3, 1]);
    expect([5, 6, 7].map((time) => p1.fileOf('u', S, time)?.path)).toEqual(['month-3', 'month-3', 'month-3']);
    expect(p1.integrityCheck()).toEqual([]);
  });

  test('case 16, further: a pack cannot be replaced while it holds partitions that the replacement leaves behind', () => {
    const { open } = lake();
    const [p1, p2] = [open(), open()];
    p1.append(materialized('u', 0, [outcome(S, { 5: 'a', 6: 'b' }, 0)], { files: [{ path: 'pack', bytes: 3 }] }));
    const compacted = (times: number[], supersedes: string[]): CompactedEvent => ({
      kind: 'compacted',
      asset: 'u',
      run: 'r1',
      files: [{ path: `packed-${times}`, bytes: 3 }],
      moved: [{ ...named(S), times: Int32Array.from(times), file: new Int32Array(times.length) }],
      supersedes,
    });
    expect(refusal(() => p2.append(compacted([5], ['pack'])))?.message).toBe(
      '1 partitions of u still live in pack, which was to be replaced',
    );
    // Day 6 is computed anew, elsewhere; what was going to move it from the pack must not.
    p1.append(materialized('u', 1, [outcome(S, { 6: 'B' }, 0)], { files: [{ path: 'day-6', bytes: 1 }] }));
    expect(refusal(() => p2.append(compacted([5, 6], ['pack'])))?.message).toBe(
      `Partition 6 of u ${S} no longer lives in the file it is moved from`,
    );
    p2.append(compacted([5], ['pack']));
    expect([...p2.files()].map((file) => file.path)).toEqual(['day-6', 'packed-5']);
    expect(pointOf(p2, 'u', S, 5)).toEqual({ changed: 1, verified: 0, code: 'A', choice: '', flags: PRESENT });
    expect(p2.integrityCheck()).toEqual([]);
  });

  test('case 17, zombie: who was stopped past the expiry of its claim, and was replaced, cannot append', () => {
    const { open } = lake();
    const [zombie, heir] = [open(), open()];
    const owner = (run: string, pid: number) => ({ run, host: 'h', pid });
    const old = zombie.claim('u', ['2020-01', '2020-02'], owner('r1', 1), 1000, 0) as ClaimToken;
    expect(heir.claim('u', ['2020-02', '2020-03'], owner('r2', 2), 1000, 999)).toEqual({
      heldBy: { run: 'r1', host: 'h', pid: 1, expires: 1000 },
      packs: ['2020-02'],
    });
    // Refused claims take nothing; late is not lost as long as nobody came.
    expect(zombie.append(materialized('u', 0, []), { claim: old }).revision).toBe(1);
    const own = heir.claim('u', ['2020-02', '2020-03'], owner('r2', 2), 1000, 1000) as ClaimToken;
    heir.append(materialized('u', 1, [outcome(S, { 1: 'theirs' })]), { claim: own });
    const late = materialized('u', 0, [outcome(S, { 1: 'late' })]);
    expect(refusal(() => zombie.append(late, { claim: old }))).toMatchObject({ code: 'claim-lost', kind: 'conflict' });
    expect(zombie.renew(old, 1001)).toBe(false);
    heir.release(own);
    expect(refusal(() => zombie.append(late, { claim: old }))?.code).toBe('claim-lost');
    expect(zombie.refresh().head).toBe(2);
  });

  test('case 19, power loss: what was appended is there after kill -9, and the next revision is new', async () => {
    const { path, open, directory } = lake();
    const victim = child('append.ts', [path, 'victim', '100000']);
    await expect
      .poll(() => (readdirSync(directory).length > 0 ? open().index().head : 0), { timeout: 20_000 })
      .toBeGreaterThan(20);
    process.kill(victim.pid, 'SIGKILL');
    await victim.done;
    const reader = open({ readOnly: true });
    const state = open();
    const head = state.index().head;
    expect(describeIndex(reader.index())).toEqual(describeIndex(state.index()));
    expect([...state.events()].map((stored) => stored.revision)).toEqual(Array.from({ length: head }, (_, i) => i + 1));
    expect(state.append(materialized('a', head, [])).revision).toBe(head + 1);
    expect(state.integrityCheck()).toEqual([]);
  });

  test('case 20, many at once: four processes append 200 events each while others read; all land, none is turned away', async () => {
    const { path, open } = lake();
    const writers = ['w', 'x', 'y', 'z'].map((who) => child('append.ts', [path, who, '200']));
    const readers = ['1', '2'].map((who) => child('append.ts', [path, who, '800', 'read']));
    const printed = await Promise.all([...writers, ...readers].map(({ done }) => done));
    const revisions = printed
      .flatMap((text) => (JSON.parse(text) as { revisions: number[] }).revisions)
      .sort((a, b) => a - b);
    expect(revisions).toEqual(Array.from({ length: 800 }, (_, i) => i + 1));

    const state = open();
    const folded = describeIndex(state.index());
    expect(describeIndex(open({ readOnly: true }).index())).toEqual(folded);
    // Folding the whole log, without the checkpoints that they made.
    const fresh = lake().open();
    for (const stored of state.events()) fresh.append(stored.event);
    expect(describeIndex(fresh.index())).toEqual(folded);
    expect(state.integrityCheck()).toEqual([]);
    expect([...state.files()].reduce((sum, file) => sum + file.live, 0)).toBe(200 + 2 * 7);
  }, 120_000);

  test('a failure is remembered with the head and the code of the attempt, and its earlier content stays', () => {
    const state = lake().open();
    state.append(materialized('u', 0, [outcome(S, { 1: 'x' })]));
    const failed = (head: number, transient: boolean): NewEvent => ({
      kind: 'failed',
      asset: 'u',
      run: 'r1',
      code: 'B',
      head,
      failures: [{ ...named(S), time: 1, transient, error: { message: 'bad row' } }],
    });
    state.append(failed(1, true));
    state.append(failed(2, false));
    const { codes } = state.index();
    expect(state.index().asset('u')?.failure(S, 1)).toEqual({
      head: 2,
      code: codes.indexOf('B'),
      transient: false,
      revision: 3,
      attempts: 2,
    });
    expect(pointOf(state, 'u', S, 1)).toEqual({
      changed: 1,
      verified: 0,
      code: 'A',
      choice: '',
      flags: PRESENT | FAILED,
    });
    state.append(materialized('u', 3, [outcome(S, { 1: 'x' })], { code: 'B' }));
    expect(state.index().asset('u')?.failure(S, 1)).toBeUndefined();
    expect(pointOf(state, 'u', S, 1)).toEqual({ changed: 1, verified: 3, code: 'B', choice: '', flags: PRESENT });
  });
});
