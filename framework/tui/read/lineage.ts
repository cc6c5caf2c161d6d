import type { AssetGraph } from '../../graph/graph.ts';
import type { LineageEdge, LineageLayout, LineageNode, Size } from '../model/data.ts';
import { drawingSize, type LineageInfo, type LineageState, nodeWidth } from '../model/lineage.ts';
import { type Channel, routeChannel } from './channel.ts';
import {
  assetId,
  type Edge,
  entryOf,
  type Item,
  type ItemNet,
  layersOf,
  netsOf,
  orderLayers,
  passingId,
  placeRows,
  rowOf,
} from './layers.ts';

export interface LayoutOptions {
  /** Nodes of one line without a border, rather than boxes. */
  readonly compact: boolean;
  /** Cells that a node wants for its text, border included. All of a layer get the same. */
  readonly nodeWidth: (key: string) => number;
}

/** Borders, a name and a status. */
const BOX_HEIGHT = 4;
/** Cells from a layer to the first track, and from the last track to the next layer, where the arrow is. */
const LEAD = 1;
const TAIL = 2;

/**
 * The assets in layers, upstream to the left, drawn in cells: boxes do not overlap, lines are orthogonal and do not run through
 * boxes. Edges of one source share a line as long as they can; edges of several sources only where these lead to the very same
 * assets. So lines that join say exactly what depends on what. Deterministic.
 * @param keys which assets to draw. Edges by way of others are not drawn.
 */
export function layoutLineage(
  graph: Pick<AssetGraph, 'order' | 'upstreamOf'>,
  keys: readonly string[],
  { compact, nodeWidth }: LayoutOptions,
): LineageLayout {
  const wanted = new Set(keys);
  const shown = graph.order.filter((key) => wanted.has(key));
  if (shown.length === 0) return { nodes: [], edges: [], width: 0, height: 0 };
  const edges = shown.flatMap((to) =>
    graph.upstreamOf(to).flatMap((from) => (wanted.has(from) && from !== to ? [{ from, to }] : [])),
  );
  const layers = layersOf(shown, edges);
  orderLayers(layers);
  const gutters = layers.map(netsOf);
  for (const item of layers.flat()) {
    const entries = item.entries.length;
    if (item.key !== undefined) item.height = compact ? Math.max(1, entries) : Math.max(BOX_HEIGHT, entries + 2);
  }
  placeRows(layers, compact ? 0 : 1);
  return draw(layers, gutters, edges, nodeWidth);
}

interface Gutter {
  readonly nets: readonly ItemNet[];
  readonly channel: Channel;
  /** Cells from a track to the next. */
  readonly step: number;
  readonly width: number;
}
function gutterOf(nets: readonly ItemNet[]): Gutter {
  const channel = routeChannel(
    nets.map((net) => ({ left: net.left.map(rowOf), right: net.right.map((item) => entryOf(item, net)) })),
  );
  const { tracks } = channel;
  const step = tracks > 5 ? 1 : 2;
  return { nets, channel, step, width: LEAD + Math.max(1, (tracks - 1) * step + 1) + TAIL };
}

function draw(
  layers: readonly (readonly Item[])[],
  nets: readonly (readonly ItemNet[])[],
  edges: readonly Edge[],
  nodeWidth: (key: string) => number,
): LineageLayout {
  const gutters = nets.map(gutterOf);
  const widths = layers.map((layer) =>
    Math.max(1, ...layer.map(({ key }) => (key === undefined ? 0 : nodeWidth(key)))),
  );
  const lefts: number[] = [];
  for (const i of layers.keys()) {
    lefts.push(i === 0 ? 0 : (lefts[i - 1] ?? 0) + (widths[i - 1] ?? 0) + (gutters[i - 1]?.width ?? 0));
  }
  const nodes = layers.flat().flatMap(({ key, layer, y, height }): LineageNode[] => {
    return key === undefined ? [] : [{ key, x: lefts[layer] ?? 0, y, width: widths[layer] ?? 0, height }];
  });

  const items = new Map(layers.flat().map((item) => [item.id, item]));
  const lines = edges.map(({ from, to }): LineageEdge => {
    const points: { x: number; y: number }[] = [];
    const end = items.get(assetId(to));
    let item = items.get(assetId(from));
    while (item && end && item !== end) {
      const here: Item = item;
      const next = here.layer + 1 === end.layer ? end : items.get(passingId(from, here.layer + 1));
      const gutter = gutters[here.layer];
      if (next && gutter) {
        const start = (lefts[here.layer] ?? 0) + (widths[here.layer] ?? 0);
        points.push(...pathOf(gutter, here, next, start));
      }
      item = next;
    }
    return { from, to, points: straightened(points) };
  });
  const bottoms = [
    nodes.map(({ y, height }) => y + height),
    lines.flatMap(({ points }) => points.map(({ y }) => y + 1)),
  ];
  return {
    nodes,
    edges: lines,
    width: (lefts.at(-1) ?? 0) + (widths.at(-1) ?? 0),
    height: Math.max(...bottoms.flat()),
  };
}

/** @param x where the gutter begins. */
function pathOf({ nets, channel, step, width }: Gutter, from: Item, to: Item, x: number): { x: number; y: number }[] {
  const index = nets.findIndex(({ left }) => left.includes(from));
  const net = nets[index];
  if (net === undefined) return [];
  let y = rowOf(from);
  const points = [{ x, y }];
  for (const turn of channel.turns(index, y, entryOf(to, net))) {
    const track = x + LEAD + turn.track * step;
    points.push({ x: track, y }, { x: track, y: turn.row });
    y = turn.row;
  }
  return [...points, { x: x + width - 1, y }];
}

/** Without the points at which the line goes straight on. */
function straightened(points: readonly { x: number; y: number }[]): { x: number; y: number }[] {
  return points.filter((point, i) => {
    const [before, after] = [points[i - 1], points[i + 1]];
    if (!before || !after) return true;
    return !((before.y === point.y && point.y === after.y) || (before.x === point.x && point.x === after.x));
  });
}

/** More would not fit as boxes on any screen. */
const MOST_BOXES = 60;

/** The drawing of what a state shows, for a screen of this size. */
export function lineageDrawing(
  graph: Pick<AssetGraph, 'order' | 'upstreamOf'>,
  { shown, density }: Pick<LineageState, 'shown' | 'density'>,
  size: Size,
): { readonly layout: LineageLayout; readonly compact: boolean } {
  const draw = (compact: boolean) => ({
    compact,
    layout: layoutLineage(graph, shown, { compact, nodeWidth: (key) => nodeWidth(key, compact) }),
  });
  if (density !== 'auto') return draw(density === 'lines');
  const boxes = shown.length > MOST_BOXES ? undefined : draw(false);
  return boxes && boxes.layout.height <= drawingSize(size).rows ? boxes : draw(true);
}

/** What is declared about an asset, its own past among its inputs. */
export function lineageInfo(graph: Pick<AssetGraph, 'node' | 'upstreamOf' | 'downstreamOf'>, key: string): LineageInfo {
  const { definition, inputs } = graph.node(key);
  return {
    key,
    kind: definition.kind,
    description: definition.description,
    columns: definition.columns.map(({ name, type, description }) => ({ name, type, description })),
    upstream: graph.upstreamOf(key).length,
    downstream: graph.downstreamOf(key).length,
    inputs: inputs.map(({ need, alternatives }) => ({
      need,
      alternatives: alternatives.map(({ asset, mapping }) => ({ asset, reads: mapping.description })),
    })),
  };
}
