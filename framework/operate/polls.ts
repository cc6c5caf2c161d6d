import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { LakehouseError } from '../common/errors.ts';
import type { RuntimeContext } from '../define/model.ts';
import type { PollFunction } from '../define/sensor.ts';
import { encodeValue } from '../partition/terms.ts';

/** What a listing says of one file or object: another version under the same name is news as well. */
export interface ListedFile {
  readonly name: string;
  /** Any text that changes when the content does: an ETag, size and time. */
  readonly version?: string;
}

type Listing<T> = AsyncIterable<T> | Iterable<T> | Promise<Iterable<T>>;

/**
 * For a sensor: whether a listing is another one than at the last look. What it remembers is one hash, however long the listing is and
 * in whatever order it comes; which of the files are new is for the planner to find out. The first look requests nothing.
 * An empty listing after one that was not is an error: more likely the place is not there than that all is gone.
 */
export function newFiles(options: { readonly list: (context: RuntimeContext) => Listing<ListedFile> }): PollFunction {
  return async ({ cursor, ...context }) => {
    let count = 0;
    let sum = 0n;
    for await (const { name, version = '' } of await options.list(context)) {
      context.signal.throwIfAborted();
      count++;
      sum += BigInt(
        `0x${createHash('sha256')
          .update(JSON.stringify([name, version]))
          .digest('hex')}`,
      );
    }
    const now = `${count} ${BigInt.asUintN(256, sum).toString(16)}`;
    const before = Number(cursor?.split(' ', 1)[0] ?? 0);
    if (count === 0 && before > 0) throw emptyListing(before, 'files');
    const files = `${count} file${count === 1 ? '' : 's'}`;
    if (cursor === undefined) return { cursor: now, skip: `the first look: ${files}` };
    if (cursor === now) return { cursor, skip: `the same ${files}` };
    return {
      cursor: now,
      request: { reason: count === before ? `of ${files} some are others` : `${files}, ${before} before` },
    };
  };
}

function emptyListing(before: number, what: string): LakehouseError {
  return new LakehouseError('source-empty', `nothing is listed, but ${before} ${what} were there before`, {
    kind: 'transient',
    hint: 'Look whether the place that is listed is there.',
  });
}

/** The files below a directory, for {@link newFiles}. A hidden file or directory is left out: something may be writing it. */
export function filesIn(directory: string): () => AsyncGenerator<ListedFile> {
  return async function* () {
    for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      const name = relative(directory, path);
      if (!entry.isFile() || /(^|[\\/])\./.test(name)) continue;
      const found = await stat(path).catch(() => undefined);
      if (found) yield { name, version: `${found.size} ${found.mtimeMs}` };
    }
  };
}

/**
 * For a sensor: whether what an address gives is another thing than at the last look, by its ETag or Last-Modified; where the server
 * says neither, by its bytes (`GET` only). The first look requests nothing.
 */
export function httpChanged(options: {
  readonly url: string;
  /** Default `HEAD`. */
  readonly method?: 'HEAD' | 'GET';
  readonly headers?: Readonly<Record<string, string>>;
}): PollFunction {
  const { url, method = 'HEAD', headers = {} } = options;
  return async ({ cursor, signal }) => {
    const before = cursor === undefined ? undefined : (JSON.parse(cursor) as Seen);
    const response = await fetch(url, { method, headers: { ...conditions(before), ...headers }, signal });
    if (response.status === 304 && before) {
      await response.body?.cancel();
      return { cursor, skip: 'not modified' };
    }
    if (!response.ok) {
      await response.body?.cancel();
      throw new LakehouseError(
        'http-status',
        `${nameOf(url)} answered ${response.status} ${response.statusText}`.trim(),
        {
          kind: 'transient',
        },
      );
    }
    const seen = await seenIn(response, method, url);
    const now = JSON.stringify(seen);
    if (!before) return { cursor: now, skip: 'the first look' };
    if (seen.etag === before.etag && seen.modified === before.modified && seen.hash === before.hash)
      return { cursor: now, skip: 'not modified' };
    return { cursor: now, request: { reason: `${nameOf(url)} has changed` } };
  };
}

interface Seen {
  readonly etag?: string;
  readonly modified?: string;
  readonly hash?: string;
}

const conditions = (before: Seen | undefined): Record<string, string> => ({
  ...(before?.etag !== undefined && { 'if-none-match': before.etag }),
  ...(before?.etag === undefined && before?.modified !== undefined && { 'if-modified-since': before.modified }),
});

async function seenIn(response: Response, method: string, url: string): Promise<Seen> {
  const etag = response.headers.get('etag');
  const modified = response.headers.get('last-modified');
  if (etag !== null || modified !== null) {
    await response.body?.cancel();
    return etag !== null ? { etag } : { modified: modified ?? '' };
  }
  if (method === 'HEAD')
    throw new LakehouseError('http-no-version', `${nameOf(url)} says neither ETag nor Last-Modified`, {
      hint: "Write httpChanged({ method: 'GET', … }): then its bytes are compared.",
    });
  const hash = createHash('sha256');
  for await (const chunk of response.body ?? []) hash.update(chunk);
  return { hash: hash.digest('hex') };
}

/** An address without what may be a secret in it. */
function nameOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

/**
 * For a sensor: whether a dynamic dimension has values that it had not at the last look, say symbols that an exchange has listed
 * since. Requests these values only. The first look requests nothing; an empty listing after one that was not is an error.
 */
export function newValues(options: {
  /** Name of the dimension: `symbol`. */
  readonly dimension: string;
  readonly list: (context: RuntimeContext) => Listing<string>;
}): PollFunction {
  const { dimension } = options;
  return async ({ cursor, ...context }) => {
    const found = new Set<string>();
    for await (const value of await options.list(context)) {
      context.signal.throwIfAborted();
      found.add(value);
    }
    const values = [...found].sort();
    const before = cursor === undefined ? undefined : new Set(JSON.parse(cursor) as readonly string[]);
    if (before && before.size > 0 && values.length === 0) throw emptyListing(before.size, `values of ${dimension}`);
    const now = JSON.stringify(values);
    const fresh = values.filter((value) => !before?.has(value));
    if (!before) return { cursor: now, skip: `the first look: ${values.length} of ${dimension}` };
    if (fresh.length === 0) return { cursor: now, skip: `no new ${dimension}` };
    const named = fresh.length > 5 ? `${fresh.slice(0, 5).join(', ')} and ${fresh.length - 5} more` : fresh.join(', ');
    return {
      cursor: now,
      request: { partitions: `${dimension}=${fresh.map(encodeValue).join('|')}`, reason: `new ${dimension}: ${named}` },
    };
  };
}
