import { createHash } from 'node:crypto';
import { inflateMember, LakehouseError, readSingleMember, writeZip } from 'crypto-lakehouse';
import { compareKeys } from '../binance/archive.ts';
import { sha256Of } from '../binance/checksum.ts';
import {
  type ArchiveFile,
  checksumKey,
  checksummedKey,
  type FixedInterval,
  intervalMs,
  klinesKey,
  type Market,
} from '../binance/layout.ts';
import { aggregateKlines, DAY_MS, MINUTE_MS, minuteKlines } from './prices.ts';
import { hasHeader, KLINES_HEADER, klinesText } from './text.ts';

/** A symbol that the simulated exchange lists. */
export interface SimulatedListing {
  readonly market: Market;
  readonly symbol: string;
  /** About where its price moves. */
  readonly price?: number;
  /** When it is listed: UTC days, both ends included; several ranges for one that was relisted. Always, when not given. */
  readonly days?: readonly { readonly from?: string; readonly to?: string }[];
}

export interface SimulatedArchiveOptions {
  /** Everything follows from it: the same options and the same mutations give the same bytes. */
  readonly seed: string;
  readonly listings: readonly SimulatedListing[];
  /** Intervals of 1m up to 1d. */
  readonly intervals: readonly FixedInterval[];
  /** First and last published UTC day, both included: `2024-01-31`. */
  readonly from: string;
  readonly to: string;
  /** Whether months that are over are also published as monthly files. Default true. */
  readonly monthlyPublished?: boolean;
  /** Whether some days have missing minutes. Default true. */
  readonly outages?: boolean;
}

export interface SimulatedHead {
  /** Size in bytes. */
  readonly bytes: number;
  /** MD5 in hex, as S3 has it, without quotes. */
  readonly etag: string;
  readonly modifiedMs: number;
}

export type Republication =
  /** The same CSV in a zip of another time. */
  | { readonly sameRowsOtherBytes: true }
  /** Another CSV (its CHECKSUM follows). */
  | { readonly csv: string }
  /** Another object altogether (its CHECKSUM follows). */
  | { readonly bytes: Uint8Array };

/** The objects of a simulated exchange's archive, made when asked for. */
export interface SimulatedArchive {
  /** All keys in the order of a listing. */
  keys(): readonly string[];
  /** Undefined when there is no such object. */
  head(key: string): SimulatedHead | undefined;
  body(key: string): Uint8Array | undefined;
  /** The CSV text in a zip. */
  csv(key: string): string;
  /** Publishes an object anew, with a later time; brings back a removed one. */
  republish(key: string, change: Republication): void;
  /** Takes away exactly this object (a zip's CHECKSUM stays unless removed too). */
  remove(key: string): void;
  /** Undoes `remove`, `republish` and `corrupt`: the object is again what it was at first. */
  restore(key: string): void;
  /** Flips a bit in the middle of a zip. Its CHECKSUM stays that of the sound zip, or follows (then only the CRC tells). */
  corrupt(key: string, checksum?: 'stays' | 'follows'): void;
  /** Publishes the next day: returns it, e.g. `2024-02-01`. */
  addDay(): string;
  publishMonthly(published: boolean): void;
}

/** What was done to an object since the archive was made. */
interface Change {
  readonly revision: number;
  readonly removed?: boolean;
  readonly csv?: string;
  readonly bytes?: Uint8Array;
  readonly corrupt?: 'stays' | 'follows';
}

interface Source {
  readonly object: ArchiveFile;
  readonly listing: SimulatedListing;
  readonly interval: FixedInterval;
  readonly days: readonly number[];
}

/** Deflating fast matters more here than deflating small; real files are about a tenth smaller. */
const LEVEL = 1;
/** Bodies are made again rather than kept beyond this. */
const CACHE_BYTES = 128 * 1024 * 1024;
const HOUR_MS = 60 * MINUTE_MS;

export function simulatedArchive(options: SimulatedArchiveOptions): SimulatedArchive {
  const first = dayOf(options.from);
  let last = dayOf(options.to);
  let monthly = options.monthlyPublished ?? true;
  checkIntervals(options.intervals);

  const changes = new Map<string, Change>();
  const heads = new Map<string, SimulatedHead>();
  const bodies = new Map<string, Uint8Array>();
  let cachedBytes = 0;
  let sources = findSources();
  let keys: string[] | undefined;

  function findSources(): Map<string, Source> {
    const found = new Map<string, Source>();
    const add = (listing: SimulatedListing, cadence: ArchiveFile['cadence'], period: string, days: number[]): void => {
      for (const interval of options.intervals) {
        const object: ArchiveFile = {
          type: 'klines',
          market: listing.market,
          cadence,
          symbol: listing.symbol,
          interval,
          period,
        };
        found.set(klinesKey(object), { object, listing, interval, days });
      }
    };
    for (const listing of options.listings) {
      const months = new Map<string, number[]>();
      for (let day = first; day <= last; day++) {
        if (!isListed(listing, day)) continue;
        const date = dateOf(day);
        add(listing, 'daily', date, [day]);
        const month = months.get(date.slice(0, 7));
        if (month) month.push(day);
        else months.set(date.slice(0, 7), [day]);
      }
      for (const [month, days] of monthly ? months : []) {
        if (monthEnd(month) <= last) add(listing, 'monthly', month, days);
      }
    }
    return found;
  }

  function change(key: string, what: Omit<Change, 'revision'>): void {
    if (sources.get(checksummedKey(key) ?? key) === undefined) {
      throw new LakehouseError('simulated-key', `The simulated archive never had ${key}`);
    }
    changes.set(key, { ...what, revision: (changes.get(key)?.revision ?? 0) + 1 });
    forget(key);
  }

  function forget(key: string): void {
    keys = undefined;
    for (const stale of [key, checksumKey(key)]) {
      heads.delete(stale);
      cachedBytes -= bodies.get(stale)?.length ?? 0;
      bodies.delete(stale);
    }
  }

  const exists = (key: string): boolean =>
    sources.has(checksummedKey(key) ?? key) && changes.get(key)?.removed !== true;

  const publishedMs = (key: string): number => {
    const of = checksummedKey(key) ?? key;
    const { days = [], object } = sources.get(of) ?? {};
    const revisions = [...new Set([key, of])].reduce((sum, k) => sum + (changes.get(k)?.revision ?? 0), 0);
    // Days appear the next morning, months a day later; every change is a day later than the one before.
    const daysLater = (object?.cadence === 'monthly' ? 2 : 1) + revisions;
    return ((days.at(-1) ?? 0) + daysLater) * DAY_MS + 8 * HOUR_MS;
  };

  function text({ object, listing, interval, days }: Source): Uint8Array {
    const rows = days.map((day) => {
      const minutes = minuteKlines({ ...listing, seed: options.seed, outages: options.outages }, day);
      const klines = interval === '1m' ? minutes : aggregateKlines(minutes, intervalMs(interval));
      return klinesText(klines, object.market, interval, day);
    });
    return Buffer.concat(hasHeader(object.market, days.at(-1) ?? 0) ? [Buffer.from(KLINES_HEADER), ...rows] : rows);
  }

  function sound(key: string, source: Source): Uint8Array {
    const { bytes, csv } = changes.get(key) ?? {};
    if (bytes) return bytes;
    const name = key.slice(key.lastIndexOf('/') + 1).replace(/\.zip$/, '.csv');
    const content = csv === undefined ? text(source) : Buffer.from(csv);
    return writeZip(name, content, { modified: new Date(publishedMs(key)), level: LEVEL });
  }

  function make(key: string): Uint8Array {
    const of = checksummedKey(key) ?? key;
    const source = sources.get(of);
    if (source === undefined) throw new LakehouseError('simulated-key', `No ${key}`, { kind: 'internal' });
    if (of === key) return changes.get(key)?.corrupt ? flipBit(sound(key, source)) : sound(key, source);
    const own = changes.get(key)?.bytes;
    if (own) return own;
    const published = changes.get(of)?.corrupt === 'stays' ? undefined : body(of);
    const hash = sha256Of(published ?? sound(of, source));
    const end = source.object.market === 'spot' ? '' : '\n';
    return Buffer.from(`${hash}  ${of.slice(of.lastIndexOf('/') + 1)}${end}`);
  }

  function body(key: string): Uint8Array | undefined {
    if (!exists(key)) return undefined;
    const known = bodies.get(key);
    if (known) return known;
    const bytes = make(key);
    bodies.set(key, bytes);
    cachedBytes += bytes.length;
    for (const [oldest, { length }] of bodies) {
      if (cachedBytes <= CACHE_BYTES) break;
      bodies.delete(oldest);
      cachedBytes -= length;
    }
    return bytes;
  }

  return {
    body,
    keys: () => {
      keys ??= [...sources.keys()]
        .flatMap((key) => [key, checksumKey(key)])
        .filter(exists)
        .sort(compareKeys);
      return keys;
    },
    head: (key) => {
      const known = heads.get(key);
      if (known) return known;
      const bytes = body(key);
      if (bytes === undefined) return undefined;
      const etag = createHash('md5').update(bytes).digest('hex');
      const head = { bytes: bytes.length, etag, modifiedMs: publishedMs(key) };
      heads.set(key, head);
      return head;
    },
    csv: (key) => {
      const bytes = body(key);
      if (bytes === undefined) throw new LakehouseError('simulated-key', `There is no ${key} in the simulated archive`);
      return new TextDecoder().decode(inflateMember(readSingleMember(bytes, key)));
    },
    republish: (key, how) => {
      const csv = changes.get(key)?.csv;
      change(key, 'sameRowsOtherBytes' in how ? (csv === undefined ? {} : { csv }) : how);
    },
    remove: (key) => change(key, { ...changes.get(key), removed: true }),
    restore: (key) => {
      changes.delete(key);
      forget(key);
    },
    corrupt: (key, checksum = 'stays') => change(key, { ...changes.get(key), corrupt: checksum }),
    addDay: () => {
      last += 1;
      sources = findSources();
      keys = undefined;
      return dateOf(last);
    },
    publishMonthly: (published) => {
      monthly = published;
      sources = findSources();
      keys = undefined;
    },
  };
}

/** Days since 1970 of a date like `2024-01-31`. */
export function dayOf(date: string): number {
  const ms = /^\d{4}-\d\d-\d\d$/.test(date) ? Date.parse(`${date}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(ms) || dateOf(ms / DAY_MS) !== date) {
    throw new LakehouseError('simulated-date', `'${date}' is not a date like 2024-01-31`);
  }
  return ms / DAY_MS;
}

function dateOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** The last day of a month like `2024-01`. */
function monthEnd(month: string): number {
  const [year = 0, number = 0] = month.split('-').map(Number);
  return Date.UTC(year, number, 0) / DAY_MS;
}

/** Whether a symbol is listed on a day, counted from 1970. */
export function isListed(listing: SimulatedListing, day: number): boolean {
  const days = listing.days ?? [{}];
  return days.some(({ from, to }) => (!from || day >= dayOf(from)) && (!to || day <= dayOf(to)));
}

function checkIntervals(intervals: readonly FixedInterval[]): void {
  for (const interval of intervals) {
    const length = intervalMs(interval);
    if (length >= MINUTE_MS && DAY_MS % length === 0) continue;
    throw new LakehouseError('simulated-interval', `The simulated exchange has no ${interval} candles`, {
      hint: 'It has intervals from 1m to 1d.',
    });
  }
}

function flipBit(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  const middle = copy.length >> 1;
  copy[middle] = (copy[middle] ?? 0) ^ 1;
  return copy;
}
