import { createHash } from 'node:crypto';
import type { Session, TypedColumn } from './duckdb.ts';
import { identifiers } from './types.ts';

const ALGORITHM = 'rows1';
/** Values of every kind that a column can hold. */
const PROBE = `hash(1::INTEGER, 2::BIGINT, 0.5::DOUBLE, 'text', 'a text that is longer than twelve bytes', DATE '2024-01-01', TIMESTAMP '2024-01-01', 1.25::DECIMAL(18,8), 1.25::DECIMAL(38,8), true, NULL::INTEGER)`;

/**
 * Data versions of tables: 16 bytes, little-endian: u32 rows, u32 of a SHA-256 over the columns' names and types and the
 * algorithm, u64 sum of DuckDB's row hashes modulo 2^64. Blind to the order of rows, to batches and packs, and to partition columns.
 */
export interface Versioning {
  /** An aggregate over a partition's rows that gives the sum, as HUGEINT. */
  readonly sumSql: string;
  version(rows: number, sum: bigint): Uint8Array;
  /** Whether a version was made by the same algorithm; those of others tell only the number of rows. */
  comparable(version: Uint8Array): boolean;
}

const wordOf = (version: Uint8Array): number =>
  new DataView(version.buffer, version.byteOffset, version.byteLength).getUint32(4, true);

/** Whether two versions were made by the same algorithm of the same columns: else only the number of rows can be compared. */
export function comparableVersions(a: Uint8Array, b: Uint8Array): boolean {
  return wordOf(a) === wordOf(b);
}

/**
 * DuckDB does not promise that `hash` stays the same, so what it gives for some known values is part of the algorithm's name:
 * a version of another DuckDB is then another version, and can be told from damage.
 */
export async function versioning(session: Session, columns: readonly TypedColumn[]): Promise<Versioning> {
  const [row] = await session.rows(`SELECT ${PROBE} AS probe`);
  const schema = columns.map(({ name, type }) => [name, type]);
  const digest = createHash('sha256')
    .update(JSON.stringify([ALGORITHM, String(row?.probe), schema]))
    .digest();
  const word = digest.readUInt32BE(digest.length - 4);
  return {
    comparable: (bytes) => wordOf(bytes) === word,
    sumSql: `coalesce(sum(hash(${identifiers(columns)})), 0)`,
    version: (rows, sum) => {
      const bytes = new Uint8Array(16);
      const view = new DataView(bytes.buffer);
      view.setUint32(0, rows, true);
      view.setUint32(4, word, true);
      view.setBigUint64(8, BigInt.asUintN(64, sum), true);
      return bytes;
    },
  };
}
