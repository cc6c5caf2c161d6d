import { LakehouseError } from 'crypto-lakehouse';
import { z } from 'zod';
import type { Market } from '../layout.ts';
import type { RestClient } from './client.ts';
import { endpoints } from './endpoints.ts';
import type { RateLimit } from './limiter.ts';

/** A symbol that can be asked for now, and when it was and will be traded: milliseconds since 1970 UTC, the end excluded. */
export interface RestSymbol {
  readonly symbol: string;
  /** Futures: what the contract is of. */
  readonly pair: string;
  readonly perpetual: boolean;
  /** Spot does not say it. */
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface ExchangeInfo {
  /** The exchange's clock when it answered, milliseconds since 1970 UTC. */
  readonly serverTimeMs: number;
  readonly limits: readonly RateLimit[];
  readonly symbols: readonly RestSymbol[];
}

const unitMs = { SECOND: 1000, MINUTE: 60_000, HOUR: 3_600_000, DAY: 86_400_000 } as const;

const shape = z.object({
  serverTime: z.int().positive(),
  rateLimits: z.array(
    z.object({
      rateLimitType: z.string(),
      interval: z.enum(['SECOND', 'MINUTE', 'HOUR', 'DAY']),
      intervalNum: z.int().positive(),
      limit: z.int().positive(),
    }),
  ),
  symbols: z.array(
    z.object({
      symbol: z.string(),
      pair: z.string().optional(),
      status: z.string().optional(),
      contractStatus: z.string().optional(),
      contractType: z.string().optional(),
      onboardDate: z.int().optional(),
      deliveryDate: z.int().optional(),
    }),
  ),
});

/** Symbols that are not traded, or no longer: spot keeps those it delisted. */
const ABSENT = new Set(['BREAK', 'PENDING_TRADING', 'PRE_TRADING']);

const counted = { REQUEST_WEIGHT: 'weight', RAW_REQUESTS: 'requests' } as const;
const isCounted = (type: string): type is keyof typeof counted => Object.hasOwn(counted, type);

/** Asks a market what it has. @throws LakehouseError `rest-shape` of kind `data`; those of the client. */
export async function exchangeInfo(client: RestClient, market: Market, signal: AbortSignal): Promise<ExchangeInfo> {
  const { root, infoWeight } = endpoints[market];
  const path = `${root}/exchangeInfo`;
  const { json } = await client.get({ path, weight: infoWeight, signal });
  const { data, error } = shape.safeParse(json);
  if (!data) throw unexpected(path, z.prettifyError(error));
  return {
    serverTimeMs: data.serverTime,
    limits: data.rateLimits.flatMap(({ rateLimitType, interval, intervalNum, limit }) =>
      isCounted(rateLimitType)
        ? [{ counts: counted[rateLimitType], windowMs: intervalNum * unitMs[interval], limit }]
        : [],
    ),
    symbols: data.symbols
      .filter(({ status, contractStatus }) => !ABSENT.has(contractStatus ?? status ?? ''))
      .map(({ symbol, pair = symbol, contractType = '', onboardDate = 0, deliveryDate = Number.MAX_SAFE_INTEGER }) => ({
        symbol,
        pair,
        perpetual: contractType.includes('PERPETUAL'),
        fromMs: onboardDate,
        untilMs: deliveryDate,
      })),
  };
}

/** An answer of another form than the exchange describes. */
export function unexpected(what: string, problem: string): LakehouseError {
  return new LakehouseError('rest-shape', `The answer to ${what} is not what it should be: ${problem}`, {
    kind: 'data',
  });
}
