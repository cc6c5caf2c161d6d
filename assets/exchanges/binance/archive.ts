import { isLakehouseError, LakehouseError } from 'crypto-lakehouse';
import { sha256Of, verifySha256 } from './checksum.ts';
import { checksumKey } from './layout.ts';

/** An object as a listing shows it. */
export interface ArchiveObject {
  /** Full key, parts separated by `/`. */
  readonly key: string;
  /** Size in bytes. */
  readonly bytes: number;
  /** Changes whenever the object changes; `get` of the same object gives the same string. Opaque otherwise. */
  readonly version: string;
  /** When it was last written, milliseconds since 1970 UTC. */
  readonly modifiedMs: number;
}

export interface ArchiveContent {
  readonly bytes: Uint8Array;
  /** The version that these bytes are: may differ from the one listed (a cache, a change in between). */
  readonly version: string;
  /** SHA-256 of the bytes, lower-case hex, where it was computed while they arrived. */
  readonly sha256?: string | undefined;
}

export interface ArchiveCall {
  readonly signal?: AbortSignal | undefined;
  /** Called once for each request of a listing. */
  readonly onRequest?: (() => void) | undefined;
}

/**
 * A read-only tree of objects in the layout of Binance's archive: the bucket itself, or a mirror of it.
 * Every method throws LakehouseErrors, of kind `transient` where another try may succeed, and the signal's reason when aborted.
 */
export interface ArchiveClient {
  /** What this reads, for people: a URL or a directory. */
  readonly describe: string;
  /** All objects whose key begins with the prefix, in the order of their keys' UTF-8 bytes; none is not an error. */
  list(
    prefix: string,
    options?: ArchiveCall & { readonly startAfter?: string | undefined },
  ): AsyncIterable<ArchiveObject>;
  /** The prefixes one level down, sorted, each ending in `/`. `prefix` is empty or ends in `/`. */
  listPrefixes(prefix: string, options?: ArchiveCall): Promise<string[]>;
  /** @throws LakehouseError `object-not-found`, transient: what was listed has disappeared. */
  get(key: string, options?: ArchiveCall): Promise<ArchiveContent>;
}

/** The order of keys in an S3 listing: by UTF-8 bytes, which is not JavaScript's for characters beyond the basic plane. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x !== y) return isSurrogate(x) === isSurrogate(y) ? x - y : isSurrogate(x) ? 1 : -1;
  }
  return a.length - b.length;
}

const isSurrogate = (unit: number): boolean => unit >= 0xd800 && unit < 0xe000;

export function objectNotFound(key: string, where: string, cause?: unknown): LakehouseError {
  return new LakehouseError('object-not-found', `${key} is not in ${where} (any more)`, {
    kind: 'transient',
    hint: 'It was listed earlier. The next run lists again and sees whether it is gone for good.',
    cause,
    details: { key },
  });
}

export interface VerifiedContent extends ArchiveContent {
  /** SHA-256 of the bytes, lower-case hex. */
  readonly sha256: string;
  /** Whether a published CHECKSUM confirmed it. */
  readonly verified: boolean;
  /** The version of the CHECKSUM object that confirmed it; undefined when there is none. */
  readonly checksumVersion: string | undefined;
}

/** An object and what its CHECKSUM object says, neither proved. */
export interface FetchedPair {
  readonly key: string;
  readonly content: ArchiveContent;
  readonly checksum: ArchiveContent | undefined;
}

/**
 * Gets an object and its CHECKSUM, at the same time.
 * @param options.checksumKnown what the listing said: `true` its CHECKSUM must be there, `false` it is not asked for;
 * when not given, it is asked for and may be missing.
 * @throws LakehouseError `object-not-found` and what else `get` throws.
 */
export async function fetchPair(
  client: ArchiveClient,
  key: string,
  options: ArchiveCall & { readonly checksumKnown?: boolean | undefined } = {},
): Promise<FetchedPair> {
  const { checksumKnown } = options;
  const other = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, other.signal]) : other.signal;
  try {
    const [content, checksum] = await Promise.all([
      client.get(key, { signal }),
      checksumKnown === false ? undefined : getChecksum(client, checksumKey(key), signal, checksumKnown === true),
    ]);
    return { key, content, checksum };
  } catch (error) {
    // One is nothing without the other, which may be large.
    other.abort();
    throw error;
  }
}

/**
 * Proves an object against its CHECKSUM; without one it is `verified: false`.
 * @throws LakehouseError `checksum-mismatch` and the others of `verifySha256`.
 */
export function proved({ key, content, checksum }: FetchedPair): VerifiedContent {
  const sha256 = content.sha256 ?? sha256Of(content.bytes);
  if (checksum !== undefined) verifySha256(content.bytes, new TextDecoder().decode(checksum.bytes), key, sha256);
  return { ...content, sha256, verified: checksum !== undefined, checksumVersion: checksum?.version };
}

/** `fetchPair`, then `proved`. */
export async function fetchVerified(...args: Parameters<typeof fetchPair>): Promise<VerifiedContent> {
  return proved(await fetchPair(...args));
}

async function getChecksum(
  client: ArchiveClient,
  key: string,
  signal: AbortSignal | undefined,
  required: boolean,
): Promise<ArchiveContent | undefined> {
  try {
    return await client.get(key, { signal });
  } catch (error) {
    if (!required && isLakehouseError(error) && error.code === 'object-not-found') return undefined;
    throw error;
  }
}
