import { concatenate } from './columns.ts';
import {
  type EventHeader,
  type MovedPartitions,
  movedOf,
  type NewEvent,
  outcomesOf,
  type SeriesName,
  type SeriesOutcome,
  type StoredEvent,
} from './events.ts';

/**
 * The form in which events are stored, folded and kept in memory: the columns of all series of an event end to end. An event of 500
 * series is a dozen arrays, not thousands.
 */
export interface PackedOutcomes {
  readonly names: readonly SeriesName[];
  /** Where each series ends in the columns; it starts where the one before ends. */
  readonly ends: Uint32Array;
  readonly times: Int32Array;
  readonly version: Uint8Array;
  readonly bytes: Float64Array;
  /** 1 where the content is not what was current when this was appended. */
  readonly changed: Uint8Array;
  /** Materialized events only. */
  readonly rows?: Uint32Array;
  readonly file?: Int32Array;
  readonly choice?: Uint8Array;
}

export interface PackedMoves {
  readonly names: readonly SeriesName[];
  readonly ends: Uint32Array;
  readonly times: Int32Array;
  readonly file: Int32Array;
}

export interface PackedEvent {
  readonly revision: number;
  /** ms UTC. */
  readonly at: number;
  readonly header: EventHeader;
  /** Id of the event's first file, 0 where it has none. */
  readonly firstFile: number;
  readonly outcomes?: PackedOutcomes;
  readonly moved?: PackedMoves;
}

function endsOf(parts: readonly { readonly times: Int32Array }[]): Uint32Array {
  let end = 0;
  return Uint32Array.from(parts, (part) => (end += part.times.length));
}

const nameOf = ({ series, values }: SeriesName): SeriesName => ({ series, values });

/** Copies the columns, so that the caller may go on using its own. */
export function packEvent({ revision, at, event, changed, firstFile }: StoredEvent): PackedEvent {
  const { outcomes: _outcomes, moved: _moved, ...header } = event as NewEvent & { outcomes?: unknown; moved?: unknown };
  const outcomes = outcomesOf(event);
  const moved = movedOf(event);
  return {
    revision,
    at,
    header: header as EventHeader,
    firstFile,
    ...(outcomes.length > 0 && { outcomes: packOutcomes(outcomes, changed, event.kind === 'materialized') }),
    ...(moved.length > 0 && { moved: packMoves(moved) }),
  };
}

function packOutcomes(
  outcomes: readonly SeriesOutcome[],
  changed: readonly Uint8Array[],
  full: boolean,
): PackedOutcomes {
  const ends = endsOf(outcomes);
  const n = ends.at(-1) ?? 0;
  const withChoice = full && outcomes.some((outcome) => outcome.choice !== undefined);
  return {
    names: outcomes.map(nameOf),
    ends,
    times: concatenate(
      new Int32Array(n),
      outcomes.map((outcome) => outcome.times),
    ),
    version: concatenate(
      new Uint8Array(16 * n),
      outcomes.map((outcome) => outcome.version),
    ),
    bytes: concatenate(
      new Float64Array(n),
      outcomes.map((outcome) => outcome.bytes),
    ),
    changed: concatenate(new Uint8Array(n), changed),
    ...(full && {
      rows: concatenate(
        new Uint32Array(n),
        outcomes.map((outcome) => outcome.rows),
      ),
      file: concatenate(
        new Int32Array(n),
        outcomes.map((outcome) => outcome.file),
      ),
    }),
    ...(withChoice && {
      choice: concatenate(
        new Uint8Array(n),
        outcomes.map((outcome) => outcome.choice ?? new Uint8Array(outcome.times.length)),
      ),
    }),
  };
}

function packMoves(moved: readonly MovedPartitions[]): PackedMoves {
  const ends = endsOf(moved);
  const n = ends.at(-1) ?? 0;
  return {
    names: moved.map(nameOf),
    ends,
    times: concatenate(
      new Int32Array(n),
      moved.map((part) => part.times),
    ),
    file: concatenate(
      new Int32Array(n),
      moved.map((part) => part.file),
    ),
  };
}

/** Each series of packed columns with the range of entries it has. */
export function extents({ names, ends }: PackedOutcomes | PackedMoves): (SeriesName & { from: number; to: number })[] {
  return names.map(({ series, values }, k) => ({ series, values, from: ends[k - 1] ?? 0, to: ends[k] as number }));
}

/** The event as it was given, in views of the packed columns. */
export function unpackEvent(packed: PackedEvent): StoredEvent {
  const { revision, at, header, firstFile, outcomes, moved } = packed;
  const event: Record<string, unknown> = { ...header };
  const parts = outcomes === undefined ? [] : extents(outcomes);
  if (header.kind === 'materialized' || header.kind === 'observed') {
    event.outcomes = parts.map((part) => unpackOutcome(outcomes as PackedOutcomes, part));
  }
  if (moved !== undefined || header.kind === 'compacted') {
    event.moved = (moved === undefined ? [] : extents(moved)).map(({ from, to, ...name }) => ({
      ...name,
      times: moved?.times.subarray(from, to),
      file: moved?.file.subarray(from, to),
    }));
  }
  const changed = parts.map(({ from, to }) => (outcomes as PackedOutcomes).changed.subarray(from, to));
  return { revision, at, event: event as unknown as NewEvent, changed, firstFile };
}

function unpackOutcome(
  columns: PackedOutcomes,
  { from, to, ...name }: SeriesName & { from: number; to: number },
): SeriesOutcome {
  return {
    ...name,
    times: columns.times.subarray(from, to),
    version: columns.version.subarray(16 * from, 16 * to),
    rows: columns.rows?.subarray(from, to) ?? new Uint32Array(to - from),
    bytes: columns.bytes.subarray(from, to),
    file: columns.file?.subarray(from, to) ?? new Int32Array(to - from).fill(-1),
    ...(columns.choice !== undefined && { choice: columns.choice.subarray(from, to) }),
  };
}
