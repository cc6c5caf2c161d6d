import type { ListObjectsV2CommandOutput, S3Client } from '@aws-sdk/client-s3';
import { isLakehouseError, LakehouseError } from 'crypto-lakehouse';
import { type ArchiveCall, type ArchiveClient, type ArchiveObject, objectNotFound } from './archive.ts';

export interface HttpArchiveOptions {
  /** Objects are at `<baseUrl>/<key>`, e.g. `https://data.binance.vision`. */
  readonly baseUrl: string;
  /** The S3 bucket that lists them, path style, e.g. `https://s3-ap-northeast-1.amazonaws.com/data.binance.vision`. */
  readonly listUrl: string;
  /** Limit for one object or one page of a listing, body included, in milliseconds. */
  readonly timeoutMs: number;
  /** The clock, milliseconds since 1970 UTC: needed for a Retry-After that is a date. */
  readonly now: () => number;
}

/**
 * The archive over HTTP, anonymous. One attempt per `get` (retries belong to the caller, errors say whether to); the S3 SDK
 * tries each page of a listing up to three times.
 * @throws LakehouseError from every method, kind `transient`: `object-not-found`, `archive-rate-limited` and
 * `archive-unavailable` (with `retryAfterMs` when the server said it), `archive-timeout`, `archive-unreachable`,
 * `archive-truncated`, `archive-without-etag`; kind `usage`: `archive-url`, `archive-bucket`, `archive-forbidden`, `archive-blocked`,
 * `archive-status`.
 */
export function httpArchive(options: HttpArchiveOptions): ArchiveClient {
  const { timeoutMs, now } = options;
  const base = checkUrl('baseUrl', options.baseUrl);
  const { endpoint, bucket } = bucketOf(options.listUrl);
  let client: S3Client | undefined;

  async function* pages(
    input: { Prefix: string; StartAfter?: string | undefined; Delimiter?: string },
    { signal: outer, onRequest }: ArchiveCall,
  ): AsyncGenerator<ListObjectsV2CommandOutput> {
    // Imported when first needed: the SDK costs about 100 ms, and most commands never list.
    const { S3Client, ListObjectsV2Command } = await import('@aws-sdk/client-s3');
    client ??= new S3Client({
      endpoint,
      region: 'us-east-1', // never used: nothing is signed, and the endpoint is given
      forcePathStyle: true,
      maxAttempts: 3,
      credentials: { accessKeyId: '', secretAccessKey: '' },
      signer: { sign: async (request) => request },
    });
    const what = `The listing of ${input.Prefix || 'everything'}`;
    let ContinuationToken: string | undefined;
    do {
      onRequest?.();
      const timeout = AbortSignal.timeout(timeoutMs);
      const abortSignal = outer ? AbortSignal.any([outer, timeout]) : timeout;
      const command = new ListObjectsV2Command({ Bucket: bucket, ...input, ContinuationToken });
      const page = await client.send(command, { abortSignal }).catch((error: unknown) => {
        outer?.throwIfAborted();
        if (timeout.aborted) throw timedOut(what, timeoutMs, error);
        throw listingError(what, options.listUrl, error, now());
      });
      yield page;
      ContinuationToken = page.NextContinuationToken;
      if (page.IsTruncated && !ContinuationToken) {
        throw failure('archive-truncated', 'transient', `${what} is cut short without saying how it goes on`);
      }
    } while (ContinuationToken);
  }

  return {
    describe: base,
    async *list(prefix, { startAfter, ...call } = {}) {
      for await (const page of pages({ Prefix: prefix, StartAfter: startAfter }, call)) {
        for (const { Key, Size, ETag, LastModified } of page.Contents ?? []) {
          if (Key === undefined || Size === undefined || LastModified === undefined) {
            throw failure(
              'archive-truncated',
              'transient',
              `The listing of ${prefix} has an entry without key, size or time`,
            );
          }
          const object: ArchiveObject = {
            key: Key,
            bytes: Size,
            version: versionOf(ETag, Size, Key),
            modifiedMs: LastModified.getTime(),
          };
          yield object;
        }
      }
    },
    listPrefixes: async (prefix, call = {}) => {
      const found: string[] = [];
      for await (const page of pages({ Prefix: prefix, Delimiter: '/' }, call)) {
        for (const { Prefix } of page.CommonPrefixes ?? []) if (Prefix !== undefined) found.push(Prefix);
      }
      return found;
    },
    get: async (key, { signal: outer } = {}) => {
      outer?.throwIfAborted();
      const timeout = AbortSignal.timeout(timeoutMs);
      const signal = outer ? AbortSignal.any([outer, timeout]) : timeout;
      const url = `${base}/${key.split('/').map(encodeURIComponent).join('/')}`;
      try {
        // Compressed on the way, the object would have another length, and often a weak ETag.
        const response = await fetch(url, { signal, headers: { 'accept-encoding': 'identity' } });
        if (!response.ok) {
          await response.body?.cancel();
          if (response.status === 404) throw objectNotFound(key, base);
          throw statusError(key, base, response.status, retryAfterMs(response.headers.get('retry-after'), now()));
        }
        const bytes = await body(response, key, signal);
        return { bytes, version: versionOf(response.headers.get('etag') ?? undefined, bytes.length, key) };
      } catch (error) {
        outer?.throwIfAborted();
        if (timeout.aborted) throw timedOut(key, timeoutMs, error);
        if (isLakehouseError(error)) throw error;
        throw failure(
          'archive-unreachable',
          'transient',
          `${key} could not be fetched from ${base}: ${reasonOf(error)}`,
          error,
        );
      }
    },
  };
}

/**
 * A Retry-After header (seconds, or an HTTP date) as milliseconds from now; undefined when absent or unreadable.
 */
export function retryAfterMs(header: string | null | undefined, nowMs: number): number | undefined {
  const text = header?.trim();
  if (!text) return undefined;
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

async function body(response: Response, key: string, signal: AbortSignal): Promise<Uint8Array> {
  const bytes = await response.bytes().catch((error: unknown) => {
    if (signal.aborted) throw error;
    throw failure('archive-truncated', 'transient', `The body of ${key} broke off: ${reasonOf(error)}`, error);
  });
  const announced = response.headers.get('content-length');
  if (announced !== null && !response.headers.has('content-encoding') && Number(announced) !== bytes.length) {
    throw failure(
      'archive-truncated',
      'transient',
      `${key} has ${bytes.length} bytes where ${announced} were announced`,
    );
  }
  return bytes;
}

/** ETag and size together: what a listing and a GET both tell. A CDN may weaken the ETag; the object is the same. */
function versionOf(etag: string | undefined, bytes: number, key: string): string {
  if (etag) return `${etag.replace(/^W\//, '').replaceAll('"', '')}+${bytes}`;
  throw failure('archive-without-etag', 'transient', `${key} came without an ETag, so its version cannot be told`);
}

function listingError(what: string, url: string, error: unknown, nowMs: number): LakehouseError {
  // The SDK's errors carry the HTTP answer, when there was one.
  const { $metadata, $response } = error as {
    $metadata?: { httpStatusCode?: number };
    $response?: { headers?: Record<string, string> };
  };
  const status = $metadata?.httpStatusCode;
  if (status === undefined) {
    return failure(
      'archive-unreachable',
      'transient',
      `${what} could not be fetched from ${url}: ${reasonOf(error)}`,
      error,
    );
  }
  if (status < 300) {
    return failure('archive-truncated', 'transient', `${what} from ${url} cannot be read: ${reasonOf(error)}`, error);
  }
  if (status === 404) {
    return failure('archive-bucket', 'usage', `There is no bucket at ${url}`, error, {
      hint: 'listUrl is the endpoint followed by the bucket, e.g. https://s3-ap-northeast-1.amazonaws.com/data.binance.vision',
    });
  }
  return statusError(what, url, status, retryAfterMs($response?.headers?.['retry-after'], nowMs), error);
}

function statusError(
  what: string,
  where: string,
  status: number,
  retryAfter: number | undefined,
  cause?: unknown,
): LakehouseError {
  const said = `${what}: ${where} answered ${status}`;
  const wait = retryAfter === undefined ? {} : { retryAfterMs: retryAfter };
  if (status === 429 || status === 418) {
    const hint =
      status === 418 ? 'This address is banned for a while: ask less often (fewer downloads at once).' : undefined;
    return failure('archive-rate-limited', 'transient', `${said}: too many requests`, cause, { ...wait, hint });
  }
  if (status >= 500 || status === 408) return failure('archive-unavailable', 'transient', said, cause, wait);
  if (status === 451) {
    return failure('archive-blocked', 'usage', `${said}: not served at this location`, cause, {
      hint: 'Use a mirror: a local directory, or another baseUrl and listUrl.',
    });
  }
  if (status === 401 || status === 403) {
    return failure('archive-forbidden', 'usage', `${said}: access denied`, cause, {
      hint: 'The archive is read anonymously. Check the URL, or whether a proxy stands in between.',
    });
  }
  return failure('archive-status', 'usage', said, cause, { hint: 'Check baseUrl and listUrl.' });
}

function timedOut(what: string, timeoutMs: number, cause: unknown): LakehouseError {
  return failure('archive-timeout', 'transient', `${what} did not arrive within ${timeoutMs} ms`, cause);
}

function failure(
  code: string,
  kind: 'usage' | 'transient',
  message: string,
  cause?: unknown,
  more: { hint?: string | undefined; retryAfterMs?: number } = {},
): LakehouseError {
  return new LakehouseError(code, message, { kind, cause, ...more });
}

/** The innermost message: `fetch failed` alone tells nobody anything. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message || error.name : reasonOf(error.cause);
}

function bucketOf(listUrl: string): { endpoint: string; bucket: string } {
  const text = checkUrl('listUrl', listUrl);
  const at = text.lastIndexOf('/');
  if (at <= text.indexOf('://') + 2) {
    throw new LakehouseError('archive-url', `listUrl ${listUrl} names no bucket`, {
      hint: 'It is the endpoint followed by the bucket, e.g. https://s3-ap-northeast-1.amazonaws.com/data.binance.vision',
    });
  }
  return { endpoint: text.slice(0, at), bucket: text.slice(at + 1) };
}

/** The URL without final slashes. */
function checkUrl(name: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^https?:$/.test(url.protocol) && !url.search && !url.hash) return url.href.replace(/\/+$/, '');
  throw new LakehouseError('archive-url', `${name} must be an http or https URL without query, not '${text}'`);
}
