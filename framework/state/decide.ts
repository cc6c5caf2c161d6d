import { LakehouseError } from '../common/errors.ts';
import type { MutableDetails } from './details.ts';
import {
  type CheckedEvent,
  departuresOf,
  filesOf,
  movedOf,
  type NewEvent,
  outcomesOf,
  type PackedSet,
  type SeriesOutcome,
  supersededBy,
} from './events.ts';
import { type IndexBuilder, PRESENT, type SeriesState } from './index.ts';
import type { FileRecord } from './store.ts';

/** The state an event is about to be appended to. */
export interface AppendView {
  readonly index: IndexBuilder;
  details(asset: string, series: string): MutableDetails;
  file(path: string): FileRecord | undefined;
}

/** Everything that is decided inside an append. */
export interface Decision {
  /** The event with departures cut down to what the lake knows. */
  readonly event: NewEvent;
  readonly changed: readonly Uint8Array[];
  /** Points that changed, entered or left. */
  readonly points: number;
  /** For each new file the series it belongs to and how many partitions live in it. */
  readonly newFiles: readonly { series: string; live: number }[];
  /** File id → the times of the partitions that live in it no more, in any order. */
  readonly left: ReadonlyMap<number, readonly number[]>;
}

const refuse = (message: string): never => {
  throw new LakehouseError('bad-event', message, { kind: 'internal' });
};

const conflict = (message: string, details: Record<string, unknown>): never => {
  throw new LakehouseError('pack-conflict', message, {
    kind: 'conflict',
    hint: 'Another process wrote to the pack first. The stage is discarded and planned again.',
    details,
  });
};

/**
 * Decides what of an event is a change, against the state it is appended to, and which files it fills and empties.
 * @throws LakehouseError `pack-conflict` when a file it builds on is no longer current, or holds partitions that the event leaves behind.
 */
export function decide(event: NewEvent, view: AppendView): Decision {
  if (!('asset' in event)) return { event, changed: [], points: 0, newFiles: [], left: new Map() };
  if (event.kind === 'checked')
    return { event: stillChecked(event, view), changed: [], points: 0, newFiles: [], left: new Map() };
  const asset = view.index.asset(event.asset);
  const count = filesOf(event).length;
  const newFiles = Array.from({ length: count }, () => ({ series: undefined as string | undefined, live: 0 }));
  const left = new Map<number, number[]>();
  const vacate = (file: number, time: number) => {
    if (file < 0) return;
    const times = left.get(file);
    if (times === undefined) left.set(file, [time]);
    else times.push(time);
  };
  const fill = (ordinal: number, series: string) => {
    const file = newFiles[ordinal] ?? refuse(`A partition of ${series} lives in file ${ordinal} of ${count}`);
    if (file.series !== undefined && file.series !== series) {
      refuse(`The file ${filesOf(event)[ordinal]?.path} holds partitions of two series, ${file.series} and ${series}`);
    }
    file.series = series;
    file.live++;
  };

  const superseded = new Map<number, FileRecord>();
  for (const path of supersededBy(event)) {
    const file = view.file(path);
    if (file === undefined || file.supersededRevision !== undefined || file.asset !== event.asset) {
      conflict(`The file ${path} is no longer a current file of ${event.asset}`, { path, asset: event.asset });
    } else superseded.set(file.id, file);
  }

  let points = 0;
  const seen = new Map<string, SeriesOutcome>();
  const changed = outcomesOf(event).map((outcome) => {
    checkOutcome(outcome, event);
    if (seen.has(outcome.series)) refuse(`The series ${outcome.series} comes twice in one event`);
    seen.set(outcome.series, outcome);
    const state = asset?.series.get(outcome.series);
    const details = view.details(event.asset, outcome.series);
    const mask = changedMask(outcome, state, details);
    for (let i = 0; i < outcome.times.length; i++) {
      points += mask[i] as number;
      const time = outcome.times[i] as number;
      vacate(details.fileAt(time), time);
      const ordinal = outcome.file[i] as number;
      if (event.kind === 'materialized' && ordinal >= 0) fill(ordinal, outcome.series);
    }
    return mask;
  });

  for (const check of event.kind === 'materialized' ? (event.checks ?? []) : []) {
    if (seen.get(check.series)?.times.includes(check.time) === true) continue;
    refuse(
      `The check ${check.check} is of partition ${check.time} of ${check.series}, which the event does not compute`,
    );
  }

  for (const moved of movedOf(event)) {
    checkTimes(moved.series, moved.times);
    const details = view.details(event.asset, moved.series);
    const computed = new Set(seen.get(moved.series)?.times);
    for (let i = 0; i < moved.times.length; i++) {
      const time = moved.times[i] as number;
      if (computed.has(time)) refuse(`Partition ${time} of ${moved.series} is both computed and moved`);
      const file = details.fileAt(time);
      if (!superseded.has(file)) {
        const at = { asset: event.asset, series: moved.series, time };
        conflict(
          `Partition ${time} of ${event.asset} ${moved.series} no longer lives in the file it is moved from`,
          at,
        );
      }
      vacate(file, time);
      fill(moved.file[i] as number, moved.series);
    }
  }

  const departures = departuresOf(event).flatMap((gone) => {
    if (seen.get(gone.series)?.times.some((time) => inRanges(gone.ranges, time)) === true) {
      refuse(`The event both brings and withdraws a partition of ${gone.series}`);
    }
    const state = asset?.series.get(gone.series);
    const ranges = state === undefined ? [] : clip(gone.ranges, state.base, state.base + state.length);
    if (state === undefined || ranges.length === 0) return [];
    const details = view.details(event.asset, gone.series);
    for (let r = 0; r < ranges.length; r += 2) {
      for (let time = ranges[r] as number; time < (ranges[r + 1] as number); time++) {
        if (((state.flags[time - state.base] as number) & PRESENT) === 0) continue;
        points++;
        vacate(details.fileAt(time), time);
      }
    }
    return [{ ...gone, ranges }];
  });

  for (const { id, path, live } of superseded.values()) {
    const staying = live - (left.get(id)?.length ?? 0);
    if (staying > 0)
      conflict(`${staying} partitions of ${event.asset} still live in ${path}, which was to be replaced`, { path });
  }
  const filled = newFiles.map(({ series, live }, ordinal) => ({
    series: series ?? refuse(`No partition lives in the file ${filesOf(event)[ordinal]?.path}`),
    live,
  }));
  return {
    event: withDepartures(event, departures),
    changed,
    points,
    newFiles: filled,
    left,
  };
}

/** Results count for what is there and was not computed again since it was looked up. */
function stillChecked(event: CheckedEvent, { index, details }: AppendView): CheckedEvent {
  const series = index.asset(event.asset)?.series;
  const set = event.set.flatMap((part) => {
    const state = series?.get(part.series);
    if (state === undefined) return [];
    const { base, revision } = details(event.asset, part.series);
    const kept: number[] = [];
    for (let r = 0; r < part.ranges.length; r += 2) {
      for (let time = part.ranges[r] as number; time < (part.ranges[r + 1] as number); time++) {
        const present = ((state.flags[time - state.base] ?? 0) & PRESENT) !== 0;
        if (!present || (revision[time - base] ?? 0) > event.head) continue;
        if (kept.at(-1) === time) kept[kept.length - 1] = time + 1;
        else kept.push(time, time + 1);
      }
    }
    return kept.length > 0 ? [{ ...part, ranges: kept }] : [];
  });
  const ranges = new Map(set.map((part) => [part.series, part.ranges]));
  const failures = event.failures.filter((one) => inRanges(ranges.get(one.series) ?? [], one.time));
  return { ...event, set, failures };
}

function withDepartures(event: NewEvent, set: PackedSet): NewEvent {
  if (event.kind === 'departed') return { ...event, set };
  return event.kind === 'observed' && event.withdrawn !== undefined ? { ...event, withdrawn: set } : event;
}

/** Changed is what is not present now (never was, or has left), and what has another version than the current one. */
function changedMask(outcome: SeriesOutcome, state: SeriesState | undefined, details: MutableDetails): Uint8Array {
  const mask = new Uint8Array(outcome.times.length);
  for (let i = 0; i < mask.length; i++) {
    const time = outcome.times[i] as number;
    const present = state !== undefined && ((state.flags[time - state.base] ?? 0) & PRESENT) !== 0;
    mask[i] = present && sameVersion(outcome.version, i, details.version, time - details.base) ? 0 : 1;
  }
  return mask;
}

function sameVersion(a: Uint8Array, i: number, b: Uint8Array, j: number): boolean {
  for (let k = 0; k < 16; k++) if (a[16 * i + k] !== b[16 * j + k]) return false;
  return true;
}

function clip(ranges: readonly number[], lo: number, hi: number): number[] {
  const out: number[] = [];
  for (let r = 0; r < ranges.length; r += 2) {
    const from = Math.max(ranges[r] as number, lo);
    const to = Math.min(ranges[r + 1] as number, hi);
    if (from < to) out.push(from, to);
  }
  return out;
}

function inRanges(ranges: readonly number[], time: number): boolean {
  return ranges.some((lo, r) => r % 2 === 0 && time >= lo && time < (ranges[r + 1] as number));
}

function checkTimes(series: string, times: Int32Array): void {
  for (let i = 1; i < times.length; i++) {
    if ((times[i] as number) <= (times[i - 1] as number))
      refuse(`The times of ${series} are not ascending at ${times[i]}`);
  }
}

function checkOutcome(outcome: SeriesOutcome, event: NewEvent): void {
  const n = outcome.times.length;
  checkTimes(outcome.series, outcome.times);
  const lengths = [outcome.version.length / 16, outcome.bytes.length];
  if (event.kind === 'materialized') lengths.push(outcome.rows.length, outcome.file.length);
  if (event.kind === 'materialized' && event.choices !== undefined) {
    const { choices } = event;
    lengths.push(outcome.choice?.length ?? 0);
    if (outcome.choice?.some((choice) => choice >= choices.length))
      refuse(`A choice of ${outcome.series} is not in the table`);
  }
  if (lengths.some((length) => length !== n)) refuse(`The columns of ${outcome.series} are not all of length ${n}`);
}
