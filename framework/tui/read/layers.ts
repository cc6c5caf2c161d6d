import { Graph, layout } from '@dagrejs/dagre';
import type { LineageEdge } from '../model/data.ts';

/** What has a row in a layer: an asset, or the edges of an asset on their way past the layer to further ones. */
export interface Item {
  readonly id: string;
  readonly layer: number;
  /** The asset; undefined for passing edges. */
  readonly key: string | undefined;
  /** What it leads to in the next layer. */
  readonly next: Item[];
  /** Nets that end here: each on an entry of its own, from the top. */
  entries: ItemNet[];
  height: number;
  /** Its first row. */
  y: number;
}
/** Items that lead to the very same items of the next layer. */
export interface ItemNet {
  readonly left: readonly Item[];
  readonly right: readonly Item[];
}
export type Edge = Pick<LineageEdge, 'from' | 'to'>;

/** The row on which its name stands and its line leaves. */
export const rowOf = ({ y, height }: Item): number => y + Math.floor((height - 1) / 2);

/** The row on which a net comes to an item at its right. */
export const entryOf = (item: Item, net: ItemNet): number =>
  rowOf(item) - Math.floor((item.entries.length - 1) / 2) + item.entries.indexOf(net);

export const assetId = (key: string): string => `asset ${key}`;
export const passingId = (from: string, layer: number): string => `passing ${layer} ${from}`;

/**
 * The layers, upstream first. Each asset is as far left as it can be, or where that makes its edges shorter, as far right.
 * @param shown topologically ordered.
 */
export function layersOf(shown: readonly string[], edges: readonly Edge[]): Item[][] {
  const up = Map.groupBy(edges, ({ to }) => to);
  const down = Map.groupBy(edges, ({ from }) => from);
  const at = new Map<string, number>();
  const layerOf = (key: string): number => at.get(key) ?? 0;
  for (const key of shown) at.set(key, Math.max(0, ...(up.get(key) ?? []).map(({ from }) => layerOf(from) + 1)));
  for (const key of shown.toReversed()) {
    const readers = down.get(key) ?? [];
    if (readers.length > (up.get(key)?.length ?? 0)) at.set(key, Math.min(...readers.map(({ to }) => layerOf(to))) - 1);
  }

  const layers: Item[][] = Array.from({ length: Math.max(...at.values()) + 1 }, () => []);
  const items = new Map<string, Item>();
  const itemAt = (id: string, layer: number, key?: string): Item => {
    const known = items.get(id);
    if (known) return known;
    const item: Item = { id, layer, key, next: [], entries: [], height: 1, y: 0 };
    items.set(id, item);
    layers[layer]?.push(item);
    return item;
  };
  for (const key of shown) itemAt(assetId(key), layerOf(key), key);
  for (const { from, to } of edges) {
    const end = itemAt(assetId(to), layerOf(to));
    let item = itemAt(assetId(from), layerOf(from));
    while (item.layer + 1 < end.layer) {
      const passing = itemAt(passingId(from, item.layer + 1), item.layer + 1);
      if (!item.next.includes(passing)) item.next.push(passing);
      item = passing;
    }
    item.next.push(end);
  }
  return layers;
}

/** The nets from a layer to the next one, entered there. */
export function netsOf(layer: readonly Item[]): ItemNet[] {
  const leading = layer.filter(({ next }) => next.length > 0);
  const alike = Map.groupBy(leading, ({ next }) => JSON.stringify(next.map(({ id }) => id).sort()));
  return [...alike.values()].map((left) => {
    const net: ItemNet = { left, right: left[0]?.next ?? [] };
    for (const item of net.right) item.entries.push(net);
    return net;
  });
}

/** Puts the items of every layer in an order of few crossings; of those that mirror each other, the one nearer to the given one. */
export function orderLayers(layers: readonly Item[][]): void {
  const graph = new Graph<object, { rank?: number; order?: number }, object>();
  // The layers are known already. Dagre keeps every second rank for labels.
  const ranks = new Map(layers.flat().map(({ id, layer }) => [id, layer * 2]));
  const ranker = (ranked: typeof graph): void => {
    for (const id of ranked.nodes()) ranked.node(id).rank = ranks.get(id) ?? -1;
  };
  graph.setGraph({ rankdir: 'LR', ranker });
  for (const { id } of layers.flat()) graph.setNode(id, {});
  for (const { id, next } of layers.flat()) for (const to of next) graph.setEdge(id, to.id, { labelpos: 'c' });
  layout(graph);

  let [kept, turned] = [0, 0];
  for (const layer of layers) {
    const places = layer.map(({ id }) => graph.node(id).order ?? 0);
    places.forEach((place, i) => {
      for (const other of places.slice(i + 1)) other > place ? kept++ : turned++;
    });
  }
  const sign = turned > kept ? -1 : 1;
  for (const layer of layers)
    layer.sort((a, b) => sign * ((graph.node(a.id).order ?? 0) - (graph.node(b.id).order ?? 0)));
}

/**
 * Gives every item its row, its layer's order kept, so that lines are as straight as can be: in sweeps over the layers, each layer
 * is placed best for its neighbours.
 * @param gap blank rows between two assets.
 */
export function placeRows(layers: readonly Item[][], gap: number): void {
  const links = layers.map(linksOf);
  const between = (a: Item, b: Item): number => (a.key !== undefined && b.key !== undefined ? gap : 0);
  for (const layer of layers) {
    let y = 0;
    for (const [i, item] of layer.entries()) {
      const above = layer[i - 1];
      if (above) y += above.height + between(above, item);
      item.y = y;
    }
    const last = layer.at(-1);
    const middle = Math.floor((last ? last.y + last.height : 0) / 2);
    for (const item of layer) item.y -= middle;
  }
  const bend = (): number => links.flat().reduce((sum, link) => sum + link.weight * Math.abs(strain(link)), 0);

  let [best, rows] = [Number.POSITIVE_INFINITY, [] as number[]];
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const forth = sweep % 2 === 0;
    for (const layer of forth ? layers : layers.toReversed()) {
      const i = layer[0]?.layer ?? 0;
      sortEntries(layer);
      const near = forth ? links[i - 1] : links[i];
      place(layer, sweep < SWEEPS / 2 ? (near ?? []) : [...(links[i - 1] ?? []), ...(links[i] ?? [])], between);
    }
    for (const layer of layers) sortEntries(layer);
    const cost = bend();
    if (cost < best) [best, rows] = [cost, layers.flat().map(({ y }) => y)];
  }
  const top = Math.min(...rows);
  for (const [i, item] of layers.flat().entries()) item.y = (rows[i] ?? 0) - top;
  for (const layer of layers) sortEntries(layer);
}
const SWEEPS = 16;

interface Link {
  readonly from: Item;
  readonly to: Item;
  readonly net: ItemNet;
  readonly weight: number;
}
/** Rows by which a link is not straight. */
const strain = ({ from, to, net }: Link): number => rowOf(from) - entryOf(to, net);

/** From a layer to the next. What passes several layers should be straightest. */
const linksOf = (layer: readonly Item[]): Link[] =>
  layer.flatMap((from) =>
    from.next.flatMap((to): Link[] => {
      const net = to.entries.find(({ left }) => left.includes(from));
      const passing = Number(from.key === undefined) + Number(to.key === undefined);
      return net ? [{ from, to, net, weight: [1, 2, 8][passing] ?? 1 }] : [];
    }),
  );

/** Nets come to an item in the order of where they come from. */
function sortEntries(layer: readonly Item[]): void {
  for (const item of layer) {
    if (item.entries.length < 2) continue;
    const height = new Map(item.entries.map((net) => [net, mean(net.left.map(rowOf))]));
    item.entries.sort((a, b) => (height.get(a) ?? 0) - (height.get(b) ?? 0));
  }
}
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

interface Block {
  readonly items: Item[];
  /** Where the first item's row should be, and how much that matters. */
  readonly wishes: { readonly at: number; readonly weight: number }[];
  readonly height: number;
  at: number;
}

/** Moves the items of a layer so that their links bend least: what would overlap is joined to a block that moves as one. */
function place(layer: readonly Item[], links: readonly Link[], between: (a: Item, b: Item) => number): void {
  const blocks: Block[] = [];
  for (const item of layer) {
    const wishes = links.flatMap((link) => {
      if (link.to === item) return [{ at: item.y + strain(link), weight: link.weight }];
      return link.from === item ? [{ at: item.y - strain(link), weight: link.weight }] : [];
    });
    if (wishes.length === 0) wishes.push({ at: item.y, weight: 0.1 });
    let block: Block = { items: [item], wishes, height: item.height, at: median(wishes) };
    for (let above = blocks.at(-1); above; above = blocks.at(-1)) {
      const [last, first] = [above.items.at(-1), block.items[0]];
      const offset = above.height + (last && first ? between(last, first) : 0);
      if (above.at + offset <= block.at) break;
      blocks.pop();
      const joined = [...above.wishes, ...block.wishes.map(({ at, weight }) => ({ at: at - offset, weight }))];
      block = {
        items: [...above.items, ...block.items],
        wishes: joined,
        height: offset + block.height,
        at: median(joined),
      };
    }
    blocks.push(block);
  }
  for (const { items, at } of blocks) {
    let y = at;
    for (const [i, item] of items.entries()) {
      const above = items[i - 1];
      if (above) y += above.height + between(above, item);
      item.y = y;
    }
  }
}

function median(wishes: readonly { readonly at: number; readonly weight: number }[]): number {
  const sorted = wishes.toSorted((a, b) => a.at - b.at);
  let rest = sorted.reduce((sum, { weight }) => sum + weight, 0) / 2;
  for (const { at, weight } of sorted) {
    rest -= weight;
    if (rest <= 0) return at;
  }
  return sorted.at(-1)?.at ?? 0;
}
