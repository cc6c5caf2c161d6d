import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Grain, indexAt } from '../../framework/partition/time.ts';
import { STATUSES, type Status } from '../../framework/plan/evaluate.ts';
import { SHOWN_STATUSES, type ShownStatus, type Zoom } from '../../framework/tui/model/data.ts';
import { defaultAxes, type HeatAxes } from '../../framework/tui/model/heat-axes.ts';
import { findCell, heatIndex, heatMap, heatShape, worstIn } from '../../framework/tui/read/heatmap.ts';
import { evaluationOf, type Given, partitionsOf } from './heatmap-support.ts';

const WHOLE = { firstRow: 0, rows: 1e9, firstColumn: 0, columns: 1e9 };

// Everything below is worked out from printed keys alone, so that it shares no arithmetic with what is tested.

/** From severe to harmless. */
const BY_SEVERITY: readonly ShownStatus[] = [
  'failed',
  'blocked',
  'stale',
  'missing',
  'pending',
  'leaving',
  'awaiting',
  'unavailable',
  'unneeded',
  'fresh',
];

/** How much of a printed time is left at a zoom. */
const LETTERS: Readonly<Record<Grain, Readonly<Record<Zoom, number>>>> = {
  hour: { partition: 13, month: 10, year: 7 },
  day: { partition: 10, month: 7, year: 4 },
  week: { partition: 10, month: 7, year: 4 },
  month: { partition: 7, month: 7, year: 4 },
  year: { partition: 4, month: 4, year: 4 },
};

interface Cell {
  total: number;
  fresh: number;
  worst: ShownStatus | 'none';
}

function naive(given: Given, axes: HeatAxes) {
  const evaluation = evaluationOf(given);
  const short = (name: string, value: string) =>
    name === 'time' && given.grain ? value.slice(0, LETTERS[given.grain][axes.zoom]) : value;
  const off = Object.entries(axes.selectors).filter(([name]) => name !== axes.rows && name !== axes.columns);
  const passes = (values: Readonly<Record<string, string>>, names: (name: string) => boolean) =>
    off.every(([name, value]) => !names(name) || short(name, values[name] ?? '') === value);
  const all = partitionsOf(evaluation);
  const listed = all.filter(({ values }) => passes(values, (name) => name !== 'time'));
  const selected = listed.filter(({ values }) => passes(values, (name) => name === 'time'));
  const label = (name: string, values: Readonly<Record<string, string>>, none: string) =>
    name === '' ? none : short(name, values[name] ?? '');
  const cells = new Map<string, Cell>();
  for (const { values, status } of selected) {
    const key = `${label(axes.rows, values, evaluation.key)}\n${label(axes.columns, values, '')}`;
    const cell = cells.get(key) ?? { total: 0, fresh: 0, worst: 'none' };
    cells.set(key, cell);
    cell.total++;
    if (status === 'fresh') cell.fresh++;
    const severity = (one: ShownStatus | 'none') => (one === 'none' ? 99 : BY_SEVERITY.indexOf(one));
    if (severity(status as ShownStatus) < severity(cell.worst)) cell.worst = status as ShownStatus;
  }
  const counts = Object.fromEntries(
    SHOWN_STATUSES.map((status) => [status, selected.filter((one) => one.status === status).length]),
  );
  const rows = new Set(listed.map(({ values }) => label(axes.rows, values, evaluation.key)));
  return { evaluation, cells, counts, rows, all };
}

// --- what may be given -----------------------------------------------------------------------------------------------------------

const statuses = fc
  .array(fc.tuple(fc.constantFrom(...STATUSES, 'fresh', 'fresh', 'none'), fc.integer({ min: 1, max: 70 })), {
    maxLength: 12,
  })
  .map((runs) => runs.flatMap(([status, length]) => new Array<Status>(length).fill(status)));

const START: Readonly<Record<Grain, number>> = {
  hour: indexAt('hour', Date.UTC(2019, 11, 30)),
  day: indexAt('day', Date.UTC(2019, 10, 3)),
  week: indexAt('week', Date.UTC(2019, 11, 2)),
  month: indexAt('month', Date.UTC(2018, 4)),
  year: 48,
};

const VALUES: Readonly<Record<string, readonly string[]>> = {
  symbol: ['B10', 'B2', 'A', '1000X', 'ß%/=', 'b'],
  market: ['um', 'spot', 'cm'],
  venue: ['x', 'y'],
};

const given = fc
  .record({
    grain: fc.constantFrom<(Grain | undefined)[]>('hour', 'day', 'week', 'month', 'year', undefined),
    names: fc.subarray(Object.keys(VALUES)),
    kind: fc.constantFrom<('asset' | 'source')[]>('asset', 'source'),
    static: fc.boolean(),
  })
  .chain(({ grain, names, kind, static: fixed }) => {
    const values = fc.record(Object.fromEntries(names.map((name) => [name, fc.constantFrom(...(VALUES[name] ?? []))])));
    const one = grain
      ? fc.record({ values, base: fc.integer({ min: 0, max: 40 }).map((n) => n + START[grain]), status: statuses })
      : fc.record({
          values,
          base: fc.constant(0),
          status: fc.constantFrom<Status[]>(...STATUSES).map((status) => [status]),
        });
    const listed = Object.fromEntries(
      names.map((name) => [name, fixed && name !== 'symbol' ? VALUES[name] : undefined]),
    );
    return fc
      .uniqueArray(one, { maxLength: 12, selector: (series) => JSON.stringify(series.values) })
      .map((series): Given => ({ grain, listed, kind, series }));
  });

const withAxes = given.chain((given) => {
  const names = Object.keys(given.listed);
  const all = partitionsOf(evaluationOf(given));
  return fc
    .record({
      rows: fc.constantFrom('', ...names),
      zoom: fc.constantFrom<Zoom[]>('partition', 'month', 'year'),
      chosen: fc.array(fc.nat(), { minLength: 5, maxLength: 5 }),
      which: fc.nat(),
    })
    .map(({ rows, zoom, chosen, which }) => {
      const free = names.filter((name) => name !== rows);
      const options = given.grain ? ['time', 'time', ...free] : free.length > 0 ? free : [''];
      const columns = options[which % options.length] ?? '';
      const selectors: Record<string, string> = {};
      for (const [i, name] of [...names, ...(given.grain ? ['time'] : [])].entries()) {
        const pick = chosen[i] ?? 0;
        const from = all[pick % Math.max(all.length, 1)];
        if (pick % 3 === 0 || name === rows || name === columns || !from) continue;
        const value = from.values[name] ?? '';
        selectors[name] = name === 'time' && given.grain ? value.slice(0, LETTERS[given.grain][zoom]) : value;
      }
      return { given, axes: { rows, columns, zoom, selectors } satisfies HeatAxes };
    });
});

describe('a heat map', () => {
  test('has in every cell what counting one partition after the other gives', () => {
    fc.assert(
      fc.property(withAxes, ({ given, axes }) => {
        const { evaluation, cells, counts, rows } = naive(given, axes);
        const map = heatMap(heatIndex(evaluation), axes, WHOLE);
        expect(map.counts).toEqual(counts);
        expect(new Set(map.rows.map(({ label }) => label))).toEqual(
          axes.rows === '' ? new Set([evaluation.key]) : rows,
        );
        expect([map.rowCount, map.columnCount]).toEqual([map.rows.length, map.columns.length]);
        const found = map.rows.flatMap(({ label, worst, total, fresh }) =>
          map.columns.flatMap((column, c): [string, Cell][] =>
            total[c] === 0
              ? []
              : [
                  [
                    `${label}\n${column.label}`,
                    { total: total[c] ?? 0, fresh: fresh[c] ?? 0, worst: worst[c] ?? 'none' },
                  ],
                ],
          ),
        );
        expect(new Map(found)).toEqual(cells);
        for (const { worst, total } of map.rows)
          for (const [c, one] of worst.entries()) expect(one === 'none').toBe(total[c] === 0);
      }),
      { numRuns: 400 },
    );
  });

  test('shows the same cells in every viewport', () => {
    const place = fc.integer({ min: -3, max: 60 });
    fc.assert(
      fc.property(withAxes, place, place, place, place, ({ given, axes }, firstRow, rows, firstColumn, columns) => {
        const index = heatIndex(evaluationOf(given));
        const whole = heatMap(index, axes, WHOLE);
        const part = heatMap(index, axes, { firstRow, rows, firstColumn, columns });
        const [r, c] = [part.firstRow, part.firstColumn];
        expect(part.columns).toEqual(whole.columns.slice(c, c + Math.max(columns, 0)));
        expect(part).toEqual({
          ...whole,
          firstRow: Math.min(Math.max(firstRow, 0), whole.rowCount),
          firstColumn: Math.min(Math.max(firstColumn, 0), whole.columnCount),
          columns: part.columns,
          rows: whole.rows.slice(r, r + Math.max(rows, 0)).map(({ label, worst, total, fresh }) => ({
            label,
            worst: worst.slice(c, c + part.columns.length),
            total: total.slice(c, c + part.columns.length),
            fresh: fresh.slice(c, c + part.columns.length),
          })),
        });
      }),
      { numRuns: 200 },
    );
  });

  test('counts every partition once at every zoom', () => {
    fc.assert(
      fc.property(given, (given) => {
        const index = heatIndex(evaluationOf(given));
        const axes = defaultAxes(index.dimensions);
        const sums = (['partition', 'month', 'year'] as const).map((zoom) =>
          heatMap(index, { ...axes, zoom }, WHOLE).rows.reduce(
            (sum, { total }) => sum + total.reduce((a, b) => a + b, 0),
            0,
          ),
        );
        expect(sums).toEqual([1, 2, 3].map(() => partitionsOf(evaluationOf(given)).length));
      }),
    );
  });

  test('names of each cell the partition to blame', () => {
    fc.assert(
      fc.property(withAxes, ({ given, axes }) => {
        const { evaluation, all } = naive(given, axes);
        const index = heatIndex(evaluation);
        const map = heatMap(index, axes, WHOLE);
        for (const [r, row] of map.rows.entries()) {
          for (const [c, worst] of row.worst.entries()) {
            const blamed = worstIn(index, axes, r, c);
            if (worst === 'none') expect(blamed).toBeUndefined();
            else {
              const found = all.find(
                ({ time, values: { time: _, ...listed } }) =>
                  time === blamed?.time && JSON.stringify(listed) === JSON.stringify(blamed.values),
              );
              expect(found?.status).toBe(worst);
            }
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  test('finds the next cell of some statuses in reading order, round the ends, and back', () => {
    fc.assert(
      fc.property(withAxes, fc.nat(), fc.nat(), fc.subarray([...SHOWN_STATUSES]), ({ given, axes }, r, c, some) => {
        const index = heatIndex(evaluationOf(given));
        const map = heatMap(index, axes, WHOLE);
        const wanted = new Set(some);
        const places = map.rows.flatMap(({ worst }, row) =>
          worst.flatMap((status, column) => (status !== 'none' && wanted.has(status) ? [{ row, column }] : [])),
        );
        const from = { row: r % Math.max(map.rowCount, 1), column: c % Math.max(map.columnCount, 1) };
        const order = ({ row, column }: { row: number; column: number }) => row * map.columnCount + column;
        const others = places.filter((place) => order(place) !== order(from));
        const next = others.find((place) => order(place) > order(from)) ?? others[0];
        const before = others.findLast((place) => order(place) < order(from)) ?? others.at(-1);
        expect(findCell(index, axes, from, 1, wanted)).toEqual(next);
        expect(findCell(index, axes, from, -1, wanted)).toEqual(before);
      }),
      { numRuns: 300 },
    );
  });

  test('lists declared values as declared and found ones by name, numbers by their size', () => {
    const values = ['B10', 'B2', 'A', '1000X', '2Y', 'B2a', 'b'];
    const series = values.flatMap((symbol) =>
      ['um', 'spot'].map((market) => ({ values: { market, symbol }, base: 18_262, status: ['fresh' as const] })),
    );
    const listed = { market: ['um', 'spot', 'cm'], symbol: undefined };
    const index = heatIndex(evaluationOf({ grain: 'day', listed, series }));
    expect(index.dimensions).toEqual([
      { name: 'market', grain: undefined, values: ['um', 'spot'] },
      { name: 'symbol', grain: undefined, values: ['2Y', '1000X', 'A', 'B2', 'B2a', 'B10', 'b'] },
      { name: 'time', grain: 'day', values: [] },
    ]);
    expect(defaultAxes(index.dimensions)).toEqual({
      rows: 'symbol',
      columns: 'time',
      zoom: 'partition',
      selectors: {},
    });
  });

  test('is one row of one cell for an asset without dimensions, and empty without partitions', () => {
    const single = heatIndex(evaluationOf({ listed: {}, series: [{ values: {}, base: 0, status: ['stale'] }] }));
    const axes = defaultAxes(single.dimensions);
    const map = heatMap(single, axes, WHOLE);
    expect([map.rows[0]?.label, map.rows[0]?.worst, map.columns]).toEqual([
      'lab/table',
      ['stale'],
      [{ label: '', from: 0, to: 1 }],
    ]);
    expect(worstIn(single, axes, 0, 0)).toEqual({ values: {}, time: 0 });
    const none = heatIndex(evaluationOf({ grain: 'day', listed: { symbol: undefined }, series: [] }));
    const empty = heatMap(none, defaultAxes(none.dimensions), WHOLE);
    expect([empty.rowCount, empty.columnCount, empty.rows, empty.columns]).toEqual([0, 0, [], []]);
  });

  test('is made once for an evaluation, and its shape stays the same object', () => {
    const evaluation = evaluationOf({
      grain: 'day',
      listed: {},
      series: [{ values: {}, base: 18_262, status: ['fresh'] }],
    });
    const index = heatIndex(evaluation);
    const axes = defaultAxes(index.dimensions);
    expect(heatIndex(evaluation)).toBe(index);
    expect(heatShape(index, { ...axes })).toBe(heatShape(index, { ...axes, zoom: 'year' }));
  });
});
