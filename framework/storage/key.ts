import { LakehouseError } from '../common/errors.ts';

/** First segment of no key: local stores keep unfinished files below it. */
export const STAGING = '.staging';

/** What both ext4/APFS/NTFS names and S3 keys can hold, so that a lake can move between stores. */
const MAX_SEGMENT_BYTES = 255;
const MAX_KEY_BYTES = 1024;

/** Orders keys as S3 lists them: by their UTF-8 bytes. */
export function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/**
 * Refuses whatever is not a plain relative path: empty, absolute, with `.`, `..` or empty segments, with a backslash or control
 * characters, ill-formed UTF-16, longer than a store can hold, or in the staging area.
 * @param inFront What the store puts in front of it.
 * @throws `bad-key` (usage).
 */
export function assertKey(key: string, inFront = ''): void {
  refuse('object key', key, problemOf(key, inFront));
}

/** Whether {@link assertKey} takes it. */
export function isKey(key: string): boolean {
  return problemOf(key) === undefined;
}

/** As {@link assertKey}, for what keys may start with: '' and an incomplete last segment are fine. */
export function assertPrefix(prefix: string): void {
  refuse('key prefix', prefix, problemOf(`${prefix}x`));
}

function refuse(what: string, text: string, problem: string | undefined): void {
  if (problem === undefined) return;
  throw new LakehouseError('bad-key', `The ${what} ${JSON.stringify(text)} ${problem}`, {
    hint: "A key is a relative path of names joined by '/', such as 'silver/klines/symbol=BTCUSDT/2020.parquet'.",
    details: { key: text },
  });
}

function problemOf(key: string, inFront = ''): string | undefined {
  if (key === '') return 'is empty';
  if (key.startsWith('/')) return "starts with '/'";
  if (key.includes('\\')) return 'contains a backslash';
  if (/\p{Cc}/u.test(key)) return 'contains a control character';
  if (!key.isWellFormed()) return 'is not well-formed Unicode';
  if (Buffer.byteLength(inFront + key) > MAX_KEY_BYTES) {
    return `is longer than ${MAX_KEY_BYTES} bytes${inFront === '' ? '' : ` with '${inFront}' in front of it`}`;
  }
  const segments = key.split('/');
  for (const segment of segments) {
    if (segment === '') return 'has an empty segment';
    if (segment === '.' || segment === '..') return `has the segment '${segment}'`;
    if (Buffer.byteLength(segment) > MAX_SEGMENT_BYTES) return `has a segment longer than ${MAX_SEGMENT_BYTES} bytes`;
  }
  // Ignoring case, because on some disks both spellings are one directory.
  return segments[0]?.toLowerCase() === STAGING ? `is in the staging area '${STAGING}'` : undefined;
}
