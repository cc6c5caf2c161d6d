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
import { PART } from './render.ts';

/** Opens a session and a directory for unpacking, for one read. */
export type WithSession = <T>(use: (session: Session, scratch: string) => Promise<T>) => Promise<T>;

/**
 * Readers of an input for the targets of a batch. Neighbours read much of the same, so what is read of tables is read for many
 * targets at once, and kept until later ones have their turn.
 */
export function createReaders(
  input: BoundInput,
  withSession: WithSession,
  signal: AbortSignal,
): (target: number) => InputReader {
  const groups = shareReads(input);
  /** Groups in which something cannot be read: whose fault it is shows when each reads alone. */
  const broken = new Set<number>();
  const cache = new Map<number, Map<string, Promise<Block>>>();

  const load = (ordinals: readonly number[], wanted: readonly Selected[]): Promise<Block> =>
    withSession(async (session, scratch) => {
      const { definition } = input;
      const parts = ordinals.flatMap((ordinal) => input.parts[ordinal] ?? []);
      const table = await bindInput(session, { ...input, parts, pairs: new Int32Array() }, 0, scratch, signal);
      const { time, listed } = definition.space;
      const sortBy = definition.storage.type === 'raw' ? [] : definition.sortBy;
      const order = [...(time ? [time.name] : []), ...listed.map(({ name }) => name), ...sortBy].map(quoteIdentifier);
      const list = [`${PART} AS ${PART}`, ...wanted.map(({ sql, name }) => `${sql} AS ${quoteIdentifier(name)}`)];
      const orderBy = order.length > 0 ? ` ORDER BY ${order.join(', ')}` : '';
      const { chunks } = await session.chunks(
        `SELECT ${list.join(', ')} FROM (\n${table.byPart(undefined)}\n)${orderBy}`,
      );
      return blockOf(definition.key, ordinals, wanted, chunks);
    });

  const read = async (target: number, mine: readonly number[], form: string, wanted: readonly Selected[]) => {
    const number = groups.of(target);
    const parts = groups.parts(number);
    const alone = async () => pick(await load(mine, wanted), new Set(mine));
    if (broken.has(number) || parts.length === mine.length) return alone();
    const known = cache.get(number) ?? new Map<string, Promise<Block>>();
    cache.set(number, known);
    for (const old of cache.keys()) if (old < number - 1) cache.delete(old);
    const block = known.get(form) ?? load(parts, wanted);
    known.set(form, block);
    try {
      return pick(await block, new Set(mine));
    } catch {
      signal.throwIfAborted();
      broken.add(number);
      cache.delete(number);
      return alone();
    }
  };

  return (target) => createReader(input, target, signal, read);
}

/** How many rows are read at once for several targets: some megabytes, and a fraction of a second in which nothing else has its turn. */
const SHARED_ROWS = 131_072;

/** Which targets read together: as many in a row as their parts, together, allow. */
function shareReads({ definition, parts, pairs }: BoundInput): {
  of(target: number): number;
  parts(group: number): readonly number[];
} {
  const groupOf = new Map<number, number>();
  const groups: Set<number>[] = [];
  let rows = 0;
  let room = false;
  for (let i = 0; i < pairs.length; ) {
    const target = pairs[i] ?? 0;
    const mine: number[] = [];
    for (; pairs[i] === target; i += 2) mine.push(pairs[i + 1] ?? 0);
    const sizeOf = (part: number) => parts[part]?.rows ?? Number.POSITIVE_INFINITY;
    const open = groups.at(-1);
    const more = mine.reduce((sum, part) => sum + (open?.has(part) ? 0 : sizeOf(part)), 0);
    room = definition.storage.type === 'table' && open !== undefined && rows + more <= SHARED_ROWS;
    if (room && open) {
      for (const part of mine) open.add(part);
      rows += more;
    } else {
      groups.push(new Set(mine));
      rows = mine.reduce((sum, part) => sum + sizeOf(part), 0);
    }
    groupOf.set(target, groups.length - 1);
  }
  return {
    of: (target) => groupOf.get(target) ?? groups.length,
    parts: (group) => [...(groups[group] ?? [])],
  };
}

interface Selected extends TypedColumn {
  readonly sql: string;
  /** A typed array, or values as DuckDB gives them. */
  readonly packed: boolean;
}

/** Rows of several parts, one after the other. */
interface Block {
  readonly spans: readonly { readonly part: number; readonly from: number; readonly to: number }[];
  readonly columns: readonly ArrayLike<unknown>[];
}

/** @param ordinals of the parts as the statement counted them. */
function blockOf(
  asset: string,
  ordinals: readonly number[],
  wanted: readonly Selected[],
  chunks: readonly DuckDBDataChunk[],
): Block {
  const spans: { part: number; from: number; to: number }[] = [];
  let at = 0;
  for (const chunk of chunks) {
    for (const value of chunk.getColumnValues(0)) {
      const part = ordinals[Number(value)] ?? -1;
      const last = spans.at(-1);
      if (last?.part === part) last.to = ++at;
      else spans.push({ part, from: at, to: ++at });
    }
  }
  const columns = wanted.map((column, i) =>
    column.packed ? packColumn(asset, column, i + 1, chunks) : chunks.flatMap((chunk) => chunk.getColumnValues(i + 1)),
  );
  return { spans, columns };
}

/** The rows of some parts, in columns of their own. */
function pick({ spans, columns }: Block, parts: ReadonlySet<number>): ArrayLike<unknown>[] {
  const mine = spans.filter(({ part }) => parts.has(part));
  const length = mine.reduce((sum, { from, to }) => sum + to - from, 0);
  return columns.map((values) => {
    if (values instanceof Float64Array || values instanceof BigInt64Array) {
      const own = values instanceof Float64Array ? new Float64Array(length) : new BigInt64Array(length);
      let at = 0;
      for (const { from, to } of mine) {
        own.set(values.subarray(from, to) as never, at);
        at += to - from;
      }
      return own;
    }
    return mine.flatMap(({ from, to }) => Array.prototype.slice.call(values, from, to));
  });
}

function createReader(
  input: BoundInput,
  target: number,
  signal: AbortSignal,
  read: (
    target: number,
    mine: readonly number[],
    form: string,
    wanted: readonly Selected[],
  ) => Promise<ArrayLike<unknown>[]>,
): InputReader {
  const { definition } = input;
  const mine = mappedParts(input, target);
  const parts = mine.flatMap((ordinal) => input.parts[ordinal] ?? []);
  const columns = relationColumns(definition);
  return {
    asset: definition.key,
    partitions: parts.map((part) => describePart(input, part)),
    rows: async () => {
      signal.throwIfAborted();
      const wanted = columns.map((column) => ({ ...column, sql: quoteIdentifier(column.name), packed: false }));
      const values = await read(target, mine, 'rows', wanted);
      return Array.from({ length: values[0]?.length ?? 0 }, (_, row) =>
        Object.fromEntries(columns.map(({ name }, i) => [name, rowValue(values[i]?.[row] as DuckDBValue)])),
      );
    },
    columns: async (names) => {
      signal.throwIfAborted();
      const wanted = names === undefined ? columns : names.map((name) => columnNamed(input, columns, name));
      const values = await read(
        target,
        mine,
        JSON.stringify(wanted.map(({ name }) => name)),
        wanted.map((column) => ({ ...column, sql: columnExpression(column), packed: true })),
      );
      return Object.fromEntries(wanted.map(({ name }, i) => [name, values[i] ?? []]));
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

/** Ordinals of the parts. */
function mappedParts({ pairs }: BoundInput, target: number): number[] {
  const mine: number[] = [];
  for (let i = 0; i < pairs.length; i += 2) if (pairs[i] === target) mine.push(pairs[i + 1] ?? 0);
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
