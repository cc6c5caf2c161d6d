import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { asset } from '../../framework/define/asset.ts';
import { columns, integer, timestamp } from '../../framework/define/columns.ts';
import { daily, dynamicDimension, hourly, monthly, weekly } from '../../framework/define/dimensions.ts';
import type { AssetDefinition } from '../../framework/define/model.ts';
import { quoteIdentifier, sql } from '../../framework/define/sql.ts';
import { view } from '../../framework/define/view.ts';
import { needed } from '../../framework/engine/condition.ts';
import { openDatabase, type Session } from '../../framework/engine/duckdb.ts';
import { createStubs } from '../../framework/engine/needs.ts';
import { partitionLiteral, relationColumns, viewName } from '../../framework/engine/partitions.ts';
import type { FileSpan } from '../../framework/engine/port.ts';
import { conditionsOf } from '../../framework/engine/prune.ts';
import { optimizedPlanOf } from '../../framework/engine/syntax.ts';
import { createTemplateView } from '../../framework/engine/views.ts';
import { indexAt } from '../../framework/partition/time.ts';

const symbol = dynamicDimension();
const shape = { columns: columns({ ts: timestamp(), n: integer() }), sortBy: ['ts' as const], compute: () => [] };
const ticks = asset('silver/ticks', { partitions: { symbol, date: daily({ start: '2024-01-01' }) }, ...shape });
const hours = asset('silver/hours', { partitions: { symbol, hour: hourly({ start: '2024-01-01' }) }, ...shape });
const weeks = asset('gold/weeks', { partitions: { week: weekly({ start: '2023-12-25' }) }, ...shape });
const months = asset('gold/months', { partitions: { symbol, month: monthly({ start: '2023-11' }) }, ...shape });
const plain = asset('gold/plain', { partitions: {}, ...shape });
const both = view('gold/both', {
  inputs: { ticks, months },
  query: (from) => sql`
    SELECT ${from.ticks.symbol}, ${from.ticks.date} AS day, ${from.ticks.n} FROM ${from.ticks}
    UNION ALL SELECT ${from.months.symbol}, ${from.months.month}, ${from.months.n} FROM ${from.months}`,
});
const assets: readonly AssetDefinition[] = [ticks, hours, weeks, months, plain];

/** Files of a lake: a name, and what it holds. */
interface File extends FileSpan {
  readonly asset: AssetDefinition;
  readonly name: string;
}

const SYMBOLS = ['A', 'AB', 'Bé', '𝕏'];
const at = (grain: 'hour' | 'day' | 'week' | 'month', text: string) => indexAt(grain, Date.parse(text));
const files: readonly File[] = [
  ...SYMBOLS.flatMap((value) => {
    const values = { symbol: value };
    const [january, february] = [at('day', '2024-01-01'), at('day', '2024-02-01')];
    const hour = at('hour', '2024-01-01T00:00Z');
    return [
      { asset: ticks, name: `${value} January`, values, first: january, last: january + 30 },
      ...[0, 1, 2].map((d) => ({
        asset: ticks,
        name: `${value} February ${d + 1}`,
        values,
        first: february + d,
        last: february + d,
      })),
      { asset: hours, name: `${value} night`, values, first: hour, last: hour + 5 },
      { asset: hours, name: `${value} noon`, values, first: hour + 12, last: hour + 12 },
      { asset: hours, name: `${value} next day`, values, first: hour + 24, last: hour + 26 },
      { asset: months, name: `${value} old`, values, first: at('month', '2023-11'), last: at('month', '2023-12') },
      { asset: months, name: `${value} new`, values, first: at('month', '2024-01'), last: at('month', '2024-02') },
    ];
  }),
  ...['2023-12-25', '2024-01-01', '2024-01-29'].map((monday) => ({
    asset: weeks,
    name: `week of ${monday}`,
    values: {},
    first: at('week', monday),
    last: at('week', monday),
  })),
  { asset: plain, name: 'plain', values: {}, first: 0, last: 0 },
];

const never = new AbortController().signal;
const opened = [
  await openDatabase({ tempDirectory: '' }),
  await openDatabase({ tempDirectory: '', threads: 1 }),
] as const;
const [real, planner] = [await opened[0].open('rows', never), await opened[1].open('plan', never)];
afterAll(() => {
  for (const session of [real, planner]) session.close();
  for (const database of opened) database.close();
});
await createStubs(planner, assets, [both]);
await fill(real);

/** Two lakes: one has all rows, in the other those of the files that were chosen. */
async function fill(session: Session): Promise<void> {
  await session.run('CREATE TABLE chosen (file VARCHAR)');
  for (const zone of ['silver', 'gold']) await session.run(`CREATE SCHEMA ${zone}`);
  for (const definition of assets) {
    const rows = files.filter((file) => file.asset === definition).flatMap(rowsOf);
    const list = relationColumns(definition).map(({ name }) => quoteIdentifier(name));
    const table = `${quoteIdentifier(`all ${definition.key}`)}`;
    await session.run(`CREATE TABLE ${table} AS FROM (VALUES ${rows.join(', ')}) t(${list.join(', ')}, file)`);
    await session.run(
      `CREATE VIEW ${viewName(definition)} AS SELECT * EXCLUDE (file) FROM ${table} SEMI JOIN chosen USING (file)`,
    );
  }
  await createTemplateView(session, both);
}

function rowsOf({ asset: { space }, values, first, last, name }: File): string[] {
  // Of a long file the first and the last partitions, and one between.
  const times = [...new Set([first, first + 1, Math.floor((first + last) / 2), last])].filter((t) => t <= last);
  return times.flatMap((time) =>
    [0, 1].map((i) => {
      const own = space.dimensions.map((dimension) => partitionLiteral(space, values, time, dimension.name));
      const start = space.time ? partitionLiteral(space, values, time, 'start') : "TIMESTAMP '2024-01-01'";
      return `(${[...own, `${start} + INTERVAL ${i} MINUTE`, `${(Math.abs(time) % 7) + i}::INTEGER`, `'${name}'`].join(', ')})`;
    }),
  );
}

async function filesOf(text: string): Promise<File[] | 'everything'> {
  const plan = await optimizedPlanOf(planner, text);
  if (plan === undefined) return 'everything';
  const found = conditionsOf(plan, new Map(assets.map((one) => [one.key, one])));
  return files.filter((file) => {
    const need = needed(found.get(file.asset.key));
    return typeof need === 'boolean' ? need : need(file);
  });
}

async function answers(text: string, chosen: readonly File[]): Promise<string[]> {
  await real.run('DELETE FROM chosen');
  if (chosen.length > 0)
    await real.run(`INSERT INTO chosen VALUES ${chosen.map(({ name }) => `('${name}')`).join(', ')}`);
  const rows = await real.rows(`SELECT CAST(q AS VARCHAR) AS row FROM (${text}) q`);
  return rows.map(({ row }) => String(row)).sort();
}

const names = async (text: string) => {
  const found = await filesOf(text);
  return found === 'everything' ? found : found.map(({ name }) => name);
};

describe('only files that can hold what is asked for', () => {
  const of = (symbols: readonly string[], ...what: readonly string[]) =>
    symbols.flatMap((s) => what.map((w) => `${s} ${w}`));
  const february = ['February 1', 'February 2', 'February 3'];

  test.each<[string, string[]]>([
    ["symbol = 'A' AND date = '2024-02-02'", of(['A'], 'February 2')],
    ["date = DATE '2024-02-02' OR symbol = 'A' AND date < '2024-01-05'", ['A January', ...of(SYMBOLS, 'February 2')]],
    ["symbol IN ('A', 'Bé') AND date BETWEEN '2024-01-31' AND '2024-02-01'", of(['A', 'Bé'], 'January', 'February 1')],
    ["symbol NOT IN ('A', 'Bé', 'AB') AND NOT (date <> '2024-02-01')", of(['𝕏'], 'February 1')],
    [
      "symbol LIKE 'A%' AND year(date) = 2024 AND month(date) = 2 AND date >= '2024-02-03'",
      of(['A', 'AB'], 'February 3'),
    ],
    ["symbol LIKE '%B' AND date >= TIMESTAMP '2024-02-01 00:00:01'", of(['AB'], 'February 2', 'February 3')],
    ["date_trunc('month', date) = '2024-02-01' AND contains(symbol, '𝕏')", of(['𝕏'], ...february)],
    ["symbol > 'B' AND '2024-01-31' < date AND date <> '2024-02-02'", of(['Bé', '𝕏'], 'February 1', 'February 3')],
    ['date > current_date', []],
    ['symbol IS NULL AND FALSE', []],
    ["date = '2024-02-02' AND symbol = 'A' OR FALSE", of(['A'], 'February 2')],
  ])('WHERE %s', async (where, expected) => {
    expect((await names(`SELECT n FROM silver.ticks WHERE ${where}`)).toString()).toBe(
      files
        .filter(({ name, asset: { key } }) => key === 'silver/ticks' && expected.includes(name))
        .map(({ name }) => name)
        .toString(),
    );
  });

  test.each<[string, string[]]>([
    ["SELECT count(*) FROM silver.hours WHERE hour::DATE = '2024-01-02' AND symbol = 'A'", of(['A'], 'next day')],
    ["SELECT n FROM silver.hours WHERE hour < '2024-01-01 12:00' AND symbol = 'A'", of(['A'], 'night')],
    ["SELECT n FROM gold.weeks WHERE week >= '2023-12-26' AND week <= '2024-01-28'", ['week of 2024-01-01']],
    ["SELECT n FROM gold.months WHERE symbol = 'A' AND year(month) < 2024", of(['A'], 'old')],
    // Both sides of a join, a condition on one of which the other inherits.
    [
      "FROM silver.ticks JOIN gold.months USING (symbol) WHERE symbol = 'A' AND date = '2024-02-01' AND month = '2023-12-01'",
      of(['A'], 'February 1', 'old'),
    ],
    // Each scan of its own, and of the file both.
    [
      "SELECT 1 FROM silver.ticks a, silver.ticks b WHERE a.symbol = 'A' AND b.symbol = 'AB' AND a.date = '2024-02-01' AND b.date = '2024-02-02'",
      ['A February 1', 'AB February 2'],
    ],
    [
      "WITH c AS (FROM silver.ticks WHERE date > '2024-01-31') SELECT * FROM c JOIN c d USING (ts) WHERE c.symbol = 'A' AND d.symbol = 'AB'",
      of(['A', 'AB'], ...february),
    ],
    ["SELECT * FROM gold.both WHERE day = '2024-02-01' AND symbol = 'A'", of(['A'], 'February 1', 'new')],
    ['SELECT 1', []],
    ['DESCRIBE silver.ticks', []],
  ])('%s', async (text, expected) => {
    expect((await names(text)).toString()).toBe(
      files
        .filter(({ name }) => expected.includes(name))
        .map(({ name }) => name)
        .toString(),
    );
  });

  test.each(["'-inf'::DOUBLE", "[1 / 0, -'nan'::FLOAT]", `'"NaN, \\"'`, "'\\xAA'::BLOB", 'chr(0)'])(
    'a constant that JSON has no word for changes nothing: %s',
    async (constant) => {
      expect(
        await names(`SELECT ${constant} AS x FROM silver.ticks WHERE symbol = 'A' AND date = '2024-02-02'`),
      ).toEqual(of(['A'], 'February 2'));
    },
  );

  test.each([
    ["SELECT '101'::BIT FROM silver.ticks WHERE symbol = 'A'", 'everything'],
    ['SUMMARIZE silver.ticks', 16],
    ['SELECT count(*) FROM silver.ticks', 16],
    ["SELECT * FROM silver.ticks WHERE lower(symbol) = 'a'", 16],
    ["SELECT * FROM (FROM silver.ticks LIMIT 3) WHERE symbol = 'A'", 16],
    ["SELECT * FROM silver.ticks a LEFT JOIN gold.plain ON a.symbol = 'A'", 17],
    ["SELECT * FROM (SELECT *, row_number() OVER (ORDER BY ts) AS i FROM silver.ticks) WHERE date = '2024-02-01'", 16],
    ['PIVOT silver.ticks ON symbol USING max(n)', 'everything'],
  ])('%s restricts nothing', async (text, expected) => {
    const found = await filesOf(text);
    expect(found === 'everything' ? found : found.length).toBe(expected);
  });
});

const TABLES = [
  { name: 'silver.ticks', listed: 'symbol', time: 'date' },
  { name: 'silver.hours', listed: 'symbol', time: 'hour' },
  { name: 'gold.months', listed: 'symbol', time: 'month' },
  { name: 'gold.both', listed: 'symbol', time: 'day' },
] as const;
type Table = (typeof TABLES)[number];

const dates = fc.constantFrom(
  '2023-12-31',
  '2024-01-01',
  '2024-01-02',
  '2024-01-15',
  '2024-01-31',
  '2024-02-01',
  '2024-02-02',
  '2024-02-29',
);
const values = fc.constantFrom("'A'", "'AB'", "'Bé'", "'𝕏'", "'a'", "''", "'ﬀ'", 'NULL');
const comparison = fc.constantFrom('=', '<>', '<', '<=', '>', '>=', 'IS DISTINCT FROM', 'IS NOT DISTINCT FROM');
const instants = fc.oneof(
  dates.map((d) => `DATE '${d}'`),
  dates.map((d) => `'${d}'`),
  fc.tuple(dates, fc.constantFrom('00:00', '05:30', '12:00')).map(([d, t]) => `TIMESTAMP '${d} ${t}'`),
  fc.constantFrom(
    'current_date',
    'NULL::DATE',
    "DATE '2024-01-01' + 1",
    "'infinity'::DATE",
    "TIMESTAMPTZ '2024-01-31 23:00:00-01'",
  ),
);

function atom(alias: string, { listed, time }: Table): fc.Arbitrary<string> {
  const s = `${alias}.${listed}`;
  const t = `${alias}.${time}`;
  return fc.oneof(
    fc.tuple(comparison, values).map(([op, v]) => `${s} ${op} ${v}`),
    fc.tuple(comparison, values).map(([op, v]) => `${v} ${op} ${s}`),
    fc
      .tuple(fc.constantFrom('IN', 'NOT IN'), fc.array(values, { minLength: 1, maxLength: 4 }))
      .map(([op, v]) => `${s} ${op} (${v.join(', ')})`),
    fc
      .tuple(
        fc.constantFrom('LIKE', 'NOT LIKE', 'ILIKE', 'SIMILAR TO'),
        fc.constantFrom("'A%'", "'%B'", "'%é%'", "'_'", "'A'", "'a%'"),
      )
      .map(([op, v]) => `${s} ${op} ${v}`),
    fc.tuple(fc.constantFrom('prefix', 'suffix', 'contains'), values).map(([f, v]) => `${f}(${s}, ${v})`),
    fc.tuple(comparison, instants).map(([op, v]) => `${t} ${op} ${v}`),
    fc.tuple(comparison, instants).map(([op, v]) => `${v} ${op} ${t}`),
    fc.tuple(instants, instants).map(([a, b]) => `${t} BETWEEN ${a} AND ${b}`),
    fc
      .tuple(fc.constantFrom('IN', 'NOT IN'), fc.array(instants, { minLength: 1, maxLength: 3 }))
      .map(([op, v]) => `${t} ${op} (${v.join(', ')})`),
    fc
      .tuple(fc.constantFrom('year', 'month', 'day'), comparison, fc.constantFrom(2023, 2024, 1, 2))
      .map(([f, op, n]) => `${f}(${t}) ${op} ${n}`),
    fc
      .tuple(fc.constantFrom('year', 'month', 'week', 'day'), comparison, instants)
      .map(([p, op, v]) => `date_trunc('${p}', ${t}) ${op} ${v}`),
    fc.tuple(comparison, instants).map(([op, v]) => `CAST(${t} AS DATE) ${op} ${v}`),
    fc.tuple(comparison, dates).map(([op, d]) => `CAST(${t} AS VARCHAR) ${op} '${d}'`),
    fc.constantFrom(
      `${s} IS NULL`,
      `${s} IS NOT NULL`,
      `${t} IS NULL`,
      'TRUE',
      'FALSE',
      'NULL',
      `${alias}.n > 3`,
      `${alias}.n % 2 = 0`,
      `${t} + INTERVAL 1 DAY > TIMESTAMP '2024-02-01'`,
      `CASE WHEN ${s} = 'A' THEN ${t} > '2024-01-31' ELSE ${alias}.n > 2 END`,
      `coalesce(${s} = 'A', TRUE)`,
      `${s} || 'B' = 'AB'`,
      `(${s} = 'A') = (${t} < '2024-01-15')`,
      `${s} = ${alias}.n::VARCHAR`,
      `(${s}, ${t}) IN (('A', DATE '2024-02-01'), ('AB', DATE '2024-01-01'))`,
      `${t} = ANY ([DATE '2024-02-01', DATE '2024-01-01'])`,
    ),
  );
}

const condition = (alias: string, table: Table): fc.Arbitrary<string> =>
  fc.letrec<{ any: string }>((tie) => ({
    any: fc.oneof(
      { depthSize: 'small' },
      { weight: 3, arbitrary: atom(alias, table) },
      {
        weight: 2,
        arbitrary: fc
          .tuple(tie('any'), fc.constantFrom('AND', 'OR'), tie('any'))
          .map(([a, op, b]) => `(${a} ${op} ${b})`),
      },
      { weight: 1, arbitrary: tie('any').map((a) => `NOT (${a})`) },
    ),
  })).any;

const query = fc
  .tuple(fc.constantFrom(...TABLES), fc.constantFrom(...TABLES))
  .chain(([t, u]) =>
    fc.record({
      t: fc.constant(t),
      u: fc.constant(u),
      a: condition('a', t),
      a2: condition('a', t),
      b: condition('b', u),
      join: fc.constantFrom('JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL JOIN', 'SEMI JOIN', 'ANTI JOIN'),
      on: fc.constantFrom(
        'a.symbol = b.symbol',
        'a.n = b.n',
        `a.${t.time} = b.${u.time}`,
        `a.symbol = b.symbol AND a.${t.time} <= b.${u.time}`,
      ),
      set: fc.constantFrom('UNION', 'UNION ALL', 'EXCEPT', 'INTERSECT ALL'),
      materialized: fc.constantFrom('', 'MATERIALIZED', 'NOT MATERIALIZED'),
      shape: fc.nat({ max: 15 }),
    }),
  )
  .map(({ t, u, a, a2, b, join, on, set, materialized, shape }) => {
    const [T, U] = [`${t.name} a`, `${u.name} b`];
    const one = join === 'SEMI JOIN' || join === 'ANTI JOIN';
    return [
      `SELECT * FROM ${T} WHERE ${a}`,
      `SELECT a.* ${one ? '' : ', b.n AS bn'} FROM ${T} ${join} ${U} ON ${on} AND ${b} WHERE ${a}`,
      `SELECT a.* ${one ? '' : ', b.symbol AS bs'} FROM ${T} ${join} ${U} ON ${on} AND ${a2} WHERE ${one ? a : b}`,
      `SELECT * FROM ${T} WHERE ${a} AND EXISTS (SELECT 1 FROM ${U} WHERE ${on} AND ${b})`,
      `SELECT * FROM ${T} WHERE ${a} OR NOT EXISTS (SELECT 1 FROM ${U} WHERE ${on} AND ${b})`,
      `SELECT * FROM ${T} WHERE n NOT IN (SELECT n FROM ${U} WHERE ${b}) AND ${a}`,
      `SELECT * FROM ${T} WHERE a.${t.time} IN (SELECT ${u.time} FROM ${U} WHERE ${b}) OR ${a}`,
      `WITH c AS ${materialized} (SELECT * FROM ${T} WHERE ${a2}) SELECT a.*, d.n AS dn FROM c a JOIN c d ON a.n = d.n WHERE ${a} AND d.symbol = 'A'`,
      `WITH c AS ${materialized} (SELECT * FROM ${T}) SELECT * FROM c a WHERE ${a} UNION ALL SELECT * FROM c a WHERE ${a2}`,
      `SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY symbol ORDER BY ${t.time}, ts, n) AS i, lag(n) OVER (ORDER BY ts, symbol, ${t.time}, n) AS l FROM ${T} WHERE ${a2}) a WHERE ${a} AND i < 4`,
      `SELECT symbol, count(*) FILTER (WHERE ${a}) AS f, max(${t.time}) AS m FROM ${T} WHERE ${a2} GROUP BY symbol HAVING symbol <> 'AB'`,
      `SELECT * FROM (SELECT * FROM ${T} ORDER BY n, symbol, ${t.time}, ts LIMIT 7) a WHERE ${a}`,
      `SELECT a.symbol, a.${t.time}, (SELECT sum(b.n) FROM ${U} WHERE ${on} AND ${b}) AS s FROM ${T} WHERE ${a}`,
      `(SELECT symbol, n FROM ${T} WHERE ${a}) ${set} (SELECT symbol, n FROM ${U} WHERE ${b})`,
      `SELECT * FROM ${T} WHERE a.n >= (SELECT min(n) FROM ${U} WHERE ${b}) AND ${a} QUALIFY rank() OVER (PARTITION BY symbol ORDER BY n) = 1`,
      `SELECT DISTINCT ON (x.symbol) x.* FROM (SELECT symbol, ${t.time} AS day, n FROM ${T} WHERE ${a}) x JOIN LATERAL (SELECT count(*) AS c FROM ${U} WHERE b.symbol = x.symbol AND ${b}) ON TRUE ORDER BY x.symbol, x.day, x.n, c`,
    ][shape] as string;
  });

test('a query gives the same of the files that it was found to need', { timeout: 60_000 }, async () => {
  let [pruned, planned, valid] = [0, 0, 0];
  await fc.assert(
    fc.asyncProperty(query, async (text) => {
      const all = await answers(text, files).catch(() => undefined);
      if (all === undefined) return;
      valid++;
      const chosen = await filesOf(text);
      if (chosen === 'everything') return;
      planned++;
      if (chosen.length < files.length) pruned++;
      expect(await answers(text, chosen), text).toEqual(all);
    }),
    { numRuns: 400 },
  );
  // Or nothing would be shown.
  expect(valid).toBeGreaterThan(300);
  expect(planned).toBeGreaterThan(valid * 0.95);
  expect(pruned).toBeGreaterThan(300);
});
