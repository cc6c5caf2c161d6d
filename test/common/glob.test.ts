import { expect, test } from 'vitest';
import { globMatcher } from '../../framework/common/glob.ts';

const of = (globs: readonly string[]) => ['BTCUSDT', 'BTCUPUSDT', 'ETHBTC', 'A.B'].filter(globMatcher(globs));

test('one of the globs, and none that excludes, in whatever order', () => {
  expect(of(['*USDT'])).toEqual(['BTCUSDT', 'BTCUPUSDT']);
  expect(of(['*USDT', 'ETH???'])).toEqual(['BTCUSDT', 'BTCUPUSDT', 'ETHBTC']);
  expect(of(['!*UPUSDT', '*USDT'])).toEqual(['BTCUSDT']);
  expect(of(['*', '!BTC*', '!A.B'])).toEqual(['ETHBTC']);
});

test('with exclusions alone everything else; with nothing at all nothing', () => {
  expect(of(['!ETHBTC'])).toEqual(['BTCUSDT', 'BTCUPUSDT', 'A.B']);
  expect(of([])).toEqual([]);
});

test('what is no wildcard is itself', () => {
  expect(of(['A.B'])).toEqual(['A.B']);
  expect(of(['AxB'])).toEqual([]);
});
