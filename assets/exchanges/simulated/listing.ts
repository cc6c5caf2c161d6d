import { compareKeys } from '../binance/archive.ts';
import type { SimulatedArchive } from './archive.ts';

/** What is asked of an S3 listing, version 1 (`marker`) or 2. */
export interface ListingRequest {
  readonly version: 1 | 2;
  readonly prefix: string;
  readonly delimiter: string;
  readonly maxKeys: number;
  /** Version 1: marker. Version 2: start-after. */
  readonly after: string;
  /** Version 2 only: the opaque token of the page before. */
  readonly token: string | undefined;
}

export function listingRequest(query: URLSearchParams): ListingRequest {
  const version = query.get('list-type') === '2' ? 2 : 1;
  return {
    version,
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') ?? '',
    maxKeys: Math.min(1000, Number(query.get('max-keys') ?? 1000)),
    after: query.get(version === 2 ? 'start-after' : 'marker') ?? '',
    token: query.get('continuation-token') ?? undefined,
  };
}

export interface ListingPage {
  readonly keys: readonly string[];
  readonly commonPrefixes: readonly string[];
  /** The last key or prefix of this page, when there are more. */
  readonly next: string | undefined;
}

/** One page of sorted keys as S3 cuts it: keys and common prefixes count alike towards the limit. */
export function listingPage(sorted: readonly string[], request: ListingRequest): ListingPage {
  const { prefix, delimiter, maxKeys } = request;
  const after = request.token === undefined ? request.after : Buffer.from(request.token, 'base64url').toString();
  const keys: string[] = [];
  const commonPrefixes: string[] = [];
  /** Index of the first key from `from` on that is past everything under a prefix. */
  const past = (under: string, from: number): number =>
    firstIndex(sorted, from, (key) => compareKeys(key, under) > 0 && !key.startsWith(under));

  let i = firstIndex(sorted, 0, (key) => compareKeys(key, prefix) >= 0 && compareKeys(key, after) > 0);
  // A common prefix of the page before stands for all that is under it. The prefix asked for is none: it may be a key itself.
  const isCommonPrefix =
    delimiter !== '' &&
    after.length > prefix.length &&
    after.startsWith(prefix) &&
    after.indexOf(delimiter, prefix.length) === after.length - delimiter.length;
  if (isCommonPrefix) i = past(after, i);
  let last: string | undefined;
  while (i < sorted.length) {
    const key = sorted[i] as string;
    if (!key.startsWith(prefix)) break;
    if (keys.length + commonPrefixes.length === maxKeys) return { keys, commonPrefixes, next: last };
    const cut = delimiter ? key.indexOf(delimiter, prefix.length) : -1;
    if (cut === -1) {
      keys.push(key);
      last = key;
      i++;
    } else {
      last = key.slice(0, cut + delimiter.length);
      commonPrefixes.push(last);
      i = past(last, i);
    }
  }
  return { keys, commonPrefixes, next: undefined };
}

/** A page as S3 writes it. */
export function listingXml(
  archive: Pick<SimulatedArchive, 'head'>,
  bucket: string,
  request: ListingRequest,
  page: ListingPage,
): string {
  const tag = (name: string, value: string | number | boolean): string =>
    `<${name}>${escapeXml(String(value))}</${name}>`;
  const contents = page.keys.map((key) => {
    const head = archive.head(key);
    if (head === undefined) return '';
    const modified = new Date(head.modifiedMs).toISOString();
    return `<Contents>${tag('Key', key)}${tag('LastModified', modified)}${tag('ETag', `"${head.etag}"`)}${tag('Size', head.bytes)}<StorageClass>STANDARD</StorageClass></Contents>`;
  });
  const prefixes = page.commonPrefixes.map((p) => `<CommonPrefixes>${tag('Prefix', p)}</CommonPrefixes>`);
  const token = request.token;
  const asked =
    request.version === 2
      ? [
          tag('KeyCount', page.keys.length + page.commonPrefixes.length),
          request.after && tag('StartAfter', request.after),
          token !== undefined && tag('ContinuationToken', token),
        ]
      : [tag('Marker', request.after)];
  // Version 1 names the next marker only where there is a delimiter; otherwise it is the last key.
  const next =
    page.next !== undefined &&
    (request.version === 2
      ? tag('NextContinuationToken', Buffer.from(page.next).toString('base64url'))
      : request.delimiter && tag('NextMarker', page.next));
  return [
    '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">',
    tag('Name', bucket),
    tag('Prefix', request.prefix),
    ...asked,
    tag('MaxKeys', request.maxKeys),
    request.delimiter && tag('Delimiter', request.delimiter),
    tag('IsTruncated', page.next !== undefined),
    next,
    ...contents,
    ...prefixes,
    '</ListBucketResult>',
  ]
    .filter((part) => typeof part === 'string')
    .join('');
}

export function errorXml(code: string, message: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${escapeXml(message)}</Message></Error>`;
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (c) => `&${{ '&': 'amp', '<': 'lt', '>': 'gt' }[c] ?? 'quot'};`);
}

/** Binary search: the first index, from `from` on, where the monotone test holds. */
function firstIndex(sorted: readonly string[], from: number, test: (key: string) => boolean): number {
  let [low, high] = [from, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (test(sorted[middle] as string)) high = middle;
    else low = middle + 1;
  }
  return low;
}
