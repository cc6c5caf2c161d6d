import { describe, expect, test } from 'vitest';
import type { AssetGraph } from '../../../framework/graph/graph.ts';
import type { LineageLayout } from '../../../framework/tui/model/data.ts';
import {
  collapse,
  type Direction,
  drawingSize,
  expand,
  filterLineage,
  focusOn,
  follow,
  hiddenOf,
  initialLineage,
  type LineageState,
  moveFocus,
  nodeWidth,
  pan,
  showAll,
  stepColumn,
} from '../../../framework/tui/model/lineage.ts';
import { layoutLineage } from '../../../framework/tui/read/lineage.ts';
import { crypto, diamond, graphOf, PLAIN } from './support.ts';

const layoutOf = (graph: AssetGraph, { shown }: LineageState, compact = false): LineageLayout =>
  layoutLineage(graph, shown, { compact, nodeWidth: (key) => nodeWidth(key, compact) });

/** Where the focus goes, step by step. */
function walk(graph: AssetGraph, from: string, steps: readonly Direction[]): (string | undefined)[] {
  let state = initialLineage(graph, from);
  return steps.map((step) => {
    state = moveFocus(state, graph, layoutOf(graph, state), step);
    return state.focus;
  });
}

describe('the focus', () => {
  test('follows edges, and goes back the way it came', () => {
    expect(walk(crypto(PLAIN), 'bronze/klines_monthly', ['right', 'left', 'right', 'right', 'left', 'left'])).toEqual([
      'silver/klines',
      'bronze/klines_monthly',
      'silver/klines',
      'gold/klines_daily',
      'silver/klines',
      'bronze/klines_monthly',
    ]);
    // There again after another way was taken, too.
    expect(walk(crypto(PLAIN), 'silver/klines', ['right', 'up', 'left', 'right'])).toEqual([
      'gold/klines_daily',
      'gold/indicators',
      'silver/klines',
      'gold/indicators',
    ]);
  });

  test('moves within a layer and to the corners, and stays where there is nothing', () => {
    const { nodes } = layoutOf(crypto(PLAIN), initialLineage(crypto(PLAIN)));
    const ends = nodes.toSorted((a, b) => a.x - b.x || a.y - b.y).map(({ key }) => key);
    expect(
      walk(crypto(PLAIN), 'silver/klines', ['up', 'down', 'first', 'left', 'up', 'last', 'right', 'down']),
    ).toEqual([
      'silver/klines',
      'silver/klines',
      ...[ends[0], ends[0], ends[0]],
      ...[ends.at(-1), ends.at(-1), ends.at(-1)],
    ]);
  });

  test('says when a neighbour is not shown', () => {
    const graph = graphOf(diamond);
    const state = filterLineage(initialLineage(graph), graph, 'silver/b');
    expect(moveFocus(state, graph, layoutOf(graph, state), 'left')).toEqual({
      ...state,
      message: { text: 'What is upstream of silver/b is not shown', hint: undefined, column: undefined },
    });
  });

  test('is put on an asset that is shown then', () => {
    const graph = graphOf(diamond);
    const filtered = filterLineage(initialLineage(graph), graph, 'silver/b');
    const { focus, shown } = focusOn(filtered, graph, 'gold/d');
    expect({ focus, shown }).toEqual({ focus: 'gold/d', shown: ['silver/b', 'gold/d'] });
    expect(focusOn(filtered, graph, 'gold/x').message?.text).toBe("There is no asset 'gold/x'");
    expect(initialLineage(graph, 'gold/x').focus).toBe('source/a');
  });
});

test('a column of the focus is followed until another asset is in focus', () => {
  const graph = graphOf(diamond);
  let state = initialLineage(graph, 'silver/b');
  const step = (by: 1 | -1): string | undefined => {
    state = stepColumn(state, ['x', 'y'], by);
    return state.column;
  };
  expect([step(1), step(1), step(1), step(-1), step(-1)]).toEqual(['x', 'y', undefined, 'y', 'x']);
  expect(collapse(expand(state, graph, 'upstream'), graph, 'upstream').column).toBe('x');
  expect(moveFocus(state, graph, layoutOf(graph, state), 'up').column).toBe('x');
  expect(moveFocus(state, graph, layoutOf(graph, state), 'right').column).toBeUndefined();
  expect(focusOn(state, graph, 'gold/d').column).toBeUndefined();
  expect(stepColumn(state, [], 1).message?.text).toBe('silver/b has no columns');
});

describe('what is shown', () => {
  const graph = graphOf({ ...diamond, 'mart/e': ['gold/d'], 'mart/other': [] });

  test('grows from the focus by a level at a time, from the whole graph anew, and shrinks again', () => {
    let state = initialLineage(graph, 'gold/d');
    const steps: (readonly string[])[] = [];
    const step = (next: LineageState): void => {
      state = next;
      steps.push(state.message ? [state.message.text] : state.shown);
    };
    step(expand(state, graph, 'upstream'));
    step(expand(state, graph, 'downstream'));
    step(expand(state, graph, 'upstream'));
    step(expand(state, graph, 'upstream'));
    step(collapse(state, graph, 'upstream'));
    step(collapse(state, graph, 'upstream'));
    step(collapse(state, graph, 'upstream'));
    step(showAll(state, graph));
    expect(steps).toEqual([
      ['silver/b', 'silver/c', 'gold/d'],
      ['silver/b', 'silver/c', 'gold/d', 'mart/e'],
      ['source/a', 'silver/b', 'silver/c', 'gold/d', 'mart/e'],
      ['All that is upstream of gold/d is shown'],
      ['silver/b', 'silver/c', 'gold/d', 'mart/e'],
      ['gold/d', 'mart/e'],
      ['Nothing that is upstream of gold/d is shown'],
      graph.order,
    ]);
    expect(state.focus).toBe('gold/d');
    expect(expand(initialLineage(graph, 'mart/other'), graph, 'upstream').message?.text).toBe(
      'Nothing is upstream of mart/other',
    );
  });

  test('is what a selection selects; the focus stays if it can', () => {
    const state = initialLineage(graph, 'gold/d');
    const filtered = filterLineage(state, graph, ' silver/*+ ');
    expect(filtered).toEqual({ ...state, selection: 'silver/*+', shown: ['silver/b', 'silver/c', 'gold/d', 'mart/e'] });
    // Else it goes to the first that is meant itself.
    expect(filterLineage(state, graph, '+silver/c').focus).toBe('silver/c');
    expect(filterLineage(filtered, graph, '  ')).toEqual({ ...state, shown: graph.order });
    // What is added or hidden by hand is no selection.
    expect(expand(filtered, graph, 'upstream').selection).toBe('');
  });

  test('stays with a message where the selection is wrong', () => {
    const state = initialLineage(graph, 'gold/d');
    const wrong = (selection: string) => {
      const { message, ...rest } = filterLineage(state, graph, selection);
      const { message: _, ...before } = state;
      expect(rest).toEqual(before);
      return message;
    };
    expect(wrong('(silver/b or')).toEqual({
      text: 'the selection ends where an asset is expected',
      hint: expect.stringContaining('Examples'),
      column: 13,
    });
    expect(wrong('gold/d or silver/x')).toEqual({
      text: "No asset is named 'silver/x'",
      hint: expect.stringContaining('silver/'),
      column: 11,
    });
    expect(wrong('gold/d and silver/b')).toEqual({
      text: "'gold/d and silver/b' selects no asset",
      hint: undefined,
      column: undefined,
    });
  });

  test('leaves neighbours out, which are counted', () => {
    expect([...hiddenOf(graph, ['silver/b', 'gold/d'])]).toEqual([
      ['silver/b', { upstream: 1, downstream: 0 }],
      ['gold/d', { upstream: 1, downstream: 1 }],
    ]);
  });
});

describe('the viewport', () => {
  const graph = crypto(PLAIN);
  const layout = layoutOf(graph, initialLineage(graph));
  const small = { columns: 50, rows: 12 };

  test('has every node in it that gets the focus, and never leaves the drawing', () => {
    let state = initialLineage(graph);
    const { columns, rows } = drawingSize(small);
    for (const node of [...layout.nodes, ...layout.nodes.toReversed()]) {
      state = follow({ ...state, focus: node.key }, layout, small);
      const { x, y } = state.viewport;
      expect(node.x >= x && node.x + node.width <= x + columns).toBe(true);
      expect(node.y >= y && node.y + node.height <= y + rows).toBe(true);
      expect(x >= 0 && x + columns <= layout.width && y >= 0 && y + rows <= layout.height).toBe(true);
    }
  });

  test('stays where it is while the focus is well inside', () => {
    const state = follow(initialLineage(graph, 'silver/klines'), layout, small);
    expect(follow(state, layout, small)).toEqual(state);
    const moved = pan(state, layout, small, { x: 3, y: 0 });
    expect(follow(moved, layout, small)).toEqual(moved);
  });

  test('is moved by hand as far as there is something, and has a small drawing in its middle', () => {
    const state = follow(initialLineage(graph, 'silver/klines'), layout, small);
    expect(pan(state, layout, small, { x: 1000, y: -1000 }).viewport).toEqual({ x: layout.width - 50, y: 0 });
    const huge = { columns: layout.width + 10, rows: layout.height + 3 + 7 };
    expect(follow(state, layout, huge).viewport).toEqual({ x: -5, y: -3 });
  });
});
