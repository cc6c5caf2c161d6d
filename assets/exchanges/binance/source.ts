import {
  inflateMember,
  isLakehouseError,
  LakehouseError,
  type Observation,
  type ObserveContext,
  type PartitionContext,
  type RuntimeContext,
  readSingleMember,
  source,
} from 'crypto-lakehouse';
import { date, exchange, interval, market, month, symbol } from '../../dimensions.ts';
import { candleAsset } from '../../klines.ts';
import { type ArchiveClient, type ArchiveObject, fetchVerified, type VerifiedContent } from './archive.ts';
import {
  asInterval,
  type Cadence,
  checksumKey,
  checksummedKey,
  klinesKey,
  klinesPrefix,
  markets,
  parseKlinesKey,
} from './layout.ts';
import type { BinanceResource } from './resource.ts';

const described = {
  ...candleAsset,
  kinds: ['archive', 'zip'],
} as const;

export const binanceKlinesDaily = source('binance/klines_daily_archive', {
  ...described,
  description:
    "Binance's public archive of candles, one zip per day. Normally there the next morning, sometimes days later, and changed at times without notice.",
  partitions: { exchange, market, symbol, interval, date },
  publicationLagHours: 48,
  liveForDays: 30,
  observe: (context) => observeKlines(context, 'daily'),
  read: (context) => readKlines(context, 'daily'),
});

export const binanceKlinesMonthly = source('binance/klines_monthly_archive', {
  ...described,
  description:
    "Binance's public archive of candles, one zip per month, published in the first three weeks of the next.",
  partitions: { exchange, market, symbol, interval, month },
  publicationLagHours: 24 * 20,
  // The newest month of a living series ended up to 31 + 20 days ago.
  liveForDays: 60,
  observe: (context) => observeKlines(context, 'monthly'),
  read: (context) => readKlines(context, 'monthly'),
});

function resourceOf(context: RuntimeContext): BinanceResource & { readonly client: ArchiveClient } {
  const binance = context.resources.binance as BinanceResource | undefined;
  if (!binance) throw new LakehouseError('no-resource', "There is no resource 'binance'", { kind: 'internal' });
  return { ...binance, client: binance.archive(context.now) };
}

/** A version of the zip and its CHECKSUM together: a CHECKSUM that is corrected makes the file worth another try. */
const versionOf = (zip: string, checksum: string | undefined): string =>
  checksum === undefined ? zip : `${zip} checksum ${checksum}`;

/** Lists the wanted files of all wanted series. The listing gives versions; no object is opened. */
async function* observeKlines(context: ObserveContext, cadence: Cadence): AsyncGenerator<Observation> {
  const { client, start, concurrency } = resourceOf(context);
  const { wants, signal } = context;
  if (!wants('exchange', 'binance')) return;
  const intervals = interval.values.filter((value) => wants('interval', value));
  for (const market of markets.filter((value) => wants('market', value))) {
    const root = klinesPrefix({ market, cadence });
    const folders = await client.listPrefixes(root, { signal });
    const symbols = folders.map((folder) => folder.slice(root.length, -1)).filter((value) => wants('symbol', value));
    const series = symbols.flatMap((symbol) => intervals.map((interval) => ({ market, cadence, symbol, interval })));
    yield* inOrder(series, concurrency, async (of) => {
      const prefix = klinesPrefix(of);
      const first = `${prefix}${of.symbol}-${of.interval}-${cadence === 'daily' ? start : start.slice(0, 7)}`;
      const objects: ArchiveObject[] = [];
      for await (const object of client.list(prefix, { signal, startAfter: first })) objects.push(object);
      return observations(objects, cadence);
    });
  }
}

function observations(objects: readonly ArchiveObject[], cadence: Cadence): Observation[] {
  const checksums = new Map(objects.map(({ key, version }) => [checksummedKey(key), version]));
  return objects.flatMap(({ key, version, bytes }) => {
    const klines = parseKlinesKey(key);
    if (!klines) return [];
    const { market, symbol, interval, period } = klines;
    const time = cadence === 'daily' ? { date: period } : { month: period };
    return {
      partition: { exchange: 'binance', market, symbol, interval, ...time },
      version: versionOf(version, checksums.get(key)),
      bytes,
    };
  });
}

/** Calls `list` for up to `limit` items at once and yields what they give, item by item in their order. */
async function* inOrder<TItem, TResult>(
  items: readonly TItem[],
  limit: number,
  list: (item: TItem) => Promise<readonly TResult[]>,
): AsyncGenerator<TResult> {
  const running: Promise<readonly TResult[]>[] = [];
  for (let next = 0; next < items.length || running.length > 0; ) {
    for (const item of items.slice(next, next + limit - running.length)) {
      const result = list(item);
      result.catch(() => {}); // thrown where it is awaited; until then another may have failed first
      running.push(result);
      next += 1;
    }
    yield* (await running.shift()) ?? [];
  }
}

async function readKlines(
  context: RuntimeContext & { readonly partition: Pick<PartitionContext, 'key' | 'values'> },
  cadence: Cadence,
): Promise<{ bytes: Uint8Array; version: string }> {
  const { client } = resourceOf(context);
  const { symbol = '', interval = '', date, month, ...values } = context.partition.values;
  const market = markets.find((known) => known === values.market);
  if (!market)
    throw new LakehouseError('unknown-market', `There is no market '${values.market}'`, { kind: 'internal' });
  const period = (cadence === 'daily' ? date : month) ?? '';
  const key = klinesKey({ market, cadence, symbol, interval: asInterval(interval), period });
  const content = await fetchConsistent(client, key, context.signal);
  checkZip(content.bytes, key);
  return { bytes: content.bytes, version: versionOf(content.version, content.checksumVersion) };
}

/**
 * `fetchVerified`, which tells a file that is wrong from one that is being replaced: a cache may still serve the old zip or
 * the old CHECKSUM, and a mismatch between the two then says nothing about the data.
 * @throws LakehouseError `archive-behind-listing`, transient; and those of `fetchVerified`.
 */
async function fetchConsistent(client: ArchiveClient, key: string, signal: AbortSignal): Promise<VerifiedContent> {
  try {
    return await fetchVerified(client, key, { signal });
  } catch (error) {
    if (!isLakehouseError(error) || error.code !== 'checksum-mismatch') throw error;
    const listed = new Map<string, string>();
    for await (const object of client.list(key, { signal })) listed.set(object.key, object.version);
    for (const object of [key, checksumKey(key)]) {
      const { version } = await client.get(object, { signal });
      if (version === listed.get(object)) continue;
      throw new LakehouseError(
        'archive-behind-listing',
        `${object} is not served as it is listed, and ${error.message}`,
        {
          kind: 'transient',
          hint: 'It was replaced a short time ago. It is tried again.',
          cause: error,
        },
      );
    }
    return await fetchVerified(client, key, { signal });
  }
}

/** The zip must be what the archive's zips are: one sound member, named like the zip. */
function checkZip(bytes: Uint8Array, key: string): void {
  const member = readSingleMember(bytes, key);
  const expected = key.slice(key.lastIndexOf('/') + 1).replace(/\.zip$/, '.csv');
  if (member.name !== expected) {
    throw new LakehouseError('zip-member-name', `${key} holds ${JSON.stringify(member.name)}, not ${expected}`, {
      kind: 'data',
      hint: 'It may be the file of another symbol or day. It is tried again when the archive changes it.',
    });
  }
  inflateMember(member);
}
