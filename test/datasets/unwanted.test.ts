import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { lakehouse } from '../../assets/index.ts';
import { parseFilter } from '../../framework/partition/filter.ts';
import { openTestLake, run } from '../materialize/lake.ts';
import { status, statuses, work } from '../materialize/support.ts';
import { writeFiles } from './lake.ts';
import { exchangeWith } from './rest-lake.ts';

/** A directory in which lakes are opened one after the other, with other settings. */
function place() {
  const directory = mkdtempSync(join(tmpdir(), 'unwanted-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const open = async (sets: readonly string[], now?: () => number) => {
    const lake = await openTestLake(lakehouse, join(directory, 'lake'), {
      sets: ['exchanges.binance.symbols=*', 'workflow.retryAttempts=0', ...sets],
      ...(now && { now }),
    });
    onTestFinished(() => lake.close());
    return lake;
  };
  return { directory, open };
}

describe('kinds of data and REST that the settings do not want', () => {
  test('a day of trades that was wanted once stays, and the other days are not fetched by the way', async () => {
    const { directory, open } = place();
    const mirror = join(directory, 'mirror');
    const base = { symbol: 'BTCUSDT', market: 'spot', cadence: 'daily' } as const;
    mkdirSync(join(mirror, 'data'), { recursive: true });
    writeFiles(
      mirror,
      ['2024-03-01', '2024-03-02'].flatMap((period) => {
        const time = Date.parse(period);
        return [
          { ...base, period, type: 'aggTrades', csv: `1,100.5,0.25,1,1,${time},true,true\n` },
          {
            ...base,
            ...{ period, type: 'klines', interval: '1h' },
            csv: `${time},10,12,9,11,2,${time + 3_599_999},20,3,1,10,0\n`,
          },
        ] as const;
      }),
    );
    const at = [`exchanges.binance.archive.directory=${mirror}`, 'exchanges.binance.intervals=[1h]'];
    const once = await open([...at, 'exchanges.binance.dataTypes=[klines,agg_trades]']);
    const first = await run(once, { selection: '+silver/agg_trades', filter: parseFilter('date=2024-03-01') });
    expect(work(first.events)).toEqual({ 'bronze/agg_trades_daily': '1/1', 'silver/agg_trades': '1/1' });
    const lake = await open([...at, 'exchanges.binance.dataTypes=[klines]']);
    const { events, outcome } = await run(lake, { selection: '+silver/*' });
    expect(outcome).toBe('succeeded');
    expect(Object.keys(work(events))).toContain('silver/klines');
    expect(Object.keys(work(events)).filter((key) => key.includes('trades'))).toEqual([]);
    const day = 'exchange=binance/market=spot/symbol=BTCUSDT/date=2024-03-01';
    expect(statuses(lake, 'bronze/agg_trades_daily')).toEqual({ [day]: 'fresh' });
    expect(statuses(lake, 'silver/agg_trades')).toEqual({ [day]: 'fresh' });
  });

  test('REST that is off is not asked for what was seen there, and what it refused blocks nothing', async () => {
    const { open } = place();
    const now = () => Date.UTC(2024, 1, 1, 1);
    const exchange = await exchangeWith({
      seed: 'unwanted',
      listings: [{ market: 'spot', symbol: 'BTCUSDT', price: 40_000, days: [{ from: '2024-01-29' }] }],
      intervals: ['1h'],
      from: '2024-01-29',
      to: '2024-01-28',
      now,
    });
    const { url, listUrl } = exchange;
    const sets = [
      ...[`exchanges.binance.archive.baseUrl=${url}`, `exchanges.binance.archive.listUrl=${listUrl}`],
      ...[`exchanges.binance.rest.baseUrls.spot=${url}`, 'exchanges.binance.rest.days=3'],
      ...[
        'exchanges.binance.markets=[spot]',
        'exchanges.binance.intervals=[1h]',
        'exchanges.binance.dataTypes=[klines]',
      ],
    ];
    const on = await open([...sets, 'exchanges.binance.rest.enabled=true'], now);
    await run(on, { selection: '+silver/klines', filter: parseFilter('date=2024-01-29') });
    exchange.fail('api/v3/klines', { status: 451, body: '' }, 100);
    expect((await run(on, { selection: '+silver/klines' })).outcome).toBe('failed');
    expect(status(on, 'silver/klines')).toEqual({ fresh: 1, blocked: 2 });
    exchange.resetRequests();
    const off = await open([...sets, 'exchanges.binance.rest.enabled=false'], now);
    expect((await run(off, { selection: '+silver/klines' })).counts).toMatchObject({ computed: 0, failed: 0, held: 0 });
    expect(exchange.requests.rest).toBe(0);
    expect([status(off, 'bronze/klines_rest'), status(off, 'silver/klines')]).toEqual([{ fresh: 1 }, { fresh: 1 }]);
  });
});
