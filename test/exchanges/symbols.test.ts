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
    expect(of({ quoteAssets: ['USD'], symbols: ['*_PERP'] })).toEqual(['BTCUSD_PERP']);
    expect(of({ quoteAssets: ['USD'], symbols: ['BTC*_240628'] })).toEqual(['BTCUSD_240628']);
  });

  test('quoted in USD is not in BUSD, FDUSD or TUSD, whatever a coin ends in', () => {
    const dollars = ['BNBUSD', 'BNBUSD_PERP', 'DOTUSD', 'DOTUSD_PERP', 'DOTUSD_240628', 'BTCUSD_PERP'];
    const others = ['BTCBUSD', 'BTCFDUSD', 'BTCTUSD', 'USDTBUSD'];
    const quoted = (quoteAssets: string[], symbols = ['*']) =>
      [...dollars, ...others].filter(globMatcher(symbolGlobs({ ...ALL, quoteAssets, symbols })));
    expect(quoted(['USD'])).toEqual(dollars);
    expect(quoted(['USD'], ['BTCBUSD', 'B*'])).toEqual(['BNBUSD', 'BNBUSD_PERP', 'BTCUSD_PERP']);
    expect(quoted(['USD', 'BUSD'])).toEqual([...dollars, 'BTCBUSD', 'USDTBUSD']);
  });

  test('settings that leave nothing are refused: nothing else would depart with all there is', () => {
    const nothing = [
      { quoteAssets: ['EUR'], symbols: ['BTCUSDT'] },
      { quoteAssets: ['USD'], symbols: ['BTCBUSD'] },
      { contractTypes: ['delivery' as const], symbols: ['BTCUSDT'] },
      { contractTypes: ['perpetual' as const], symbols: ['BTCUSDT_240628'] },
      { excludeLeveraged: true, symbols: ['BTCUPUSDT'] },
    ];
    for (const settings of nothing) {
      expect(() => symbolGlobs({ ...ALL, ...settings })).toThrow(
        expect.objectContaining({ code: 'no-symbols', kind: 'usage', hint: expect.stringContaining('quoteAssets') }),
      );
    }
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
