import { expect, test } from 'vitest';
import { asset } from '../../framework/define/asset.ts';
import { check, monotonic, ohlcConsistent, rowsWhere } from '../../framework/define/checks.ts';
import { bigint, columns, double, text } from '../../framework/define/columns.ts';
import { drift, reconciles, references } from '../../framework/define/comparisons.ts';
import { daily, dynamicDimension, monthly } from '../../framework/define/dimensions.ts';
import { zipCsv } from '../../framework/define/formats.ts';
import { from, ifPresent } from '../../framework/define/inputs.ts';
import { overlapping } from '../../framework/define/mappings.ts';
import { sql } from '../../framework/define/sql.ts';
import { buildGraph } from '../../framework/graph/graph.ts';
import { refused } from './support.ts';

const symbol = dynamicDimension();
const date = daily({ start: '2024-01-01' });
const partitions = { symbol, date };
const other = asset('base/other', {
  partitions,
  columns: columns({ name: text(), size: double() }),
  sortBy: ['name'],
  query: () => sql`SELECT 1`,
});
const table = {
  partitions,
  columns: columns({ name: text(), size: double(), open: double(), high: double(), low: double(), close: double() }),
  sortBy: ['name'],
  query: () => sql`SELECT 1`,
} as const;

test('what blocks is decided by a batch: comparisons read something else, and never block', () => {
  const { checks, issues } = asset('silver/x', {
    ...table,
    inputs: { names: other },
    checks: [
      ohlcConsistent(),
      references('name', 'names'),
      references('name', other),
      references('name', ifPresent(other), { severity: 'warn' }),
      drift({ column: 'size', window: { days: 30 }, max: { share: 0.5 } }),
      reconciles(other, { on: ['name'], columns: ['size'] }),
      check('own', [], ({ rows, inputs }) => sql`SELECT ${inputs.twin.size} FROM ${rows}, ${inputs.twin}`, {
        inputs: { twin: other },
      }),
    ].map((spec, i) => (i === 3 ? { ...spec, name: 'again' } : spec)) as never,
  });
  expect(issues).toEqual([]);
  const lines = checks.map(
    ({ name, severity, blocking, reads }) =>
      `${name} ${severity}${blocking ? ' blocks' : ''}: ${reads.map((read) => `${read.name} ${read.need} ${read.alternatives.map((one) => one.asset?.key ?? 'itself')}`)}`,
  );
  expect(lines).toEqual([
    'ohlc_consistent error blocks: ',
    'references_names_name error blocks: ',
    'references_base_other_name error: other required base/other',
    'again warn: other ifPresent base/other',
    'drift_mean_size warn: before ifPresent itself',
    'reconciles_base_other error: other required base/other',
    'own error: twin required base/other',
  ]);
});

test('what a comparison reads is part of the lake, mapped like an input, and no edge', () => {
  const monthlySizes = asset('gold/sizes', {
    partitions: { symbol, month: monthly({ start: '2024-01' }) },
    columns: columns({ size: double() }),
    sortBy: ['size'],
    query: () => sql`SELECT 1`,
    checks: [reconciles(from(other, { date: overlapping() }), { on: [], columns: ['size'] })],
  });
  const graph = buildGraph([monthlySizes], { codes: () => '' });
  expect(graph.order).toEqual(['base/other', 'gold/sizes']);
  expect(graph.upstreamOf('gold/sizes')).toEqual([]);
  const [read] = graph.node('gold/sizes').checkReads.get('reconciles_base_other') ?? [];
  expect(read?.alternatives.map(({ asset: key, mapping }) => [key, mapping.upstream({}, 648)])).toEqual([
    ['base/other', [19723, 19754]],
  ]);
  expect(
    refused(asset('gold/y', { ...table, partitions: { symbol }, checks: [references('name', other)] })),
  ).toMatchInlineSnapshot(
    `"mapping-needed gold/y.checks.references_base_other_name.inputs.other.date: The upstream is partitioned by 'date', this asset has no time => Write date: all() for every day, or date: at('2024-01-01')."`,
  );
});

test('checks that cannot be are refused by name', () => {
  const make = (...checks: readonly unknown[]) =>
    refused(asset('silver/x', { ...table, inputs: { names: other }, checks: checks as never }));
  expect(
    make(
      references('name', 'nams'),
      references('size', 'names', { column: 'sizes' }),
      references('name', other, { blocking: true }),
      drift({ column: 'size', window: { days: 30 }, max: {} }),
      drift({ measure: 'rows', window: { days: 0 }, max: { share: 1 } }),
      reconciles(other, { on: ['name'], columns: ['open'] }),
      check('rows', [], ({ rows }) => sql`SELECT * FROM ${rows}`, { inputs: { rows: other } }),
    ),
  ).toMatchInlineSnapshot(`
    "bad-check silver/x.checks.references_nams_name: there is no input 'nams' that a check can read. Did you mean 'names'?
    bad-check silver/x.checks.references_names_size: input 'names' has no column 'sizes'. Did you mean 'size'?
    blocking-comparison silver/x.checks.references_base_other_name: a check with inputs of its own cannot block => Leave \`blocking\` out; what is to block must be held against inputs of the asset
    bad-check silver/x.checks.drift_mean_size: drift() needs max: { share } or { deviations }
    bad-check silver/x.checks.reconciles_base_other: input 'other' has no column 'open'. Known: name, size, symbol, date
    bad-name silver/x.checks.rows.inputs.rows: the partition itself is called 'rows'
    bad-window silver/x.checks.drift_rows.inputs.before.date: earlier() cannot go back by 0 => Give a whole number of at least 1."
  `);
  expect(
    refused(
      asset('silver/still', {
        partitions: { symbol },
        columns: columns({ n: bigint() }),
        sortBy: ['n'],
        query: () => sql`SELECT 1`,
        checks: [drift({ measure: 'rows', window: { days: 3 }, max: { share: 1 } })],
      }),
      asset('raw/bytes', {
        partitions,
        inputs: { other },
        format: zipCsv({ columns: ['a'] }),
        compute: () => new Uint8Array(),
        checks: [rowsWhere('never', ['a'], ({ a }) => sql`${a} = ''`)],
      }),
    ),
  ).toMatchInlineSnapshot(`
    "bad-check silver/still.checks.drift_rows: drift() looks back in time: the asset needs a time dimension
    checks-on-bytes raw/bytes.checks: original files are kept as they come and are not checked => Check the table that is made of them"
  `);
});

test('columns that an asset has not do not compile', () => {
  const make = () => [
    // @ts-expect-error There is no column 'hi'.
    asset('silver/a', { ...table, checks: [ohlcConsistent({ high: 'hi' })] }),
    // @ts-expect-error There is no column 'sizes'.
    asset('silver/b', { ...table, checks: [drift({ column: 'sizes', window: { days: 1 }, max: { share: 1 } })] }),
    // @ts-expect-error There is no column 'sizes'.
    asset('silver/c', { ...table, checks: [reconciles(other, { on: ['name'], columns: ['sizes'] })] }),
    // @ts-expect-error There is no column 'id'.
    asset('silver/d', { ...table, checks: [monotonic('id')] }),
    // @ts-expect-error A comparison cannot block.
    drift({ measure: 'rows', window: { days: 1 }, max: { share: 1 } }, { blocking: true }),
    // @ts-expect-error The other asset has no column 'sizes'.
    reconciles(other, { on: [], columns: ['size'], of: (rows) => sql`SELECT ${rows.sizes} FROM ${rows}` }),
  ];
  const declared = make().flatMap((one) => ('issues' in one ? one.issues : []));
  expect(declared.map(({ code }) => code)).toEqual([
    'unknown-column',
    'unknown-column',
    'unknown-column',
    'bad-check',
    'unknown-column',
  ]);
});
