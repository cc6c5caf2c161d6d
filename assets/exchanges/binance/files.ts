import {
  isLakehouseError,
  LakehouseError,
  type Observation,
  type ObserveContext,
  type PartitionContext,
  type RuntimeContext,
  readSingleMember,
  verifyMember,
} from 'crypto-lakehouse';
import {
  type ArchiveClient,
  type ArchiveObject,
  fetchPair,
  fetchVerified,
  proved,
  type VerifiedContent,
} from './archive.ts';
import {
  type ArchiveFile,
  type ArchiveType,
  type ArchiveTypeName,
  archiveKey,
  archivePrefix,
  archiveStem,
  archiveTypes,
  asInterval,
  type Cadence,
  checksumKey,
  checksummedKey,
  hasDailyFiles,
  intervals,
  parseArchiveKey,
} from './layout.ts';
import { type BinanceResource, wantsOf } from './resource.ts';

/** Which of the archive's zips: `symbol`, `interval` (where the type has them) and `date` or `month` are dimensions of that name. */
export interface ArchiveFiles {
  readonly type: ArchiveTypeName;
  readonly cadence: Cadence;
  /** Of candles: those longer than a day, which are assets of their own; else the others. */
  readonly long?: boolean;
}

/**
 * What makes a source of the archive's zips of one type: `source(key, { ...archiveFiles({ type, cadence }), description, partitions })`.
 * Its dimensions are `exchange`, `market`, `symbol`, for types with intervals `interval`, and `date` (daily) or `month` (monthly).
 */
export const archiveFiles = (of: ArchiveFiles) => ({
  kinds: ['archive', 'zip'],
  // Daily files are normally there 48 hours after the day, monthly ones in the first three weeks of the next month.
  publicationLagHours: of.cadence === 'daily' ? 48 : 24 * 20,
  // The newest month of a living series ended up to 31 + 20 days ago.
  liveForDays: of.cadence === 'daily' ? 30 : 60,
  wanted: (resources: Readonly<Record<string, unknown>>) => wantsFiles(resources, of),
  auditOf: (resources: Readonly<Record<string, unknown>>) => (resources.binance as BinanceResource).start,
  observe: (context: ObserveContext) => observeFiles(context, of),
  read: (context: RuntimeContext & { readonly partition: Pick<PartitionContext, 'values'> }) => readFile(context, of),
});

function resourceOf(context: RuntimeContext): BinanceResource & { readonly client: ArchiveClient } {
  const binance = context.resources.binance as BinanceResource | undefined;
  if (!binance) throw new LakehouseError('no-resource', "There is no resource 'binance'", { kind: 'internal' });
  return { ...binance, client: binance.archive(context.now) };
}

/** A version of the zip and its CHECKSUM together: a CHECKSUM that is corrected makes the file worth another try. */
const versionOf = (zip: string, checksum: string | undefined): string =>
  checksum === undefined ? zip : `${zip} checksum ${checksum}`;

/** Whether the settings want this type, of any market and interval that it has. */
function wantsFiles(resources: Readonly<Record<string, unknown>>, of: ArchiveFiles): boolean {
  const binance = resources.binance as BinanceResource | undefined;
  const { dataType, markets, byInterval }: ArchiveType = archiveTypes[of.type];
  if (!binance?.dataTypes.includes(dataType)) return false;
  const wants = binance.wants ?? (() => true);
  return (
    markets.some((market) => wants('market', market)) &&
    (!byInterval || intervalsOf(of).some((interval) => wants('interval', interval)))
  );
}

const intervalsOf = ({ long }: ArchiveFiles) => intervals.filter((value) => hasDailyFiles(value) !== (long ?? false));

/** Lists the wanted files of all wanted series. The listing gives versions; no object is opened. */
async function* observeFiles(context: ObserveContext, of: ArchiveFiles): AsyncGenerator<Observation> {
  const { client, start, concurrency } = resourceOf(context);
  const { signal, mode, known, listsFrom, request } = context;
  const wants = wantsOf(context);
  const asked = { signal, onRequest: request };
  if (!wants('exchange', 'binance')) return;
  const type: ArchiveType = archiveTypes[of.type];
  const wanted = type.byInterval ? intervalsOf(of).filter((value) => wants('interval', value)) : [undefined];
  if (wanted.length === 0) return;
  for (const market of type.markets.filter((value) => wants('market', value))) {
    const root = archivePrefix({ ...of, market });
    const folders = await client.listPrefixes(root, asked);
    const symbols = folders.map((folder) => folder.slice(root.length, -1)).filter((value) => wants('symbol', value));
    const series = symbols.flatMap((symbol) => wanted.map((interval) => ({ ...of, market, symbol, interval })));
    yield* inOrder(series, concurrency, async (one) => {
      const prefix = archivePrefix(one);
      const before = known(seriesOf(one));
      // In full where that is one page anyway; what is new otherwise, and the newest once more.
      const since = mode === 'head' && before && before.count > ONE_PAGE ? before.newest : undefined;
      if (since !== undefined) listsFrom(seriesOf(one), since);
      const first = `${prefix}${archiveStem(one)}${since ?? (of.cadence === 'daily' ? start : start.slice(0, 7))}`;
      const objects: ArchiveObject[] = [];
      for await (const object of client.list(prefix, { ...asked, startAfter: first })) objects.push(object);
      return observations(objects);
    });
  }
}

/** A page of a listing has 1,000 objects: a zip and its CHECKSUM each. */
const ONE_PAGE = 450;

const seriesOf = ({ market, symbol, interval }: Pick<ArchiveFile, 'market' | 'symbol' | 'interval'>) => ({
  exchange: 'binance',
  market,
  symbol,
  ...(interval !== undefined && { interval }),
});

function observations(objects: readonly ArchiveObject[]): Observation[] {
  const checksums = new Map(objects.map(({ key, version }) => [checksummedKey(key), version]));
  return objects.flatMap(({ key, version, bytes }) => {
    const file = parseArchiveKey(key);
    if (!file) return [];
    const { market, symbol, interval, cadence, period } = file;
    return {
      partition: {
        ...seriesOf({ market, symbol, interval }),
        ...(cadence === 'daily' ? { date: period } : { month: period }),
      },
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

async function readFile(
  context: RuntimeContext & { readonly partition: Pick<PartitionContext, 'values'> },
  of: ArchiveFiles,
): Promise<{ bytes: Uint8Array; version: string }> {
  const { client } = resourceOf(context);
  const { symbol = '', interval, date, month, ...values } = context.partition.values;
  const market = archiveTypes[of.type].markets.find((known) => known === values.market);
  if (!market) {
    throw new LakehouseError('unknown-market', `There is no ${of.type} of market '${values.market}'`, {
      kind: 'internal',
    });
  }
  const period = (of.cadence === 'daily' ? date : month) ?? '';
  const key = archiveKey({
    ...of,
    market,
    symbol,
    interval: interval === undefined ? undefined : asInterval(interval),
    period,
  });
  const content = await fetchConsistent(client, key, context.signal);
  await checkZip(content.bytes, key);
  return { bytes: content.bytes, version: versionOf(content.version, content.checksumVersion) };
}

/**
 * `fetchVerified`, which tells a file that is wrong from one that is being replaced: a cache may still serve the old zip or
 * the old CHECKSUM, and a mismatch between the two then says nothing about the data.
 * @throws LakehouseError `archive-behind-listing`, transient; and those of `fetchVerified`.
 */
async function fetchConsistent(client: ArchiveClient, key: string, signal: AbortSignal): Promise<VerifiedContent> {
  const pair = await fetchPair(client, key, { signal });
  try {
    return proved(pair);
  } catch (error) {
    if (!isLakehouseError(error) || error.code !== 'checksum-mismatch') throw error;
    const listed = new Map<string, string>();
    for await (const object of client.list(key, { signal })) listed.set(object.key, object.version);
    const fetched = { [key]: pair.content.version, [checksumKey(key)]: pair.checksum?.version };
    const behind = Object.keys(fetched).find((object) => fetched[object] !== listed.get(object));
    if (behind !== undefined) {
      throw new LakehouseError(
        'archive-behind-listing',
        `${behind} is not served as it is listed, and ${error.message}`,
        {
          kind: 'transient',
          hint: 'It was replaced a short time ago. It is tried again.',
          cause: error,
        },
      );
    }
  }
  // It may have been damaged on the way.
  return fetchVerified(client, key, { signal });
}

/** The zip must be what the archive's zips are: one sound member, named like the zip. */
async function checkZip(bytes: Uint8Array, key: string): Promise<void> {
  const member = readSingleMember(bytes, key);
  const expected = key.slice(key.lastIndexOf('/') + 1).replace(/\.zip$/, '.csv');
  if (member.name !== expected) {
    throw new LakehouseError('zip-member-name', `${key} holds ${JSON.stringify(member.name)}, not ${expected}`, {
      kind: 'data',
      hint: 'It may be the file of another symbol or day. It is tried again when the archive changes it.',
    });
  }
  await verifyMember(member);
}
