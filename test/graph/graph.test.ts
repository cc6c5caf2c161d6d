import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isLakehouseError } from '../../framework/common/errors.ts';
import type { AssetDefinition } from '../../framework/define/model.ts';
import { buildGraph } from '../../framework/graph/graph.ts';
import type { Asset } from '../../framework/index.ts';
import {
  all,
  asset,
  columns,
  daily,
  double,
  dynamicDimension,
  earlier,
  firstAvailable,
  from,
  ifPresent,
  monthly,
  overlapping,
  self,
  source,
  sql,
  staticDimension,
  timestamp,
} from '../../framework/index.ts';
import { acceptsSeries } from '../../framework/partition/space.ts';
import { build, shown } from './support.ts';

const market = staticDimension(['spot', 'um']);
const symbol = dynamicDimension();
const date = daily({ start: '2020-01-01' });
const month = monthly({ start: '2020-01' });
const table = { columns: columns({ at: timestamp(), close: double() }), sortBy: ['at'] } as const;
const query = () => sql`SELECT 1`;
const plain = (key: string, ...inputs: Asset[]): AssetDefinition =>
  asset(key, { ...table, inputs: Object.fromEntries(inputs.map((input, i) => [`i${i}`, input])), query } as never);

describe('a graph', () => {
  const archive = source('binance/archive', { partitions: { market, symbol, date }, observe: async function* () {} });
  const bronze = asset('bronze/x', { ...table, partitions: { market, symbol, date }, inputs: { archive }, query });
  const silver = asset('silver/x', {
    ...table,
    partitions: { market, symbol, month },
    inputs: { days: from(bronze, { date: overlapping() }) },
    query,
  });
  const gold = asset('gold/x', {
    ...table,
    partitions: { market, month },
    inputs: {
      chosen: ifPresent(firstAvailable(from(silver, { symbol: all() }), from(silver, { symbol: all() }))),
      before: self({ month: earlier({ partitions: 1 }) }),
    },
    query,
  });
  const graph = build([gold]);

  test('holds what is reachable, in topological order', () => {
    expect(graph.order).toEqual(['binance/archive', 'bronze/x', 'silver/x', 'gold/x']);
    expect(graph.generations).toEqual([['binance/archive'], ['bronze/x'], ['silver/x'], ['gold/x']]);
    expect(graph.upstreamOf('gold/x')).toEqual(['silver/x']);
    expect(graph.downstreamOf('bronze/x')).toEqual(['silver/x']);
    expect(graph.downstreamOf('gold/x')).toEqual([]);
    expect(graph.node('gold/x').code).toBe('code of gold/x');
    expect(graph.find('gold/y')).toBeUndefined();
    expect(() => graph.node('gold/y')).toThrow("no asset 'gold/y'");
    expect(graph.select('+bronze/*').keys).toEqual(['binance/archive', 'bronze/x']);
  });

  test('knows how inputs map', () => {
    const facts = graph.order.map((key) =>
      graph.node(key).inputs.map(({ name, need, alternatives }) => ({
        name,
        need,
        reads: alternatives.map(
          ({ asset: from, mapping, sameTime }) => `${from}: ${mapping.description}${sameTime ? ' =' : ''}`,
        ),
      })),
    );
    expect(facts).toEqual([
      [],
      [{ name: 'archive', need: 'required', reads: ['binance/archive: the same partition ='] }],
      [{ name: 'days', need: 'required', reads: ['bronze/x: the days in it'] }],
      [
        {
          name: 'chosen',
          need: 'ifPresent',
          reads: ['silver/x: the same month, all symbols =', 'silver/x: the same month, all symbols ='],
        },
        { name: 'before', need: 'ifPresent', reads: ['gold/x: itself one month before'] },
      ],
    ]);
  });

  test('is in the same order however its assets are given', () => {
    const edges = fc.uniqueArray(fc.tuple(fc.nat(7), fc.nat(7)), { maxLength: 16, selector: String });
    fc.assert(
      fc.property(edges, fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7], { minLength: 8 }), (pairs, shuffle) => {
        const definitions: AssetDefinition[] = [];
        for (let i = 0; i < 8; i++) {
          const ups = pairs.flatMap(([a, b]) => (Math.max(a, b) === i && a !== b ? [Math.min(a, b)] : []));
          definitions.push(plain(`z/a${i}`, ...ups.map((up) => definitions[up] as Asset)));
        }
        const { order, generations, upstreamOf } = build(shuffle.map((i) => definitions[i] as AssetDefinition));
        expect(order).toEqual(build(definitions).order);
        expect([...order].sort()).toEqual(definitions.map(({ key }) => key));
        generations.forEach((generation, i) => {
          expect(generation).toEqual([...generation].sort());
          // As early as possible: one generation after the last upstream.
          for (const key of generation) {
            const before = upstreamOf(key).map((up) => generations.findIndex((g) => g.includes(up)));
            expect(Math.max(-1, ...before)).toBe(i - 1);
          }
        });
      }),
    );
  });
});

describe('filters', () => {
  const x = asset('silver/x', { ...table, partitions: { market, symbol, date }, query });
  const y = asset('silver/y', { ...table, partitions: { symbol: staticDimension(['BTCUSDT', 'ETHBTC']) }, query });
  const filtered = (filters: Record<string, readonly string[] | undefined>) =>
    buildGraph([x, y], { filters, codes: () => '' });

  test('narrow the listed dimensions of their name, by globs', () => {
    const graph = filtered({ market: ['s*'], symbol: ['*USDT', 'ETH???'] });
    const { space, definition } = graph.node('silver/x');
    const accepted = ['BTCUSDT', 'ETHBTC', 'ETHBTCX', 'BTCBUSD'].map((s) =>
      acceptsSeries(space, { market: 'spot', symbol: s }),
    );
    expect(accepted).toEqual([true, true, false, false]);
    expect(acceptsSeries(space, { market: 'um', symbol: 'BTCUSDT' })).toBe(false);
    expect(space.listed.map(({ values, pattern }) => ({ values, pattern }))).toEqual([
      { values: ['spot'], pattern: 's*' },
      { values: undefined, pattern: '*USDT|ETH???' },
    ]);
    expect(graph.node('silver/y').space.listed[0]?.values).toEqual(['BTCUSDT', 'ETHBTC']);
    // What is declared stays as it is.
    expect(definition.space.listed[0]?.values).toEqual(['spot', 'um']);
  });

  test('left out want everything; empty ones nothing', () => {
    expect(filtered({ market: undefined }).node('silver/x').space).toEqual(x.space);
    const { space } = buildGraph([asset('silver/z', { ...table, partitions: { symbol }, query })], {
      filters: { symbol: [] },
      codes: () => '',
    }).node('silver/z');
    expect(acceptsSeries(space, { symbol: 'BTCUSDT' })).toBe(false);
  });

  test('that are about nothing are refused', () => {
    expect(shown(() => filtered({ symbl: ['*'], date: ['2020*'], market: ['futures', 'cm'] }))).toMatchInlineSnapshot(`
      "invalid-definitions: 3 problems in the asset definitions:
        - filters.symbl: no asset has a listed dimension 'symbl'
          Did you mean 'symbol'?
        - filters.date: no asset has a listed dimension 'date'
          Known: market, symbol
        - filters.market: no value of 'market' is futures or cm
          Its values: spot, um"
    `);
  });
});

describe('what cannot be a graph', () => {
  /** Ties an input that the language could not have written. */
  function tie(definition: AssetDefinition, upstream: AssetDefinition): void {
    const mapping = { time: { rule: 'all' }, listed: {} } as const;
    (definition.inputs as unknown[]).push({
      name: 'tied',
      need: 'required',
      alternatives: [{ asset: upstream, mapping }],
    });
  }

  test('a circle is shown whole, from its smallest key', () => {
    const a = plain('z/a');
    const b = plain('z/b', a);
    const c = plain('z/c', b);
    const d = plain('z/d', c);
    tie(b, d);
    expect(shown(() => build([plain('z/e', d)]))).toMatchInlineSnapshot(`
      "invalid-definitions: 1 problem in the asset definitions:
        - z/b: assets depend on each other in a circle: z/b → z/c → z/d → z/b
          An asset that reads its own past uses self({ … earlier() }) instead"
    `);
  });

  test('an asset in a circle with itself', () => {
    const a = plain('z/a');
    tie(a, a);
    expect(shown(() => build([a]))).toMatchInlineSnapshot(`
      "invalid-definitions: 1 problem in the asset definitions:
        - z/a: assets depend on each other in a circle: z/a → z/a
          An asset that reads its own past uses self({ … earlier() }) instead"
    `);
  });

  test('of many circles one is shown, always the same', () => {
    const [a, b, c] = [plain('z/a'), plain('z/b'), plain('z/c')];
    tie(a, b);
    tie(b, a);
    tie(c, b);
    tie(b, c);
    const seen = new Set([[a, b, c], [c, b, a], [b]].map((list) => shown(() => build(list))));
    expect([...seen].map((text) => /circle: (.*)/.exec(text)?.[1])).toEqual(['z/a → z/b → z/a']);
  });

  test('two assets with one key', () => {
    const text = shown(() => build([plain('z/a'), plain('z/b', plain('z/a') as Asset)]));
    // The test runner moves lines.
    expect(text.replaceAll(import.meta.dirname, '…').replace(/:\d+/g, ':<line>')).toMatchInlineSnapshot(`
      "invalid-definitions: 1 problem in the asset definitions:
        - …/graph.test.ts:<line>: z/a: two assets have this key
          The other one is in …/graph.test.ts:<line>"
    `);
  });

  test('problems of every kind at once, as data', () => {
    const a = plain('z/A');
    const b = plain('z/b', a as Asset);
    tie(a, b);
    try {
      buildGraph([b], { filters: { x: ['*'] }, codes: () => '' });
      expect.unreachable();
    } catch (error) {
      if (!isLakehouseError(error)) throw error;
      expect(error.code).toBe('invalid-definitions');
      expect(error.kind).toBe('usage');
      expect(error.issues.map(({ code }) => code)).toEqual(['bad-key', 'cycle', 'unknown-dimension']);
    }
  });
});
