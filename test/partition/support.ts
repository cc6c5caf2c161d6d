import { isLakehouseError } from '../../framework/common/errors.ts';
import { type Dimension, partitionSpace } from '../../framework/partition/space.ts';
import { type Grain, parseIndex } from '../../framework/partition/time.ts';

/** The index of a printed time; fails the test on a typo. */
export function at(grain: Grain, text: string): number {
  const index = parseIndex(grain, text);
  if (index === undefined) throw new Error(`${text} is not a ${grain}`);
  return index;
}

export function timeOf(grain: Grain, name: string = grain): Dimension {
  return { type: 'time', name, grain, start: 0, lag: 0 };
}

export const exchange: Dimension = { type: 'static', name: 'exchange', values: ['binance'] };
export const market: Dimension = { type: 'static', name: 'market', values: ['spot', 'um', 'cm'] };
export const interval: Dimension = { type: 'static', name: 'interval', values: ['1m', '1h', '1d'] };
export const symbol: Dimension = {
  type: 'dynamic',
  name: 'symbol',
  accepts: (value) => !value.endsWith('BUSD'),
  pattern: '!*BUSD',
};
export const date: Dimension = { type: 'time', name: 'date', grain: 'day', start: at('day', '2020-01-01'), lag: 0 };

export const klines = partitionSpace([exchange, market, symbol, interval, date]);
export const unpartitioned = partitionSpace([]);

/** What a person sees of an error: code, message and hint. Fails the test if nothing is thrown. */
export function shown(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (!isLakehouseError(error)) throw error;
    return `${error.code}: ${error.message}${error.hint === undefined ? '' : `\n=> ${error.hint}`}`;
  }
  throw new Error('Nothing was thrown');
}
