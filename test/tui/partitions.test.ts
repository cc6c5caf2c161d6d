import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { indexAt } from '../../framework/partition/time.ts';
import type { Status } from '../../framework/plan/evaluate.ts';
import { type PartitionDetail, SHOWN_STATUSES, type Size, type Zoom } from '../../framework/tui/model/data.ts';
import { defaultAxes, type HeatAxes } from '../../framework/tui/model/heat-axes.ts';
import { type HeatState, moveBy, startHeat, toggleMark } from '../../framework/tui/model/heatmap.ts';
import { heatIndex, heatMap, heatShape } from '../../framework/tui/read/heatmap.ts';
import { heatLayout, partitionsView } from '../../framework/tui/view/partitions.ts';
import { createTheme, type Theme } from '../../framework/tui/view/theme.ts';
import { evaluationOf, type Given } from './heatmap-support.ts';
import { ASCII, expectAscii, expectFilled, PLAIN, seen, sizes, THEMES, texts, themes } from './view/fitting.ts';

const day = (text: string): number => indexAt('day', Date.parse(text));
const SYMBOLS =
  'BTCUSDT ETHUSDT BNBUSDT 1000SHIBUSDT SOLUSDT ADAUSDT XRPUSDT B2USDT B10USDT DOGEUSDT LTCUSDT LINKUSDT DOTUSDT AVAXUSDT UNIUSDT TRXUSDT ATOMUSDT ETCUSDT'.split(
    ' ',
  );

/** Two markets; symbols that begin one after the other; stale months, single missing and failed days, the newest ones awaited. */
const LAKE: Given = {
  grain: 'day',
  listed: { market: ['spot', 'um'], symbol: undefined },
  series: SYMBOLS.flatMap((symbol, s) =>
    ['spot', 'um'].map((market, m) => ({
      values: { market, symbol },
      base: day('2020-01-10') + s * 20,
      status: Array.from({ length: 560 - s * 20 }, (_, i): Status => {
        const at = i + s * 20;
        if (at > 552) return 'awaiting';
        if ((Math.floor(at / 30) * 7 + s) % 11 === 0) return m === 0 ? 'stale' : 'pending';
        const dice = (at * 31 + s * 17 + m * 7) % 211;
        return dice === 0 ? 'failed' : dice < 3 ? 'missing' : dice === 9 ? 'blocked' : 'fresh';
      }),
    })),
  ),
};
const DETAIL: PartitionDetail = {
  asset: 'silver/klines',
  kind: 'asset',
  partition: 'market=spot/symbol=ADAUSDT/time=2021-07-20',
  status: 'stale',
  causes: [
    { depth: 0, text: 'data: 1 input partition changed after it had read them (at revision 12)', status: undefined },
    {
      depth: 1,
      text: 'bronze/klines market=spot/symbol=ADAUSDT/time=2021-07-20: fresh, changed at revision 14',
      status: 'fresh',
    },
  ],
  rows: 1440,
  bytes: 61_234,
  version: '0f3a99aa00bb11cc22dd33ee44ff5566',
  codeVersion: 'c0ffee12',
  computedAt: Date.UTC(2024, 0, 2, 3, 4, 5),
  run: 'm4x1',
  file: 'silver/klines/market=spot/symbol=ADAUSDT/2021-07.m4x1.parquet',
  error: undefined,
  checks: [{ check: 'no_gaps', severity: 'warn', failedRows: 3 }],
};

function screen(
  given: Given,
  size: Size,
  theme: Theme,
  {
    axes = {},
    keys = (state) => state,
    reading = false,
  }: {
    axes?: Partial<HeatAxes>;
    keys?: (state: HeatState, move: (state: HeatState, rows: number, columns: number) => HeatState) => HeatState;
    reading?: boolean;
  } = {},
): string[] {
  const index = heatIndex(evaluationOf(given));
  const all = { ...defaultAxes(index.dimensions), ...axes };
  const shape = heatShape(index, all);
  const { window } = heatLayout(size, shape, all);
  const state = keys(startHeat(all, shape, window), (from, rows, columns) =>
    moveBy(from, shape, window, rows, columns),
  );
  const map = heatMap(index, state, { firstRow: state.firstRow, firstColumn: state.firstColumn, ...window });
  return partitionsView({ size, map, shape, state, detail: reading ? undefined : DETAIL }, theme);
}
const marked = (state: HeatState, move: (state: HeatState, rows: number, columns: number) => HeatState): HeatState => {
  const shape = heatShape(heatIndex(evaluationOf(LAKE)), state);
  return move(toggleMark(move(state, 2, -12), shape), 3, 5);
};

describe('the Partitions screen', () => {
  test('80×19: days of one market', () => {
    expect(
      seen(screen(LAKE, { columns: 80, rows: 19 }, PLAIN, { axes: { selectors: { market: 'spot' } } })),
    ).toMatchSnapshot();
  });
  test('80×19 in ASCII: months, in which many are summed up', () => {
    expect(seen(screen(LAKE, { columns: 80, rows: 19 }, ASCII, { axes: { zoom: 'month' } }))).toMatchSnapshot();
  });
  test('100×34: a pane below, a marked range', () => {
    expect(
      seen(screen(LAKE, { columns: 100, rows: 34 }, PLAIN, { axes: { zoom: 'month' }, keys: marked })),
    ).toMatchSnapshot();
  });
  test('120×40: a pane at the right, years in figures', () => {
    expect(seen(screen(LAKE, { columns: 120, rows: 40 }, PLAIN, { axes: { zoom: 'year' } }))).toMatchSnapshot();
  });
  test('200×50: days', () => {
    expect(seen(screen(LAKE, { columns: 200, rows: 50 }, PLAIN))).toMatchSnapshot();
  });
  test('symbols across, markets down', () => {
    const axes = { rows: 'market', columns: 'symbol' };
    expect(seen(screen(LAKE, { columns: 100, rows: 10 }, PLAIN, { axes }))).toMatchSnapshot();
    expect(
      seen(screen(LAKE, { columns: 100, rows: 10 }, PLAIN, { axes: { rows: 'symbol', columns: 'market' } })),
    ).toMatchSnapshot();
  });

  test.each([
    ['hour', 'partition'],
    ['hour', 'month'],
    ['hour', 'year'],
    ['week', 'partition'],
    ['week', 'month'],
    ['month', 'partition'],
    ['month', 'year'],
    ['year', 'partition'],
  ] as const)('rulers of %s partitions by %s', (grain, zoom) => {
    const base = indexAt(grain, Date.UTC(2019, 10, 20, 14));
    const status = new Array<Status>(grain === 'hour' ? 3000 : grain === 'week' ? 200 : 60).fill('fresh');
    const given: Given = { grain, listed: {}, series: [{ values: {}, base, status }] };
    expect(
      screen(given, { columns: 70, rows: 7 }, PLAIN, { axes: { zoom } })
        .slice(0, 5)
        .map((line) => seen([line]))
        .join('\n'),
    ).toMatchSnapshot();
  });

  test('colours: one per run of equal cells, the cursor and the marked range told apart', () => {
    const tag = (name: string) => (text: string) => `<${name}>${text}</>`;
    const status = Object.fromEntries(SHOWN_STATUSES.map((one) => [one, tag(one)])) as unknown as Theme['status'];
    const tagged: Theme = {
      ...PLAIN,
      status,
      selected: tag('selected'),
      cursor: tag('cursor'),
      strong: tag('strong'),
      accent: (text) => text,
    };
    const lines = screen(LAKE, { columns: 60, rows: 9 }, tagged, { axes: { zoom: 'month' }, keys: marked });
    expect(lines.slice(3, 7).join('\n')).toMatchSnapshot();
  });
  test('colours say nothing that shapes do not', () => {
    const drawn = (['dark', 'light', 'high-contrast', 'none'] as const).map((name) =>
      seen(screen(LAKE, { columns: 60, rows: 9 }, createTheme(name, true), { axes: { zoom: 'month' }, keys: marked })),
    );
    expect(new Set(drawn).size).toBe(1);
  });

  test('says what to do where there is nothing', () => {
    const none: Given = { grain: 'day', listed: { symbol: undefined }, series: [] };
    expect(seen(screen(none, { columns: 60, rows: 8 }, PLAIN))).toMatchInlineSnapshot(`
      "
                   lab/table has no partitions here.

            They appear when the sources upstream have been
                               observed.


      "
    `);
  });
  test('says that it reads, and that a cell is empty', () => {
    const size = { columns: 120, rows: 12 };
    expect(seen(screen(LAKE, size, PLAIN, { reading: true }))).toContain('│ reading …');
    const first = (state: HeatState, move: (state: HeatState, rows: number, columns: number) => HeatState) =>
      move(state, 0, -9999);
    const empty = seen(screen(LAKE, size, PLAIN, { keys: first, reading: true }));
    expect(empty).toContain('│ no partition here');
    expect(empty).toContain('▸ 1000SHIBUSDT 2020-01-10  no partition');
  });

  test.each(THEMES)('fills any place exactly: %s', (_, theme) => {
    const lengths = fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 1, maxLength: 40 });
    const axes = fc.record({
      rows: fc.constantFrom('a', 'b', ''),
      columns: fc.constantFrom('time', 'b'),
      zoom: fc.constantFrom<Zoom[]>('partition', 'month', 'year'),
    });
    const values = texts.filter((text) => text !== '' && text.isWellFormed());
    fc.assert(
      fc.property(
        sizes,
        lengths,
        fc.array(values, { minLength: 1, maxLength: 5 }),
        axes,
        fc.integer(),
        fc.boolean(),
        (size, lengths, names, axes, seed, mark) => {
          const all: Status[] = ['fresh', 'fresh', 'stale', 'none', 'failed', 'leaving', 'unneeded'];
          const series = lengths.map((length, s) => ({
            values: { a: `${names[s % names.length]}${s}`, b: names[(s * 7) % names.length] ?? '' },
            base: 18_000 + s,
            status: Array.from({ length }, (_, i) => all[Math.abs((i >> 4) * 13 + s + seed) % all.length] ?? 'fresh'),
          }));
          const given: Given = { grain: 'day', listed: { a: undefined, b: undefined }, series };
          const columns = axes.rows === 'b' && axes.columns === 'b' ? 'time' : axes.columns;
          const shape = heatShape(heatIndex(evaluationOf(given)), { ...axes, columns, selectors: {} });
          const keys = (state: HeatState, move: (state: HeatState, rows: number, columns: number) => HeatState) =>
            move(mark ? toggleMark(state, shape) : state, seed % 17, seed % 400);
          expectFilled(screen(given, size, theme, { axes: { ...axes, columns }, keys }), size);
        },
      ),
      { numRuns: 150 },
    );
  });

  test('draws with ASCII alone where it must', () => {
    fc.assert(
      fc.property(sizes, fc.constantFrom<Zoom[]>('partition', 'month', 'year'), (size, zoom) => {
        expectAscii(screen(LAKE, size, ASCII, { axes: { zoom }, keys: marked }));
      }),
    );
  });

  test('draws the same twice', () => {
    fc.assert(
      fc.property(sizes, themes, (size, theme) => {
        expect(screen(LAKE, size, theme)).toEqual(screen(LAKE, size, theme));
      }),
      { numRuns: 10 },
    );
  });
});
