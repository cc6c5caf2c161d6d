import { LakehouseError } from 'crypto-lakehouse';

/** So long after its end a day may still be incomplete where it is answered from; what is missing later stays missing. */
const YOUNG_MS = 6 * 3_600_000;

/**
 * Refuses the answer for a day that has just ended if it has no candles, or lacks the last: what is fetched once is kept, and the exchange
 * may only be behind. A hole within the day is no such sign.
 * @param lastMs when the last candle opens; undefined where there is none. All times are milliseconds since 1970 UTC.
 * @throws LakehouseError `rest-short` (transient).
 */
export function requireWhole(
  key: string,
  { endMs, barMs, lastMs }: { readonly endMs: number; readonly barMs: number; readonly lastMs: number | undefined },
  nowMs: number,
): void {
  const wanted = endMs - barMs;
  if ((lastMs !== undefined && lastMs >= wanted) || nowMs - endMs >= YOUNG_MS) return;
  const found = lastMs === undefined ? 'no candles' : `candles up to ${new Date(lastMs).toISOString()}`;
  throw new LakehouseError(
    'rest-short',
    `${key}: the answer has ${found}, and should have one at ${new Date(wanted).toISOString()}`,
    {
      kind: 'transient',
      hint: 'The exchange may be behind. Six hours after its end a day is taken as it is answered.',
    },
  );
}
