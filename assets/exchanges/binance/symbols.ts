import { globMatcher, LakehouseError } from 'crypto-lakehouse';

// Which symbols are meant, told by their names alone: the archive has symbols that were delisted years ago and that the exchange's own
// list (exchangeInfo) has not any more.

/** The settings that choose symbols. */
export interface SymbolSettings {
  /** Symbols, or globs of symbols; those that begin with `!` exclude. */
  readonly symbols: readonly string[];
  /** Only symbols that are quoted in these assets; all when empty. COIN-M contracts are quoted in USD. */
  readonly quoteAssets: readonly string[];
  readonly excludeStablecoins: boolean;
  readonly excludeLeveraged: boolean;
  /** `perpetual` (`BTCUSDT`, `BTCUSD_PERP`) and `delivery` (`BTCUSDT_240628`). Spot symbols count as perpetual. */
  readonly contractTypes: readonly ('perpetual' | 'delivery')[];
}

/** Coins that are meant to be worth a dollar or a euro, as they are named in symbols. */
const STABLECOINS = [
  'AEUR',
  'BFUSD',
  'BUSD',
  'DAI',
  'EURI',
  'FDUSD',
  'PAX',
  'RLUSD',
  'SUSD',
  'TUSD',
  'USD1',
  'USDC',
  'USDE',
  'USDP',
  'USDS',
  'USDSB',
  'UST',
  'USTC',
  'XUSD',
];

/** Underlyings of the leveraged tokens that Binance had, all of them delisted; by name alone JUP and SYRUP would be some too. */
const LEVERAGED = [
  ...[
    '1INCH',
    'AAVE',
    'ADA',
    'BCH',
    'BNB',
    'BTC',
    'DOT',
    'EOS',
    'ETH',
    'FIL',
    'LINK',
    'LTC',
    'SUSHI',
    'SXP',
    'TRX',
    'UNI',
    'XLM',
    'XRP',
    'XTZ',
    'YFI',
  ].flatMap((coin) => [`${coin}UP`, `${coin}DOWN`]),
  ...['', 'BNB', 'EOS', 'ETH', 'XRP'].flatMap((coin) => [`${coin}BULL`, `${coin}BEAR`]),
];

/** What leveraged tokens and stablecoins are quoted in. */
const QUOTES = ['USDT', 'BUSD', 'USDC'];

/** What else is quoted in and ends in the name of another. */
const LONGER: Readonly<Record<string, readonly string[]>> = { USD: ['BUSD', 'FDUSD', 'TUSD'] };

/**
 * The symbols that are meant, as globs for the dimension `symbol`.
 * @throws LakehouseError `no-symbols` (usage) when the settings together mean none: a lake without symbols would be an empty one.
 */
export function symbolGlobs(settings: SymbolSettings): string[] {
  const { symbols, quoteAssets, contractTypes } = settings;
  const wanted = symbols.filter((glob) => !glob.startsWith('!'));
  const any = wanted.length > 0 ? wanted : ['*'];
  const pairs = (bases: readonly string[]) => bases.flatMap((base) => QUOTES.map((quote) => `!${base}${quote}`));
  const quoted = quoteAssets.length === 0 ? any : any.flatMap((glob) => quotedIn(glob, quoteAssets));
  const excluded = [
    ...symbols.filter((glob) => glob.startsWith('!')),
    ...longerThan(quoteAssets),
    ...(settings.excludeStablecoins ? pairs(STABLECOINS) : []),
    ...(settings.excludeLeveraged ? pairs(LEVERAGED) : []),
    ...(contractTypes.includes('delivery') ? [] : ['!*_??????']),
  ];
  const left = excluded.length === 0 ? () => true : globMatcher(['*', ...excluded]);
  const chosen = (contractTypes.includes('perpetual') ? quoted : quoted.flatMap(delivered)).filter(
    (glob) => /[*?]/.test(glob) || left(glob),
  );
  if (chosen.length > 0) return [...new Set([...chosen, ...excluded])];
  throw new LakehouseError('no-symbols', 'The settings of exchanges.binance mean no symbol at all', {
    kind: 'usage',
    hint: 'What symbols, quoteAssets, contractTypes, excludeStablecoins and excludeLeveraged leave has to have something in common. To have nothing of Binance: exchanges.binance.enabled=false.',
  });
}

/**
 * Excludes what is quoted in BUSD where USD is meant. Not the pairs BNBUSD and DOTUSD of COIN-M, which look like it: three letters have to
 * come before.
 */
const longerThan = (quotes: readonly string[]): string[] =>
  quotes
    .flatMap((quote) => (LONGER[quote] ?? []).filter((longer) => !quotes.includes(longer)))
    .map((name) => `!???*${name}`);

/** The part of a glob that is contracts with a day of delivery. */
function delivered(glob: string): string[] {
  if (glob.endsWith('_*')) return [glob.replace(/\*$/, '??????')];
  if (glob.endsWith('*')) return [`${glob}_??????`];
  return /_[\d?]{6}$/.test(glob) ? [glob] : [];
}

/**
 * The part of a glob that is quoted in one of these assets. A contract has more after the quote: `BTCUSD_PERP`, `BTCUSDT_240628`. A glob
 * that ends otherwise than in `*`, but for that, says itself what it is quoted in.
 */
function quotedIn(glob: string, quotes: readonly string[]): string[] {
  const [, pair = '', contract = ''] = /^(.*?)(_[^_]*)?$/.exec(glob) ?? [];
  if (!pair.endsWith('*')) return quotes.some((quote) => pair.endsWith(quote)) ? [glob] : [];
  return quotes.flatMap((quote) =>
    contract ? [`${pair}${quote}${contract}`] : [`${glob}${quote}`, `${glob}${quote}_*`],
  );
}
