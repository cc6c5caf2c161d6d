import { type CommandCall, command, globMatcher, LakehouseError } from 'crypto-lakehouse';
import { longInterval } from './dimensions.ts';
import { symbolGlobs } from './exchanges/binance/symbols.ts';
import type { Settings } from './settings.ts';

// The words in which people of this field ask for data, as selections of assets.

const TRADE_TYPES: Readonly<Record<string, string>> = { spot: 'spot', um_futures: 'um', cm_futures: 'cm' };

/** What is ingested by each word, and processed. */
const DATA_TYPES: Readonly<Record<string, { readonly silver: string; readonly gold: string }>> = {
  klines: { silver: 'silver/klines', gold: 'silver/klines+' },
  'funding-rates': { silver: 'silver/funding_rates', gold: 'silver/funding_rates+' },
  liquidations: { silver: 'silver/liquidations', gold: 'silver/liquidations+' },
  'agg-trades': { silver: 'silver/agg_trades', gold: 'silver/agg_trades+' },
  trades: { silver: 'silver/trades', gold: 'silver/trades+' },
  metrics: { silver: 'silver/metrics', gold: 'silver/metrics+' },
  'book-depth': { silver: 'silver/book_depth', gold: 'silver/book_depth+' },
  'book-ticker': { silver: 'silver/book_ticker', gold: 'silver/book_ticker+' },
  'mark-price-klines': { silver: 'silver/mark_price_klines', gold: 'silver/mark_price_klines+' },
  'index-price-klines': { silver: 'silver/index_price_klines', gold: 'silver/index_price_klines+' },
  'premium-index-klines': { silver: 'silver/premium_index_klines', gold: 'silver/premium_index_klines+' },
};

const series = [
  {
    flags: '--symbols <symbols...>',
    description: 'symbols, or globs of symbols; all that the settings want when absent',
  },
  { flags: '--start-date <date>', description: 'first day (UTC), e.g. 2024-01-01' },
  { flags: '--end-date <date>', description: 'last day (UTC)' },
  {
    flags: '--trade-type <type>',
    description: 'market; all that the settings want when absent',
    choices: Object.keys(TRADE_TYPES),
  },
] as const;
const intervals = { flags: '--interval <intervals...>', description: 'lengths of candles, e.g. 1m 1h' } as const;

const FUTURES_ONLY: ReadonlySet<string> = new Set(
  Object.keys(DATA_TYPES).filter((type) => !['klines', 'agg-trades', 'trades'].includes(type)),
);

const list = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value : value === undefined ? [] : [String(value)];

const words = (value: unknown): readonly string[] => list(value).flatMap((text) => text.split(','));

/** Lengths of candles in the archive's words. */
const intervalsOf = ({ options }: CommandCall): readonly string[] =>
  words(options.interval).map((text) => (text === '1M' ? '1mo' : text));

const exchangesOf = ({ settings }: CommandCall) => (settings as unknown as Settings).exchanges;

/**
 * What the settings do not want is not fetched for once: the next run would take it out of the lake again.
 * @throws LakehouseError `not-wanted` (usage).
 */
function refuseUnwanted(asked: readonly string[], wanted: readonly string[], setting: string): void {
  const wants = globMatcher(wanted);
  const missing = asked.filter((value) => !/[*?]/.test(value) && !wants(value));
  if (missing.length === 0) return;
  throw new LakehouseError(
    'not-wanted',
    `The settings do not want ${missing.join(', ')}: ${setting} is ${wanted.join(', ') || 'empty'}`,
    { hint: `Add it in lakehouse.yaml: ${setting}: [${[...wanted, ...missing].join(', ')}]` },
  );
}

/** `--partitions` for what was asked for; nothing when nothing was. */
function partitionWords(call: CommandCall): string[] {
  const { options } = call;
  const day = (name: string): string => {
    const text = String(options[name] ?? '');
    if (text === '' || (/^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)))) return text;
    throw new LakehouseError('bad-date', `'${text}' is not a day`, { hint: 'Write e.g. 2024-01-31.' });
  };
  const [from, to] = [day('startDate'), day('endDate')];
  if (from !== '' && to !== '' && from > to)
    throw new LakehouseError('bad-date', `--start-date ${from} is after --end-date ${to}`);
  const { binance, ...others } = exchangesOf(call);
  const enabled = Object.values(others).filter((one) => one.enabled);
  const [symbols, intervals] = [words(options.symbols), intervalsOf(call)];
  const market = TRADE_TYPES[String(options.tradeType ?? '')];
  refuseUnwanted(
    symbols,
    [...symbolGlobs(binance), ...enabled.flatMap((one) => one.symbols)],
    'exchanges.binance.symbols',
  );
  refuseUnwanted(
    intervals,
    [...binance.intervals, ...enabled.flatMap((one) => one.intervals)],
    'exchanges.binance.intervals',
  );
  refuseUnwanted(market === undefined ? [] : [market], binance.markets, 'exchanges.binance.markets');
  const filter = [
    ...(market === undefined ? [] : [`market=${market}`]),
    ...(symbols.length > 0 ? [`symbol=${symbols.join('|')}`] : []),
    ...(intervals.length > 0 ? [`interval=${intervals.join('|')}`] : []),
    ...(from !== '' || to !== '' ? [`date=${from}..${to}`] : []),
  ];
  return filter.length > 0 ? ['--partitions', filter.join(',')] : [];
}

/** Wants the type for this once, when the settings do not: what is there then stays, and nothing more is fetched. */
function typeWords(type: string, call: CommandCall): string[] {
  const { dataTypes, markets } = exchangesOf(call).binance;
  if (FUTURES_ONLY.has(type) && !markets.some((market) => market !== 'spot')) {
    throw new LakehouseError(
      'not-wanted',
      `There are ${type} of futures only, and exchanges.binance.markets is ${markets.join(', ')}`,
      {
        hint: `Add them in lakehouse.yaml: exchanges.binance.markets: [${[...markets, 'um'].join(', ')}]`,
      },
    );
  }
  const name = type.replaceAll('-', '_');
  return dataTypes.some((one) => one === name)
    ? []
    : ['--set', `exchanges.binance.dataTypes=[${[...dataTypes, name].join(', ')}]`];
}

/** Candles of up to a day, and those that are longer, are tables of their own. */
function klines(call: CommandCall, of: (silver: string) => string): string {
  const asked = intervalsOf(call);
  const isLong = (interval: string) => longInterval.values.some((value) => value === interval);
  return [
    ...(asked.length === 0 || !asked.every(isLong) ? [of('silver/klines')] : []),
    ...(asked.some(isLong) ? [of('silver/long_klines')] : []),
  ].join(' or ');
}

const ingest = Object.entries(DATA_TYPES).map(([type, { silver }]) =>
  command(`ingest ${type}`, {
    summary: `fetch ${type.replaceAll('-', ' ')} and make them exact tables (bronze and silver)`,
    options: type.includes('klines') ? [...series, intervals] : series,
    examples: [
      `lakehouse ingest ${type} --symbols BTCUSDT ETHUSDT --start-date 2024-01-01 --end-date 2024-01-31${
        type === 'klines' ? ' --interval 1h' : ''
      }${FUTURES_ONLY.has(type) ? ' --set exchanges.binance.markets=[spot,um]' : ''}`,
    ],
    becomes: (call) => {
      const selection = type === 'klines' ? klines(call, (key) => `+${key}`) : `+${silver}`;
      return ['materialize', selection, ...partitionWords(call), ...typeWords(type, call)];
    },
  }),
);

/** Commands besides those that every lakehouse has. */
export const commands = [
  ...ingest,
  command('process transform', {
    summary: 'compute from what was ingested: silver and gold, without looking at the exchange',
    options: [
      {
        flags: '--data-type <type>',
        description: 'what is transformed',
        choices: Object.keys(DATA_TYPES),
        required: true,
      },
      ...series,
      intervals,
    ],
    examples: ['lakehouse process transform --data-type klines --symbols BTCUSDT --start-date 2024-01-01'],
    becomes: (call) => {
      const type = String(call.options.dataType);
      const selection = type === 'klines' ? klines(call, (key) => `${key}+`) : (DATA_TYPES[type]?.gold ?? '');
      return ['materialize', selection, '--no-observe', ...partitionWords(call)];
    },
  }),
  command('query info', {
    summary: 'what there is of an exchange',
    options: [{ flags: '--exchange <name>', description: 'e.g. binance; all when absent' }],
    examples: ['lakehouse query info --exchange binance'],
    becomes: ({ options }) => [
      'status',
      ...(typeof options.exchange === 'string' ? ['--partitions', `exchange=${options.exchange}`] : []),
    ],
  }),
  command('admin setup', {
    summary: 'make the lake and learn what the exchange has',
    becomes: () => ['observe'],
  }),
  command('admin status', {
    summary: 'what there is, how fresh, and what is missing',
    becomes: () => ['status'],
  }),
];
