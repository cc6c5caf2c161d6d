import { createHash, type Hash } from 'node:crypto';
import { isLakehouseError, type LakehouseError } from 'crypto-lakehouse';
import { objectNotFound } from './archive.ts';
import { failure, reasonOf, retryAfterMs, statusError, timedOut } from './failures.ts';

export interface Download {
  /** What it is, for people. */
  readonly key: string;
  readonly url: string;
  /** Where it is, for people. */
  readonly base: string;
  /** Limit for one request, body included, in milliseconds. */
  readonly timeoutMs: number;
  /** The clock, milliseconds since 1970 UTC. */
  readonly now: () => number;
  readonly signal: AbortSignal | undefined;
}

export interface Downloaded {
  readonly bytes: Uint8Array;
  /** The header, undefined when there was none. */
  readonly etag: string | undefined;
  /** SHA-256 of the bytes, lower-case hex. */
  readonly sha256: string;
}

/** A request that brought this much is worth another one for the rest. */
const PROGRESS = 256 * 1024;
/** How often less than that is put up with. */
const PATIENCE = 3;

/** A body of announced length, as far as it has arrived. */
interface Arriving {
  readonly bytes: Buffer;
  readonly hash: Hash;
  readonly etag: string | undefined;
  length: number;
}

/**
 * GETs an object into one buffer of its announced length, hashing what arrives. A body that breaks off, or is not there within the time
 * limit, is continued where it stopped if it is still the same object (Range, If-Range, ETag), and the server can.
 * @throws LakehouseError as `httpArchive` says; the signal's reason when aborted.
 */
export async function download(options: Download): Promise<Downloaded> {
  const { key, base, timeoutMs, signal: outer } = options;
  let arriving: Arriving | undefined;
  for (let poor = 0; ; ) {
    outer?.throwIfAborted();
    const timeout = AbortSignal.timeout(timeoutMs);
    const signal = outer ? AbortSignal.any([outer, timeout]) : timeout;
    const before = arriving?.length ?? 0;
    try {
      const response = await request(options, arriving, signal);
      const announced = response.headers.get('content-length');
      if (arriving === undefined && (announced === null || response.headers.has('content-encoding'))) {
        return await ofUnknownLength(response);
      }
      arriving ??= {
        bytes: Buffer.allocUnsafeSlow(Number(announced)),
        hash: createHash('sha256'),
        etag: response.headers.get('etag') ?? undefined,
        length: 0,
      };
      await receive(response, arriving);
      const { bytes, etag, hash } = arriving;
      return { bytes, etag, sha256: hash.digest('hex') };
    } catch (error) {
      outer?.throwIfAborted();
      if (isLakehouseError(error)) throw error;
      const late = timeout.aborted;
      if (arriving !== undefined && canContinue(arriving)) {
        const rich = arriving.length - before >= PROGRESS;
        if (rich || (!late && ++poor <= PATIENCE)) continue;
      }
      if (late) throw timedOut(key, timeoutMs, error);
      if (arriving !== undefined) throw brokeOff(key, arriving, error);
      throw failure(
        'archive-unreachable',
        'transient',
        `${key} could not be fetched from ${base}: ${reasonOf(error)}`,
        error,
      );
    }
  }
}

/** If-Range takes no weak ETag: equal ones do not promise equal bytes. */
const canContinue = ({ etag, length }: Arriving): boolean => etag?.startsWith('"') === true && length > 0;

/** The answer that has the object, or the rest of what is arriving. */
async function request(
  { key, url, base, now }: Download,
  arriving: Arriving | undefined,
  signal: AbortSignal,
): Promise<Response> {
  const response = await fetch(url, {
    signal,
    headers: {
      // Compressed on the way, the object would have another length, and often a weak ETag.
      'accept-encoding': 'identity',
      ...(arriving?.etag !== undefined && { range: `bytes=${arriving.length}-`, 'if-range': arriving.etag }),
    },
  });
  const { status, headers } = response;
  const refusal = (): LakehouseError | undefined => {
    if (status === 404) return objectNotFound(key, base);
    if (!response.ok) return statusError(key, base, status, retryAfterMs(headers.get('retry-after'), now()));
    if (arriving === undefined) return undefined;
    const { etag, length, bytes } = arriving;
    const range = `bytes ${length}-${bytes.length - 1}/${bytes.length}`;
    if (status === 206 && headers.get('etag') === etag && headers.get('content-range') === range) return undefined;
    return brokeOff(key, arriving, `asked for the rest, ${base} answered ${status} (changed, or no ranges)`);
  };
  const refused = refusal();
  if (refused === undefined) return response;
  await response.body?.cancel();
  throw refused;
}

async function receive(response: Response, arriving: Arriving): Promise<void> {
  const { bytes, hash } = arriving;
  for await (const chunk of response.body ?? []) {
    if (arriving.length + chunk.length > bytes.length) throw new Error('it is longer than announced');
    bytes.set(chunk, arriving.length);
    hash.update(chunk);
    arriving.length += chunk.length;
  }
  if (arriving.length < bytes.length) throw new Error('it is shorter than announced');
}

async function ofUnknownLength(response: Response): Promise<Downloaded> {
  const bytes = await response.bytes();
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { bytes, etag: response.headers.get('etag') ?? undefined, sha256 };
}

function brokeOff(key: string, { length, bytes }: Arriving, cause: unknown): LakehouseError {
  const said = typeof cause === 'string' ? cause : reasonOf(cause);
  return failure(
    'archive-truncated',
    'transient',
    `The body of ${key} broke off after ${length} of ${bytes.length} bytes: ${said}`,
    typeof cause === 'string' ? undefined : cause,
  );
}
