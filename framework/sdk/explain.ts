import type { SerializedError } from '../common/errors.ts';
import type { OpenedLake } from '../materialize/open.ts';
import { parseKey, printKey, seriesKey } from '../partition/space.ts';
import { encodeValue } from '../partition/terms.ts';
import { type Explanation, explain } from '../plan/explain.ts';
import { evaluateNow } from '../report/evaluated.ts';
import { factsOf, failureOf, type PartitionFacts } from '../report/facts.ts';
import { meaningOf } from '../report/meaning.ts';
import { unobserved } from './plan.ts';
import { findAsset, knownValues } from './select.ts';

/** Why a partition is as it is, down to the sources. */
export interface AssetExplanation extends Explanation {
  /** What its status means, in a few words. */
  readonly meaning: string;
  /** What the log says of its content, its last failure and its checks. */
  readonly facts: PartitionFacts;
  /** Why it failed, where it did. */
  readonly error?: SerializedError;
  /** Sources upstream that nobody has ever looked at: what they have is not known. */
  readonly neverObserved: readonly string[];
}

/** @throws LakehouseError `unknown-asset`, and those of `parseKey` (usage). */
export function explainPartition(
  lake: OpenedLake,
  asset: string,
  partition: string | Readonly<Record<string, string | undefined>>,
): AssetExplanation {
  const node = findAsset(lake.graph, asset);
  const { evaluations, view } = evaluateNow(lake);
  const text =
    typeof partition === 'string'
      ? partition
      : Object.entries(partition)
          .flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${encodeValue(value)}`]))
          .join('/');
  const ref = parseKey(node.space, text, knownValues(evaluations.get(asset)?.series.keys() ?? []));
  const series = seriesKey(node.space, ref.values);
  const explanation = explain(lake.graph, view, evaluations, asset, series, ref.time);
  const error = failureOf(lake, explanation);
  return {
    ...explanation,
    partition: printKey(node.space, ref),
    meaning: meaningOf(explanation.status, node.definition.kind),
    facts: factsOf(lake, node, ref),
    ...(error && { error }),
    neverObserved: unobserved(lake, [asset]),
  };
}
