import { crc32 } from 'node:zlib';
import { LakehouseError } from '../common/errors.ts';
import { type Column, ColumnReader, concatenate, packColumns } from './columns.ts';
import type { SeriesNumbers } from './dictionary.ts';
import {
  filesOf,
  type MovedPartitions,
  movedOf,
  type NewEvent,
  outcomesOf,
  type SeriesName,
  type SeriesOutcome,
  type StoredEvent,
  versionHex,
} from './events.ts';

/** Version of how an event is written. Older ones stay readable for ever; a newer one is refused. */
export const EVENT_FORMAT = 1;

/** An event as a row: `header` is the event's JSON without its columns, `body` the columns of all its series end to end. */
export interface EncodedEvent {
  readonly revision: number;
  readonly at: number;
  readonly kind: string;
  readonly asset: string | null;
  readonly run: string | null;
  readonly format: number;
  readonly header: string;
  readonly body: Uint8Array | null;
  /** CRC-32 of revision, header and body. */
  readonly crc: number;
}

interface Header {
  readonly event: Record<string, unknown>;
  readonly firstFile?: number;
  /** Numbers of series in `outcomes`, `moved`; absent where the event has no such part. */
  readonly outcomes?: number;
  readonly moved?: number;
  readonly withChoice?: boolean;
}

function checksum(revision: number, header: string, body: Uint8Array | null): number {
  const crc = crc32(`${revision}\n${header}`);
  return body === null ? crc : crc32(body, crc);
}

/** Which series, and how many points of each. */
function extentColumns(parts: readonly (SeriesName & { times: Int32Array })[], numbers: SeriesNumbers): Column[] {
  return [
    Uint32Array.from(parts, (part) => numbers.number(part)),
    Uint32Array.from(parts, (part) => part.times.length),
  ];
}

export function encodeEvent(stored: StoredEvent, numbers: SeriesNumbers): EncodedEvent {
  const { event, revision, at } = stored;
  const outcomes = outcomesOf(event);
  const moved = movedOf(event);
  const full = event.kind === 'materialized';
  const withChoice = full && outcomes.some((outcome) => outcome.choice !== undefined);
  const { outcomes: _outcomes, moved: _moved, ...plain } = event as NewEvent & { outcomes?: unknown; moved?: unknown };
  const header: Header = {
    event: plain,
    ...(stored.firstFile > 0 && { firstFile: stored.firstFile }),
    ...('outcomes' in event && { outcomes: outcomes.length }),
    ...('moved' in event && { moved: moved.length }),
    ...(withChoice && { withChoice }),
  };
  const n = outcomes.reduce((sum, outcome) => sum + outcome.times.length, 0);
  const m = moved.reduce((sum, part) => sum + part.times.length, 0);
  const columns: Column[] = [];
  if (outcomes.length > 0) {
    columns.push(...extentColumns(outcomes, numbers));
    columns.push(
      concatenate(
        new Float64Array(n),
        outcomes.map((o) => o.bytes),
      ),
    );
    columns.push(
      concatenate(
        new Uint8Array(16 * n),
        outcomes.map((o) => o.version),
      ),
    );
    columns.push(
      concatenate(
        new Int32Array(n),
        outcomes.map((o) => o.times),
      ),
    );
    columns.push(concatenate(new Uint8Array(n), stored.changed));
    if (full) {
      columns.push(
        concatenate(
          new Uint32Array(n),
          outcomes.map((o) => o.rows),
        ),
      );
      columns.push(
        concatenate(
          new Int32Array(n),
          outcomes.map((o) => o.file),
        ),
      );
    }
    if (withChoice) {
      columns.push(
        concatenate(
          new Uint8Array(n),
          outcomes.map((o) => o.choice ?? new Uint8Array(o.times.length)),
        ),
      );
    }
  }
  if (moved.length > 0) {
    columns.push(...extentColumns(moved, numbers));
    columns.push(
      concatenate(
        new Int32Array(m),
        moved.map((part) => part.times),
      ),
    );
    columns.push(
      concatenate(
        new Int32Array(m),
        moved.map((part) => part.file),
      ),
    );
  }
  const text = JSON.stringify(header, (_, value) => (typeof value === 'bigint' ? String(value) : value));
  const body = columns.length > 0 ? packColumns(columns) : null;
  return {
    revision,
    at,
    kind: event.kind,
    asset: 'asset' in event ? event.asset : null,
    run: 'run' in event ? event.run : null,
    format: EVENT_FORMAT,
    header: text,
    body,
    crc: checksum(revision, text, body),
  };
}

/**
 * The event of a row. Columns are views of the row's body.
 * @throws LakehouseError `state-too-new` for a later format, `state-corrupt` where the checksum does not match.
 */
export function decodeEvent(row: EncodedEvent, numbers: SeriesNumbers): StoredEvent {
  if (row.format > EVENT_FORMAT) {
    throw new LakehouseError(
      'state-too-new',
      `Event ${row.revision} of the log is written in format ${row.format}; this version reads up to ${EVENT_FORMAT}`,
      { kind: 'usage', hint: 'Upgrade to the version that wrote it. Nothing was changed.' },
    );
  }
  if (checksum(row.revision, row.header, row.body) !== row.crc) {
    throw new LakehouseError(
      'state-corrupt',
      `Event ${row.revision} of the log is damaged: its checksum does not match`,
      {
        kind: 'data',
      },
    );
  }
  const header = JSON.parse(row.header) as Header;
  const reader = new ColumnReader(row.body ?? new Uint8Array(0));
  const changed: Uint8Array[] = [];
  const event: Record<string, unknown> = { ...header.event };
  if (header.outcomes !== undefined) {
    const names = readExtents(reader, header.outcomes, numbers);
    event.outcomes = readOutcomes(
      reader,
      names,
      header.event.kind === 'materialized',
      header.withChoice === true,
      changed,
    );
  }
  if (header.moved !== undefined) event.moved = readMoved(reader, readExtents(reader, header.moved, numbers));
  return {
    revision: row.revision,
    at: row.at,
    event: event as unknown as NewEvent,
    changed,
    firstFile: header.firstFile ?? 0,
  };
}

type Extent = SeriesName & { readonly from: number; readonly to: number };

function readExtents(reader: ColumnReader, count: number, numbers: SeriesNumbers): Extent[] {
  const ids = reader.u32(count);
  const lengths = reader.u32(count);
  let to = 0;
  return Array.from(ids, (id, i) => {
    const name = numbers.name(id);
    if (name === undefined)
      throw new LakehouseError('state-corrupt', `The log names no series ${id}`, { kind: 'data' });
    const from = to;
    to += lengths[i] as number;
    return { series: name.series, values: name.values, from, to };
  });
}

function readOutcomes(
  reader: ColumnReader,
  extents: readonly Extent[],
  full: boolean,
  withChoice: boolean,
  changed: Uint8Array[],
): SeriesOutcome[] {
  const n = extents.at(-1)?.to ?? 0;
  const bytes = reader.f64(n);
  const version = reader.u8(16 * n);
  const times = reader.i32(n);
  const mask = reader.u8(n);
  const rows = full ? reader.u32(n) : new Uint32Array(n);
  const file = full ? reader.i32(n) : new Int32Array(n).fill(-1);
  const choice = withChoice ? reader.u8(n) : undefined;
  return extents.map(({ series, values, from, to }) => {
    changed.push(mask.subarray(from, to));
    return {
      series,
      values,
      times: times.subarray(from, to),
      version: version.subarray(16 * from, 16 * to),
      rows: rows.subarray(from, to),
      bytes: bytes.subarray(from, to),
      file: file.subarray(from, to),
      ...(choice !== undefined && { choice: choice.subarray(from, to) }),
    };
  });
}

function readMoved(reader: ColumnReader, extents: readonly Extent[]): MovedPartitions[] {
  const n = extents.at(-1)?.to ?? 0;
  const times = reader.i32(n);
  const file = reader.i32(n);
  return extents.map(({ series, values, from, to }) => ({
    series,
    values,
    times: times.subarray(from, to),
    file: file.subarray(from, to),
  }));
}

/** An event as JSON for `--json` output: columns become one object per point, versions hex, files their paths. */
export function describeEvent(stored: StoredEvent): Record<string, unknown> {
  const { event, revision, at, changed } = stored;
  const files = filesOf(event);
  const { outcomes: _outcomes, moved: _moved, ...plain } = event as NewEvent & { outcomes?: unknown; moved?: unknown };
  const choices = event.kind === 'materialized' ? event.choices : undefined;
  const path = (ordinal: number | undefined) => (ordinal === undefined ? undefined : files[ordinal]?.path);
  const outcomes = outcomesOf(event).map((outcome, k) => ({
    series: outcome.series,
    values: outcome.values,
    points: Array.from(outcome.times, (time, i) => ({
      time,
      version: versionHex(outcome.version, i),
      ...(event.kind === 'materialized' && { rows: outcome.rows[i] }),
      bytes: outcome.bytes[i],
      ...(path(outcome.file[i]) !== undefined && { file: path(outcome.file[i]) }),
      ...(outcome.choice !== undefined && { choice: choices?.[outcome.choice[i] ?? 0] }),
      changed: changed[k]?.[i] === 1,
    })),
  }));
  const moved = movedOf(event).map((part) => ({
    series: part.series,
    values: part.values,
    points: Array.from(part.times, (time, i) => ({ time, file: path(part.file[i]) })),
  }));
  return {
    revision,
    at: new Date(at).toISOString(),
    ...plain,
    ...('outcomes' in event && { outcomes }),
    ...(moved.length > 0 && { moved }),
  };
}
