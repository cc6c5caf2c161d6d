import type { DuckDBDataChunk, DuckDBValue } from '@duckdb/node-api';
import { LakehouseError } from '../common/errors.ts';
import type { InputPartition, InputReader } from '../define/model.ts';
import { quoteIdentifier } from '../define/sql.ts';
import { formatIndex } from '../partition/time.ts';
import { readOriginal } from './archives.ts';
import type { Session, TypedColumn } from './duckdb.ts';
import { bindInput } from './inputs.ts';
import { relationColumns } from './partitions.ts';
import type { BoundInput, BoundPart } from './port.ts';

/** Opens a session and a directory for unpacking, for one read. */
export type WithSession = <T>(use: (session: Session, scratch: string) => Promise<T>) => Promise<T>;

/** The rows of `input` that the one target reads. Partition columns come with the data columns. */
export function createReader(
  input: BoundInput,
  target: number,
  withSession: WithSession,
  signal: AbortSignal,
): InputReader {
  const { definition } = input;
  const parts = mappedParts(input, target);
  const columns = relationColumns(definition);
  const read = <T>(
    wanted: readonly TypedColumn[],
    expression: (column: TypedColumn) => string,
    convert: (chunks: readonly DuckDBDataChunk[]) => T,
  ) =>
    withSession(async (session, scratch) => {
      const pairs = Int32Array.from(parts.flatMap((_, i) => [0, i]));
      const table = await bindInput(session, { ...input, parts, pairs }, 0, scratch, signal);
      const { time, listed } = definition.space;
      const sortBy = definition.storage.type === 'raw' ? [] : definition.sortBy;
      const order = [...(time ? [time.name] : []), ...listed.map(({ name }) => name), ...sortBy].map(quoteIdentifier);
      const list = wanted.map((column) => `${expression(column)} AS ${quoteIdentifier(column.name)}`).join(', ');
      const orderBy = order.length > 0 ? ` ORDER BY ${order.join(', ')}` : '';
      const { chunks } = await session.chunks(`SELECT ${list} FROM (\n${table.byTarget(undefined)}\n)${orderBy}`);
      return convert(chunks);
    });

  return {
    asset: definition.key,
    partitions: parts.map((part) => describePart(input, part)),
    rows: () =>
      read(
        columns,
        ({ name }) => quoteIdentifier(name),
        (chunks) => {
          const names = columns.map(({ name }) => name);
          return chunks.flatMap((chunk) => {
            const values = chunk.getColumns().map((column) => column.map(rowValue));
            return Array.from({ length: chunk.rowCount }, (_, row) =>
              Object.fromEntries(names.map((name, i) => [name, values[i]?.[row] ?? null])),
            );
          });
        },
      ),
    columns: async (names) => {
      const wanted = names === undefined ? columns : names.map((name) => columnNamed(input, columns, name));
      return read(wanted, columnExpression, (chunks) =>
        Object.fromEntries(wanted.map((column, i) => [column.name, packColumn(definition.key, column, i, chunks)])),
      );
    },
    bytes: async () => {
      const [part] = parts;
      if (part === undefined || parts.length > 1 || definition.storage.type !== 'raw') {
        const what = definition.storage.type === 'raw' ? `${parts.length} partitions are mapped` : 'it is a table';
        throw new LakehouseError(
          'no-single-file',
          `${definition.key}: bytes() gives the one file of a raw asset's partition, but ${what}`,
          {
            kind: 'data',
            hint: 'Use rows() or columns(), or map a single partition.',
          },
        );
      }
      return readOriginal(part);
    },
  };
}

function mappedParts({ parts, pairs }: BoundInput, target: number): BoundPart[] {
  const mine: BoundPart[] = [];
  for (let i = 0; i < pairs.length; i += 2) {
    const part = parts[pairs[i + 1] ?? -1];
    if (pairs[i] === target && part !== undefined) mine.push(part);
  }
  return mine;
}

function describePart({ definition }: BoundInput, { key, values, time, path }: BoundPart): InputPartition {
  const { space } = definition;
  return {
    key,
    path,
    values: space.time ? { ...values, [space.time.name]: formatIndex(space.time.grain, time) } : values,
  };
}

function columnNamed({ definition }: BoundInput, columns: readonly TypedColumn[], name: string): TypedColumn {
  const column = columns.find((candidate) => candidate.name === name);
  if (column !== undefined) return column;
  throw new LakehouseError('unknown-column', `${definition.key} has no column '${name}'`, { kind: 'data' });
}

/** Columns for arithmetic: decimals as doubles, instants as whole microseconds. */
function columnExpression({ name, type }: TypedColumn): string {
  const column = quoteIdentifier(name);
  if (type.startsWith('DECIMAL')) return `CAST(${column} AS DOUBLE)`;
  return type === 'TIMESTAMP' ? `epoch_us(${column})` : column;
}

function packColumn(
  asset: string,
  { name, type }: TypedColumn,
  index: number,
  chunks: readonly DuckDBDataChunk[],
): ArrayLike<unknown> {
  const length = chunks.reduce((sum, chunk) => sum + chunk.rowCount, 0);
  const doubles =
    type === 'DOUBLE' || type === 'FLOAT' || type.startsWith('DECIMAL') ? new Float64Array(length) : undefined;
  const instants = type === 'TIMESTAMP' ? new BigInt64Array(length) : undefined;
  const plain: unknown[] = [];
  let at = 0;
  for (const chunk of chunks) {
    for (const value of chunk.getColumnValues(index)) {
      if (doubles) doubles[at++] = value === null ? Number.NaN : Number(value);
      else if (!instants) plain.push(rowValue(value));
      else if (typeof value === 'bigint') instants[at++] = value;
      else
        throw new LakehouseError('null-instant', `${asset}: '${name}' holds NULL, which an array of instants cannot`, {
          kind: 'data',
          hint: 'Use rows().',
        });
    }
  }
  return doubles ?? instants ?? plain;
}

/** TIMESTAMP as Date (milliseconds), DECIMAL and DATE as text, lists as arrays, structs as objects. */
function rowValue(value: DuckDBValue): unknown {
  if (value === null || typeof value !== 'object') return value;
  if ('micros' in value) return new Date(Number(value.micros / 1000n));
  if ('items' in value) return [...value.items].map(rowValue);
  if ('entries' in value && !Array.isArray(value.entries)) {
    return Object.fromEntries(Object.entries(value.entries).map(([name, item]) => [name, rowValue(item)]));
  }
  return String(value);
}
