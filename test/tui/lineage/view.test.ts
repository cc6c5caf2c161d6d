import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { AssetGraph } from '../../../framework/graph/graph.ts';
import type { Size } from '../../../framework/tui/model/data.ts';
import {
  drawingSize,
  expand,
  filterLineage,
  follow,
  hiddenOf,
  initialLineage,
  type LineageState,
  stepColumn,
} from '../../../framework/tui/model/lineage.ts';
import { traceColumn } from '../../../framework/tui/read/columns.ts';
import { lineageDrawing, lineageInfo } from '../../../framework/tui/read/lineage.ts';
import { lineageLines } from '../../../framework/tui/view/lineage.ts';
import { width } from '../../../framework/tui/view/text.ts';
import { createTheme, type Theme } from '../../../framework/tui/view/theme.ts';
import { crypto, diamond, fan, graphOf, lake, statuses } from './support.ts';

const THEMES = [
  ['dark', createTheme('dark', true)],
  ['none', createTheme('none', true)],
  ['ascii', createTheme('none', false)],
] as const;
const [, plain, ascii] = THEMES.map(([, theme]) => theme) as [Theme, Theme, Theme];
const SIZES = [
  [80, 24],
  [120, 40],
  [200, 50],
] as const;
const large = graphOf(lake(200));
const GRAPHS: readonly (readonly [string, AssetGraph, string])[] = [
  ['crypto', crypto(), 'silver/klines'],
  ['diamond', graphOf(diamond), 'silver/c'],
  ['fan', graphOf(fan), 'silver/prices'],
  ['lake', large, 'gold/asset_90'],
];

function screen(graph: AssetGraph, state: LineageState, size: Size, theme: Theme): string[] {
  const { layout, compact } = lineageDrawing(graph, state, size);
  const { viewport, focus, column, selection, message } = follow(state, layout, size);
  const trace = focus && column ? traceColumn(graph, focus, column) : undefined;
  const info = focus === undefined ? undefined : lineageInfo(graph, focus);
  const [assets, hidden] = [statuses(graph.order), hiddenOf(graph, state.shown)];
  const total = graph.order.length;
  return lineageLines(
    { layout, compact, viewport, focus, assets, hidden, info, trace, total, selection, message },
    size,
    theme,
  );
}
const text = (lines: readonly string[]): string => `${lines.map(stripVTControlCharacters).join('\n')}\n`;
const golden = (name: string): string => join(import.meta.dirname, 'golden', `${name}.txt`);

describe.each(GRAPHS)('%s', (name, graph, focus) => {
  test.each(SIZES.flatMap((size) => THEMES.map(([theme]) => [...size, theme] as const)))(
    'has its place in %d×%d, %s',
    (columns, rows, themeName) => {
      const theme = THEMES.find(([name]) => name === themeName)?.[1] ?? plain;
      for (const key of [focus, graph.order[0], graph.order.at(-1)]) {
        const lines = screen(graph, initialLineage(graph, key), { columns, rows }, theme);
        expect(lines.length).toBe(rows);
        expect(Math.max(...lines.map(width))).toBeLessThanOrEqual(columns);
        if (!theme.unicode) expect(text(lines)).toMatch(/^[\n -~]*$/);
        // The focus is on the screen, by its name in the drawing.
        const drawing = text(lines.slice(0, drawingSize({ columns, rows }).rows));
        expect(drawing).toContain(key?.split('/').at(-1)?.slice(0, 20));
      }
    },
  );

  test('looks like this', async () => {
    const lines = screen(graph, initialLineage(graph, focus), { columns: 200, rows: 50 }, plain);
    await expect(text(lines)).toMatchFileSnapshot(golden(`${name}-200x50`));
  });
});

test('a small terminal and ASCII', async () => {
  const lines = screen(crypto(), initialLineage(crypto(), 'gold/klines_daily'), { columns: 80, rows: 24 }, ascii);
  await expect(text(lines)).toMatchFileSnapshot(golden('crypto-80x24-ascii'));
});

test('colours say what is up- and what is downstream', async () => {
  const graph = graphOf({ ...diamond, 'mart/e': ['gold/d'] });
  const lines = screen(graph, initialLineage(graph, 'silver/b'), { columns: 140, rows: 16 }, createTheme('dark', true));
  const codes = new RegExp(String.fromCharCode(27), 'g');
  await expect(`${lines.join('\n').replace(codes, '␛')}\n`).toMatchFileSnapshot(golden('colours'));
});

test('a part of the graph says what it leaves out, and what is wrong with a selection', async () => {
  const graph = crypto();
  const part = expand(initialLineage(graph, 'silver/klines'), graph, 'downstream');
  const filtered = filterLineage(part, graph, 'silver/* or gold/klines_daily');
  const wrong = filterLineage(filtered, graph, 'silver/kline');
  await expect(text(screen(graph, wrong, { columns: 100, rows: 20 }, plain))).toMatchFileSnapshot(golden('part'));
});

test('a column is followed as far as that can be told', async () => {
  const graph = crypto();
  const columns = graph.node('gold/klines_daily').definition.columns.map(({ name }) => name);
  let state = initialLineage(graph, 'gold/klines_daily');
  while (state.column !== 'quote_volume') state = stepColumn(state, columns, 1);
  await expect(text(screen(graph, state, { columns: 160, rows: 24 }, plain))).toMatchFileSnapshot(golden('column'));
  while (state.column !== 'bars') state = stepColumn(state, columns, 1);
  const [, second, third] = text(screen(graph, state, { columns: 160, rows: 24 }, plain))
    .split('\n')
    .slice(-4);
  expect([second, third]).toEqual(['bars INTEGER Bars there are.', 'from no column; to gold/klines_monthly: bars']);
});

test('nothing at all, and hardly any room', () => {
  const nothing = graphOf({});
  expect(
    screen(nothing, initialLineage(nothing), { columns: 40, rows: 12 }, plain).filter((line) => line !== ''),
  ).toEqual(['No asset is shown.', '── Lineage ───────────────── 0 assets ──']);
  for (const [columns, rows] of [
    [20, 5],
    [10, 2],
    [1, 1],
    [80, 0],
  ] as const) {
    const lines = screen(large, initialLineage(large), { columns, rows }, plain);
    expect(lines.length).toBe(rows);
    expect(Math.max(0, ...lines.map(width))).toBeLessThanOrEqual(columns);
  }
});

test('without statuses it says that they are being worked out', () => {
  const graph = graphOf(diamond);
  const size = { columns: 100, rows: 30 };
  const { layout, compact } = lineageDrawing(graph, initialLineage(graph), size);
  const lines = lineageLines(
    {
      layout,
      compact,
      viewport: { x: 0, y: 0 },
      focus: undefined,
      assets: new Map(),
      hidden: new Map(),
      info: undefined,
      trace: undefined,
      total: 4,
      selection: '',
      message: undefined,
    },
    size,
    plain,
  );
  expect(text(lines).match(/┈ …/g)?.length).toBe(4);
});
