import type { AssetGraph, ResolvedAlternative } from '../graph/graph.ts';
import { printKey, readSeriesKey } from '../partition/space.ts';
import {
  AVAILABLE,
  AWAITING,
  BAD,
  BLOCKED,
  DIRTY,
  GONE,
  type JoinIndex,
  joinIndex,
  READABLE,
  RETRY,
  TODO,
} from './aggregate.ts';
import { type AssetEvaluation, CAUSES, choiceLabel, type SeriesEvaluation, STATUSES, type Status } from './evaluate.ts';
import { type LakeView, PRESENT } from './view.ts';

/** Why a partition is as it is. `message` is a sentence without a full stop. */
export interface Reason {
  readonly type:
    | 'missing'
    | 'code'
    | 'data'
    | 'departed'
    | 'choice'
    | 'pending'
    | 'blocked'
    | 'awaiting'
    | 'unavailable'
    | 'failed'
    | 'check';
  readonly message: string;
  /** The upstream partitions to blame, at most a few, explained in turn. */
  readonly upstream: readonly Explanation[];
  /** How many there are in all. */
  readonly count: number;
}

export interface Explanation {
  readonly asset: string;
  /** Printed key. */
  readonly partition: string;
  readonly status: Status;
  readonly present: boolean;
  /** Revision at which its content last changed, and up to which it had seen its inputs. */
  readonly changed: number;
  readonly verified: number;
  readonly reasons: readonly Reason[];
}

const SHOWN = 3;
const DEPTH = 12;

/** What one explanation shares with those below it. */
interface Tree {
  readonly graph: AssetGraph;
  readonly view: LakeView;
  readonly evaluations: ReadonlyMap<string, AssetEvaluation>;
  /** Partitions explained already, here or above: named again, but not explained twice. */
  readonly seen: Set<string>;
  readonly joins: Map<ResolvedAlternative, JoinIndex>;
}

/**
 * The chain of causes of one partition: its own, and below each the upstream partitions that cause it, down to the sources.
 * Reads the same evaluation that the plan is made of, so it cannot say anything else.
 */
export function explain(
  graph: AssetGraph,
  view: LakeView,
  evaluations: ReadonlyMap<string, AssetEvaluation>,
  asset: string,
  seriesKey: string,
  time: number,
  depth = DEPTH,
): Explanation {
  return explainIn({ graph, view, evaluations, seen: new Set(), joins: new Map() }, asset, seriesKey, time, depth);
}

type Test = (up: SeriesEvaluation, u: number, required: boolean) => boolean;
type Found = Pick<Reason, 'upstream' | 'count'>;

function explainIn(tree: Tree, asset: string, seriesKey: string, time: number, depth: number): Explanation {
  const { view } = tree;
  const evaluation = tree.evaluations.get(asset) as AssetEvaluation;
  const { node } = evaluation;
  const series = evaluation.series.get(seriesKey);
  const i = series ? time - series.base : -1;
  const known = series !== undefined && i >= 0 && i < series.length;
  const values = series?.values ?? view.asset(asset)?.series.get(seriesKey)?.values ?? readSeriesKey(seriesKey);
  const status: Status = known ? (STATUSES[series.status[i] as number] ?? 'none') : 'none';
  const state = series?.state;
  const s = state ? time - state.base : -1;
  const inState = state !== undefined && s >= 0 && s < state.length;
  const present = inState && ((state.flags[s] as number) & PRESENT) !== 0;
  const verified = inState ? (state.verified[s] as number) : 0;
  const reasons: Reason[] = [];
  const changed = known ? (series.changed[i] as number) : 0;
  const explained = {
    asset,
    partition: printKey(node.space, { values, time }),
    status,
    present,
    changed,
    verified,
    reasons,
  };
  const place = `${asset}\n${seriesKey}\n${time}`;
  if (tree.seen.has(place)) return explained;
  tree.seen.add(place);

  /** The upstream points read for which `test` holds, explained; `count` in all. */
  const culprits = (test: Test): Found => {
    const upstream: Explanation[] = [];
    let count = 0;
    for (const input of node.inputs) {
      const chosen = input.alternatives.length > 1 ? (series?.chosen.get(input.name)?.[i] ?? -1) : 0;
      const alternative = input.alternatives[chosen];
      if (!alternative) continue;
      const [from, to] = alternative.mapping.upstream(values, time);
      for (const join of alternative.mapping.joinDown(values)) {
        for (const { key, base, length } of joined(tree, alternative).get(join) ?? []) {
          const up = tree.evaluations.get(alternative.asset)?.series.get(key);
          for (let u = Math.max(from - base, 0); up && u < Math.min(to - base, length); u++) {
            if (!test(up, u, input.need === 'required')) continue;
            count++;
            if (upstream.length < SHOWN && depth > 0) {
              upstream.push(explainIn(tree, alternative.asset, key, base + u, depth - 1));
            }
          }
        }
      }
    }
    return { upstream, count };
  };
  const add = (type: Reason['type'], message: string, found: Found = { upstream: [], count: 0 }) => {
    reasons.push({ type, message, ...found });
  };
  const has = (up: SeriesEvaluation, u: number, mask: number) => ((up.bits[u] as number) & mask) !== 0;
  const newer = (up: SeriesEvaluation, u: number) => (up.changed[u] as number) > verified;
  const parts = (count: number) => `${count} input partition${count === 1 ? '' : 's'}`;

  if (known && node.definition.kind === 'asset') {
    const any = node.inputs.every(({ need }) => need === 'ifPresent');
    const causes = CAUSES.filter((_, b) => (series.causes[i] as number) & (1 << b));
    for (const cause of causes) {
      if (cause === 'missing') add('missing', 'it was never computed, or has been removed');
      else if (cause === 'code') {
        add('code', `its code changed from ${view.codes[state?.code[s] ?? 0] || 'unknown'} to ${node.code}`);
      } else if (cause === 'data' || cause === 'departed') {
        const live = culprits((up, u) => !has(up, u, GONE) && newer(up, u));
        const left = culprits((up, u) => has(up, u, GONE) && newer(up, u));
        if (live.count > 0)
          add('data', `${parts(live.count)} changed after it had read them (at revision ${verified})`, live);
        if (left.count > 0) add('departed', `${parts(left.count)} that it may have read left`, left);
      } else if (cause === 'choice') {
        const was = view.choices[state?.choice[s] ?? 0];
        const now = choiceLabel(node.inputs, (input) => series.chosen.get(input)?.[i] ?? -1);
        add('choice', `it was made from ${was || 'something else'}, now ${now} is chosen`);
      }
    }
    if (status === 'pending')
      add(
        'pending',
        'what it reads will be computed again and may change it',
        culprits((up, u) => has(up, u, DIRTY | TODO | RETRY)),
      );
    if (status === 'blocked') {
      add(
        'blocked',
        'what it reads failed, or waits for something that did',
        culprits((up, u, required) => has(up, u, required || any ? BLOCKED | RETRY : BAD)),
      );
    }
    if (status === 'awaiting') {
      const waiting = culprits((up, u, required) => (required || any) && has(up, u, AWAITING));
      const message = waiting.count > 0 ? 'its source has not published yet' : 'an input it requires has nothing yet';
      add('awaiting', message, waiting);
    }
    if (status === 'failed') {
      const failure = view.asset(asset)?.failure(seriesKey, time);
      const again = (series.run[i] as number) > 0;
      const later = again ? 'the next run tries again' : 'and nothing it depends on has changed since';
      if (failure) add('failed', `the last attempt failed${again ? ';' : ','} ${later}`);
      else add('check', `its data failed a blocking check${again ? `; ${later}` : ''}`);
    }
    if (status === 'missing' || status === 'stale') {
      const todo = culprits((up, u, required) => required && !has(up, u, READABLE) && has(up, u, AVAILABLE));
      if (todo.count > 0)
        add('pending', `${parts(todo.count)} ${todo.count === 1 ? 'is' : 'are'} to be computed first`, todo);
    }
  }
  if (status === 'unavailable') add('unavailable', 'its source does not have it and is not expected to publish it');
  if (status === 'awaiting' && node.definition.kind === 'source') add('awaiting', 'not published yet');
  if (status === 'none') add('unavailable', 'there is no such partition: nothing upstream speaks of it');
  return explained;
}

function joined({ evaluations, joins }: Tree, alternative: ResolvedAlternative): JoinIndex {
  const known = joins.get(alternative);
  if (known) return known;
  const index = joinIndex(alternative, evaluations.get(alternative.asset)?.series.values() ?? []);
  joins.set(alternative, index);
  return index;
}
