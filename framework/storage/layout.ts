import { LakehouseError } from '../common/errors.ts';
import { assertKey } from './key.ts';

/** The value of one dimension, e.g. `{ name: 'symbol', value: 'BTCUSDT' }`. */
export interface HiveValue {
  readonly name: string;
  readonly value: string;
}

export interface HivePath {
  readonly assetKey: string;
  /** In the order of the directories. */
  readonly values: readonly HiveValue[];
  readonly fileName: string;
}

/** What some file system, glob syntax or hive reader would take for something else. Letters of any script are left alone. */
const UNSAFE = /[\p{Cc}"#%'*/:<=>?\\|{}[\]^]|^\.|[. ]$/gu;

/** Hive readers, DuckDB among them, read these directory values as NULL, in any case. */
const READ_AS_NULL = /^(?:null|__hive_default_partition__)$/i;

const NAME = /^[\p{L}_][\p{L}\p{N}_]*$/u;

/**
 * The key of a file of one series: `silver/klines/exchange=binance/symbol=BTCUSDT/2020.<generation>.parquet`. Values are
 * percent-encoded where they must be, as Hive and DuckDB decode them.
 * @throws `bad-hive-path` or `bad-key` (usage) for an asset key or file name that cannot stand in a path, a dimension name that
 * is no identifier or comes twice, an empty value, or a path that is too long.
 */
export function hivePath(assetKey: string, values: readonly HiveValue[], fileName: string): string {
  if (assetKey.includes('=')) throw bad(assetKey, `the asset key '${assetKey}' contains '='`);
  if (fileName.includes('/')) throw bad(fileName, `the file name '${fileName}' contains '/'`);
  const seen = new Set<string>();
  const directories = values.map(({ name, value }) => {
    if (!NAME.test(name)) throw bad(name, `the dimension name '${name}' is no identifier`);
    if (seen.has(name)) throw bad(name, `the dimension '${name}' comes twice`);
    if (value === '') throw bad(name, `the value of '${name}' is empty`);
    seen.add(name);
    return `${name}=${encode(value)}`;
  });
  const key = [assetKey, ...directories, fileName].join('/');
  assertKey(key);
  return key;
}

/**
 * The exact inverse of {@link hivePath}.
 * @throws `bad-hive-path` (usage) for anything that `hivePath` would not have written.
 */
export function parseHivePath(key: string): HivePath {
  const segments = key.split('/');
  const fileName = segments.pop() ?? '';
  const found = segments.findIndex((segment) => segment.includes('='));
  const first = found < 0 ? segments.length : found;
  const assetKey = segments.slice(0, first).join('/');
  const values = segments.slice(first).map((segment) => {
    const at = segment.indexOf('=');
    if (at < 0) throw bad(key, `'${segment}' should be name=value in '${key}'`);
    return { name: segment.slice(0, at), value: decode(segment.slice(at + 1)) };
  });
  if (hivePath(assetKey, values, fileName) !== key) throw bad(key, `'${key}' is not percent-encoded as it should be`);
  return { assetKey, values, fileName };
}

/** The first two different values whose directories are one on a disk that ignores case or Unicode normalisation (macOS, Windows). */
export function caseCollision(values: Iterable<string>): readonly [string, string] | undefined {
  const seen = new Map<string, string>();
  for (const value of values) {
    const folded = value.normalize('NFC').toLowerCase();
    const other = seen.get(folded);
    if (other !== undefined && other !== value) return [other, value];
    seen.set(folded, value);
  }
  return undefined;
}

function encode(value: string): string {
  if (READ_AS_NULL.test(value)) return `${percent(value.slice(0, 1))}${value.slice(1)}`;
  return value.replace(UNSAFE, percent);
}

function percent(text: string): string {
  return [...Buffer.from(text)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw bad(text, `'${text}' is not percent-encoded as it should be`, cause);
  }
}

function bad(where: string, message: string, cause?: unknown): LakehouseError {
  return new LakehouseError('bad-hive-path', `Not a hive path: ${message}`, {
    hint: "A hive path is '<asset>/<dimension>=<value>/…/<file>'.",
    details: { where },
    cause,
  });
}
