import type { DuckDBType, DuckDBValue } from '@duckdb/node-api';
import type { Data, DataType, RecordBatch } from 'apache-arrow';
import { LakehouseError } from '../common/errors.ts';
import type { Driver } from './duckdb.ts';

type Arrow = typeof import('apache-arrow');

/** Some rows of a result, by column, as DuckDB's driver gives the values. */
export interface ColumnChunk {
  readonly rows: number;
  readonly values: (column: number) => readonly DuckDBValue[];
}

/** Rows of a batch, at least and nearly: DuckDB's chunks are too small to be worth one each. */
const BATCH_ROWS = 65_536;

/**
 * Rows as Arrow record batches of some 65,000; without rows one empty batch, which tells the columns. Types are exact: DECIMAL is
 * Decimal128, HUGEINT Decimal128(38, 0), TIMESTAMP microseconds without a zone (with one: UTC), DATE days, BIGINT Int64, ENUM
 * and UUID text. The library is loaded at the first step.
 * @throws LakehouseError `arrow-type` (usage) for a column that Arrow has no type for; `arrow-value` (usage) for a number too wide.
 */
export async function* arrowBatches(
  driver: Driver,
  columns: readonly { readonly name: string; readonly type: DuckDBType }[],
  chunks: AsyncIterable<ColumnChunk>,
): AsyncGenerator<RecordBatch> {
  const arrow = await import('apache-arrow');
  const fields = columns.map(({ name, type }) => new arrow.Field(name, arrowType(arrow, driver, name, type), true));
  const schema = new arrow.Schema(fields);
  const struct = new arrow.Struct(fields);
  let held: DuckDBValue[][] = columns.map(() => []);
  let rows = 0;
  const batch = (): RecordBatch => {
    const children = fields.map(({ name, type }, i) => dataOf(arrow, name, type, held[i] ?? []));
    const made = arrow.makeData({ type: struct, length: rows, nullCount: 0, children });
    held = columns.map(() => []);
    rows = 0;
    return new arrow.RecordBatch(schema, made);
  };
  let any = false;
  for await (const chunk of chunks) {
    held.forEach((values, i) => {
      for (const value of chunk.values(i)) values.push(value);
    });
    rows += chunk.rows;
    if (rows < BATCH_ROWS) continue;
    any = true;
    yield batch();
  }
  if (rows > 0 || !any) yield batch();
}

function arrowType(arrow: Arrow, driver: Driver, name: string, type: DuckDBType): DataType {
  const { DuckDBTypeId: Id } = driver;
  const child = (of: DuckDBType) => new arrow.Field('item', arrowType(arrow, driver, name, of), true);
  switch (type.typeId) {
    case Id.SQLNULL:
      return new arrow.Null();
    case Id.BOOLEAN:
      return new arrow.Bool();
    case Id.TINYINT:
      return new arrow.Int8();
    case Id.SMALLINT:
      return new arrow.Int16();
    case Id.INTEGER:
      return new arrow.Int32();
    case Id.BIGINT:
      return new arrow.Int64();
    case Id.UTINYINT:
      return new arrow.Uint8();
    case Id.USMALLINT:
      return new arrow.Uint16();
    case Id.UINTEGER:
      return new arrow.Uint32();
    case Id.UBIGINT:
      return new arrow.Uint64();
    case Id.HUGEINT:
    case Id.UHUGEINT:
      return new arrow.Decimal(0, 38, 128);
    case Id.FLOAT:
      return new arrow.Float32();
    case Id.DOUBLE:
      return new arrow.Float64();
    case Id.DECIMAL: {
      const { width, scale } = type as Extract<DuckDBType, { width: number }>;
      return new arrow.Decimal(scale, width, 128);
    }
    case Id.VARCHAR:
    case Id.ENUM:
    case Id.UUID:
      return new arrow.Utf8();
    case Id.BLOB:
      return new arrow.Binary();
    case Id.DATE:
      return new arrow.DateDay();
    case Id.TIME:
      return new arrow.TimeMicrosecond();
    case Id.TIMESTAMP:
      return new arrow.TimestampMicrosecond();
    case Id.TIMESTAMP_TZ:
      return new arrow.TimestampMicrosecond('UTC');
    case Id.TIMESTAMP_S:
      return new arrow.TimestampSecond();
    case Id.TIMESTAMP_MS:
      return new arrow.TimestampMillisecond();
    case Id.TIMESTAMP_NS:
      return new arrow.TimestampNanosecond();
    case Id.LIST:
      return new arrow.List(child((type as Extract<DuckDBType, { typeId: typeof Id.LIST }>).valueType));
    case Id.STRUCT: {
      const { entryNames, entryTypes } = type as Extract<DuckDBType, { typeId: typeof Id.STRUCT }>;
      return new arrow.Struct(
        entryTypes.map((of, i) => new arrow.Field(entryNames[i] ?? '', arrowType(arrow, driver, name, of), true)),
      );
    }
    default:
      throw new LakehouseError('arrow-type', `Column '${name}' (${type}) has no type in Arrow`, {
        kind: 'usage',
        hint: `Write CAST("${name}" AS VARCHAR) AS "${name}", or another type than it has.`,
      });
  }
}

/** Values of one type as Arrow lays them out. NULL is a bit that is not set. */
function dataOf(arrow: Arrow, name: string, type: DataType, values: readonly DuckDBValue[]): Data {
  const { DataType: Is } = arrow;
  const length = values.length;
  const { nullBitmap, nullCount } = nullsOf(values);
  const common = { length, nullCount, nullBitmap };
  if (Is.isNull(type)) return arrow.makeData({ type, length });
  if (Is.isBool(type)) return arrow.makeData({ type, ...common, data: bits(values, (value) => value === true) });
  if (Is.isDecimal(type)) return arrow.makeData({ type, ...common, data: decimals(name, values) });
  if (Is.isUtf8(type)) return arrow.makeData({ type, ...common, ...joined(values.map(utf8Of)) });
  if (Is.isBinary(type)) return arrow.makeData({ type, ...common, ...joined(values.map(bytesOf)) });
  if (Is.isList(type)) {
    const lists = values.map((value) => (isMade(value) && 'items' in value ? value.items : []));
    const child = dataOf(arrow, name, type.valueType, lists.flat());
    return arrow.makeData({ type, ...common, valueOffsets: offsetsOf(lists), child });
  }
  if (Is.isStruct(type)) {
    const children = type.children.map((field) =>
      dataOf(
        arrow,
        name,
        field.type,
        values.map((value) => entryOf(value, field.name)),
      ),
    );
    return arrow.makeData({ type, ...common, children });
  }
  const data = new (type.ArrayType as NumbersOf)(length);
  values.forEach((value, i) => {
    if (value !== null) data[i] = numberOf(value);
  });
  return arrow.makeData({ type: type as never, ...common, data: data as never });
}

interface Numbers {
  [index: number]: number | bigint;
}
type NumbersOf = new (length: number) => Numbers;

const isMade = (value: DuckDBValue): value is Exclude<DuckDBValue, null | boolean | number | bigint | string> =>
  typeof value === 'object' && value !== null;

/** A number, a day, or the ticks of a time. */
function numberOf(value: DuckDBValue): number | bigint {
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  if (isMade(value)) {
    if ('days' in value && !('months' in value)) return value.days;
    if ('micros' in value && !('months' in value)) return value.micros;
    if ('seconds' in value) return value.seconds as bigint;
    if ('millis' in value) return value.millis as bigint;
    if ('nanos' in value) return value.nanos as bigint;
  }
  throw new LakehouseError('arrow-value', `${String(value)} is no number`, { kind: 'internal' });
}

function entryOf(value: DuckDBValue, name: string): DuckDBValue {
  if (!isMade(value) || !('entries' in value) || Array.isArray(value.entries)) return null;
  return (value.entries as Readonly<Record<string, DuckDBValue>>)[name] ?? null;
}

function nullsOf(values: readonly DuckDBValue[]): { nullBitmap: Uint8Array | undefined; nullCount: number } {
  const nullCount = values.filter((value) => value === null).length;
  return { nullCount, nullBitmap: nullCount === 0 ? undefined : bits(values, (value) => value !== null) };
}

function bits(values: readonly DuckDBValue[], isSet: (value: DuckDBValue) => boolean): Uint8Array {
  // Padded to eight bytes, as buffers are.
  const found = new Uint8Array(Math.ceil(values.length / 64) * 8);
  values.forEach((value, i) => {
    if (isSet(value)) found[i >> 3] = (found[i >> 3] as number) | (1 << (i & 7));
  });
  return found;
}

const MOST = 10n ** 38n;

/** 128 bits each, the lowest first, in two's complement. */
function decimals(name: string, values: readonly DuckDBValue[]): Uint32Array {
  const words = new BigUint64Array(values.length * 2);
  values.forEach((value, i) => {
    if (value === null) return;
    const digits = isMade(value) && 'scale' in value ? value.value : BigInt(value as bigint);
    if (digits >= MOST || digits <= -MOST) {
      throw new LakehouseError('arrow-value', `Column '${name}': ${digits} has more digits than the 38 of Arrow`, {
        kind: 'usage',
        hint: `Write CAST("${name}" AS VARCHAR) AS "${name}", or AS DOUBLE.`,
      });
    }
    words[2 * i] = BigInt.asUintN(64, digits);
    words[2 * i + 1] = BigInt.asUintN(64, digits >> 64n);
  });
  return new Uint32Array(words.buffer);
}

const NOTHING = new Uint8Array();
const encoder = new TextEncoder();
const utf8Of = (value: DuckDBValue): Uint8Array => (value === null ? NOTHING : encoder.encode(String(value)));
const bytesOf = (value: DuckDBValue): Uint8Array => (isMade(value) && 'bytes' in value ? value.bytes : NOTHING);

function joined(parts: readonly Uint8Array[]): { valueOffsets: Int32Array; data: Uint8Array } {
  return { valueOffsets: offsetsOf(parts), data: Buffer.concat(parts) };
}

function offsetsOf(parts: readonly { readonly length: number }[]): Int32Array {
  const offsets = new Int32Array(parts.length + 1);
  parts.forEach((part, i) => {
    offsets[i + 1] = (offsets[i] as number) + part.length;
  });
  return offsets;
}

/**
 * Record batches of one schema as the bytes of an Arrow IPC stream, piece by piece as they come.
 */
export async function* arrowStream(batches: AsyncIterable<RecordBatch>): AsyncGenerator<Uint8Array> {
  const { RecordBatchStreamWriter } = await import('apache-arrow');
  let pieces: Uint8Array[] = [];
  // The writer's own queue takes all there is, however slowly it is read.
  class Writer extends RecordBatchStreamWriter {
    protected override _write(chunk: Uint8Array): this {
      if (chunk.byteLength > 0) pieces.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      this._position += chunk.byteLength;
      return this;
    }
  }
  const writer = new Writer();
  const taken = (): Uint8Array => {
    const bytes = Buffer.concat(pieces);
    pieces = [];
    return bytes;
  };
  for await (const batch of batches) {
    writer.write(batch);
    yield taken();
  }
  writer.finish();
  yield taken();
}
