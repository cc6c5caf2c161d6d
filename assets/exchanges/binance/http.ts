import type { ListObjectsV2CommandOutput, S3Client } from '@aws-sdk/client-s3';
import { LakehouseError } from 'crypto-lakehouse';
import { type ArchiveCall, type ArchiveClient, type ArchiveObject, compareKeys } from './archive.ts';
import { download } from './download.ts';
import { failure, reasonOf, retryAfterMs, statusError, timedOut } from './failures.ts';

export interface HttpArchiveOptions {
  /** Objects are at `<baseUrl>/<key>`, e.g. `https://data.binance.vision`. */
  readonly baseUrl: string;
  /** The S3 bucket that lists them, path style, e.g. `https://s3-ap-northeast-1.amazonaws.com/data.binance.vision`. */
  readonly listUrl: string;
  /** Limit for one request, body included, in milliseconds. What of a large body has arrived by then is kept, and the rest asked for. */
  readonly timeoutMs: number;
  /** The clock, milliseconds since 1970 UTC: needed for a Retry-After that is a date. */
  readonly now: () => number;
}

/**
 * The archive over HTTP, anonymous. One attempt per `get` (retries belong to the caller, errors say whether to), which goes on where a
 * body broke off if the server can; the S3 SDK tries each page of a listing up to three times.
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
  ): AsyncGenerator<Pick<ListObjectsV2CommandOutput, 'Contents' | 'CommonPrefixes'>> {
    // Imported when first needed: the SDK costs about 100 ms, and most commands never list.
    const { S3Client, ListObjectsCommand, ListObjectsV2Command } = await import('@aws-sdk/client-s3');
    client ??= new S3Client({
      endpoint,
      region: 'us-east-1', // never used: nothing is signed, and the endpoint is given
      forcePathStyle: true,
      maxAttempts: 3,
      credentials: { accessKeyId: '', secretAccessKey: '' },
      signer: { sign: async (request) => request },
    });
    const what = `The listing of ${input.Prefix || 'everything'}`;
    const { Prefix, Delimiter, StartAfter } = input;
    let ContinuationToken: string | undefined;
    // Of a bucket that knows the first version of the protocol only: the key after which a page begins.
    let Marker: string | undefined;
    for (;;) {
      onRequest?.();
      const timeout = AbortSignal.timeout(timeoutMs);
      const abortSignal = outer ? AbortSignal.any([outer, timeout]) : timeout;
      const answer =
        Marker === undefined
          ? client.send(new ListObjectsV2Command({ Bucket: bucket, ...input, ContinuationToken }), { abortSignal })
          : client.send(new ListObjectsCommand({ Bucket: bucket, Prefix, Delimiter, Marker }), { abortSignal });
      const page: Partial<ListObjectsV2CommandOutput> = await answer.catch((error: unknown) => {
        outer?.throwIfAborted();
        if (timeout.aborted) throw timedOut(what, timeoutMs, error);
        throw listingError(what, options.listUrl, error, now());
      });
      // Version 2 always counts its keys.
      const isFirstVersion = page.KeyCount === undefined;
      if (isFirstVersion && Marker === undefined && StartAfter !== undefined) {
        Marker = StartAfter; // which was not understood
        continue;
      }
      yield page;
      if (!page.IsTruncated) return;
      if (isFirstVersion) Marker = lastOf(page);
      else ContinuationToken = page.NextContinuationToken;
      if ((isFirstVersion ? Marker : ContinuationToken) === undefined) {
        throw failure('archive-truncated', 'transient', `${what} is cut short without saying how it goes on`);
      }
    }
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
    get: async (key, { signal } = {}) => {
      const url = `${base}/${key.split('/').map(encodeURIComponent).join('/')}`;
      const { etag, ...content } = await download({ key, url, base, timeoutMs, now, signal });
      return { ...content, version: versionOf(etag, content.bytes.length, key) };
    },
  };
}

/** After what the next page of the first version begins: the last key or prefix of this one. */
function lastOf({ Contents = [], CommonPrefixes = [] }: Partial<ListObjectsV2CommandOutput>): string | undefined {
  const names = [...Contents.map(({ Key }) => Key), ...CommonPrefixes.map(({ Prefix }) => Prefix)];
  return names
    .filter((name) => name !== undefined)
    .sort(compareKeys)
    .at(-1);
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
