import { LakehouseError } from '../common/errors.ts';

/** One type in the words of others. */
export interface TypeNames {
  /** Physical and logical type in the files. */
  readonly parquet: string;
  readonly arrow: string;
  /** For Hive, Glue and Athena. */
  readonly hive: string;
}

const NAMES: Readonly<Record<string, TypeNames>> = {
  VARCHAR: { parquet: 'BYTE_ARRAY STRING', arrow: 'string', hive: 'string' },
  DOUBLE: { parquet: 'DOUBLE', arrow: 'double', hive: 'double' },
  BIGINT: { parquet: 'INT64', arrow: 'int64', hive: 'bigint' },
  INTEGER: { parquet: 'INT32', arrow: 'int32', hive: 'int' },
  BOOLEAN: { parquet: 'BOOLEAN', arrow: 'bool', hive: 'boolean' },
  DATE: { parquet: 'INT32 DATE', arrow: 'date32[day]', hive: 'date' },
  TIMESTAMP: { parquet: 'INT64 TIMESTAMP(MICROS)', arrow: 'timestamp[us]', hive: 'timestamp' },
};

/**
 * What a column type, in DuckDB's words, is elsewhere. These are all that a declaration can say.
 * @throws LakehouseError `bad-column-type` (internal) for any other.
 */
export function typeNames(type: string): TypeNames {
  const [, precision, scale] = /^DECIMAL\((\d+),(\d+)\)$/.exec(type) ?? [];
  if (precision !== undefined && scale !== undefined) {
    const physical = Number(precision) <= 9 ? 'INT32' : Number(precision) <= 18 ? 'INT64' : 'FIXED_LEN_BYTE_ARRAY';
    return {
      parquet: `${physical} DECIMAL(${precision},${scale})`,
      arrow: `decimal128(${precision}, ${scale})`,
      hive: `decimal(${precision},${scale})`,
    };
  }
  const names = NAMES[type];
  if (names) return names;
  throw new LakehouseError('bad-column-type', `${type} is not a type that the catalogue has words for`, {
    kind: 'internal',
  });
}
