import type { OpenedLake } from '../../materialize/open.ts';
import { type PartitionRef, printKey, seriesKey } from '../../partition/space.ts';
import type { AssetEvaluation } from '../../plan/evaluate.ts';
import { type Explanation, explain } from '../../plan/explain.ts';
import type { LakeView } from '../../plan/view.ts';
import { errorLine, withoutPlace } from '../../report/errors.ts';
import { factsOf, failureOf } from '../../report/facts.ts';
import { number, plural } from '../../report/format.ts';
import type { PartitionDetail } from '../model/data.ts';

/** What is known of the lake as of one revision. */
export interface EvaluatedLake {
  readonly view: LakeView;
  readonly evaluations: ReadonlyMap<string, AssetEvaluation>;
}

type Line = PartitionDetail['causes'][number];

/**
 * All there is to say about one partition. Status and causes are those of the evaluation; what was computed is read from the log as of
 * now. @throws LakehouseError what the state throws.
 */
export function partitionDetail(
  lake: OpenedLake,
  { view, evaluations }: EvaluatedLake,
  asset: string,
  ref: PartitionRef,
): PartitionDetail {
  const node = lake.graph.node(asset);
  const series = seriesKey(node.space, ref.values);
  const explanation = explain(lake.graph, view, evaluations, asset, series, ref.time);
  const { last, failure, checks } = factsOf(lake, node, ref);
  return {
    asset,
    kind: node.definition.kind,
    partition: printKey(node.space, ref),
    status: explanation.status,
    causes: causeLines(lake, explanation, 0),
    rows: last?.file === undefined || node.definition.storage.type === 'raw' ? undefined : last.rows,
    bytes: last?.bytes,
    version: last?.version,
    codeVersion: last && codeOf(view, asset, series, ref.time),
    computedAt: last?.at,
    run: last?.run,
    file: last?.file,
    error: failure && {
      message: failure.error ? withoutPlace(failure.error.message, asset) : 'the event that said why was pruned',
      hint: failure.error?.hint,
      attempts: failure.attempts,
    },
    checks: checks.map(({ check, severity, failedRows }) => ({ check, severity, failedRows })),
  };
}

/** The code that made what is there. */
function codeOf(view: LakeView, asset: string, series: string, time: number): string | undefined {
  const state = view.asset(asset)?.series.get(series);
  return view.codes[state?.code[time - state.base] ?? 0] || undefined;
}

/** Reasons, and below each the partitions to blame with theirs. */
function causeLines(lake: OpenedLake, { reasons }: Explanation, depth: number): Line[] {
  return reasons.flatMap((reason) => {
    const more = reason.count - reason.upstream.length;
    return [
      { depth, text: `${reason.type}: ${reason.message}`, status: undefined },
      ...reason.upstream.flatMap((up) => {
        const changed = up.changed > 0 && reason.type === 'data' ? `, changed at revision ${number(up.changed)}` : '';
        const error = failureOf(lake, up);
        return [
          { depth: depth + 1, text: `${up.asset} ${up.partition}: ${up.status}${changed}`, status: up.status },
          ...(error ? [{ depth: depth + 2, text: errorLine(error, up.asset), status: undefined }] : []),
          ...causeLines(lake, up, depth + 2),
        ];
      }),
      ...(more > 0 ? [{ depth: depth + 1, text: `… and ${plural(more, 'more partition')}`, status: undefined }] : []),
    ];
  });
}
