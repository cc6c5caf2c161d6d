import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LineageLayout } from '../../../framework/tui/model/data.ts';
import { nodeWidth } from '../../../framework/tui/model/lineage.ts';
import { routeChannel } from '../../../framework/tui/read/channel.ts';
import { layoutLineage, lineageDrawing, lineageInfo } from '../../../framework/tui/read/lineage.ts';
import { anyReads, crypto, diamond, fan, graphOf, lake, type Reads, traced } from './support.ts';

const options = (compact: boolean) => ({ compact, nodeWidth: (key: string) => nodeWidth(key, compact) });
function layoutOf(reads: Reads, compact: boolean): LineageLayout {
  const graph = graphOf(reads);
  return layoutLineage(graph, graph.order, options(compact));
}
const edgesOf = (reads: Reads): string[] =>
  Object.entries(reads).flatMap(([to, ups]) => ups.map((from) => `${from} → ${to}`));

/** All that is wrong with a drawing. */
function problems({ nodes, edges, width, height }: LineageLayout, compact: boolean): string[] {
  const found: string[] = [];
  const byKey = new Map(nodes.map((node) => [node.key, node]));
  for (const [i, a] of nodes.entries()) {
    if (a.x < 0 || a.y < 0 || a.x + a.width > width || a.y + a.height > height) found.push(`${a.key} is outside`);
    for (const b of nodes.slice(i + 1)) {
      const apart = a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
      if (!apart) found.push(`${a.key} overlaps ${b.key}`);
      if (a.x === b.x && a.width !== b.width) found.push(`${a.key} and ${b.key} are of different width`);
    }
  }
  for (const { from, to, points } of edges) {
    const name = `${from} → ${to}`;
    const [source, target] = [byKey.get(from), byKey.get(to)];
    const [first, last] = [points[0], points.at(-1)];
    if (!source || !target || !first || !last) return [...found, `${name} has no ends`];
    const edge = compact ? 0 : 1;
    if (first.x !== source.x + source.width) found.push(`${name} does not start at its source`);
    if (first.y < source.y + edge || first.y >= source.y + source.height - edge) found.push(`${name} starts beside it`);
    if (last.x !== target.x - 1) found.push(`${name} does not end at its target`);
    if (last.y < target.y + edge || last.y >= target.y + target.height - edge) found.push(`${name} ends beside it`);
    if (points.at(-2)?.y !== last.y) found.push(`${name} does not arrive from the left`);
    for (const [i, a] of points.entries()) {
      const b = points[i + 1];
      if (!b) continue;
      if ((a.x === b.x) === (a.y === b.y)) found.push(`${name} is not orthogonal`);
      if (b.x < a.x) found.push(`${name} runs backwards`);
      if (Math.min(a.y, b.y) < 0 || Math.max(a.y, b.y) >= height) found.push(`${name} leaves the drawing`);
      const crossed = nodes.filter(
        ({ x, y, width, height }) =>
          Math.max(a.x, b.x) >= x &&
          Math.min(a.x, b.x) < x + width &&
          Math.max(a.y, b.y) >= y &&
          Math.min(a.y, b.y) < y + height,
      );
      found.push(...crossed.map(({ key }) => `${name} runs through ${key}`));
    }
  }
  return found;
}

describe.each([
  ['boxes', false],
  ['lines', true],
])('a drawing of %s', (_, compact) => {
  test('has no overlaps, and its edges are orthogonal, from side to side and around the nodes', () => {
    fc.assert(
      fc.property(anyReads(24), (reads) => {
        const layout = layoutOf(reads, compact);
        expect(layout.nodes.map(({ key }) => key).sort()).toEqual(Object.keys(reads).sort());
        expect(layout.edges.map(({ from, to }) => `${from} → ${to}`).sort()).toEqual(edgesOf(reads).sort());
        expect(problems(layout, compact)).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  test('shows by its lines exactly what depends on what', () => {
    fc.assert(
      fc.property(anyReads(20), (reads) => {
        expect([...traced(layoutOf(reads, compact))].sort()).toEqual(edgesOf(reads).sort());
      }),
      { numRuns: 150 },
    );
  });

  test('does so for 200 assets too', () => {
    const reads = lake(200);
    const layout = layoutOf(reads, compact);
    expect(problems(layout, compact)).toEqual([]);
    expect([...traced(layout)].sort()).toEqual(edgesOf(reads).sort());
  });

  test('has upstream at the left', () => {
    fc.assert(
      fc.property(anyReads(24), (reads) => {
        const { nodes, edges } = layoutOf(reads, compact);
        const x = new Map(nodes.map((node) => [node.key, node.x]));
        for (const { from, to } of edges) expect(x.get(from)).toBeLessThan(x.get(to) ?? 0);
      }),
      { numRuns: 50 },
    );
  });
});

test('the same graph gives the same drawing, in whatever order its assets are asked for', () => {
  const graph = graphOf(lake(80));
  const first = layoutLineage(graph, graph.order, options(true));
  expect(layoutLineage(graph, graph.order.toReversed(), options(true))).toEqual(first);
});

test('a part of a graph has the edges between its assets', () => {
  const graph = graphOf(diamond);
  const { nodes, edges } = layoutLineage(graph, ['gold/d', 'silver/c', 'nothing'], options(false));
  expect(nodes).toEqual([
    { key: 'silver/c', x: 0, y: 0, width: 20, height: 4 },
    { key: 'gold/d', x: 24, y: 0, width: 20, height: 4 },
  ]);
  expect(edges).toEqual([
    {
      from: 'silver/c',
      to: 'gold/d',
      points: [
        { x: 20, y: 1 },
        { x: 23, y: 1 },
      ],
    },
  ]);
  expect(layoutLineage(graph, [], options(false))).toEqual({ nodes: [], edges: [], width: 0, height: 0 });
});

test('boxes become lines where they would be higher than the screen', () => {
  const density = (reads: Reads, columns: number, rows: number): string => {
    const graph = graphOf(reads);
    const { compact } = lineageDrawing(graph, { shown: graph.order, density: 'auto' }, { columns, rows });
    return compact ? 'lines' : 'boxes';
  };
  expect(density(diamond, 80, 24)).toBe('boxes');
  expect(density(fan, 80, 24)).toBe('lines');
  expect(density(fan, 200, 70)).toBe('boxes');
  expect(density(lake(200), 300, 1000)).toBe('lines');
  const graph = graphOf(fan);
  const asked = (density: 'boxes' | 'lines') =>
    lineageDrawing(graph, { shown: graph.order, density }, { columns: 80, rows: 24 }).compact;
  expect([asked('boxes'), asked('lines')]).toEqual([false, true]);
});

test('an asset is described with what it reads', () => {
  expect(lineageInfo(crypto(), 'silver/klines')).toEqual({
    key: 'silver/klines',
    kind: 'asset',
    description: expect.stringMatching(/^Candles as the exchange published them/),
    columns: expect.arrayContaining([{ name: 'open_time', type: 'TIMESTAMP', description: expect.any(String) }]),
    upstream: 2,
    downstream: 3,
    inputs: [
      {
        need: 'required',
        alternatives: [
          { asset: 'bronze/klines_monthly', reads: 'the month it is in' },
          { asset: 'bronze/klines_daily', reads: 'the same partition' },
        ],
      },
    ],
  });
});

describe('a channel', () => {
  test('takes lines past each other that change places', () => {
    // Each leaves on the row on which the other one comes: one of them has to give way.
    const { tracks, turns } = routeChannel([
      { left: [0], right: [4] },
      { left: [4], right: [0] },
    ]);
    expect(tracks).toBe(3);
    expect([turns(0, 0, 4), turns(1, 4, 0)]).toEqual([
      [
        { track: 0, row: 5 },
        { track: 2, row: 4 },
      ],
      [{ track: 1, row: 0 }],
    ]);
  });

  test('needs no track for a straight line, and one for lines that do not meet', () => {
    const { tracks, turns } = routeChannel([
      { left: [0], right: [0] },
      { left: [1], right: [3] },
      { left: [4], right: [5, 6] },
    ]);
    expect(tracks).toBe(1);
    expect(turns(0, 0, 0)).toEqual([]);
    expect(turns(2, 4, 6)).toEqual([{ track: 0, row: 6 }]);
  });

  test('keeps any nets apart', () => {
    const rows = fc.uniqueArray(fc.nat(12), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(rows, rows, fc.integer({ min: 1, max: 6 }), (left, right, most) => {
        const count = Math.min(left.length, right.length, most);
        // Every net has a row at both sides, and further ones in turn.
        const nets = Array.from({ length: count }, (_, n) => ({
          left: left.filter((_, i) => i % count === n),
          right: right.filter((_, i) => i % count === n),
        }));
        const { tracks, turns } = routeChannel(nets);
        const end = tracks + 2;
        const nodes = [
          ...left.map((y) => ({ key: `left ${y}`, x: 0, y, width: 1, height: 1 })),
          ...right.map((y) => ({ key: `right ${y}`, x: end + 1, y, width: 1, height: 1 })),
        ];
        const edges = nets.flatMap((net, n) =>
          net.left.flatMap((from) =>
            net.right.map((to) => {
              const points = [{ x: 1, y: from }];
              let y = from;
              for (const turn of turns(n, from, to)) {
                points.push({ x: 2 + turn.track, y }, { x: 2 + turn.track, y: turn.row });
                y = turn.row;
              }
              return { from: `left ${from}`, to: `right ${to}`, points: [...points, { x: end, y }] };
            }),
          ),
        );
        const layout = { nodes, edges, width: 0, height: 0 };
        expect([...traced(layout)].sort()).toEqual(edges.map(({ from, to }) => `${from} → ${to}`).sort());
        expect(edges.map(({ to, points }) => `${to}: ${points.at(-1)?.y}`)).toEqual(
          edges.map(({ to }) => `${to}: ${to.slice(6)}`),
        );
      }),
      { numRuns: 500 },
    );
  });
});
