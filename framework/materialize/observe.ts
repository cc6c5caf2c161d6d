import { createHash } from 'node:crypto';
import { LakehouseError } from '../common/errors.ts';
import type { Observation } from '../define/model.ts';
import type { AssetNode } from '../graph/graph.ts';
import * as ranges from '../partition/ranges.ts';
import * as sets from '../partition/set.ts';
import { acceptsSeries, existingTimes, parseKey, type SeriesValues, seriesKey } from '../partition/space.ts';
import { formatIndex, parseIndex, startOf } from '../partition/time.ts';
import { presentSet } from '../plan/universe.ts';
import type { ObservedEvent, PackedSet, SeriesOutcome } from '../state/events.ts';
import type { StateReader } from '../state/store.ts';
import type { Lake } from './lake.ts';

/** The 16 bytes that stand for a source's version text in the log. */
export function observedVersion(version: string): Uint8Array {
  return createHash('sha256').update(version).digest().subarray(0, 16);
}

export interface ObservationResult {
  /** What to append; its outcomes are only the new and changed partitions. */
  readonly event: ObservedEvent;
  readonly seen: number;
  readonly changed: number;
  readonly withdrawn: number;
  /** How many requests the source says it made. */
  readonly requests: number;
  /** What whoever looks should hear, though it went well. */
  readonly warning?: { readonly message: string; readonly hint: string };
}

/**
 * Looks at a source once and compares with what the log knows. Nothing is written: `plan` folds the event into a copy of the
 * index, a run appends it.
 * @param audit everything is to be listed, also if that was done a short time ago.
 * @throws LakehouseError `source-empty` when a source that had partitions lists none at all: an unmounted mirror must not look
 * like a withdrawal of everything. Where all that was known had ended, as kinds of data do that are no longer published, that is only told,
 * and nothing is withdrawn either.
 */
export async function observe(
  lake: Lake<StateReader>,
  node: AssetNode,
  run: string,
  signal: AbortSignal,
  audit = false,
): Promise<ObservationResult> {
  const source = node.definition.source;
  if (!source) throw new LakehouseError('not-a-source', `${node.key} is not a source`);
  const observedAt = lake.now();
  // From before the listing: what another process sees while this one lists is not missing from it.
  const before = lake.state.refresh();
  const known = presentSet(node, before.asset(node.key));
  const existing = existingTimes(node.space, observedAt);
  const found = new Map<string, { values: SeriesValues; points: Map<number, Observation> }>();
  const auditedAt = before.asset(node.key)?.lastAuditedAt;
  // A clock that went back is no reason to put an audit off.
  const recent = auditedAt !== undefined && observedAt >= auditedAt && observedAt - auditedAt < source.auditEveryMs;
  const auditOf = source.auditOf?.(lake.resources());
  const asBefore = before.asset(node.key)?.lastAuditOf === auditOf;
  const mode = recent && asBefore && !audit ? 'head' : 'audit';
  const from = new Map<string, number>();
  let seen = 0;
  let requests = 0;
  try {
    for await (const observation of source.observe({
      resources: lake.resources(),
      signal,
      now: lake.now,
      wants: lake.wants,
      mode,
      known: (values) => knownOf(node, known, values),
      listsFrom: (values, text) => {
        from.set(seriesKey(node.space, values), timeOf(node, text));
      },
      request: () => {
        requests++;
      },
    })) {
      signal.throwIfAborted();
      // By the space as declared: what a filter does not want is listed all the same, and left out below.
      const ref = parseKey(
        node.definition.space,
        Object.entries(observation.partition)
          .map(([k, v]) => `${k}=${encodeURIComponent(v)}`)
          .join('/'),
      );
      if (!acceptsSeries(node.space, ref.values) || !ranges.has(existing, ref.time)) continue;
      const key = seriesKey(node.space, ref.values);
      let series = found.get(key);
      if (!series) {
        series = { values: ref.values, points: new Map() };
        found.set(key, series);
      }
      series.points.set(ref.time, observation);
      seen++;
    }
  } catch (error) {
    if (signal.aborted) throw error;
    const kind = error instanceof LakehouseError ? error.kind : 'transient';
    throw new LakehouseError(
      'observe-failed',
      `Could not list ${node.key}: ${error instanceof Error ? error.message : String(error)}`,
      {
        kind,
        cause: error,
        ...(error instanceof LakehouseError && { hint: error.hint }),
      },
    );
  }
  const outcomes: SeriesOutcome[] = [];
  const detail: Record<string, Record<string, string>> = {};
  let changed = 0;
  for (const key of [...found.keys()].sort()) {
    const { values, points } = found.get(key) as { values: SeriesValues; points: Map<number, Observation> };
    const details = lake.state.details(node.key, key);
    const present = sets.rangesOf(known, key);
    const fresh: [number, Observation, Uint8Array][] = [];
    for (const time of [...points.keys()].sort((a, b) => a - b)) {
      const observation = points.get(time) as Observation;
      const version = observedVersion(observation.version);
      const i = details ? time - details.base : -1;
      const seenNow = details !== undefined && (details.revision[i] ?? 0) > before.head;
      const same =
        ranges.has(present, time) &&
        details !== undefined &&
        Buffer.compare(details.version.subarray(16 * i, 16 * i + 16), version) === 0;
      if (!same && !seenNow) fresh.push([time, observation, version]);
    }
    if (fresh.length === 0) continue;
    changed += fresh.length;
    const version = new Uint8Array(16 * fresh.length);
    fresh.forEach(([, , bytes], i) => {
      version.set(bytes, 16 * i);
    });
    outcomes.push({
      series: key,
      values,
      times: Int32Array.from(fresh, ([time]) => time),
      version,
      rows: new Uint32Array(fresh.length),
      bytes: Float64Array.from(fresh, ([, o]) => o.bytes ?? 0),
      file: new Int32Array(fresh.length).fill(-1),
    });
    detail[key] = Object.fromEntries(fresh.map(([time, o]) => [time, o.version]));
  }
  const withdrawn: PackedSet = [...known.bySeries].flatMap(([key, times]) => {
    const now = found.get(key);
    // Of times that do not exist (yet, by this clock) nothing was listed, and nothing is withdrawn.
    const since = from.get(key);
    const asked = ranges.intersect(
      times,
      since === undefined ? existing : ranges.subtract(existing, ranges.range(-Infinity, since)),
    );
    const gone = ranges.subtract(asked, ranges.fromSorted([...(now?.points.keys() ?? [])].sort((a, b) => a - b)));
    const values = now?.values ?? before.asset(node.key)?.series.get(key)?.values ?? {};
    return ranges.isEmpty(gone) ? [] : [{ series: key, values, ranges: [...gone.bounds] }];
  });
  const gone = withdrawn.reduce((sum, { ranges: bounds }) => sum + ranges.count({ bounds }), 0);
  // Where only what is new was listed, one may have been taken back.
  if (seen === 0 && gone > (from.size > 0 ? 1 : 0)) {
    const message = `${node.key} lists nothing, but ${sets.countOf(known)} partitions were seen there before`;
    const hint = `If the source really is empty now, say so: lakehouse wipe ${node.key}. Otherwise check where it points (lakehouse config).`;
    if (!allEnded(node, known, observedAt))
      throw new LakehouseError('source-empty', message, { kind: 'transient', hint });
    const event = { kind: 'observed', asset: node.key, run, observedAt, outcomes: [] } as const;
    const warning = { message: `${message}; all of it ended long ago, and stays`, hint };
    return { event, seen, changed, withdrawn: 0, requests, warning };
  }
  return {
    event: {
      kind: 'observed',
      asset: node.key,
      run,
      observedAt,
      outcomes,
      ...((mode === 'audit' || from.size === 0) && { audit: true, ...(auditOf !== undefined && { auditOf }) }),
      ...(changed > 0 && changed <= 10_000 && { detail: JSON.stringify(detail) }),
      ...(withdrawn.length > 0 && { withdrawn }),
    },
    seen,
    changed,
    withdrawn: gone,
    requests,
  };
}

function knownOf(
  { space }: AssetNode,
  known: sets.PartitionSet,
  values: SeriesValues,
): { count: number; newest: string } | undefined {
  const times = sets.rangesOf(known, seriesKey(space, values));
  const end = times.bounds.at(-1);
  if (end === undefined || !space.time) return undefined;
  return { count: ranges.count(times), newest: formatIndex(space.time.grain, end - 1) };
}

/** Whether no series that is known of a source goes on: nothing new came for longer than it says its series live without. */
function allEnded({ space, definition }: AssetNode, known: sets.PartitionSet, now: number): boolean {
  const { time } = space;
  const { liveForMs = 0 } = definition.source ?? {};
  if (!time) return false;
  return [...known.bySeries.values()].every((times) => {
    const end = times.bounds.at(-1);
    return end === undefined || now - startOf(time.grain, end) > liveForMs;
  });
}

/** Throws `observed-time`. */
function timeOf({ key, space }: AssetNode, text: string): number {
  const time = space.time && parseIndex(space.time.grain, text);
  if (time !== undefined) return time;
  throw new LakehouseError('observed-time', `${key}: '${text}' is no time of its partitions`, { kind: 'internal' });
}
