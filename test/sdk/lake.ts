import {
  asset,
  bigint,
  bytes,
  columns,
  daily,
  date as dateColumn,
  decimal,
  defineLakehouse,
  double,
  dynamicDimension,
  from,
  inRange,
  LakehouseError,
  monthly,
  overlapping,
  source,
  sql,
  staticDimension,
  text,
  timestamp,
  view,
  writeZip,
  zipCsv,
} from 'crypto-lakehouse';

export const NOON = '2024-03-02T12:00:00Z';

const market = staticDimension(['spot', 'um']);
const symbol = dynamicDimension();
const date = daily({ start: '2024-01-01' });
const month = monthly({ start: '2024-01' });

/** Prices of a day by `market symbol date`, and how often a day was fetched. */
export type Days = Map<string, readonly number[]>;

const config = 'nothing: the test runner renames imports, which the code version would warn of';

/** Days in memory → zips → rows → one row a day → one row a month. */
export function smallLake(days: Days) {
  const feed = source('feed/days', {
    partitions: { market, symbol, date },
    observe: async function* () {
      for (const [key, prices] of days) {
        const [market = '', symbol = '', date = ''] = key.split(' ');
        yield { partition: { market, symbol, date }, version: prices.join() };
      }
    },
    read: async ({ partition: { values } }) => {
      const prices = days.get(`${values.market} ${values.symbol} ${values.date}`) ?? [];
      return {
        bytes: writeZip('x.csv', Buffer.from(prices.map((price, i) => `${i},${price}\n`).join('')), {
          modified: new Date('2024-01-01T00:00Z'),
        }),
        version: prices.join(),
      };
    },
  });
  const zips = asset('bronze/ticks', {
    partitions: { market, symbol, date },
    inputs: { feed },
    format: zipCsv({ columns: ['minute', 'price'] }),
    config,
    compute: ({ inputs }) => inputs.feed.bytes(),
  });
  const notes = asset('bronze/notes', {
    partitions: { market, symbol, date },
    inputs: { feed },
    format: bytes({ extension: '.txt' }),
    config,
    compute: ({ partition }) => Buffer.from(`note of ${partition.values.symbol}`),
  });
  const ticks = asset('silver/ticks', {
    partitions: { market, symbol, date },
    inputs: { raw: zips },
    columns: columns({
      at: timestamp(),
      price: decimal(18, 2),
      share: double().nullable(),
      trades: bigint(),
      name: text(),
    }),
    sortBy: ['at'],
    timeColumn: 'at',
    checks: [inRange('price', { min: 0 }, { severity: 'error' })],
    query: ({ raw }, { partition }) => sql`
      SELECT ${partition.start} + to_minutes(CAST(${raw.minute} AS INTEGER)) AS at,
        CAST(${raw.price} AS DECIMAL(18, 2)) AS price,
        CASE WHEN ${raw.minute} = '0' THEN NULL ELSE 0.5::DOUBLE END AS share,
        CAST(${raw.minute} AS BIGINT) + 9007199254740993 AS trades,
        ${raw.symbol} || '''s' AS name
      FROM ${raw}`,
  });
  const bars = asset('gold/bars', {
    partitions: { market, symbol, date },
    inputs: { ticks },
    columns: columns({ day: dateColumn(), high: decimal(18, 2) }),
    sortBy: ['day'],
    config,
    compute: async ({ inputs, partition }) => {
      const rows = await inputs.ticks.rows();
      if (rows.some(({ price }) => price === '666.00'))
        throw new LakehouseError('unlucky', 'a price is 666', { kind: 'data' });
      const high = rows.reduce((most, { price }) => Math.max(most, Number(price)), 0);
      return [{ day: partition.values.date, high: high.toFixed(2) }];
    },
  });
  const months = asset('gold/months', {
    partitions: { market, symbol, month },
    inputs: { bars: from(bars, { date: overlapping() }) },
    columns: columns({ high: decimal(18, 2) }),
    sortBy: ['high'],
    query: ({ bars }) => sql`SELECT max(${bars.high}) AS high FROM ${bars}`,
  });
  const highs = view('gold/highs', {
    inputs: { bars },
    query: ({ bars }) => sql`SELECT ${bars.symbol}, max(${bars.high}) AS high FROM ${bars} GROUP BY ALL`,
  });
  const definition = defineLakehouse({ assets: [feed, zips, notes, ticks, bars, months], views: [highs] });
  return { feed, zips, notes, ticks, bars, months, highs, definition };
}

/** Two symbols on spot and one on um, over the turn of a month. */
export function fewDays(): Days {
  const days: Days = new Map();
  const list = ['2024-01-30', '2024-01-31', '2024-02-01'];
  for (const [i, date] of list.entries()) {
    days.set(`spot AAA ${date}`, [10 + i, 11 + i]);
    days.set(`spot A_B ${date}`, [20 + i]);
    days.set(`um AAA ${date}`, [30 + i]);
  }
  return days;
}
