import { type CommandCall, command, LakehouseError } from 'crypto-lakehouse';

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

const list = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value : value === undefined ? [] : [String(value)];

/** `--partitions` for what was asked for; nothing when nothing was. */
function partitionWords({ options }: CommandCall): string[] {
  const day = (name: string): string => {
    const text = String(options[name] ?? '');
    if (text === '' || (/^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)))) return text;
    throw new LakehouseError('bad-date', `'${text}' is not a day`, { hint: 'Write e.g. 2024-01-31.' });
  };
  const [from, to] = [day('startDate'), day('endDate')];
  if (from !== '' && to !== '' && from > to)
    throw new LakehouseError('bad-date', `--start-date ${from} is after --end-date ${to}`);
  const [symbols, wanted] = [list(options.symbols), list(options.interval)];
  const market = TRADE_TYPES[String(options.tradeType ?? '')];
  const filter = [
    ...(market === undefined ? [] : [`market=${market}`]),
    ...(symbols.length > 0 ? [`symbol=${symbols.flatMap((text) => text.split(',')).join('|')}`] : []),
    ...(wanted.length > 0
      ? [
          `interval=${wanted
            .flatMap((text) => text.split(','))
            .join('|')
            .replaceAll('1M', '1mo')}`,
        ]
      : []),
    ...(from !== '' || to !== '' ? [`date=${from}..${to}`] : []),
  ];
  return filter.length > 0 ? ['--partitions', filter.join(',')] : [];
}

/** Wants the type for this once, when the settings do not: others of the settings' types stay. */
function typeWords(type: string, { settings }: CommandCall): string[] {
  const { exchanges } = settings as { exchanges: { binance: { dataTypes: readonly string[] } } };
  const name = type.replaceAll('-', '_');
  const { dataTypes } = exchanges.binance;
  return dataTypes.includes(name) ? [] : ['--set', `exchanges.binance.dataTypes=[${[...dataTypes, name].join(', ')}]`];
}

const ingest = Object.entries(DATA_TYPES).map(([type, { silver }]) =>
  command(`ingest ${type}`, {
    summary: `fetch ${type.replaceAll('-', ' ')} and make them exact tables (bronze and silver)`,
    options: type.includes('klines') ? [...series, intervals] : series,
    examples: [
      `lakehouse ingest ${type} --symbols BTCUSDT ETHUSDT --start-date 2024-01-01 --end-date 2024-01-31${
        type === 'klines' ? ' --interval 1h' : ' --trade-type um_futures'
      }`,
    ],
    becomes: (call) => ['materialize', `+${silver}`, ...partitionWords(call), ...typeWords(type, call)],
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
      const { gold = '' } = DATA_TYPES[String(call.options.dataType)] ?? {};
      return ['materialize', gold, '--no-observe', ...partitionWords(call)];
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
