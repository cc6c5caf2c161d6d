import {
  type AutomationCondition,
  and,
  asset,
  columns,
  cronTickPassed,
  daily,
  dynamicDimension,
  eager,
  failed,
  labelled,
  missing,
  newlyFalse,
  newlyRequested,
  newlyTrue,
  newlyUpdated,
  not,
  or,
  since,
  source,
  sql,
  stale,
  text,
  withoutBacklog,
} from 'crypto-lakehouse';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildGraph } from '../../../framework/graph/graph.ts';
import { type AutomationCursor, conditionId } from '../../../framework/operate/automation/cursor.ts';
import { type ConditionContext, evaluateCondition } from '../../../framework/operate/automation/evaluate.ts';
import type { AssetFacts } from '../../../framework/operate/automation/facts.ts';
import type { PartitionSet } from '../../../framework/partition/set.ts';
import * as sets from '../../../framework/partition/set.ts';

const partitions = { symbol: dynamicDimension(), date: daily({ start: '2024-01-01' }) };
const files = source('src/files', { partitions, observe: async function* () {} });
const prices = asset('silver/prices', {
  partitions,
  inputs: { files },
  columns: columns({ x: text() }),
  sortBy: ['x'],
  query: () => sql`SELECT 'x' AS x`,
});
const graph = buildGraph([prices], { codes: () => 'code' });
const KEY = 'silver/prices';

/** What is so at one evaluation, of points 0…7. */
interface World {
  readonly all: readonly number[];
  readonly missing: readonly number[];
  readonly stale: readonly number[];
  readonly failed: readonly number[];
  readonly requestedBefore: readonly number[];
  /** Points whose content changed since the evaluation before. */
  readonly updated: readonly number[];
  readonly now: number;
}

/** Four times of two series. */
const setOf = (points: readonly number[]): PartitionSet =>
  sets.fromPoints(points.map((point) => [`symbol=${'AB'[point >> 2]}`, point & 3] as const));
const pointsOf = (set: PartitionSet): number[] =>
  [...sets.points(set)].map(([series, time]) => (series === 'symbol=A' ? 0 : 4) + time).sort();

function contextOf(world: World, head: number): ConditionContext {
  const facts = {
    all: () => setOf(world.all),
    missing: () => setOf(world.missing),
    stale: () => setOf(world.stale),
    failed: () => setOf(world.failed),
    changedAfter: (revision: number) => (revision < head ? setOf(world.updated) : sets.EMPTY_SET),
  } as Partial<AssetFacts> as AssetFacts;
  return {
    graph,
    evaluations: new Map(),
    facts: () => facts,
    head,
    now: world.now,
    inProgress: () => sets.EMPTY_SET,
    requested: () => sets.EMPTY_SET,
    requestedBefore: () => setOf(world.requestedBefore),
  };
}

/** One evaluation after the other, as the daemon makes them. */
function play(condition: AutomationCondition, worlds: readonly World[], from?: AutomationCursor) {
  let cursor = from;
  const results = worlds.map((world, i) => {
    const head = (from?.head ?? 0) + i + 1;
    const { result, nodes, tree } = evaluateCondition(condition, KEY, contextOf(world, head), cursor);
    cursor = JSON.parse(JSON.stringify({ at: world.now, head, requested: {}, nodes })) as AutomationCursor;
    return { result: pointsOf(result), tree };
  });
  return { results: results.map(({ result }) => result), cursor, tree: results.at(-1)?.tree };
}

/** The same for one point, said as plainly as it can be: the history of truths of every node. */
function history(condition: AutomationCondition, worlds: readonly World[], point: number): boolean[] {
  const children = condition.children.map((child) => history(child, worlds, point));
  const [a = [], b = []] = children;
  const is = (i: number, key: 'missing' | 'stale' | 'failed' | 'requestedBefore' | 'updated') =>
    worlds[i]?.[key].includes(point) ?? false;
  const exists = (i: number) => worlds[i]?.all.includes(point) ?? false;
  const held = (i: number): boolean => {
    switch (condition.type) {
      case 'missing':
      case 'stale':
      case 'failed':
        return is(i, condition.type);
      case 'newlyRequested':
        return is(i, 'requestedBefore');
      case 'newlyUpdated':
        return i > 0 && is(i, 'updated');
      case 'cronTickPassed':
        return (
          i > 0 && Math.floor((worlds[i]?.now ?? 0) / 3_600_000) > Math.floor((worlds[i - 1]?.now ?? 0) / 3_600_000)
        );
      case 'and':
        return children.every((child) => child[i]);
      case 'or':
        return children.some((child) => child[i]);
      case 'not':
        return !a[i];
      case 'newlyTrue':
        return i > 0 && a[i] === true && !a[i - 1];
      case 'newlyFalse':
        return i > 0 && a[i] === false && a[i - 1] === true;
      case 'since':
        for (let n = i; n >= 0 && !b[n] && exists(n); n--) if (a[n]) return true;
        return false;
      case 'withoutBacklog':
        return a[i] === true && !a.slice(0, i + 1).every((before) => before);
      default:
        throw new Error(condition.type);
    }
  };
  const out: boolean[] = [];
  for (let i = 0; i < worlds.length; i++) out.push(exists(i) && held(i));
  return out;
}

describe('a condition as sets and one partition at a time agree', () => {
  const leaf = fc.constantFrom(
    missing(),
    stale(),
    failed(),
    newlyUpdated(),
    newlyRequested(),
    cronTickPassed('0 * * * *'),
  );
  const { condition } = fc.letrec<{ condition: AutomationCondition }>((tie) => {
    const child = tie('condition');
    return {
      condition: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.array(child, { minLength: 1, maxLength: 3 }).map((list) => and(...list)),
        fc.array(child, { minLength: 1, maxLength: 3 }).map((list) => or(...list)),
        child.map(not),
        child.map(newlyTrue),
        child.map(newlyFalse),
        child.map(withoutBacklog),
        fc.tuple(child, child).map(([event, reset]) => since(event, reset)),
      ),
    };
  });
  const points = fc.subarray([0, 1, 2, 3, 4, 5, 6, 7]);
  const world = fc.record({
    all: points,
    missing: points,
    stale: points,
    failed: points,
    requestedBefore: points,
    updated: points,
    now: fc.constant(0),
  });
  const worlds = fc
    .array(fc.tuple(world, fc.integer({ min: 1, max: 3_000_000 })), { minLength: 1, maxLength: 6 })
    .map((list) => {
      let now = Date.UTC(2024, 0, 1);
      return list.map(([one, step]): World => {
        now += step;
        return { ...one, now };
      });
    });

  test('over random conditions and histories', () => {
    fc.assert(
      fc.property(condition, worlds, (tree, list) => {
        const naive = list.map((_, i) => [0, 1, 2, 3, 4, 5, 6, 7].filter((point) => history(tree, list, point)[i]));
        expect(play(tree, list).results).toEqual(naive);
      }),
      { numRuns: 1000 },
    );
  });
});

const at = Date.UTC(2024, 0, 1);
const worldOf = (missing: readonly number[], more: Partial<World> = {}): World => ({
  all: [0, 1, 2, 3],
  missing,
  stale: [],
  failed: [],
  requestedBefore: [],
  updated: [],
  now: at,
  ...more,
});

describe('what a node remembers', () => {
  test('stays when other parts of the condition are altered, moved or named', () => {
    const before = play(newlyTrue(missing()), [worldOf([0])]);
    const after = or(stale(), labelled(and(not(failed()), newlyTrue(missing())), 'mine'));
    expect(play(after, [worldOf([0, 1])], before.cursor).results).toEqual([[1]]);
  });

  test('begins anew where the condition is another one, and where it was left out for a while', () => {
    const before = play(newlyTrue(missing()), [worldOf([0])]);
    expect(play(newlyTrue(or(missing(), stale())), [worldOf([0, 1])], before.cursor).results).toEqual([[]]);
    const between = play(stale(), [worldOf([0])], before.cursor);
    expect(play(newlyTrue(missing()), [worldOf([0, 1])], between.cursor).results).toEqual([[]]);
  });

  test('is forgotten with the log it was about', () => {
    const { cursor } = play(newlyUpdated(), [worldOf([], { updated: [0] }), worldOf([], { updated: [1] })]);
    expect(play(newlyUpdated(), [worldOf([], { updated: [2] })], cursor).results).toEqual([[2]]);
    const shorter = evaluateCondition(newlyUpdated(), KEY, contextOf(worldOf([], { updated: [2] }), 5), {
      ...(cursor as AutomationCursor),
      head: 99,
    });
    expect(pointsOf(shorter.result)).toEqual([]);
  });

  test('is ranges by series, not partitions', () => {
    const years = sets.fromSeries(['A', 'B'].map((name) => [`symbol=${name}`, { bounds: [0, 10_000_000] }] as const));
    const context = contextOf(worldOf([]), 1);
    const { nodes } = evaluateCondition(
      withoutBacklog(missing()),
      KEY,
      { ...context, facts: () => ({ ...context.facts(KEY), all: () => years, missing: () => years }) },
      undefined,
    );
    expect(nodes).toEqual({
      [conditionId(withoutBacklog(missing()))]: { 'symbol=A': [0, 10_000_000], 'symbol=B': [0, 10_000_000] },
    });
  });

  test('has an id that is the same in every process', () => {
    expect(conditionId(eager())).toMatchInlineSnapshot(`"6b397fddb20626ed"`);
    expect(conditionId(labelled(eager(), 'mine'))).toBe(conditionId(eager()));
    expect(conditionId(cronTickPassed('0 6 * * *'))).not.toBe(conditionId(cronTickPassed('0 7 * * *')));
    expect(conditionId(and(missing(), stale()))).not.toBe(conditionId(or(missing(), stale())));
  });
});

test('the tree has a value for every node, children under their parents', () => {
  const condition = labelled(and(missing(), not(failed())), 'mine');
  const { tree } = play(condition, [worldOf([0, 1], { failed: [1, 2] })]);
  const flat = (node: NonNullable<typeof tree>): unknown => [
    node.label,
    pointsOf(node.value),
    ...node.children.map(flat),
  ];
  expect(tree && flat(tree)).toEqual(['mine', [0], ['missing', [0, 1]], ['not failed', [0, 3], ['failed', [1, 2]]]]);
});
