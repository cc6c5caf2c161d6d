import type { ObserveContext } from 'crypto-lakehouse';
import { simulatedClient } from '../simulated/client.ts';
import type { ArchiveClient } from './archive.ts';
import { directoryArchive } from './directory.ts';
import { httpArchive } from './http.ts';
import type { Market } from './layout.ts';
import { type RestMarket, type RestSettings, restMarkets } from './rest/market.ts';

/** A simulated exchange that serves at an address; without one the simulation runs in this process. */
const LOOPBACK = /^https?:\/\/(127\.|localhost|\[::1\])/;

/** The settings that are read here: `exchanges.binance`. */
export interface BinanceSettings {
  readonly archive: {
    readonly baseUrl: string;
    readonly listUrl: string;
    readonly directory?: string | undefined;
    readonly timeoutMs: number;
    readonly concurrency: number;
    readonly simulated: boolean;
  };
  readonly rest: RestSettings;
  readonly start: string;
  readonly dataTypes: readonly string[];
}

/** What the sources need at run time: `resources.binance`. */
export interface BinanceResource {
  /** The archive, the same client every time. `now` is the run's clock, milliseconds since 1970 UTC. */
  readonly archive: (now: () => number) => ArchiveClient;
  /** REST: whether it is offered, how many closed days back, and its markets, the same every time. */
  readonly rest: {
    readonly enabled: boolean;
    readonly days: number;
    readonly market: (market: Market, now: () => number) => RestMarket;
  };
  /** First day (UTC) that is observed, `2017-08-01`. */
  readonly start: string;
  /** Kinds of data that are wanted, in the words of the setting `dataTypes`. */
  readonly dataTypes: readonly string[];
  /** Most listings at once. */
  readonly concurrency: number;
  /** What the settings of this exchange want: the lake's filters are what all exchanges want together. Absent: everything. */
  readonly wants?: ObserveContext['wants'];
}

/** What the lake wants of this exchange. */
export function wantsOf({ wants, resources }: ObserveContext): ObserveContext['wants'] {
  const own = (resources.binance as BinanceResource | undefined)?.wants ?? (() => true);
  return (dimension, value) => wants(dimension, value) && own(dimension, value);
}

/** The archive as configured: a mirror in a directory if there is one, else over HTTP. Nothing is opened yet. */
export function binanceResource({ archive, rest, start, dataTypes }: BinanceSettings): BinanceResource {
  let client: ArchiveClient | undefined;
  let markets: ((market: Market) => RestMarket) | undefined;
  return {
    archive: (now) => {
      client ??=
        archive.directory !== undefined
          ? directoryArchive(archive.directory)
          : archive.simulated && !LOOPBACK.test(archive.baseUrl)
            ? simulatedClient()
            : httpArchive({ ...archive, now });
      return client;
    },
    rest: {
      enabled: rest.enabled,
      days: rest.days,
      market: (market, now) => {
        markets ??= restMarkets(rest, { now, simulated: archive.simulated });
        return markets(market);
      },
    },
    start,
    dataTypes,
    concurrency: archive.concurrency,
  };
}
