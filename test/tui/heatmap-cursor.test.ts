import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyFilter, checkFilter, parseFilter } from '../../framework/partition/filter.ts';
import * as sets from '../../framework/partition/set.ts';
import { points } from '../../framework/partition/set.ts';
import { printKey, readSeriesKey, seriesKey } from '../../framework/partition/space.ts';
import { type Grain, indexAt } from '../../framework/partition/time.ts';
import type { StatusCounts } from '../../framework/tui/model/data.ts';
import { SHOWN_STATUSES } from '../../framework/tui/model/data.ts';
import {
  columnCount,
  defaultAxes,
  type HeatAxes,
  heatColumn,
  selectorsOf,
} from '../../framework/tui/model/heat-axes.ts';
import {
  cycleColumns,
  cycleRows,
  cycleSelector,
  filterOf,
  fitted,
  goTo,
  type HeatState,
  type HeatWindow,
  moveBy,
  pageBy,
  problemStatuses,
  selectionOf,
  startHeat,
  toDate,
  toEdge,
  toggleMark,
  zoomBy,
} from '../../framework/tui/model/heatmap.ts';
import { heatIndex, heatMap, heatShape } from '../../framework/tui/read/heatmap.ts';
import { evaluationOf, type Given, partitionsOf } from './heatmap-support.ts';

const day = (text: string): number => indexAt('day', Date.parse(text));
const fresh = (length: number) => new Array<'fresh'>(length).fill('fresh');

/** Three symbols in two markets, 2020-01-15 to 2021-03-20. */
const LAKE: Given = {
  grain: 'day',
  listed: { market: ['spot', 'um'], symbol: undefined },
  series: ['A', 'B', 'C'].flatMap((symbol) =>
    ['spot', 'um'].map((market) => ({
      values: { market, symbol },
      base: day('2020-01-15'),
      status: fresh(day('2021-03-21') - day('2020-01-15')),
    })),
  ),
};
const WINDOW: HeatWindow = { rows: 2, columns: 10 };

function open(given: Given, change: Partial<HeatAxes> = {}) {
  const index = heatIndex(evaluationOf(given));
  const axes = { ...defaultAxes(index.dimensions), ...change };
  const shape = heatShape(index, axes);
  return { index, axes, shape, state: startHeat(axes, shape, WINDOW) };
}
const label = ({ shape }: ReturnType<typeof open>, state: HeatState) => heatColumn(shape, state, state.column).label;

describe('the cursor', () => {
  test('begins on the newest column of the first row, in sight', () => {
    const lake = open(LAKE);
    expect(label(lake, lake.state)).toBe('2021-03-20');
    const { row, column, firstRow, firstColumn } = lake.state;
    expect([row, firstRow, column - firstColumn]).toEqual([0, 0, 9]);
  });

  test('moves by cells and scrolls no more than it must', () => {
    const { shape, state } = open(LAKE);
    const left = moveBy(state, shape, WINDOW, 0, -9);
    expect([left.column - state.column, left.firstColumn]).toEqual([-9, state.firstColumn]);
    const beyond = moveBy(left, shape, WINDOW, 2, -1);
    expect([beyond.row, beyond.firstRow, beyond.firstColumn]).toEqual([2, 1, state.firstColumn - 1]);
    expect(moveBy(beyond, shape, WINDOW, 99, 999)).toMatchObject({ row: 2, column: state.column });
  });

  test('pages: the first line in sight becomes the last one', () => {
    const { shape, state } = open(LAKE);
    const page = pageBy(state, shape, WINDOW, 0, -1);
    expect([page.column, page.firstColumn]).toEqual([state.column - 9, state.firstColumn - 9]);
    expect(pageBy(page, shape, WINDOW, 0, 1)).toMatchObject({ column: state.column, firstColumn: state.firstColumn });
    expect(pageBy(state, shape, WINDOW, 1, 0)).toMatchObject({ row: 1, firstRow: 1 });
  });

  test('goes to the edges', () => {
    const { shape, state } = open(LAKE);
    expect(toEdge(state, shape, WINDOW, { rows: 'last', columns: 'first' })).toMatchObject({
      row: 2,
      column: 0,
      firstRow: 1,
      firstColumn: 0,
    });
    expect(toEdge(moveBy(state, shape, WINDOW, 1, -3), shape, WINDOW, { rows: 'first' })).toMatchObject({
      row: 0,
      column: state.column - 3,
    });
  });

  test('keeps its time through zooming, also where a coarser column holds many', () => {
    const lake = open(LAKE);
    const at = toDate(lake.state, lake.shape, WINDOW, '2020-11-17') as HeatState;
    const month = zoomBy(at, lake.shape, WINDOW, 1);
    const year = zoomBy(month, lake.shape, WINDOW, 1);
    expect([at, month, year, zoomBy(year, lake.shape, WINDOW, 1)].map((state) => label(lake, state))).toEqual([
      '2020-11-17',
      '2020-11',
      '2020',
      '2020',
    ]);
    const back = zoomBy(zoomBy(year, lake.shape, WINDOW, -1), lake.shape, WINDOW, -1);
    expect(label(lake, back)).toBe('2020-11-17');
    // Somewhere else in the meantime: the first day there.
    const moved = moveBy(month, lake.shape, WINDOW, 0, 1);
    expect(label(lake, zoomBy(moved, lake.shape, WINDOW, -1))).toBe('2020-12-01');
    // The first month begins before the first partition.
    const first = toEdge(month, lake.shape, WINDOW, { columns: 'first' });
    expect(label(lake, zoomBy(first, lake.shape, WINDOW, -1))).toBe('2020-01-15');
  });

  test.each([
    ['2020-11-17', '2020-11-17'],
    [' 2020-02 ', '2020-02-01'],
    ['2021', '2021-01-01'],
    ['2019', '2020-01-15'],
    ['2030-05-05', '2021-03-20'],
    ['2020-05-05T07', '2020-05-05'],
  ])('goes to %s, which is the column %s', (text, expected) => {
    const lake = open(LAKE);
    expect(label(lake, toDate(lake.state, lake.shape, WINDOW, text) as HeatState)).toBe(expected);
  });

  test('goes to the week that holds a day, and to the first week of a month', () => {
    const week = indexAt('week', Date.parse('2020-01-06'));
    const lake = open({ grain: 'week', listed: {}, series: [{ values: {}, base: week, status: fresh(20) }] });
    const at = (text: string) => label(lake, toDate(lake.state, lake.shape, WINDOW, text) as HeatState);
    expect([at('2020-01-31'), at('2020-02')]).toEqual(['2020-01-27', '2020-02-03']);
  });

  test('goes nowhere for what is no time, or where time is not on the columns', () => {
    const { shape, state } = open(LAKE);
    for (const text of ['', 'tomorrow', '2020-13', '2020-02-30'])
      expect(toDate(state, shape, WINDOW, text)).toBeUndefined();
    const listed = open(LAKE, { columns: 'market' });
    expect(toDate(listed.state, listed.shape, WINDOW, '2020-05-05')).toBeUndefined();
  });

  test('stays on its symbol and its day when the lake has changed', () => {
    const lake = open(LAKE);
    const state = goTo(lake.state, lake.shape, WINDOW, 1, lake.state.column - 2);
    const more = open({
      ...LAKE,
      series: [...LAKE.series, { values: { market: 'um', symbol: 'A2' }, base: day('2019-12-01'), status: fresh(3) }],
    });
    const settled = fitted(
      { ...state, anchor: { row: 2, rowValue: 'C', from: 5, to: 6, columnValue: '' } },
      more.shape,
      WINDOW,
    );
    expect(more.shape.rows[settled.row]).toBe('B');
    expect(label(more, settled)).toBe('2021-03-18');
    expect(settled.anchor).toMatchObject({ row: 3, from: 5, to: 6 });
    // Its symbol is gone: the nearest row there is.
    const gone = open({ ...LAKE, series: LAKE.series.slice(0, 2) }, { rows: 'symbol' });
    expect(fitted(state, gone.shape, WINDOW)).toMatchObject({ row: 0, firstRow: 0 });
    expect(fitted(state, open({ ...LAKE, series: [] }, { rows: 'symbol' }).shape, WINDOW)).toMatchObject({
      row: 0,
      column: 0,
    });
  });
});

describe('axes', () => {
  test('go round: each listed dimension and none down the rows, all others along the columns', () => {
    const lake = open(LAKE);
    const rows = [0, 1, 2].map(
      (n) => Array.from({ length: n }).reduce<HeatState>((s) => cycleRows(s, lake.shape), lake.state).rows,
    );
    expect(rows).toEqual(['symbol', '', 'market']);
    expect(cycleRows(cycleRows(lake.state, lake.shape), lake.shape, -1)).toMatchObject({
      rows: 'symbol',
      columns: 'time',
    });
    const across = cycleColumns(lake.state, lake.shape);
    expect([across.rows, across.columns]).toEqual(['symbol', 'market']);
    expect(cycleColumns(across, lake.shape).columns).toBe('time');
    // What is along the columns changes places with the rows.
    expect(cycleRows(across, lake.shape, -1)).toMatchObject({ rows: 'market', columns: 'symbol' });
    expect(cycleRows({ ...across, rows: '' }, lake.shape)).toMatchObject({ rows: 'market', columns: 'time' });
  });

  test('keep the day when time leaves the columns and comes back', () => {
    const lake = open(LAKE);
    const at = toDate(lake.state, lake.shape, WINDOW, '2020-11-17') as HeatState;
    const across = cycleColumns(at, lake.shape);
    const shape = heatShape(lake.index, across);
    const there = fitted(across, shape, WINDOW);
    expect([there.column, heatColumn(shape, there, there.column).label]).toEqual([0, 'spot']);
    const back = cycleColumns(there, shape);
    expect(label(lake, fitted(back, heatShape(lake.index, back), WINDOW))).toBe('2020-11-17');
  });

  test('selectors go through all values and then all of them together', () => {
    const lake = open(LAKE);
    const seen: unknown[] = [];
    let state = lake.state;
    for (let n = 0; n < 4; n++) {
      seen.push(selectorsOf(lake.shape, state));
      state = cycleSelector(state, lake.shape, 'market', 1);
    }
    expect(seen).toEqual([
      [{ dimension: 'market', value: 'all', index: 0, of: 2 }],
      [{ dimension: 'market', value: 'spot', index: 1, of: 2 }],
      [{ dimension: 'market', value: 'um', index: 2, of: 2 }],
      [{ dimension: 'market', value: 'all', index: 0, of: 2 }],
    ]);
    expect(cycleSelector(lake.state, lake.shape, 'symbol', 1)).toBe(lake.state);
  });

  test('time off the columns is selected by periods of the zoom, the newest first going back', () => {
    const lake = open(LAKE, { columns: 'market', zoom: 'month' });
    const newest = cycleSelector(lake.state, lake.shape, 'time', -1);
    expect(selectorsOf(lake.shape, newest)).toEqual([{ dimension: 'time', value: '2021-03', index: 15, of: 15 }]);
    const map = heatMap(lake.index, newest, { firstRow: 0, rows: 1, firstColumn: 0, columns: 2 });
    expect([...(map.rows[0]?.total ?? [])]).toEqual([20, 20]);
    expect(map.counts.fresh).toBe(120);
    // Of another zoom it means nothing.
    expect(selectorsOf(lake.shape, { ...newest, zoom: 'year' })).toMatchObject([{ value: 'all', index: 0, of: 2 }]);
  });
});

describe('a marked range as a filter', () => {
  const marked = (lake: ReturnType<typeof open>, from: string, to: string, rows: number) => {
    const begin = toDate(lake.state, lake.shape, WINDOW, from) as HeatState;
    const end = toDate(toggleMark(begin, lake.shape), lake.shape, WINDOW, to) as HeatState;
    return moveBy(end, lake.shape, WINDOW, rows, 0);
  };

  test('is the cell under the cursor where none is marked', () => {
    const lake = open(LAKE);
    expect(filterOf(lake.state, lake.shape)).toBe('symbol=A,time=2021-03-20');
    const all = zoomBy(zoomBy(lake.state, lake.shape, WINDOW, 1), lake.shape, WINDOW, 1);
    expect(filterOf(all, lake.shape)).toBe('symbol=A,time=2021-01-01..2021-03-20');
  });

  test('is from the mark to the cursor in any direction, and drops what would name everything', () => {
    const lake = open(LAKE);
    const range = marked(lake, '2020-01-31', '2020-01-20', 1);
    expect(filterOf(range, lake.shape)).toBe('symbol=A|B,time=2020-01-20..2020-01-31');
    expect(selectionOf(range, lake.shape)).toMatchObject({ rows: [0, 2], columns: [5, 17] });
    expect(filterOf(moveBy(range, lake.shape, WINDOW, 1, 0), lake.shape)).toBe('time=2020-01-20..2020-01-31');
    expect(filterOf(moveBy(marked(lake, '2019', '2030', 2), lake.shape, WINDOW, 0, 0), lake.shape)).toBeUndefined();
    expect(filterOf(cycleSelector(range, lake.shape, 'market', 1), lake.shape)).toBe(
      'market=spot,symbol=A|B,time=2020-01-20..2020-01-31',
    );
    expect(toggleMark(range, lake.shape).anchor).toBeUndefined();
  });

  test('grows to whole periods when zoomed out', () => {
    const lake = open(LAKE);
    const range = zoomBy(marked(lake, '2020-01-31', '2020-03-02', 0), lake.shape, WINDOW, 1);
    expect(filterOf(range, lake.shape)).toBe('symbol=A,time=2020-01-31..2020-03-31');
    expect(selectionOf(range, lake.shape).columns).toEqual([0, 3]);
  });

  test('writes values so that they cannot be read as times', () => {
    const contracts = ['2024', '2024-03', '2024-13', 'a..b', '1000SHIB', 'x|y', '2024..2025', '..'];
    const series = contracts.map((contract) => ({ values: { contract }, base: day('2020-01-01'), status: fresh(2) }));
    const lake = open({ grain: 'day', listed: { contract: undefined }, series });
    const texts = lake.shape.rows.map((_, row) => filterOf(goTo(lake.state, lake.shape, WINDOW, row, 0), lake.shape));
    expect(Object.fromEntries(lake.shape.rows.map((name, row) => [name, texts[row]]))).toEqual({
      '2024': 'contract=%32024,time=2020-01-01',
      '2024-03': 'contract=%32024-03,time=2020-01-01',
      '2024-13': 'contract=%32024-13,time=2020-01-01',
      'a..b': 'contract=a%2E%2Eb,time=2020-01-01',
      '1000SHIB': 'contract=1000SHIB,time=2020-01-01',
      'x|y': 'contract=x%7Cy,time=2020-01-01',
      '2024..2025': 'contract=2024%2E%2E2025,time=2020-01-01',
      '..': 'contract=%2E%2E,time=2020-01-01',
    });
    for (const text of texts) expect(parseFilter(text as string).time.map(({ name }) => name)).toEqual(['time']);
  });
});

// --- any sequence of keys ----------------------------------------------------------------------------------------------------------

type Step = (state: HeatState, lake: ReturnType<typeof open>) => HeatState;
const small = fc.integer({ min: -5, max: 5 });
const sign = fc.constantFrom<(1 | -1)[]>(1, -1);
const edge = fc.constantFrom<('first' | 'last')[]>('first', 'last');

const move: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(small, small).map(
    ([r, c]): Step =>
      (s, { shape }) =>
        moveBy(s, shape, WINDOW, r, c),
  ),
  fc.tuple(small, small).map(
    ([r, c]): Step =>
      (s, { shape }) =>
        pageBy(s, shape, WINDOW, r, c),
  ),
  edge.map(
    (rows): Step =>
      (s, { shape }) =>
        toEdge(s, shape, WINDOW, { rows }),
  ),
  edge.map(
    (columns): Step =>
      (s, { shape }) =>
        toEdge(s, shape, WINDOW, { columns }),
  ),
  sign.map(
    (by): Step =>
      (s, { shape }) =>
        zoomBy(s, shape, WINDOW, by),
  ),
  fc.constant<Step>((s, { shape }) => toggleMark(s, shape)),
  fc.integer({ min: 2018, max: 2023 }).map(
    (year): Step =>
      (s, { shape }) =>
        toDate(s, shape, WINDOW, `${year}-06`) ?? s,
  ),
);
const turn: fc.Arbitrary<Step> = fc
  .oneof(
    sign.map(
      (by): Step =>
        (s, { shape }) =>
          cycleRows(s, shape, by),
    ),
    sign.map(
      (by): Step =>
        (s, { shape }) =>
          cycleColumns(s, shape, by),
    ),
    fc.tuple(fc.constantFrom('market', 'symbol', 'time'), small).map(
      ([name, by]): Step =>
        (s, { shape }) =>
          cycleSelector(s, shape, name, by),
    ),
  )
  .map(
    (step): Step =>
      (state, lake) => {
        const turned = step(state, lake);
        return fitted(turned, heatShape(lake.index, turned), WINDOW);
      },
  );

const START: Readonly<Record<Grain, number>> = { hour: 438_280, day: 18_262, week: 2_608, month: 598, year: 48 };
const lakes: fc.Arbitrary<Given> = fc
  .record({
    grain: fc.constantFrom<(Grain | undefined)[]>('hour', 'day', 'week', 'month', 'year', undefined),
    lengths: fc.array(fc.integer({ min: 0, max: 90 }), { minLength: 6, maxLength: 6 }),
  })
  .map(({ grain, lengths }): Given => {
    const symbols = ['A', '2024', 'x|y'];
    const series = lengths.map((length, i) => ({
      values: { market: i % 2 === 0 ? 'spot' : 'um', symbol: symbols[i >> 1] ?? '' },
      base: grain ? START[grain] + i * 3 : 0,
      status: fresh(grain ? length : Math.min(length, 1)),
    }));
    return { grain, listed: { market: ['spot', 'um'], symbol: undefined }, series };
  });

function walk(given: Given, steps: readonly Step[]) {
  const lake = open(given);
  let state = lake.state;
  let shape = lake.shape;
  for (const step of steps) {
    state = step(state, { ...lake, shape });
    shape = heatShape(lake.index, state);
  }
  return { ...lake, state, shape };
}

describe('after any keys', () => {
  test('the cursor is on a cell and in sight, and the window is full', () => {
    fc.assert(
      fc.property(lakes, fc.array(fc.oneof(move, turn), { maxLength: 25 }), (given, steps) => {
        const { state, shape } = walk(given, steps);
        const columns = columnCount(shape, state);
        const inside = (at: number, first: number, visible: number, count: number) => {
          expect(at).toBeGreaterThanOrEqual(0);
          expect(at).toBeLessThan(Math.max(count, 1));
          expect(first).toBe(Math.min(Math.max(first, 0, at - visible + 1), at, Math.max(count - visible, 0)));
        };
        inside(state.row, state.firstRow, WINDOW.rows, shape.rows.length);
        inside(state.column, state.firstColumn, WINDOW.columns, columns);
        const { time } = shape;
        if (time && state.columns === time.name) {
          const column = heatColumn(shape, state, state.column);
          expect(state.time).toBeGreaterThanOrEqual(Math.max(column.from, time.first));
          expect(state.time).toBeLessThan(Math.min(column.to, time.end));
        }
      }),
      { numRuns: 300 },
    );
  });

  test('fitting changes nothing where nothing has changed, and keeps the cursor in sight of another window', () => {
    const window = fc.record({ rows: fc.integer({ min: 1, max: 9 }), columns: fc.integer({ min: 1, max: 90 }) });
    fc.assert(
      fc.property(lakes, fc.array(fc.oneof(move, turn), { maxLength: 15 }), window, (given, steps, window) => {
        const { state, shape } = walk(given, steps);
        expect(fitted(state, shape, WINDOW)).toEqual(state);
        const other = fitted(state, shape, window);
        expect([other.row, other.column, other.time]).toEqual([state.row, state.column, state.time]);
        expect(other.row - other.firstRow).toBeLessThan(window.rows);
        expect(other.column - other.firstColumn).toBeLessThan(window.columns);
        expect(other.firstColumn).toBeLessThanOrEqual(Math.max(columnCount(shape, state) - window.columns, 0));
      }),
      { numRuns: 200 },
    );
  });

  test('the filter lets through the partitions of the selected cells and no others', () => {
    fc.assert(
      fc.property(lakes, fc.array(fc.oneof(move, turn), { maxLength: 25 }), (given, steps) => {
        const { state, shape } = walk(given, steps);
        const evaluation = evaluationOf(given);
        const { space } = evaluation.node;
        const all = partitionsOf(evaluation);
        const set = sets.fromPoints(all.map(({ values, time }) => [seriesKey(space, values), time] as const));
        const text = filterOf(state, shape);
        const filter = text === undefined ? undefined : parseFilter(text);
        if (filter) expect(checkFilter(filter, [space])).toEqual([]);
        const passed = filter ? applyFilter(space, set, filter) : set;

        const { rows, columns, times } = selectionOf(state, shape);
        const selected = selectorsOf(shape, state).filter(({ index }) => index > 0);
        const expected = all.filter(({ values, time }) => {
          const value = (name: string) => (values as Readonly<Record<string, string>>)[name] ?? '';
          if (state.rows !== '' && !shape.rows.slice(...rows).includes(value(state.rows))) return false;
          if (
            state.columns === 'time'
              ? time < times[0] || time >= times[1]
              : !shape.columns.slice(...columns).includes(value(state.columns))
          )
            return false;
          return selected.every(({ dimension, value: chosen }) => value(dimension).startsWith(chosen));
        });
        const keys = Array.from(points(passed), ([key, time]) => printKey(space, { values: readSeriesKey(key), time }));
        expect(keys.sort()).toEqual(expected.map(({ key }) => key).sort());
      }),
      { numRuns: 300 },
    );
  });
});

test('trouble is what failed, and without failures what is not up to date', () => {
  const counts = (some: Partial<StatusCounts>) =>
    ({ ...Object.fromEntries(SHOWN_STATUSES.map((status) => [status, 0])), ...some }) as StatusCounts;
  expect([...problemStatuses(counts({ failed: 1, stale: 5 }))]).toEqual(['failed', 'blocked']);
  expect([...problemStatuses(counts({ fresh: 9 }))]).toEqual(['stale', 'missing', 'pending']);
});
