import { createHash } from 'node:crypto';
import { DAY_MS, MINUTE_MS, minuteKlines, type SimulatedSymbol } from './prices.ts';

/** A funding as REST writes it. */
export interface SimulatedFunding {
  readonly symbol: string;
  readonly fundingTime: number;
  readonly fundingRate: string;
  readonly markPrice: string;
}

const EVERY_MS = 8 * 60 * MINUTE_MS;

/** The fundings of a span, both ends included: every 8 hours, some milliseconds late, as a pure function of seed and symbol. */
export function fundingRates(of: SimulatedSymbol, startMs: number, endMs: number): SimulatedFunding[] {
  const rates: SimulatedFunding[] = [];
  for (let slot = Math.floor(startMs / EVERY_MS) * EVERY_MS; slot <= endMs; slot += EVERY_MS) {
    const dice = createHash('sha256').update(`${of.seed}/${of.market}/${of.symbol}/funding/${slot}`).digest();
    const fundingTime = slot + (dice.readUInt8() % 2 === 0 ? 0 : dice.readUInt8(1) % 15);
    if (fundingTime < startMs || fundingTime > endMs) continue;
    const rate = (dice.readUInt16BE(2) % 30_000) - 10_000;
    const minutes = minuteKlines({ ...of, outages: false }, Math.floor(slot / DAY_MS));
    const price = (minutes.open[(slot % DAY_MS) / MINUTE_MS] ?? 0) / 10 ** minutes.digits.price;
    const fundingRate = (rate / 1e8).toFixed(8);
    rates.push({ symbol: of.symbol, fundingTime, fundingRate, markPrice: price.toFixed(8) });
  }
  return rates;
}
