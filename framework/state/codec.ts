import { crc32 } from 'node:zlib';
import { LakehouseError } from '../common/errors.ts';
import { type Column, ColumnReader, packColumns } from './columns.ts';
import type { SeriesNumbers } from './dictionary.ts';
import type { EventHeader, SeriesName } from './events.ts';
import type { PackedEvent, PackedMoves, PackedOutcomes } from './packed.ts';
import { corrupt } from './sql.ts';

/**
 * Version of how events are written, the latest. Older ones stay readable for ever; a newer one is refused. An event is written in
 * the first format that has its kind, so that whoever does not know the kind refuses the log instead of folding it otherwise.
 */
export const EVENT_FORMAT = 2;
const formatOf = ({ kind }: EventHeader): number => (kind === 'checked' ? 2 : 1);

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

interface StoredHeader {
  readonly event: EventHeader;
  readonly firstFile?: number;
  /** How many series have outcomes, are moved. */
  readonly outcomes?: number;
  readonly moved?: number;
  readonly withChoice?: boolean;
}

function checksum(revision: number, header: string, body: Uint8Array | null): number {
  const crc = crc32(`${revision}\n${header}`);
  return body === null ? crc : crc32(body, crc);
}

/** Which series, and where each ends. */
function seriesColumns({ names, ends }: PackedOutcomes | PackedMoves, numbers: SeriesNumbers): Column[] {
  return [Uint32Array.from(names, (name) => numbers.number(name)), ends];
}

/** The row of an event. Series that are new are entered among the numbers. */
export function encodeEvent(
  { revision, at, header, firstFile, outcomes, moved }: PackedEvent,
  numbers: SeriesNumbers,
): EncodedEvent {
  const stored: StoredHeader = {
    event: header,
    ...(firstFile > 0 && { firstFile }),
    ...(outcomes !== undefined && { outcomes: outcomes.names.length }),
    ...(moved !== undefined && { moved: moved.names.length }),
    ...(outcomes?.choice !== undefined && { withChoice: true }),
  };
  const columns: Column[] = [];
  if (outcomes !== undefined) {
    const { bytes, version, times, changed, rows, file, choice } = outcomes;
    columns.push(...seriesColumns(outcomes, numbers), bytes, version, times, changed);
    if (rows !== undefined && file !== undefined) columns.push(rows, file);
    if (choice !== undefined) columns.push(choice);
  }
  if (moved !== undefined) columns.push(...seriesColumns(moved, numbers), moved.times, moved.file);
  const text = JSON.stringify(stored, (_, value) => (typeof value === 'bigint' ? String(value) : value));
  const body = columns.length > 0 ? packColumns(columns) : null;
  return {
    revision,
    at,
    kind: header.kind,
    asset: 'asset' in header ? header.asset : null,
    run: 'run' in header ? header.run : null,
    format: formatOf(header),
    header: text,
    body,
    crc: checksum(revision, text, body),
  };
}

/**
 * The event of a row. Columns are views of the row's body.
 * @throws LakehouseError `state-too-new` for a later format, `state-corrupt` where the checksum does not match.
 */
export function decodeEvent(row: EncodedEvent, numbers: SeriesNumbers): PackedEvent {
  if (row.format > EVENT_FORMAT) {
    throw new LakehouseError(
      'state-too-new',
      `Event ${row.revision} of the log is written in format ${row.format}; this version reads up to ${EVENT_FORMAT}`,
      { kind: 'usage', hint: 'Upgrade to the version that wrote it. Nothing was changed.' },
    );
  }
  if (checksum(row.revision, row.header, row.body) !== row.crc) {
    throw corrupt(`Event ${row.revision} of the log is damaged: its checksum does not match`);
  }
  const header = JSON.parse(row.header) as StoredHeader;
  const reader = new ColumnReader(row.body ?? new Uint8Array(0));
  return {
    revision: row.revision,
    at: row.at,
    header: header.event,
    firstFile: header.firstFile ?? 0,
    ...(header.outcomes !== undefined && { outcomes: readOutcomes(reader, header.outcomes, header, numbers) }),
    ...(header.moved !== undefined && { moved: readMoves(reader, header.moved, numbers) }),
  };
}

function readNames(reader: ColumnReader, count: number, numbers: SeriesNumbers): SeriesName[] {
  return Array.from(reader.u32(count), (id) => {
    const name = numbers.name(id);
    if (name === undefined) throw corrupt(`The log names no series ${id}`);
    return name;
  });
}

function readOutcomes(
  reader: ColumnReader,
  count: number,
  header: StoredHeader,
  numbers: SeriesNumbers,
): PackedOutcomes {
  const names = readNames(reader, count, numbers);
  const ends = reader.u32(count);
  const n = ends[count - 1] ?? 0;
  return {
    names,
    ends,
    bytes: reader.f64(n),
    version: reader.u8(16 * n),
    times: reader.i32(n),
    changed: reader.u8(n),
    ...(header.event.kind === 'materialized' && { rows: reader.u32(n), file: reader.i32(n) }),
    ...(header.withChoice === true && { choice: reader.u8(n) }),
  };
}

function readMoves(reader: ColumnReader, count: number, numbers: SeriesNumbers): PackedMoves {
  const names = readNames(reader, count, numbers);
  const ends = reader.u32(count);
  const n = ends[count - 1] ?? 0;
  return { names, ends, times: reader.i32(n), file: reader.i32(n) };
}
