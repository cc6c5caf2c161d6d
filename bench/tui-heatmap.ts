import { asset, columns, daily, dynamicDimension, source, sql, text } from 'crypto-lakehouse';
import { buildGraph } from '../framework/graph/graph.ts';
import { EMPTY_SET } from '../framework/partition/set.ts';
import { indexAt } from '../framework/partition/time.ts';
import { type AssetEvaluation, SeriesEvaluation, STATUSES } from '../framework/plan/evaluate.ts';
import { defaultAxes, type HeatAxes } from '../framework/tui/model/heat-axes.ts';
import { startHeat } from '../framework/tui/model/heatmap.ts';
import { findCell, heatIndex, heatMap, heatShape } from '../framework/tui/read/heatmap.ts';
import { heatLayout, partitionsView } from '../framework/tui/view/partitions.ts';
import { createTheme } from '../framework/tui/view/theme.ts';
import { type BenchOptions, type Measurement, median } from './support.ts';

const SIZE = { columns: 200, rows: 50 };

/** The heat map of one asset of 20 million partitions, frame by frame, against one pass over the bytes that a frame is made of. */
export async function benchHeatmap({ quick, say }: BenchOptions): Promise<Measurement[]> {
  const [symbols, days] = quick ? [200, 2_000] : [2_000, 10_000];
  const evaluation = fabricate(symbols, days);
  const partitions = symbols * days;
  say(`${partitions.toLocaleString('en')} partitions of one asset`);
  const theme = createTheme('dark', true);

  const pass = median(Array.from({ length: 5 }, () => clocked(() => scan(evaluation.series.values(), 0, symbols))));
  const index = clocked(() => heatIndex(evaluation));
  const opened = heatIndex(evaluation);
  const measurements: Measurement[] = [
    { what: 'pass over the status of every partition', value: pass, unit: 'ms' },
    { what: 'index of an evaluation', value: index, unit: 'ms', yardstick: 'pass over all', ratio: index / pass },
  ];
  const axes = defaultAxes(opened.dimensions);
  for (const zoom of ['partition', 'month', 'year'] as const) {
    measurements.push(...frames(zoom, { ...axes, zoom }));
  }
  const all: HeatAxes = { ...axes, rows: '', zoom: 'month' };
  const viewport = { firstRow: 0, rows: 1, firstColumn: 0, columns: 200 };
  const unseen = fabricate(symbols, days);
  const first = clocked(() => heatMap(heatIndex(unseen), all, viewport));
  measurements.push({
    what: 'all symbols in one row by month, first frame (with index)',
    value: first,
    unit: 'ms',
    yardstick: 'pass over all',
    ratio: first / pass,
  });
  for (const zoom of ['partition', 'month', 'year'] as const) {
    measurements.push(...frames(`all symbols in one row, ${zoom}`, { ...all, zoom }));
  }
  const found = clocked(() => findCell(opened, axes, { row: 0, column: 0 }, -1, new Set(['failed'])));
  measurements.push({
    what: 'look for the last failure',
    value: found,
    unit: 'ms',
    yardstick: 'pass over all',
    ratio: found / pass,
  });
  return measurements;

  /** Frames while scrolling: each shows other rows and columns than the one before. */
  function frames(name: string, axes: HeatAxes): Measurement[] {
    const shape = heatShape(opened, axes);
    const layout = heatLayout(SIZE, shape, axes);
    const start = startHeat(axes, shape, layout.window);
    const count = 200;
    const make: number[] = [];
    const draw: number[] = [];
    const visible: number[] = [];
    for (let n = 0; n < count; n++) {
      const firstRow = (n * 7) % Math.max(shape.rows.length - layout.window.rows, 1);
      const firstColumn = (n * 13) % Math.max(start.column - layout.window.columns, 1);
      const state = { ...start, firstRow, firstColumn, row: firstRow, column: firstColumn };
      const began = performance.now();
      const map = heatMap(opened, axes, { firstRow, firstColumn, ...layout.window });
      const made = performance.now();
      const lines = partitionsView({ size: SIZE, map, shape, state, detail: undefined }, theme);
      const drawn = performance.now();
      if (lines.length > SIZE.rows || map.counts.fresh === 0) throw new Error('The heat map is wrong');
      make.push(made - began);
      draw.push(drawn - made);
      const [from, to] = [map.columns[0]?.from ?? 0, map.columns.at(-1)?.to ?? 0];
      const rows = axes.rows === '' ? symbols : map.rows.length;
      visible.push(clocked(() => scan([...evaluation.series.values()].slice(firstRow, firstRow + rows), from, to)));
    }
    const yardstick = median(visible);
    const p95 = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.95)] ?? 0;
    const measure = (what: string, values: readonly number[]): Measurement => ({
      what: `${name}: ${what}`,
      value: median(values),
      unit: 'ms',
      yardstick: 'pass over the visible',
      ratio: median(values) / yardstick,
      note: `p95 ${p95(values).toFixed(2)} ms, most ${Math.max(...values).toFixed(2)} ms`,
    });
    return [measure('cells of a frame of 200×50', make), measure('lines of that frame', draw)];
  }
}

function clocked(work: () => unknown): number {
  const began = performance.now();
  work();
  return performance.now() - began;
}

/** The least that could answer anything: each byte read once. */
function scan(series: Iterable<SeriesEvaluation>, from: number, to: number): number {
  let sum = 0;
  for (const { status, base } of series) {
    const end = to > base ? Math.min(to - base, status.length) : status.length;
    for (let i = Math.max(from - base, 0); i < end; i++) sum += status[i] as number;
  }
  return sum;
}

/** Mostly fresh; symbols begin on different days, some months are stale, a few days are missing or failed. */
function fabricate(symbols: number, days: number): AssetEvaluation {
  const symbol = dynamicDimension('a symbol');
  const date = daily({ start: '1998-01-01' });
  const ticks = source('bench/ticks', { partitions: { symbol, date }, observe: async function* () {} });
  const table = asset('bench/table', {
    partitions: { symbol, date },
    inputs: { t: ticks },
    columns: columns({ name: text() }),
    sortBy: ['name'],
    query: ({ t }) => sql`SELECT 'x' AS name FROM ${t}`,
  });
  const graph = buildGraph([ticks, table], { codes: () => 'v1' });
  const code = (status: (typeof STATUSES)[number]) => STATUSES.indexOf(status);
  const base = indexAt('day', Date.UTC(1998, 0, 1));
  const series = Array.from({ length: symbols }, (_, s): [string, SeriesEvaluation] => {
    const status = new Uint8Array(days).fill(code('fresh'), (s * 37) % (days >> 1));
    for (let i = 0; i < days; i++) {
      if (status[i] === 0) continue;
      if ((Math.floor(i / 30) * 31 + s) % 41 === 0) status[i] = code('stale');
      const dice = (Math.imul(i + 1, 2_654_435_761) ^ Math.imul(s + 1, 40_503)) >>> 0;
      if (dice % 97 === 0) status[i] = code('missing');
      if (dice % 9973 === 0) status[i] = code('failed');
    }
    const name = `S${s}`;
    return [
      `symbol=${name}`,
      SeriesEvaluation.of(
        { key: `symbol=${name}`, values: { symbol: name }, base, length: days, state: undefined, next: 1 },
        { status, causes: new Uint8Array(days), run: new Uint8Array(days), bits: new Uint16Array(days) },
      ),
    ];
  });
  const none = { ready: EMPTY_SET, awaiting: EMPTY_SET, unavailable: EMPTY_SET, all: EMPTY_SET };
  return { key: 'bench/table', node: graph.node('bench/table'), universe: none, series: new Map(series) };
}
