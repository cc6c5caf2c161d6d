import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import {
  type SimulatedExchange,
  type SimulatedExchangeOptions,
  startSimulatedExchange,
} from '../../assets/exchanges/simulated/server.ts';
import { lakehouse } from '../../assets/index.ts';
import { openTestLake, run } from '../materialize/lake.ts';
import { query } from '../real/query.ts';

/** A simulated exchange for one test. */
export async function exchangeWith(options: SimulatedExchangeOptions): Promise<SimulatedExchange> {
  const exchange = await startSimulatedExchange(options);
  onTestFinished(() => exchange.close());
  return exchange;
}

/** The lake of an exchange that answers at addresses, for one test; REST is on. */
export async function restLake(
  urls: { readonly url: string; readonly listUrl?: string },
  now: () => number,
  sets: readonly string[] = [],
) {
  const directory = mkdtempSync(join(tmpdir(), 'rest-'));
  const { url, listUrl = `${url}/none` } = urls;
  const lake = await openTestLake(lakehouse, directory, {
    now,
    sets: [
      ...[`exchanges.binance.archive.baseUrl=${url}`, `exchanges.binance.archive.listUrl=${listUrl}`],
      ...['spot', 'um', 'cm'].map((market) => `exchanges.binance.rest.baseUrls.${market}=${url}`),
      ...['exchanges.binance.rest.enabled=true', 'exchanges.binance.rest.days=31'],
      ...['exchanges.binance.markets=[spot,um,cm]', 'exchanges.binance.symbols=*', 'exchanges.binance.intervals=[1h]'],
      'workflow.retryDelayMs=1',
      ...sets,
    ],
  });
  onTestFinished(async () => {
    await lake.close();
    rmSync(directory, { recursive: true, force: true });
  });
  return {
    lake,
    materialize: async (selection: string) => {
      const result = await run(lake, { selection });
      return { ...result, failed: result.events.filter((event) => event.type === 'partition-failed') };
    },
    rows: (sql: string) => query(lake, sql),
  };
}
