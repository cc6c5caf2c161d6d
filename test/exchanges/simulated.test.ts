import { describe, expect, test } from 'vitest';
import { sha256Of, verifySha256 } from '../../assets/exchanges/binance/checksum.ts';
import { klinesKey, type Market, parseArchiveKey } from '../../assets/exchanges/binance/layout.ts';
import { type SimulatedArchiveOptions, simulatedArchive } from '../../assets/exchanges/simulated/archive.ts';
import { aggregateKlines, DAY_MS, type Klines, minuteKlines } from '../../assets/exchanges/simulated/prices.ts';
import { klinesText } from '../../assets/exchanges/simulated/text.ts';
import { inflateMember, readSingleMember } from '../../framework/formats/zip.ts';

const options: SimulatedArchiveOptions = {
  seed: 'tests',
  listings: [
    { market: 'spot', symbol: 'BTCUSDT', price: 30_000 },
    { market: 'um', symbol: 'BTCUSDT', price: 30_000 },
    { market: 'cm', symbol: 'BTCUSD_PERP', price: 30_000 },
    { market: 'spot', symbol: 'PEPEUSDT', price: 0.00001 },
  ],
  intervals: ['1m', '1h', '1d'],
  from: '2024-12-01',
  to: '2025-01-02',
};
const archive = simulatedArchive(options);

const symbols: Record<Market, string> = { spot: 'BTCUSDT', um: 'BTCUSDT', cm: 'BTCUSD_PERP' };
const daily = (market: Market, interval: '1m' | '1h' | '1d', period: string, symbol = symbols[market]): string =>
  klinesKey({ market, cadence: 'daily', symbol, interval, period });

const rowsOf = (csv: string): string[][] =>
  csv
    .split('\n')
    .slice(0, -1)
    .filter((line) => !line.startsWith('open_time'))
    .map((line) => line.split(','));

/** A decimal text as an integer of 1e-8 units. */
const units = (text: string): bigint => {
  const [whole = '', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.padEnd(8, '0'));
};

const ascending = (values: bigint[]): bigint[] => values.toSorted((a, b) => Number(a - b));

const days = Array.from({ length: 60 }, (_, i) => 19_000 + i);
const series = options.listings.map((listing) => ({ ...listing, seed: 'x' }));
const rowCount = (klines: Klines): number => klines.openMs.length;

describe('candles', () => {
  test('hold what real candles hold', () => {
    let outages = 0;
    let quiet = 0;
    for (const of of series) {
      for (const day of days.slice(0, 30)) {
        const k = minuteKlines(of, day);
        if (rowCount(k) < 1440) outages++;
        const columns = Object.values(k).filter((column) => column instanceof Float64Array);
        expect(columns.every((column) => column.length === rowCount(k) && column.every(Number.isSafeInteger))).toBe(
          true,
        );
        const violations = Array.from(k.openMs, (openMs, i) => {
          const at = (column: Float64Array): number => column[i] ?? Number.NaN;
          const [open, high, low, close] = [at(k.open), at(k.high), at(k.low), at(k.close)];
          const [volume, quote, trades] = [at(k.volume), at(k.quote), at(k.trades)];
          if (volume === 0) quiet++;
          const flat = open === high && open === low && open === close && quote === 0 && trades === 0;
          const meanFits =
            of.market === 'cm' ||
            (quote >= low * volume && quote <= high * volume && quote % Math.max(volume, 1) === 0);
          return (
            openMs % 60_000 === 0 &&
            Math.floor(openMs / DAY_MS) === day &&
            (i === 0 || openMs > (k.openMs[i - 1] ?? 0)) &&
            low >= 1 &&
            low <= Math.min(open, close) &&
            high >= Math.max(open, close) &&
            (volume > 0 ? trades > 0 && quote > 0 : flat) &&
            at(k.takerVolume) <= volume &&
            at(k.takerQuote) <= quote &&
            meanFits
          );
        }).filter((fine) => !fine);
        expect(violations).toEqual([]);
      }
    }
    expect(outages).toBeGreaterThan(0);
    expect(quiet).toBeGreaterThan(100);
  });

  test('a day opens where the day before closed, a minute where the minute before did', () => {
    for (const of of series) {
      for (const day of days) {
        const k = minuteKlines({ ...of, outages: false }, day);
        const next = minuteKlines({ ...of, outages: false }, day + 1);
        expect(rowCount(k)).toBe(1440);
        expect(next.open[0]).toBe(k.close[1439]);
        expect(k.open.slice(1)).toEqual(k.close.slice(0, -1));
      }
    }
  });

  test('an outage takes minutes away from all symbols of a market and changes no other row', () => {
    const day = days.find((d) => rowCount(minuteKlines({ seed: 'x', market: 'spot', symbol: 'A' }, d)) < 1440) ?? 0;
    for (const symbol of ['A', 'B']) {
      const [cut, whole] = [true, false].map((outages) => {
        const text = klinesText(minuteKlines({ seed: 'x', market: 'spot', symbol, outages }, day), 'spot', '1m', day);
        return new TextDecoder().decode(text).split('\n');
      });
      expect(cut?.length).toBeLessThan(1437);
      expect(cut?.filter((line) => !whole?.includes(line))).toEqual([]);
    }
  });

  test('seed, symbol, market and day each make another series; prices stay near what was asked', () => {
    const of = { seed: 'x', market: 'spot', symbol: 'A', price: 100 } as const;
    const variants = [of, { ...of, seed: 'y' }, { ...of, symbol: 'B' }, { ...of, market: 'um' as const }];
    const texts = [...variants.map((v) => minuteKlines(v, 19_000)), minuteKlines(of, 19_001)].map((k) =>
      k.volume.join(),
    );
    expect(new Set(texts).size).toBe(5);
    const closes = Array.from({ length: 1000 }, (_, i) => (minuteKlines(of, 18_000 + i).close[0] ?? 0) / 10 ** 3);
    expect([Math.min(...closes) > 10, Math.max(...closes) < 1000]).toEqual([true, true]);
  });

  test('an hour is the exact aggregate of its minutes, computed here from the published text', () => {
    for (const market of ['spot', 'um', 'cm'] as const) {
      for (const [interval, seconds] of [
        ['1h', 3600],
        ['1d', 86_400],
      ] as const) {
        for (const date of ['2024-12-05', '2025-01-01']) {
          const perSecond = market === 'spot' && date >= '2025' ? 1_000_000 : 1000;
          const buckets = Map.groupBy(rowsOf(archive.csv(daily(market, '1m', date))), (row) =>
            Math.floor(Number(row[0]) / perSecond / seconds),
          );
          const sum = (rows: string[][], column: number): bigint =>
            rows.reduce((s, row) => s + units(row[column] ?? ''), 0n);
          const column = (rows: string[][], i: number): bigint[] => rows.map((row) => units(row[i] ?? ''));
          const expected = [...buckets].map(([bucket, rows]) => [
            String(bucket * seconds * perSecond),
            column(rows, 1)[0],
            ascending(column(rows, 2)).at(-1),
            ascending(column(rows, 3))[0],
            column(rows, 4).at(-1),
            sum(rows, 5),
            String((bucket + 1) * seconds * perSecond - 1),
            ...[7, 8, 9, 10].map((i) => sum(rows, i)),
            '0',
          ]);
          const actual = rowsOf(archive.csv(daily(market, interval, date))).map((row) =>
            row.map((text, i) => ([0, 6, 11].includes(i) ? text : units(text))),
          );
          expect(actual).toEqual(expected);
        }
      }
    }
  });

  test('an hour without any minute has no row', () => {
    const k = minuteKlines({ seed: 'x', market: 'spot', symbol: 'A', outages: false }, 19_000);
    const keep = (column: Float64Array): Float64Array => column.filter((_, i) => i < 60 || i >= 185);
    const cut = Object.fromEntries(
      Object.entries(k).map(([n, v]) => [n, v instanceof Float64Array ? keep(v) : v]),
    ) as unknown as Klines;
    const hours = aggregateKlines(cut, 3_600_000);
    expect(Array.from(hours.openMs.slice(0, 3), (ms) => (ms % DAY_MS) / 3_600_000)).toEqual([0, 3, 4]);
    expect(hours.open[1]).toBe(k.open[185]);
  });
});

describe('text', () => {
  const lines = (key: string): string[] => archive.csv(key).split('\n');

  test('spot: no header, 8 decimals, milliseconds until 2024, microseconds from 2025', () => {
    const shape = (digits: number): RegExp =>
      new RegExp(`^\\d{${digits}}(,\\d+\\.\\d{8}){5},\\d{${digits}},\\d+\\.\\d{8},\\d+(,\\d+\\.\\d{8}){2},0$`);
    for (const symbol of ['BTCUSDT', 'PEPEUSDT']) {
      expect(lines(daily('spot', '1m', '2024-12-31', symbol)).filter((line) => line && !shape(13).test(line))).toEqual(
        [],
      );
      expect(lines(daily('spot', '1m', '2025-01-01', symbol)).filter((line) => line && !shape(16).test(line))).toEqual(
        [],
      );
    }
    expect(rowsOf(archive.csv(daily('spot', '1m', '2024-12-31')))[0]?.filter((_, i) => i === 0 || i === 6)).toEqual([
      '1735603200000',
      '1735603259999',
    ]);
    expect(rowsOf(archive.csv(daily('spot', '1h', '2025-01-01')))[0]?.filter((_, i) => i === 0 || i === 6)).toEqual([
      '1735689600000000',
      '1735693199999999',
    ]);
  });

  test('um and cm: header, milliseconds also in 2025, their own decimals', () => {
    const header =
      'open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore';
    const um = lines(daily('um', '1m', '2025-01-01'));
    const cm = lines(daily('cm', '1m', '2025-01-01'));
    expect([um[0], cm[0], um.at(-1), cm.at(-1)]).toEqual([header, header, '', '']);
    const umShape = /^\d{13}(,\d+\.\d{2}){4},\d+\.\d{3},\d{13},\d+\.\d{5},\d+,\d+\.\d{3},\d+\.\d{5},0$/;
    const cmShape = /^\d{13}(,\d+\.\d){4},\d+,\d{13},\d+\.\d{8},\d+,\d+,\d+\.\d{8},0$/;
    expect(um.slice(1, -1).filter((line) => !umShape.test(line))).toEqual([]);
    expect(cm.slice(1, -1).filter((line) => !cmShape.test(line))).toEqual([]);
  });

  test('um has no header before 2022-08-11; the month of the change has one', () => {
    const old = simulatedArchive({
      ...options,
      listings: [{ market: 'um', symbol: 'X' }],
      intervals: ['1d'],
      from: '2022-07-01',
      to: '2022-08-31',
    });
    const starts = (key: string): string => old.csv(key).slice(0, 9);
    const of = { market: 'um', symbol: 'X', interval: '1d' } as const;
    expect(starts(klinesKey({ ...of, cadence: 'daily', period: '2022-08-10' }))).toMatch(/^\d+$/);
    expect(starts(klinesKey({ ...of, cadence: 'daily', period: '2022-08-11' }))).toBe('open_time');
    expect(starts(klinesKey({ ...of, cadence: 'monthly', period: '2022-07' }))).toMatch(/^\d+$/);
    expect(starts(klinesKey({ ...of, cadence: 'monthly', period: '2022-08' }))).toBe('open_time');
  });

  test('every number of a row is written exactly (against BigInt)', () => {
    const k = minuteKlines({ seed: 'x', market: 'spot', symbol: 'P', price: 0.00001 }, 19_000);
    const print = (column: Float64Array, row: number, digits: number): string => {
      const text = BigInt(column[row] ?? -1)
        .toString()
        .padStart(digits + 1, '0');
      return `${text.slice(0, text.length - digits)}.${text.slice(text.length - digits)}`.padEnd(
        text.length + 1 + 8 - digits,
        '0',
      );
    };
    const { price, volume, quote } = k.digits;
    const expected = Array.from(k.openMs, (ms, i) =>
      [
        ms,
        ...[k.open, k.high, k.low, k.close].map((column) => print(column, i, price)),
        print(k.volume, i, volume),
        ms + 59_999,
        print(k.quote, i, quote),
        k.trades[i],
        print(k.takerVolume, i, volume),
        print(k.takerQuote, i, quote),
        0,
      ].join(','),
    );
    expect(new TextDecoder().decode(klinesText(k, 'spot', '1m', 19_000))).toBe(`${expected.join('\n')}\n`);
  });

  test('the text of a seed is for ever: a change here makes every recorded number wrong', () => {
    expect(sha256Of(Buffer.from(archive.csv(daily('spot', '1m', '2025-01-01'))))).toMatchInlineSnapshot(
      `"6935e34c988debab71f960d6f89d213acdcd2fba140bbfd08c460f15bbef9e66"`,
    );
  });
});

describe('archive', () => {
  test('the same seed gives the same bytes, in whatever order they are asked for', () => {
    const small = { ...options, from: '2024-12-28' };
    const [one, two] = [simulatedArchive(small), simulatedArchive(small)];
    const heads = one.keys().map((key) => one.head(key));
    expect(two.keys()).toEqual(one.keys());
    expect(
      two
        .keys()
        .toReversed()
        .map((key) => two.head(key)),
    ).toEqual(heads.toReversed());
    // Where the archive begins is no part of a day.
    const key = daily('spot', '1m', '2025-01-01');
    expect(one.head(key)).toEqual(archive.head(key));
    const other = simulatedArchive({ ...small, seed: 'other' });
    expect(other.csv(key)).not.toBe(one.csv(key));
  });

  test('every zip is sound, named after its key, and matches its CHECKSUM', () => {
    const { keys, body } = archive;
    const zips = keys().filter((key) => key.endsWith('.zip'));
    expect(zips.length).toBe(4 * 3 * (33 + 1));
    for (const key of zips.filter((k) => !k.includes('/1m/') || k.includes('-2025-'))) {
      const bytes = body(key) ?? new Uint8Array();
      const member = readSingleMember(bytes, key);
      expect(member.name).toBe(key.slice(key.lastIndexOf('/') + 1).replace('.zip', '.csv'));
      expect(inflateMember(member).at(-1)).toBe(0x0a);
      const checksum = new TextDecoder().decode(body(`${key}.CHECKSUM`));
      verifySha256(bytes, checksum, key);
      expect(checksum.endsWith('\n')).toBe(!key.includes('/spot/'));
      expect(parseArchiveKey(key)).toBeDefined();
    }
  });

  test('a month is its days one after the other, once it is over', () => {
    for (const market of ['spot', 'um'] as const) {
      const month = klinesKey({ market, cadence: 'monthly', symbol: 'BTCUSDT', interval: '1h', period: '2024-12' });
      const dates = Array.from({ length: 31 }, (_, i) => `2024-12-${String(i + 1).padStart(2, '0')}`);
      expect(rowsOf(archive.csv(month))).toEqual(
        dates.flatMap((date) => rowsOf(archive.csv(daily(market, '1h', date)))),
      );
      expect(archive.keys()).not.toContain(month.replace('2024-12', '2025-01'));
    }
  });

  test('listing, delisting, relisting; the last months are published when they end', () => {
    const a = simulatedArchive({
      seed: 's',
      listings: [
        { market: 'spot', symbol: 'X', days: [{ from: '2024-01-30', to: '2024-02-01' }, { from: '2024-03-30' }] },
      ],
      intervals: ['1d'],
      from: '2024-01-01',
      to: '2024-03-30',
    });
    const periods = (): string[] => a.keys().flatMap((key) => parseArchiveKey(key)?.period ?? []);
    const before = ['2024-01-30', '2024-01-31', '2024-02-01', '2024-03-30', '2024-01', '2024-02'];
    expect(periods()).toEqual(before);
    expect(a.addDay()).toBe('2024-03-31');
    expect(periods()).toEqual([...before.slice(0, 4), '2024-03-31', '2024-01', '2024-02', '2024-03']);
    a.publishMonthly(false);
    expect(periods()).toEqual([...before.slice(0, 4), '2024-03-31']);
  });

  test('mutations', () => {
    const a = simulatedArchive({ ...options, intervals: ['1d'] });
    const key = daily('spot', '1d', '2024-12-05');
    const neighbour = daily('spot', '1d', '2024-12-06');
    const checksum = `${key}.CHECKSUM`;
    const first = { zip: a.head(key), checksum: a.head(checksum), neighbour: a.head(neighbour), csv: a.csv(key) };
    const isSound = (): boolean => {
      verifySha256(a.body(key) ?? new Uint8Array(), new TextDecoder().decode(a.body(checksum)), key);
      return inflateMember(readSingleMember(a.body(key) ?? new Uint8Array(), key)).length > 0;
    };

    a.republish(key, { sameRowsOtherBytes: true });
    expect(a.csv(key)).toBe(first.csv);
    expect(a.head(key)?.etag).not.toBe(first.zip?.etag);
    expect(a.head(key)?.modifiedMs).toBeGreaterThan(first.zip?.modifiedMs ?? 0);
    expect(a.head(checksum)?.etag).not.toBe(first.checksum?.etag);
    expect(isSound()).toBe(true);

    a.republish(key, { csv: `${first.csv}more\n` });
    a.republish(key, { sameRowsOtherBytes: true });
    expect(a.csv(key)).toBe(`${first.csv}more\n`);
    expect(isSound()).toBe(true);

    a.republish(key, { bytes: Buffer.from('not a zip') });
    expect(isSound).toThrow(/is not a zip/);

    a.restore(key);
    expect([a.head(key), a.head(checksum)]).toEqual([first.zip, first.checksum]);

    a.corrupt(key);
    expect(isSound).toThrow(/has SHA-256/);
    a.corrupt(key, 'follows');
    expect(isSound).toThrow(/cannot be inflated|has CRC-32|inflates to/);

    a.remove(key);
    expect([a.head(key), a.body(key), a.keys().includes(key), a.keys().includes(checksum)]).toEqual([
      undefined,
      undefined,
      false,
      true,
    ]);
    a.restore(key);
    expect([a.head(key), a.keys().includes(key)]).toEqual([first.zip, true]);
    expect(a.head(neighbour)).toEqual(first.neighbour);
    expect(() => a.remove('data/never')).toThrow(/never had data\/never/);
  });

  test('options that cannot be are refused', () => {
    expect(() => simulatedArchive({ ...options, intervals: ['3d'] })).toThrow(/no 3d candles/);
    expect(() => simulatedArchive({ ...options, intervals: ['1s'] })).toThrow(/no 1s candles/);
    expect(() => simulatedArchive({ ...options, from: '2024-02-30' })).toThrow(/'2024-02-30' is not a date/);
  });
});
