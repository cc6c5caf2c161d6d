import type { SerializedError } from '../common/errors.ts';
import type { Tags } from '../common/tags.ts';
import type { SeriesValues } from '../partition/space.ts';

/** Which series: its canonical key (as `seriesKey` prints it) and its values. The key is the identity, the values travel with it. */
export interface SeriesName {
  readonly series: string;
  readonly values: SeriesValues;
}

/** Outcomes of one series, packed: every column has `times.length` entries, a data version is 16 bytes of `version`. */
export interface SeriesOutcome extends SeriesName {
  /** Time indices, strictly ascending. */
  readonly times: Int32Array;
  /** Data versions, 16 bytes each; compared as raw bytes. */
  readonly version: Uint8Array;
  readonly rows: Uint32Array;
  readonly bytes: Float64Array | Uint32Array;
  /** Index into the event's `files`; -1 where the partition lives in no file. */
  readonly file: Int32Array;
  /** Index into the event's `choices`: which alternatives of the inputs were read. */
  readonly choice?: Uint8Array;
}

/** A file the event brings into being. It holds partitions of exactly one series. */
export interface NewFile {
  /** Key in the object store; never used again by another file. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256?: string;
}

/** Partitions carried into a new file with their content unchanged. */
export interface MovedPartitions extends SeriesName {
  readonly times: Int32Array;
  /** Index into the event's `files`. */
  readonly file: Int32Array;
}

/** A set of partitions of one asset: per series flat half-open ranges `[lo, hi, lo, hi, …]`, sorted and disjoint. */
export type PackedSet = readonly (SeriesName & { readonly ranges: readonly number[] })[];

export interface CheckOutcome extends SeriesName {
  readonly check: string;
  readonly severity: 'warn' | 'error';
  readonly blocking: boolean;
  readonly time: number;
  /** 0 says that the check passed. */
  readonly failedRows: number;
  readonly sample?: readonly unknown[];
  /** A statement that selects the failing rows. */
  readonly sql?: string | undefined;
}

export interface PartitionFailure extends SeriesName {
  readonly time: number;
  readonly transient: boolean;
  readonly error: SerializedError;
}

/** A batch was computed and its files are in place. */
export interface MaterializedEvent {
  readonly kind: 'materialized';
  readonly asset: string;
  readonly run: string;
  /** Code version it was computed with. */
  readonly code: string;
  /** Head revision read after the batch's upstreams had committed and before its first input was opened. */
  readonly verified: number;
  /** The asset reads itself at an earlier time and this event was computed in time order: `verified` is its own revision. */
  readonly ordered?: boolean;
  /** What `SeriesOutcome.choice` points into. */
  readonly choices?: readonly string[];
  readonly outcomes: readonly SeriesOutcome[];
  readonly files: readonly NewFile[];
  readonly moved?: readonly MovedPartitions[];
  /** Paths that must be current files now and hold nothing after this event. */
  readonly supersedes?: readonly string[];
  readonly checks?: readonly CheckOutcome[];
  readonly stats?: Readonly<Record<string, number>>;
}

/**
 * Partitions were checked as they are, without being computed. Appended, the set is cut down to what was not computed again since
 * `head`: the rest was checked then.
 */
export interface CheckedEvent {
  readonly kind: 'checked';
  readonly asset: string;
  readonly run: string;
  /** Head revision before the first of what was read was looked up: the results are as of then. */
  readonly head: number;
  /** Names of the checks that were made. */
  readonly checks: readonly string[];
  readonly set: PackedSet;
  /** All blocking checks of severity error were among them: what passed them blocks nothing any more. */
  readonly decisive: boolean;
  /** One of the checks that is not here passed for the partition. */
  readonly failures: readonly CheckOutcome[];
}

/** Versions of source partitions were seen. `rows` and `file` of the outcomes are not used. */
export interface ObservedEvent {
  readonly kind: 'observed';
  readonly asset: string;
  readonly run: string;
  /** When the source was looked at, ms UTC. */
  readonly observedAt: number;
  readonly outcomes: readonly SeriesOutcome[];
  /** Everything was listed, not only what is new. */
  readonly audit?: true;
  /** Of an audit: what decided what everything is. */
  readonly auditOf?: string;
  /** JSON text about what changed, for people. */
  readonly detail?: string;
  readonly withdrawn?: PackedSet;
}

export interface DepartedEvent {
  readonly kind: 'departed';
  readonly asset: string;
  readonly run: string;
  readonly reason: 'wiped' | 'excluded' | 'withdrawn';
  readonly set: PackedSet;
}

export interface FailedEvent {
  readonly kind: 'failed';
  readonly asset: string;
  readonly run: string;
  readonly code: string;
  /** Head revision at the attempt: a later change of an input is reason enough to try again. */
  readonly head: number;
  readonly failures: readonly PartitionFailure[];
}

/** Code `to` is declared to give the same result as `from`. */
export interface AcceptedEvent {
  readonly kind: 'accepted';
  readonly asset: string;
  readonly run: string;
  readonly from: string;
  readonly to: string;
}

export interface CompactedEvent {
  readonly kind: 'compacted';
  readonly asset: string;
  readonly run: string;
  readonly files: readonly NewFile[];
  readonly moved: readonly MovedPartitions[];
  readonly supersedes: readonly string[];
}

/** The code version of each asset in the newest loaded definitions. Assets that are not named keep theirs. */
export interface DefinitionsEvent {
  readonly kind: 'definitions';
  readonly versions: Readonly<Record<string, string>>;
}

export interface RunStartedEvent {
  readonly kind: 'run-started';
  readonly run: string;
  readonly command: string;
  readonly selection: string;
  /** What a person wants to find it by. */
  readonly tags?: Tags;
}

export interface RunFinishedEvent {
  readonly kind: 'run-finished';
  readonly run: string;
  readonly outcome: 'succeeded' | 'failed' | 'cancelled';
  readonly counts: Readonly<Record<string, number>>;
  readonly error?: SerializedError;
}

/** What can be appended to the log. Plain data. */
export type NewEvent =
  | MaterializedEvent
  | CheckedEvent
  | ObservedEvent
  | DepartedEvent
  | FailedEvent
  | AcceptedEvent
  | CompactedEvent
  | DefinitionsEvent
  | RunStartedEvent
  | RunFinishedEvent;

type WithoutColumns<E> = E extends NewEvent ? Omit<E, 'outcomes' | 'moved'> : never;
/** An event without its columns: what is stored as JSON. */
export type EventHeader = WithoutColumns<NewEvent>;

/** An event as the log holds it: with everything that was decided inside the append. */
export interface StoredEvent {
  /** 1, 2, 3 … without gaps; never used twice. */
  readonly revision: number;
  /** When it was appended, ms UTC. */
  readonly at: number;
  readonly event: NewEvent;
  /**
   * For each of the event's outcomes one byte per point: 1 where the content is not what was current when this was appended.
   * With it the index folds without ever looking at a data version.
   */
  readonly changed: readonly Uint8Array[];
  /** Id of the event's first file, the others follow; 0 where it has none. */
  readonly firstFile: number;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** The 16 bytes of the data version at `position` (counted in versions), in hex. */
export function versionHex(version: Uint8Array, position = 0): string {
  let text = '';
  for (let i = position * 16; i < position * 16 + 16; i++) text += HEX[version[i] ?? 0];
  return text;
}

export function outcomesOf(event: NewEvent): readonly SeriesOutcome[] {
  return event.kind === 'materialized' || event.kind === 'observed' ? event.outcomes : [];
}

export function filesOf(event: NewEvent): readonly NewFile[] {
  return event.kind === 'materialized' || event.kind === 'compacted' ? event.files : [];
}

export function movedOf(event: NewEvent): readonly MovedPartitions[] {
  return event.kind === 'materialized' || event.kind === 'compacted' ? (event.moved ?? []) : [];
}

export function supersededBy(event: NewEvent): readonly string[] {
  return event.kind === 'materialized' || event.kind === 'compacted' ? (event.supersedes ?? []) : [];
}

/** Checks that were made at the event and did not pass. */
export function checkFailuresOf(event: NewEvent): readonly CheckOutcome[] {
  if (event.kind === 'checked') return event.failures;
  return event.kind === 'materialized' ? (event.checks ?? []) : [];
}

/** How many partitions a set has. */
export function packedCount(set: PackedSet): number {
  return set.reduce(
    (sum, { ranges }) => sum + ranges.reduce((n, edge, r) => (r % 2 === 0 ? n - edge : n + edge), 0),
    0,
  );
}

export function departuresOf(event: NewEvent | EventHeader): PackedSet {
  if (event.kind === 'departed') return event.set;
  return event.kind === 'observed' ? (event.withdrawn ?? []) : [];
}
