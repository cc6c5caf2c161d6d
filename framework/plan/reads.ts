import type { Scratch } from '../common/scratch.ts';
import type { ResolvedInput } from '../graph/graph.ts';
import type { SeriesValues } from '../partition/space.ts';
import {
  type Aggregate,
  AVAILABLE,
  AWAITING,
  aggregate,
  BLOCKED,
  DIRTY,
  type JoinIndex,
  merge,
  newAggregate,
  RETRY,
  TODO,
} from './aggregate.ts';
import { choose } from './choice.ts';
import type { SeriesEvaluation } from './evaluated.ts';

/** An input with the upstream series of each alternative. */
export interface Edge {
  readonly input: ResolvedInput;
  readonly indexes: readonly JoinIndex<SeriesEvaluation>[];
}

/** What the points of a series read, and what is chosen for them. */
export interface Reads {
  readonly required: Aggregate;
  readonly optional: Aggregate;
  /** Points for which some required input has nothing that exists or can be made. */
  readonly lacking: Uint8Array;
  /** All inputs are optional: one of them has to be there, if any can be. */
  readonly any: boolean;
  /** Newest departure from any alternative, chosen or not. */
  readonly left: Uint32Array;
  readonly chosen: ReadonlyMap<string, Uint8Array>;
}

/** What an input that asks for nothing does not care about: what becomes of it. */
const UNASKED = DIRTY | TODO | RETRY | BLOCKED | AWAITING;

/** In scratch memory. */
export function readsOf(
  edges: readonly Edge[],
  values: SeriesValues,
  base: number,
  length: number,
  scratch: Scratch,
): Reads {
  let required: Aggregate | undefined;
  let optional: Aggregate | undefined;
  const lacking = scratch.u8(length);
  const left = scratch.u32(length);
  const chosen = new Map<string, Uint8Array>();
  for (const { input, indexes } of edges) {
    const parts = input.alternatives.map((alternative, a) => {
      const part = newAggregate(length, scratch);
      aggregate(part, alternative, values, base, indexes[a] as JoinIndex, scratch);
      return part;
    });
    let part = parts[0] as Aggregate;
    if (parts.length > 1) {
      part = newAggregate(length, scratch);
      chosen.set(input.name, choose(parts, part, left, scratch));
    }
    // What was never asked for is not waited for.
    if (input.asks === false) for (let i = 0; i < length; i++) part.bits[i] = (part.bits[i] as number) & ~UNASKED;
    if (input.need === 'required') required = merge(required, part);
    else optional = merge(optional, part);
    // A series that is mapped to no upstream series at all lacks none.
    if (input.need !== 'required' || !input.alternatives.some((a) => a.mapping.joinDown(values).length > 0)) continue;
    for (let i = 0; i < length; i++) if (((part.bits[i] as number) & AVAILABLE) === 0) lacking[i] = 1;
  }
  const none = newAggregate(length, scratch);
  const any = edges.length > 0 && required === undefined;
  return { required: required ?? none, optional: optional ?? none, lacking, any, left, chosen };
}
