import { describe, expect, test } from 'vitest';
import { type SymbolSettings, symbolGlobs } from '../../assets/exchanges/binance/symbols.ts';
import { globMatcher } from '../../framework/common/glob.ts';

const ALL: SymbolSettings = {
  symbols: ['*'],
  quoteAssets: [],
  excludeStablecoins: false,
  excludeLeveraged: false,
  contractTypes: ['perpetual', 'delivery'],
};
const SYMBOLS = [
  ...['BTCUSDT', 'ETHBTC', 'JUPUSDT', 'SYRUPUSDT', 'BTCUPUSDT', 'ETHBEARUSDT', 'BULLUSDT', 'USDCUSDT', 'EURUSDT'],
  ...['BTCUSDT_240628', 'BTCUSD_PERP', 'BTCUSD_240628', '币安人生USDT'],
];
const of = (settings: Partial<SymbolSettings>) => SYMBOLS.filter(globMatcher(symbolGlobs({ ...ALL, ...settings })));

describe('which symbols are meant', () => {
  test('all, named ones, globs, exclusions', () => {
    expect(of({})).toEqual(SYMBOLS);
    expect(of({ symbols: ['BTCUSDT', 'ETH*', '!ETHBEAR*'] })).toEqual(['BTCUSDT', 'ETHBTC']);
    expect(of({ symbols: ['!*USDT', '!*_*'] })).toEqual(['ETHBTC']);
  });

  test('quoted in', () => {
    expect(of({ quoteAssets: ['BTC'] })).toEqual(['ETHBTC']);
    expect(of({ quoteAssets: ['USD'] })).toEqual(['BTCUSD_PERP', 'BTCUSD_240628']);
    expect(of({ quoteAssets: ['USDT', 'BTC'], symbols: ['BTC*', 'ETHBTC'] })).toEqual([
      ...['BTCUSDT', 'ETHBTC', 'BTCUPUSDT', 'BTCUSDT_240628'],
    ]);
    expect(of({ quoteAssets: ['EUR'], symbols: ['BTCUSDT'] })).toEqual([]);
  });

  test('leveraged tokens by name, but not coins that only sound like one', () => {
    const left = of({ excludeLeveraged: true });
    expect(SYMBOLS.filter((symbol) => !left.includes(symbol))).toEqual(['BTCUPUSDT', 'ETHBEARUSDT', 'BULLUSDT']);
  });

  test('stablecoins against stablecoins, but no national currency', () => {
    const left = of({ excludeStablecoins: true });
    expect(SYMBOLS.filter((symbol) => !left.includes(symbol))).toEqual(['USDCUSDT']);
  });

  test('contract types', () => {
    expect(of({ contractTypes: ['perpetual'] })).not.toContain('BTCUSDT_240628');
    expect(of({ contractTypes: ['perpetual'] })).toContain('BTCUSD_PERP');
    expect(of({ contractTypes: ['delivery'] })).toEqual(['BTCUSDT_240628', 'BTCUSD_240628']);
    const delivery = { contractTypes: ['delivery'], quoteAssets: ['USDT'] } as const;
    expect(of(delivery)).toEqual(['BTCUSDT_240628']);
    expect(of({ ...delivery, symbols: ['BTCUSDT', 'BTCUSDT_240628'] })).toEqual(['BTCUSDT_240628']);
  });
});
