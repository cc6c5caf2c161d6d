import { setTimeout } from 'node:timers/promises';
import { LakehouseError, type SerializedError } from '../common/errors.ts';
import type { Tags } from '../common/tags.ts';
import type { AssetGraph } from '../graph/graph.ts';
import * as ranges from '../partition/ranges.ts';
import type { PartitionSet } from '../partition/set.ts';
import * as sets from '../partition/set.ts';
import { printSet } from '../partition/set.ts';
import { printKey } from '../partition/space.ts';
import { checkFailuresOf, type PackedSet, type SeriesOutcome, type StoredEvent } from '../state/events.ts';
import type { StateReader } from '../state/store.ts';
import type { Redact } from './redact.ts';
import type { Selection } from './selection.ts';

interface Logged {
  /** Of the log: 1, 2, 3 … . A subscription goes on from it with `after`. */
  readonly revision: number;
  readonly at: Date;
  readonly run: string;
}
interface OfAsset extends Logged {
  readonly asset: string;
  /** As `--partitions` has them: `symbol=A|B/date=2024-01-01..2024-01-03`; of several groups one a line. */
  readonly partitions: string;
  readonly count: number;
}

export interface CheckFailed {
  readonly partition: string;
  readonly check: string;
  readonly severity: 'warn' | 'error';
  readonly failedRows: number;
}

/** Something that the log says. */
export type LakeEvent =
  | (OfAsset & {
      readonly type: 'materialized';
      /** Of them, those whose content is not what it was. */
      readonly changed: number;
      readonly rows: number;
      /** Checks that did not pass. */
      readonly checks: readonly CheckFailed[];
    })
  | (OfAsset & {
      readonly type: 'observed';
      /** `partitions` are those that are new or have changed at the source; so many it has no longer. */
      readonly withdrawn: number;
    })
  | (OfAsset & { readonly type: 'departed'; readonly reason: 'wiped' | 'excluded' | 'withdrawn' })
  | (OfAsset & {
      readonly type: 'failed';
      readonly failures: readonly { readonly partition: string; readonly error: SerializedError }[];
    })
  | (OfAsset & {
      readonly type: 'checked';
      /** What did not pass. */
      readonly failures: readonly CheckFailed[];
    })
  | (Logged & {
      readonly type: 'run-started';
      readonly command: string;
      readonly selection: string;
      readonly tags?: Tags;
    })
  | (Logged & {
      readonly type: 'run-finished';
      readonly outcome: 'succeeded' | 'failed' | 'cancelled';
      readonly counts: Readonly<Record<string, number>>;
      readonly error?: SerializedError;
    });

export interface SubscribeOptions {
  /** Only of these; runs are told all the same. Default: all. */
  readonly assets?: Selection;
  /**
   * Only what comes after this revision, which may be one of the past. The log forgets its oldest events: 0 is from the oldest that it
   * has, and of another one that events are missing after, `events-forgotten` is thrown. Default: the newest.
   */
  readonly after?: number;
  /** How often the log is asked for news. Default 200 ms. */
  readonly everyMs?: number;
  readonly signal?: AbortSignal;
}

/** So many events are in memory at a time. */
const PAGE = 64;

/** @throws LakehouseError `bad-revision`, `bad-interval` (usage). */
export function requireFollowable(
  { after, everyMs }: { readonly after: number; readonly everyMs: number },
  head: number,
): void {
  if (!Number.isSafeInteger(after) || after < 0 || after > head)
    throw new LakehouseError('bad-revision', `after: ${after} is no revision of this log, which is at ${head}`, {
      hint: 'Take the revision of an event or of lake.status(), 0 for everything, or leave it out for what comes from now on.',
    });
  if (!(everyMs >= 1 && everyMs <= 2 ** 31 - 1))
    throw new LakehouseError('bad-interval', `everyMs: ${everyMs} is not from 1 to ${2 ** 31 - 1} milliseconds`);
}

/**
 * Events of the log as plain data, page by page, until the signal is aborted.
 * @throws LakehouseError `events-forgotten` (data) when the log was pruned of events that were not told yet.
 */
export async function* follow(
  { graph, state }: { readonly graph: AssetGraph; readonly state: StateReader },
  options: {
    readonly assets: ReadonlySet<string> | undefined;
    readonly after: number;
    readonly everyMs: number;
    readonly signal: AbortSignal;
  },
  redact: Redact,
): AsyncGenerator<LakeEvent> {
  const { assets, everyMs, signal } = options;
  let { after } = options;
  while (!signal.aborted) {
    const page = [...state.events({ after, limit: PAGE })];
    const next = page[0]?.revision ?? after + 1;
    if (after > 0 && next > after + 1)
      throw new LakehouseError(
        'events-forgotten',
        `The log has forgotten its events from ${after + 1} to ${next - 1}`,
        {
          kind: 'data',
          hint: `What they did is in the lake: look at lake.status(), and go on with after: ${next - 1}, or without it from now on.`,
          details: { after, forgotten: next - 1 },
        },
      );
    for (const stored of page) {
      after = stored.revision;
      const event = plain(graph, stored);
      if (event && (!('asset' in event) || (assets?.has(event.asset) ?? true))) yield redact(event);
      if (signal.aborted) return;
    }
    if (page.length < PAGE) await setTimeout(everyMs, undefined, { signal }).catch(() => undefined);
  }
}

/** Undefined for what says nothing about partitions or runs. */
function plain(graph: AssetGraph, { revision, at, event, changed }: StoredEvent): LakeEvent | undefined {
  if (event.kind === 'definitions' || event.kind === 'compacted' || event.kind === 'accepted') return undefined;
  const logged = { revision, at: new Date(at), run: event.run };
  switch (event.kind) {
    case 'run-started': {
      const { command, selection, tags } = event;
      return { type: 'run-started', ...logged, command, selection, ...(tags && { tags }) };
    }
    case 'run-finished': {
      const { outcome, counts, error } = event;
      return { type: 'run-finished', ...logged, outcome, counts, ...(error && { error }) };
    }
    default:
  }
  const { asset } = event;
  const space = graph.find(asset)?.definition.space;
  // What the definitions no longer have.
  if (!space) return undefined;
  const of = (set: PartitionSet) => ({ ...logged, asset, partitions: printSet(space, set), count: sets.countOf(set) });
  const keyOf = (point: Parameters<typeof printKey>[1]) => printKey(space, point);
  const failedChecks = (): CheckFailed[] =>
    checkFailuresOf(event).map(({ check, severity, failedRows, ...point }) => ({
      partition: keyOf(point),
      check,
      severity,
      failedRows,
    }));
  switch (event.kind) {
    case 'materialized':
      return {
        type: 'materialized',
        ...of(outcomeSet(event.outcomes)),
        changed: changed.reduce((sum, flags) => sum + flags.reduce((n, flag) => n + flag, 0), 0),
        rows: event.outcomes.reduce((sum, { rows }) => sum + rows.reduce((n, one) => n + one, 0), 0),
        checks: failedChecks(),
      };
    case 'observed':
      return { type: 'observed', ...of(outcomeSet(event.outcomes)), withdrawn: sets.countOf(packed(event.withdrawn)) };
    case 'departed':
      return { type: 'departed', ...of(packed(event.set)), reason: event.reason };
    case 'failed':
      return {
        type: 'failed',
        ...of(sets.fromPoints(event.failures.map(({ series, time }) => [series, time]))),
        failures: event.failures.map((failure) => ({ partition: keyOf(failure), error: failure.error })),
      };
    case 'checked':
      return {
        type: 'checked',
        ...of(packed(event.set)),
        failures: failedChecks(),
      };
  }
}

const outcomeSet = (outcomes: readonly SeriesOutcome[]): PartitionSet =>
  sets.fromSeries(outcomes.map(({ series, times }) => [series, ranges.fromSorted(times)]));

const packed = (set: PackedSet = []): PartitionSet =>
  sets.fromSeries(set.map((one) => [one.series, { bounds: one.ranges }]));
