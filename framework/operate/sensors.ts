import { orAborted } from '../common/aborted.ts';
import {
  type Issue,
  isLakehouseError,
  LakehouseError,
  type SerializedError,
  serializeError,
  throwIfIssues,
} from '../common/errors.ts';
import type { LakehouseDefinition } from '../define/lakehouse.ts';
import { placeOf } from '../define/place.ts';
import type { PollResult, SensorDefinition, SensorRequest } from '../define/sensor.ts';
import type { AssetGraph } from '../graph/graph.ts';
import { checkFilter, parseFilter } from '../partition/filter.ts';

/** What is remembered of a sensor: plain data, to be persisted together with what its look asked for. */
export interface SensorMemory {
  /** When it last looked, ms UTC, whatever came of it. */
  readonly polledAt: number;
  /** What its last look that went well returned. */
  readonly cursor?: string | undefined;
  /** Looks that failed since then. */
  readonly failures: number;
}

/** A cursor is remembered for ever, and read by every look. */
const LONGEST_CURSOR = 1_000_000;

/**
 * The sensors of a lake by name.
 * @throws LakehouseError `bad-sensors` (usage) with all that is wrong with any of them.
 */
export function resolveSensors(definition: LakehouseDefinition, graph: AssetGraph): SensorDefinition[] {
  const issues: Issue[] = [];
  const names = new Set<string>();
  for (const one of definition.sensors) {
    const place = placeOf(one);
    issues.push(...one.issues.map((issue) => ({ ...issue, ...place })));
    if (names.has(one.name))
      issues.push({
        code: 'duplicate-sensor',
        path: [one.name],
        message: 'there are two sensors of this name',
        ...place,
      });
    names.add(one.name);
    try {
      checkRequest(graph, { select: one.select });
    } catch (error) {
      const { message, hint } = serializeError(error);
      issues.push({ code: 'bad-sensor', path: [one.name, 'select'], message, hint, ...place });
    }
  }
  throwIfIssues('bad-sensors', 'The sensors cannot be used:', issues);
  return [...definition.sensors].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** When a sensor looks next, ms UTC: at once for the first time, and when the clock was put back. */
export function nextPoll({ everyMs }: SensorDefinition, memory: SensorMemory | undefined, now: number): number {
  if (!memory || memory.polledAt > now) return now;
  return memory.polledAt + everyMs;
}

/** What a sensor asks for, with what it left open filled in. */
export interface ResolvedRequest {
  readonly select: string;
  readonly partitions: string | undefined;
  readonly reason: string | undefined;
}

/** What is asked for and why, a sentence without a full stop. */
export const requestsText = (requests: readonly ResolvedRequest[]): string =>
  requests
    .map(({ select, partitions, reason }) =>
      [reason, [select, partitions].filter((part) => part !== undefined).join(' ')].filter(Boolean).join(': '),
    )
    .join('; ');

/** What came of one look. */
export interface SensorLook {
  readonly outcome: 'requested' | 'skipped' | 'failed';
  /** A sentence without a full stop, for people. */
  readonly decision: string;
  readonly requests: readonly ResolvedRequest[];
  readonly memory: SensorMemory;
  readonly error: SerializedError | undefined;
}

export interface PollOptions {
  readonly graph: AssetGraph;
  readonly resources: Readonly<Record<string, unknown>>;
  /** ms UTC. */
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/**
 * One look of a sensor. What goes wrong in it, or takes too long, is the result, under the sensor's name; the cursor stays as it was
 * then, so that the next look finds what this one has missed.
 * @throws the reason of `options.signal` only.
 */
export async function look(
  sensor: SensorDefinition,
  memory: SensorMemory | undefined,
  options: PollOptions,
): Promise<SensorLook> {
  const { name, timeoutMs, poll } = sensor;
  const { graph, resources, now } = options;
  const polledAt = now();
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = AbortSignal.any([options.signal, timeout]);
  try {
    signal.throwIfAborted();
    const result = await orAborted(signal, async () => poll({ cursor: memory?.cursor, resources, signal, now }));
    const cursor = cursorOf(name, result, memory?.cursor);
    const requests = requestsOf(sensor, result, graph);
    const next: SensorMemory = { polledAt, failures: 0, ...(cursor !== undefined && { cursor }) };
    if (requests.length === 0) {
      const decision = result.skip ?? 'nothing new';
      return { outcome: 'skipped', decision, requests, memory: next, error: undefined };
    }
    return { outcome: 'requested', decision: requestsText(requests), requests, memory: next, error: undefined };
  } catch (thrown) {
    options.signal.throwIfAborted();
    const late = timeout.aborted && thrown === timeout.reason;
    const seconds = timeoutMs / 1000;
    const error = late
      ? new LakehouseError('sensor-timeout', `Sensor ${name}: it had no answer after ${seconds} s`, {
          kind: 'transient',
          hint: 'The next look tries again. A look that has to take longer says timeoutSeconds.',
        })
      : isLakehouseError(thrown) && thrown.message.startsWith(`Sensor ${name}: `)
        ? thrown
        : new LakehouseError('sensor-failed', `Sensor ${name}: ${messageOf(thrown)}`, {
            kind: isLakehouseError(thrown) ? thrown.kind : 'transient',
            ...(isLakehouseError(thrown) && { hint: thrown.hint }),
            cause: thrown,
          });
    return {
      outcome: 'failed',
      decision: error.message,
      requests: [],
      memory: { ...memory, polledAt, failures: (memory?.failures ?? 0) + 1 },
      error: serializeError(error),
    };
  }
}

const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

function bad(name: string, message: string, hint: string): LakehouseError {
  return new LakehouseError('bad-sensor-result', `Sensor ${name}: ${message}`, { kind: 'usage', hint });
}

function cursorOf(name: string, result: PollResult, before: string | undefined): string | undefined {
  if (typeof result !== 'object' || result === null)
    throw bad(name, `its look returned ${String(result)}`, 'Return { cursor, request } or { skip }.');
  const { cursor = before } = result;
  if (cursor !== undefined && typeof cursor !== 'string')
    throw bad(name, `its cursor is a ${typeof cursor}, not a string`, 'Write JSON.stringify(…).');
  if (cursor !== undefined && cursor.length > LONGEST_CURSOR)
    throw bad(
      name,
      `its cursor has ${cursor.length} characters`,
      `At most ${LONGEST_CURSOR} are remembered: keep a position or a hash.`,
    );
  return cursor;
}

function requestsOf(sensor: SensorDefinition, { request }: PollResult, graph: AssetGraph): ResolvedRequest[] {
  const list = request === undefined ? [] : request === true ? [{}] : Array.isArray(request) ? request : [request];
  return (list as readonly SensorRequest[]).map((one) => {
    const select = one.select ?? sensor.select;
    checkRequest(graph, { ...one, select });
    return { select, partitions: one.partitions, reason: one.reason };
  });
}

/** Whether what was asked for before can still be asked for: definitions may have changed since. */
export function isAskable(graph: AssetGraph, { select, partitions }: ResolvedRequest): boolean {
  try {
    checkRequest(graph, { select, ...(partitions !== undefined && { partitions }) });
    return true;
  } catch {
    return false;
  }
}

/** @throws LakehouseError of a selection or a filter that names nothing there is. */
function checkRequest(graph: AssetGraph, { select, partitions }: SensorRequest & { readonly select: string }): void {
  const { keys } = graph.select(select);
  if (partitions === undefined) return;
  const spaces = keys.map((key) => graph.node(key).space);
  throwIfIssues('bad-filter', `partitions '${partitions}':`, checkFilter(parseFilter(partitions), spaces));
}
