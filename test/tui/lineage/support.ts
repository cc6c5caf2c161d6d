import fc from 'fast-check';
import { lakehouse } from '../../../assets/index.ts';
import { type AssetGraph, buildGraph } from '../../../framework/graph/graph.ts';
import type { Asset } from '../../../framework/index.ts';
import { asset, columns, double, sql } from '../../../framework/index.ts';
import type { AssetRow, LineageLayout, StatusCounts } from '../../../framework/tui/model/data.ts';
import { SHOWN_STATUSES } from '../../../framework/tui/model/data.ts';
import { part } from '../../support/part.ts';

/** By asset, what it reads. */
export type Reads = Readonly<Record<string, readonly string[]>>;

/** A graph of real definitions; what an asset reads stands before it. */
export function graphOf(reads: Reads): AssetGraph {
  const definitions = new Map<string, Asset>();
  for (const [key, ups] of Object.entries(reads)) {
    const inputs = Object.fromEntries(ups.map((up, i) => [`i${i}`, definitions.get(up)]));
    const table = { columns: columns({ price: double() }), sortBy: ['price'], query: () => sql`SELECT 1` };
    definitions.set(key, asset(key, { ...table, inputs } as never));
  }
  return buildGraph([...definitions.values()], { codes: () => 'code' });
}

export const crypto = (keys: readonly string[] = CANDLES): AssetGraph =>
  buildGraph(part(lakehouse.assets, keys) as unknown as typeof lakehouse.assets, { codes: () => 'code' });

/** The candles of the archive, whatever other data the lakehouse has. */
export const CANDLES = [
  'binance/klines_daily_archive',
  'binance/klines_monthly_archive',
  'bronze/klines_daily',
  'bronze/klines_monthly',
  'silver/klines',
  'silver/klines_patches',
  'gold/klines_daily',
  'gold/klines_monthly',
  'gold/indicators',
  'gold/market_overview',
];

export const diamond: Reads = {
  'source/a': [],
  'silver/b': ['source/a'],
  'silver/c': ['source/a'],
  'gold/d': ['silver/b', 'silver/c'],
};
export const fan: Reads = {
  'silver/prices': [],
  ...Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`gold/feature_${i + 1}`, ['silver/prices']])),
};

/** A lake of so many assets in eight layers, most of which read some near them in the layer before. */
export function lake(size: number): Reads {
  let seed = 11;
  const random = (): number => {
    seed = (seed * 48271) % 2147483647;
    return seed / 2147483647;
  };
  const perLayer = Math.ceil(size / 8);
  const zones = ['source', 'bronze', 'silver', 'gold', 'features', 'models', 'marts', 'reports'];
  const keys: string[] = [];
  const reads: Record<string, readonly string[]> = {};
  for (let i = 0; i < size; i++) {
    const layer = Math.floor(i / perLayer);
    const ups = new Set<string>();
    const count = layer === 0 ? 0 : 1 + Math.floor(random() * random() * 3);
    for (let n = 0; n < count; n++) {
      const from = random() < 0.85 ? layer - 1 : Math.floor(random() * layer);
      const near = Math.round((i % perLayer) + (random() - 0.5) * (random() < 0.2 ? perLayer : 5));
      const up = keys[from * perLayer + Math.min(Math.max(near, 0), perLayer - 1)];
      if (up) ups.add(up);
    }
    const key = `${zones[layer]}/asset_${i}`;
    keys.push(key);
    reads[key] = [...ups];
  }
  return reads;
}

/** Any graph of up to so many assets: sparse, dense, with long edges, in parts. */
export const anyReads = (most: number): fc.Arbitrary<Reads> =>
  fc
    .record({
      size: fc.integer({ min: 1, max: most }),
      edges: fc.array(fc.tuple(fc.nat(most - 1), fc.nat(most - 1)), { maxLength: most * 2 }),
    })
    .map(({ size, edges }) => {
      const key = (i: number) => `zone/${'n'.repeat(1 + (i % 5))}${i}`;
      const reads: Record<string, string[]> = {};
      for (let i = 0; i < size; i++) {
        const ups = edges.flatMap(([a, b]) => (a < b && b === i ? [a] : b < a && a === i ? [b] : []));
        reads[key(i)] = [...new Set(ups)].map(key);
      }
      return reads;
    });

/** Counts that differ from asset to asset, some unknown, some running. */
export function statuses(keys: readonly string[]): Map<string, Pick<AssetRow, 'counts' | 'known' | 'running'>> {
  return new Map(
    keys.map((key, i) => {
      const some = (status: string, n: number) =>
        status === 'fresh' ? 400 + 37 * i : (i + n) % 6 === 0 ? 3 + i * n : 0;
      const counts = Object.fromEntries(SHOWN_STATUSES.map((status, n) => [status, some(status, n)])) as StatusCounts;
      const running = i % 9 === 5 ? { done: 12, total: 400 } : undefined;
      return [key, { counts: i % 7 === 6 ? undefined : counts, known: i % 8 !== 3, running }];
    }),
  );
}

/** What somebody who follows the lines of a drawing, never to the left, would say depends on what. */
export function traced({ nodes, edges }: LineageLayout): Set<string> {
  // A cell in which a line turns connects all arms; else it has a lane per direction.
  interface Cell {
    joined: boolean;
    readonly arms: Set<string>;
  }
  const cells = new Map<string, Cell>();
  const at = (x: number, y: number): Cell => {
    const id = `${x},${y}`;
    const cell = cells.get(id) ?? { joined: false, arms: new Set<string>() };
    cells.set(id, cell);
    return cell;
  };
  for (const { points } of edges) {
    for (const [i, point] of points.entries()) {
      if (i > 0 && i < points.length - 1) at(point.x, point.y).joined = true;
      const next = points[i + 1];
      if (!next) continue;
      const [dx, dy] = [Math.sign(next.x - point.x), Math.sign(next.y - point.y)];
      for (let { x, y } = point; x !== next.x || y !== next.y; x += dx, y += dy) {
        at(x, y).arms.add(`${dx},${dy}`);
        at(x + dx, y + dy).arms.add(`${-dx},${-dy}`);
      }
    }
  }
  const lane = (x: number, y: number, arm: string): string =>
    at(x, y).joined ? `${x},${y}` : `${x},${y} ${arm.startsWith('0,') ? 'along' : 'across'}`;
  const links = new Map<string, Set<string>>();
  const link = (a: string, b: string) => links.set(a, (links.get(a) ?? new Set()).add(b));
  for (const [id, { arms }] of cells) {
    const [x = 0, y = 0] = id.split(',').map(Number);
    for (const arm of arms) {
      const [dx = 0, dy = 0] = arm.split(',').map(Number);
      if (dx >= 0) link(lane(x, y, arm), lane(x + dx, y + dy, `${-dx},${-dy}`));
    }
  }
  const connected = (from: string): Set<string> => {
    const seen = new Set([from]);
    for (const cell of seen) for (const next of links.get(cell) ?? []) seen.add(next);
    return seen;
  };
  const pairs = new Set<string>();
  const ends = (x: (node: (typeof nodes)[number]) => number, arm: string) =>
    nodes.flatMap((node) =>
      Array.from({ length: node.height }, (_, i) => ({ key: node.key, x: x(node), y: node.y + i })).flatMap(
        ({ key, x, y }) => (cells.get(`${x},${y}`)?.arms.has(arm) ? [{ key, cell: lane(x, y, arm) }] : []),
      ),
    );
  // A straight line of one cell has no arms to look at: gutters are wider than that.
  const targets = ends(({ x }) => x - 1, '-1,0');
  for (const { key, cell } of ends(({ x, width }) => x + width, '1,0')) {
    const reached = connected(cell);
    for (const target of targets) if (reached.has(target.cell)) pairs.add(`${key} → ${target.key}`);
  }
  return pairs;
}

/** The same without what is patched: every asset but the last ones is read by one layer. */
export const PLAIN = CANDLES.filter((key) => key !== 'silver/klines_patches');
