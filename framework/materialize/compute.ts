import { isLakehouseError, LakehouseError } from '../common/errors.ts';
import type { ComputeContext, InputReader, PartitionContext } from '../define/model.ts';
import type { BoundInput, Engine } from '../engine/port.ts';
import type { AssetNode } from '../graph/graph.ts';
import { endOf, formatIndex, startOf } from '../partition/time.ts';
import type { FoundInput, Target } from './bind.ts';
import type { Lake } from './lake.ts';
import { observedVersion } from './observe.ts';
import { isTransient } from './retry.ts';

export function partitionContext(node: AssetNode, target: Pick<Target, 'key' | 'values' | 'time'>): PartitionContext {
  const { time } = node.space;
  return {
    key: target.key,
    values: time ? { ...target.values, [time.name]: formatIndex(time.grain, target.time) } : target.values,
    start: time && new Date(startOf(time.grain, target.time)),
    end: time && new Date(endOf(time.grain, target.time)),
  };
}

/**
 * What a compute function sees for one target. A source's bytes are checked against the version that was observed: if
 * something else arrives (a stale cache, an object replaced since), nothing may commit.
 */
export function computeContext(
  lake: Lake,
  node: AssetNode,
  target: Target,
  ordinal: number,
  found: readonly FoundInput[],
  bound: readonly BoundInput[],
  engine: Engine | undefined,
  signal: AbortSignal,
): ComputeContext {
  const inputs: Record<string, InputReader> = {};
  for (const input of found) {
    const readable = bound.find((b) => b.name === input.name);
    inputs[input.name] =
      readable && engine
        ? engine.reader(readable, ordinal, signal)
        : sourceReader(lake, node, target, ordinal, input, signal);
  }
  return { partition: partitionContext(node, target), inputs, resources: lake.resources(), signal, now: lake.now };
}

function sourceReader(
  lake: Lake,
  node: AssetNode,
  target: Target,
  ordinal: number,
  input: FoundInput,
  signal: AbortSignal,
): InputReader {
  const parts = partsOf(input, ordinal);
  const read = input.definition.source?.read;
  const upstream = lake.graph.node(input.definition.key);
  const refuse = (what: string): never => {
    throw new LakehouseError(
      'source-not-a-table',
      `${node.key}: ${input.definition.key} is a source and has no ${what}`,
      { hint: 'Read its bytes() and keep them in an asset of its own' },
    );
  };
  return {
    asset: input.definition.key,
    partitions: parts.map((part) => ({
      key: part.key,
      values: partitionContext(upstream, part).values,
      path: undefined,
    })),
    rows: async () => refuse('rows'),
    columns: async () => refuse('columns'),
    bytes: async () => {
      const [part, ...more] = parts;
      if (!part || more.length > 0)
        throw new LakehouseError(
          'not-one-partition',
          `${node.key} ${target.key}: bytes() needs exactly one partition of ${input.definition.key}, ${parts.length} are mapped`,
          { kind: 'data' },
        );
      if (!read)
        throw new LakehouseError('unreadable-source', `${input.definition.key} can be observed but has no read()`, {
          hint: 'Give the source a read function',
        });
      const answer = await read({
        partition: partitionContext(upstream, part),
        resources: lake.resources(),
        signal,
        now: lake.now,
      });
      if (Buffer.compare(observedVersion(answer.version), part.version) !== 0) {
        throw new LakehouseError(
          'source-changed',
          `${input.definition.key} ${part.key}: received version ${answer.version}, which is not the one that was observed`,
          {
            kind: 'transient',
            hint: 'A cache may be behind the listing, or the object was replaced meanwhile; the next run observes and tries again.',
          },
        );
      }
      return answer.bytes;
    },
  };
}

/** An error that says which partition was being computed when it came up, unless it already does. */
export function namedError(node: AssetNode, target: Pick<Target, 'key'>, error: unknown): LakehouseError {
  const where = `${node.key} ${target.key}`;
  if (!isLakehouseError(error)) {
    const text =
      error instanceof Error
        ? error.name === 'Error'
          ? error.message
          : `${error.name}: ${error.message}`
        : String(error);
    return new LakehouseError('compute-failed', `${where}: ${text}`, {
      kind: isTransient(error) ? 'transient' : 'data',
      cause: error,
    });
  }
  const { code, message, kind, hint, issues, retryAfterMs, details, cause } = error;
  if (message.includes(node.key) && message.includes(target.key)) return error;
  const rest = message.startsWith(`${node.key}: `) ? message.slice(node.key.length + 2) : message;
  return new LakehouseError(code, `${where}: ${rest}`, { kind, hint, issues, retryAfterMs, details, cause });
}

export function partsOf(input: FoundInput, ordinal: number): FoundInput['parts'] {
  const out = [];
  for (let i = 0; i < input.pairs.length; i += 2) {
    const part = input.parts[input.pairs[i + 1] as number];
    if (input.pairs[i] === ordinal && part) out.push(part);
  }
  return out;
}
