import { isLakehouseError, LakehouseError } from 'crypto-lakehouse';
import type { Market } from '../layout.ts';
import { type RestClient, restClient } from './client.ts';
import { endpoints, fundingLimits } from './endpoints.ts';
import { type ExchangeInfo, exchangeInfo } from './info.ts';
import { type Limiter, rateLimiter } from './limiter.ts';

/** The settings `exchanges.binance.rest`. */
export interface RestSettings {
  readonly enabled: boolean;
  /** How many closed days back REST is asked for. */
  readonly days: number;
  readonly baseUrls: Readonly<Record<Market, string>>;
  readonly timeoutMs: number;
  readonly concurrency: number;
}

/** One market's REST interface. */
export interface RestMarket {
  readonly client: RestClient;
  /** The limit that funding rates have besides. */
  readonly fundingLimiter: Limiter | undefined;
  /** What the market has: asked once for everybody who wants to know within a minute. */
  readonly info: (call: {
    readonly signal: AbortSignal;
    readonly onRequest?: () => void;
  }) => Promise<ExchangeInfo & { readonly at: number }>;
}

const INFO_MS = 60_000;

/**
 * The markets as configured, each with its own limits; those that share a host share them. Nothing is opened yet.
 * @param options.sleep waits for the limits; for tests.
 * @throws LakehouseError `rest-simulated` when a simulated lake would be given an address that is not of this machine.
 */
export function restMarkets(
  settings: RestSettings,
  options: {
    readonly now: () => number;
    readonly simulated: boolean;
    readonly sleep?: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
  },
): (market: Market) => RestMarket {
  const { now, simulated, sleep } = options;
  const limiters = new Map<string, Limiter>();
  const markets = new Map<Market, RestMarket>();

  function open(market: Market): RestMarket {
    const baseUrl = settings.baseUrls[market];
    const { host, hostname } = new URL(baseUrl);
    if (simulated && !LOOPBACK.test(hostname)) {
      throw new LakehouseError('rest-simulated', `A simulated lake must not have data of ${host}`, {
        hint: "Switch exchanges.binance.rest.enabled off, or let its baseUrls be the simulated exchange's.",
      });
    }
    // One process may simulate all markets on one host, with a path for each: limits are those of a market's interface.
    const scope = `${host} ${endpoints[market].root}`;
    const limiter = limiters.get(scope) ?? rateLimiter({ host, now, sleep, limits: endpoints[market].limits });
    limiters.set(scope, limiter);
    const client = restClient({ ...settings, baseUrl, now, limiter });
    let last: Promise<ExchangeInfo & { readonly at: number }> | undefined;
    const ask = async (signal: AbortSignal, onRequest?: () => void) => {
      onRequest?.();
      const info = await exchangeInfo(client, market, signal);
      limiter.setLimits(info.limits);
      return { ...info, at: now() };
    };
    return {
      client,
      fundingLimiter: market === 'um' ? rateLimiter({ host, now, sleep, limits: fundingLimits }) : undefined,
      info: async ({ signal, onRequest }) => {
        for (;;) {
          const asked = last ?? ask(signal, onRequest);
          last = asked;
          try {
            const info = await asked;
            if (Math.abs(now() - info.at) < INFO_MS) return info;
          } catch (error) {
            if (last === asked) last = undefined;
            signal.throwIfAborted();
            // Else it was the run of another that ended.
            if (isLakehouseError(error)) throw error;
          }
          if (last === asked) last = undefined;
        }
      },
    };
  }

  return (market) => {
    const known = markets.get(market) ?? open(market);
    markets.set(market, known);
    return known;
  };
}

const LOOPBACK = /^(127\.|localhost$|\[::1\]$)/;
