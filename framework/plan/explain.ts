import type { AssetGraph } from '../graph/graph.ts';
import { printKey, readSeriesKey } from '../partition/space.ts';
import { AVAILABLE, AWAITING, BLOCKED, DIRTY, GONE, READABLE, RETRY, TODO } from './aggregate.ts';
import { type AssetEvaluation, CAUSES, choiceLabel, type SeriesEvaluation, type Status, STATUSES } from './evaluate.ts';
import { type LakeView, PRESENT } from './view.ts';

/** Why a partition is as it is. `message` is a sentence without a full stop. */
export interface Reason {
  readonly type: 'missing' | 'code' | 'data' | 'departed' | 'choice' | 'pending' | 'blocked' | 'awaiting' | 'unavailable' | 'failed' | 'check';
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

/**
 * The chain of causes of one partition: its own, and below each the upstream partitions that cause it, down to the sources.
 * Reads the same evaluation that the plan is made of, so it cannot say anything else.
 */
export function explain(graph: AssetGraph, view: LakeView, evaluations: ReadonlyMap<string, AssetEvaluation>, asset: string, seriesKey: string, time: number, depth = DEPTH): Explanation {
  const evaluation = evaluations.get(asset) as AssetEvaluation;
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

  /** The mapped upstream points for which `test` holds, explained; `count` in all. */
  const culprits = (test: (up: SeriesEvaluation, u: number) => boolean, need?: 'required'): { upstream: Explanation[]; count: number } => {
    const upstream: Explanation[] = [];
    let count = 0;
    for (const input of node.inputs) {
      if (need && input.need !== need) continue;
      input.alternatives.forEach((alternative, a) => {
        const chosen = series?.chosen.get(input.name)?.[i];
        if (input.alternatives.length > 1 && chosen !== a) return;
        const [from, to] = alternative.mapping.upstream(values, time);
        const joins = alternative.mapping.joinDown(values);
        for (const up of evaluations.get(alternative.asset)?.series.values() ?? []) {
          const join = alternative.mapping.joinUp(up.values);
          if (join === undefined || !joins.includes(join)) continue;
          for (let u = Math.max(from - up.base, 0); u < Math.min(to - up.base, up.length); u++) {
            if (!test(up, u)) continue;
            count++;
            if (upstream.length < SHOWN && depth > 0) upstream.push(explain(graph, view, evaluations, alternative.asset, up.key, up.base + u, depth - 1));
          }
        }
      });
    }
    return { upstream, count };
  };
  const add = (type: Reason['type'], message: string, found: { upstream: Explanation[]; count: number } = { upstream: [], count: 0 }) => {
    reasons.push({ type, message, ...found });
  };
  const bits = (up: SeriesEvaluation, u: number, mask: number) => ((up.bits[u] as number) & mask) !== 0;

  if (known && node.definition.kind === 'asset') {
    const causes = CAUSES.filter((_, b) => (series.causes[i] as number) & (1 << b));
    for (const cause of causes) {
      if (cause === 'missing') add('missing', 'it was never computed, or has been removed');
      else if (cause === 'code') add('code', `its code changed from ${view.codes[state?.code[s] ?? 0] || 'unknown'} to ${node.code}`);
      else if (cause === 'data') {
        const live = culprits((up, u) => !bits(up, u, GONE) && (up.changed[u] as number) > verified);
        if (live.count > 0) add('data', `${live.count} input partition${live.count === 1 ? '' : 's'} changed after it had read them (at revision ${verified})`, live);
      } else if (cause === 'departed') {
        const gone = culprits((up, u) => bits(up, u, GONE) && (up.changed[u] as number) > verified);
        if (gone.count > 0) add('departed', `${gone.count} input partition${gone.count === 1 ? '' : 's'} that it may have read left`, gone);
      } else if (cause === 'choice') {
        const was = view.choices[state?.choice[s] ?? 0];
        add('choice', `it was made from ${was || 'something else'}, now ${choiceLabel(node.inputs, (input) => series.chosen.get(input)?.[i] ?? 255)} is chosen`);
      }
    }
    if (status === 'pending') add('pending', 'what it reads will be computed again and may change it', culprits((up, u) => bits(up, u, DIRTY | TODO)));
    if (status === 'blocked') add('blocked', 'what it reads failed, or waits for something that did', culprits((up, u) => bits(up, u, BLOCKED | RETRY), 'required'));
    if (status === 'awaiting') {
      const waiting = culprits((up, u) => bits(up, u, AWAITING), 'required');
      add('awaiting', 'its source has not published yet', waiting);
    }
    if (status === 'failed') {
      const failure = view.asset(asset)?.failure(seriesKey, time);
      if (causes.length > 0) add('failed', failure?.transient ? 'the last attempt failed; the next run tries again' : 'the last attempt failed, and nothing it depends on has changed since');
      else add('check', 'its data failed a blocking check');
    }
    const todo = status === 'missing' || status === 'stale' ? culprits((up, u) => !bits(up, u, READABLE) && bits(up, u, AVAILABLE), 'required') : undefined;
    if (todo && todo.count > 0) add('pending', `${todo.count} input partition${todo.count === 1 ? ' is' : 's are'} to be computed first`, todo);
  }
  if (status === 'unavailable') add('unavailable', 'its source does not have it and is not expected to publish it');
  if (status === 'awaiting' && node.definition.kind === 'source') add('awaiting', 'not published yet');
  if (status === 'none') add('unavailable', 'there is no such partition: nothing upstream speaks of it');
  return { asset, partition: printKey(node.space, { values, time }), status, present, changed: known ? (series.changed[i] as number) : 0, verified, reasons };
}

