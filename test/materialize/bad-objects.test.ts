import { describe, expect, test } from 'vitest';
import { klinesKey } from '../../assets/exchanges/binance/layout.ts';
import { startSimulatedExchange } from '../../assets/exchanges/simulated/server.ts';
import { lakehouse } from '../../assets/index.ts';
import { writeZip } from '../../framework/formats/zip.ts';
import { openTestLake, run } from './lake.ts';
import { atEnd, problems, statuses, temporaryDirectory, versions } from './support.ts';

const day = (n: number) => `2024-03-${String(n).padStart(2, '0')}`;
const keyOf = (n: number) =>
  klinesKey({ market: 'spot', cadence: 'daily', symbol: 'BTCUSDT', interval: '1h', period: day(n) });
const partition = (n: number) => `exchange=binance/market=spot/symbol=BTCUSDT/interval=1h/date=${day(n)}`;
const nameOf = (n: number) => `BTCUSDT-1h-${day(n)}.csv`;

const modified = new Date('2024-03-20T00:00:00Z');
const END = 22;

/** A zip without members. */
function emptyZip(): Uint8Array {
  const end = Buffer.alloc(END);
  end.writeUInt32LE(0x06054b50, 0);
  return end;
}

/** Two zips of one member each, as one zip of two. */
function twoMembers(first: Uint8Array, second: Uint8Array): Uint8Array {
  const parts = [Buffer.from(first), Buffer.from(second)].map((zip) => {
    const directory = zip.readUInt32LE(zip.length - END + 16);
    return { local: zip.subarray(0, directory), central: Buffer.from(zip.subarray(directory, zip.length - END)) };
  });
  const [a, b] = parts as [(typeof parts)[0], (typeof parts)[0]];
  b.central.writeUInt32LE(a.local.length, 42);
  const end = Buffer.from(first.subarray(first.length - END));
  end.writeUInt16LE(2, 8);
  end.writeUInt16LE(2, 10);
  end.writeUInt32LE(a.central.length + b.central.length, 12);
  end.writeUInt32LE(a.local.length + b.local.length, 16);
  return Buffer.concat([a.local, b.local, a.central, b.central, end]);
}

describe('bad objects of an exchange', () => {
  test('each ends in a stated reason for exactly its partition, and everything else lands', async () => {
    const exchange = await startSimulatedExchange({
      seed: 'bad',
      listings: [
        { market: 'spot', symbol: 'BTCUSDT', price: 40_000 },
        { market: 'um', symbol: 'BTCUSDT', price: 40_000 },
      ],
      intervals: ['1h'],
      from: '2024-03-01',
      to: '2024-03-24',
      monthlyPublished: false,
      outages: false,
    });
    atEnd(() => exchange.close());
    const { archive } = exchange;
    const open = async () => {
      const directory = await temporaryDirectory();
      const archiveSet = (name: string, value: string) => `exchanges.binance.archive.${name}=${value}`;
      const sets = [
        archiveSet('baseUrl', exchange.url),
        archiveSet('listUrl', exchange.listUrl),
        archiveSet('simulated', 'true'),
        'exchanges.binance.symbols=BTCUSDT',
        'exchanges.binance.markets=spot,um',
        'exchanges.binance.intervals=1h',
        'workflow.retryAttempts=2',
        'workflow.retryDelayMs=1',
      ];
      const lake = await openTestLake(lakehouse, directory, { sets, now: () => Date.parse('2024-03-26T12:00:00Z') });
      atEnd(() => lake.close());
      return lake;
    };
    const selection = '+silver/klines';
    const sound = await open();
    await run(sound, { selection });

    const lines = (n: number) => archive.csv(keyOf(n)).trimEnd().split('\n');
    const csv = (n: number, rows: readonly string[]) => archive.republish(keyOf(n), { csv: `${rows.join('\n')}\n` });
    const fields = (n: number, change: (fields: string[], line: number) => string[]) =>
      csv(
        n,
        lines(n).map((line, i) => change(line.split(','), i).join(',')),
      );

    archive.corrupt(keyOf(1));
    archive.corrupt(keyOf(2), 'follows');
    archive.republish(keyOf(3), { bytes: emptyZip() });
    archive.republish(keyOf(4), { bytes: new Uint8Array(0) });
    archive.republish(keyOf(5), {
      bytes: twoMembers(
        writeZip(nameOf(5), Buffer.from(archive.csv(keyOf(5))), { modified }),
        writeZip('other.csv', Buffer.from('1,2\n'), { modified }),
      ),
    });
    archive.republish(keyOf(6), { bytes: writeZip(nameOf(7), Buffer.from(archive.csv(keyOf(7))), { modified }) });
    fields(7, (list, i) => (i === 3 ? list.slice(0, 11) : list));
    fields(8, (list, i) => (i === 3 ? [...list, '0'] : list));
    fields(9, (list, i) => (i === 5 ? ['x1', ...list.slice(1)] : list));
    fields(10, (list, i) => (i === 5 ? [...list.slice(0, 4), 'N/A', ...list.slice(5)] : list));
    csv(11, lines(11).toReversed());
    csv(12, [...lines(12), lines(12)[4] as string]);
    fields(13, (list) => [`${list[0]}000`, ...list.slice(1, 6), `${list[6]}999`, ...list.slice(7)]);
    csv(14, [...lines(14).slice(0, -1), lines(15)[0] as string]);
    fields(15, (list, i) => (i === 5 ? [...list.slice(0, 6), String(Number(list[0]) - 1), ...list.slice(7)] : list));
    csv(16, [
      'open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore',
      ...lines(16),
    ]);
    const um = klinesKey({ market: 'um', cadence: 'daily', symbol: 'BTCUSDT', interval: '1h', period: day(16) });
    archive.republish(um, { csv: `${archive.csv(um).trimEnd().split('\n').slice(1).join('\n')}\n` });
    archive.republish(keyOf(17), { csv: '' });
    exchange.fail(keyOf(18), { status: 404 }, 99);
    exchange.fail(keyOf(19), { status: 503 }, 99);
    exchange.fail(keyOf(20), { status: 429, retryAfter: '0' }, 99);
    exchange.fail(keyOf(21), { resetAfterBytes: 10 }, 99);
    exchange.fail(keyOf(22), { status: 503 }, 2);
    exchange.fail(keyOf(23), { resetAfterBytes: 10 }, 1);

    const lake = await open();
    const result = await run(lake, { selection });
    const reasons = Object.fromEntries(
      result.events
        .flatMap((e) =>
          e.type === 'partition-failed'
            ? [[`${e.asset} ${e.partition.slice(-2)}`, `${e.error.kind} ${e.error.code}`]]
            : [],
        )
        .sort(),
    );
    expect(reasons).toEqual({
      'bronze/klines_daily 01': 'data checksum-mismatch',
      'bronze/klines_daily 02': expect.stringMatching(/^data zip-/),
      'bronze/klines_daily 03': 'data zip-empty',
      'bronze/klines_daily 04': 'data zip-not-a-zip',
      'bronze/klines_daily 05': 'data zip-several-members',
      'bronze/klines_daily 06': 'data zip-member-name',
      'silver/klines 07': 'data csv-columns',
      'silver/klines 08': 'data csv-columns',
      'silver/klines 09': 'data query-data',
      'silver/klines 10': 'data query-data',
      'silver/klines 12': 'data duplicate-rows',
      'silver/klines 14': 'data rows-outside-partition',
      'bronze/klines_daily 18': 'transient object-not-found',
      'bronze/klines_daily 19': 'transient archive-unavailable',
      'bronze/klines_daily 20': 'transient archive-rate-limited',
      'bronze/klines_daily 21': 'transient archive-truncated',
    });
    for (const event of result.events) {
      if (event.type === 'partition-failed')
        expect(`${event.error.message}`).toMatch(
          event.asset.startsWith('bronze') ? /bronze\/klines_daily .*2024-03-\d\d/ : /silver\/klines.*2024-03-\d\d/s,
        );
    }
    // A bar that ends before it starts is reported and holds up nothing.
    expect(
      result.events.flatMap((e) => (e.type === 'check-failed' ? [[e.check, e.partition, e.severity]] : [])),
    ).toEqual([['close_time_after_open_time', partition(15), 'error']]);

    const silver = statuses(lake, 'silver/klines');
    const landed = Object.entries(silver)
      .filter(([, status]) => status === 'fresh')
      .map(([key]) => key);
    const lost = new Set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 18, 19, 20, 21].map(partition));
    // The 25th is not published yet.
    expect(
      Object.entries(silver)
        .filter(([, status]) => status !== 'fresh' && status !== 'awaiting')
        .map(([key]) => key)
        .sort(),
    ).toEqual([...lost].sort());
    expect(landed).toHaveLength(48 - lost.size);
    // Whatever was only written differently (in another order, in microseconds, with or without a header) is the same rows.
    const differ = landed.filter(
      (key) => versions(lake)[`silver/klines ${key}`] !== versions(sound)[`silver/klines ${key}`],
    );
    expect(differ.sort()).toEqual([partition(15), partition(17)]);
    expect(await problems(lake)).toEqual([]);
  });
});
