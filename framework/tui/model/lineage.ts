import { isLakehouseError } from '../../common/errors.ts';
import type { AssetGraph } from '../../graph/graph.ts';
import type { LineageLayout, LineageNode, Size } from './data.ts';

export type LineageGraph = Pick<AssetGraph, 'order' | 'upstreamOf' | 'downstreamOf' | 'select'>;
export type Side = 'upstream' | 'downstream';

export interface LineageState {
  /** In the graph's order. */
  readonly shown: readonly string[];
  /** The selection that selects just those; '' for everything, and for what none was written for. */
  readonly selection: string;
  /** One of `shown`; undefined only where nothing is shown. */
  readonly focus: string | undefined;
  /** A column of the focus that is followed. */
  readonly column: string | undefined;
  /** By asset, the neighbour at that side that was in focus before or after it: there leads the way back. */
  readonly trail: Readonly<Record<Side, Readonly<Record<string, string>>>>;
  /** The first cell of the drawing that is visible; negative where the drawing is smaller than the screen. */
  readonly viewport: { readonly x: number; readonly y: number };
  /** Whether assets are boxes or lines; `auto`: boxes as long as the drawing is not higher than the screen. */
  readonly density: 'auto' | 'boxes' | 'lines';
  /** What could not be done; gone with the next change. */
  readonly message: LineageMessage | undefined;
}
export interface LineageMessage {
  readonly text: string;
  readonly hint: string | undefined;
  /** Where in the selection, counted from 1. */
  readonly column: number | undefined;
}

/** What the bottom lines say about the asset in focus. */
export interface LineageInfo {
  readonly key: string;
  readonly kind: 'source' | 'asset';
  readonly description: string | undefined;
  readonly columns: readonly {
    readonly name: string;
    readonly type: string;
    readonly description?: string | undefined;
  }[];
  /** Assets it reads, and that read it. */
  readonly upstream: number;
  readonly downstream: number;
  /** What it reads, in words. */
  readonly inputs: readonly {
    readonly need: 'required' | 'ifPresent';
    /** The first that there is; one, or several for inputs with a choice. */
    readonly alternatives: readonly { readonly asset: string; readonly reads: string }[];
  }[];
}

/** How a column of the focus hangs together with those of other assets, as far as that can be told. */
export interface ColumnTrace {
  readonly asset: string;
  readonly column: string;
  /** Columns it is computed from, and that are computed from it, by asset; by way of others, too. */
  readonly upstream: ReadonlyMap<string, readonly string[]>;
  readonly downstream: ReadonlyMap<string, readonly string[]>;
  /** Assets next to those, of which it cannot be told what they do with the columns, and why. */
  readonly unknown: ReadonlyMap<string, string>;
  /** Edges along which columns go: `from to`. */
  readonly edges: ReadonlySet<string>;
}

export function initialLineage(graph: LineageGraph, focus?: string): LineageState {
  return {
    shown: graph.order,
    selection: '',
    focus: focus !== undefined && graph.order.includes(focus) ? focus : graph.order[0],
    column: undefined,
    trail: { upstream: {}, downstream: {} },
    viewport: { x: 0, y: 0 },
    density: 'auto',
    message: undefined,
  };
}

const say = (state: LineageState, text: string): LineageState => ({
  ...state,
  message: { text, hint: undefined, column: undefined },
});

/** A column is one of the asset in focus: with another focus, none is followed. */
const focused = (state: LineageState, focus: string | undefined): Pick<LineageState, 'focus' | 'column'> => ({
  focus,
  column: focus === state.focus ? state.column : undefined,
});

/** Shows these; the focus stays if it can, or moves to `focus` or else to the first. */
function show(state: LineageState, graph: LineageGraph, keys: ReadonlySet<string>, focus?: string): LineageState {
  const shown = graph.order.filter((key) => keys.has(key));
  const kept = [state.focus, focus, shown[0]].find((key) => key !== undefined && keys.has(key));
  return { ...state, shown, selection: '', ...focused(state, kept), message: undefined };
}

export const showAll = (state: LineageState, graph: LineageGraph): LineageState =>
  show(state, graph, new Set(graph.order));

/** Shows exactly what a selection selects, edges between those only. What is wrong with it becomes the message. */
export function filterLineage(state: LineageState, graph: LineageGraph, selection: string): LineageState {
  const text = selection.trim();
  if (text === '') return showAll(state, graph);
  try {
    const { keys, direct } = graph.select(text);
    if (keys.length === 0) return say(state, `'${text}' selects no asset`);
    const [first] = keys.filter((key) => direct.has(key));
    return { ...show(state, graph, new Set(keys), first), selection: text };
  } catch (error) {
    if (!isLakehouseError(error)) throw error;
    const [line = ''] = error.message.split('\n');
    const { column } = error.details ?? {};
    const text = line.replace(/ \(column \d+\)$/, '');
    const message = { text, hint: error.hint, column: typeof column === 'number' ? column : undefined };
    return { ...state, message };
  }
}

/** Moves the focus to an asset, which is shown from then on. */
export function focusOn(state: LineageState, graph: LineageGraph, key: string): LineageState {
  if (!graph.order.includes(key)) return say(state, `There is no asset '${key}'`);
  return { ...show(state, graph, new Set([...state.shown, key])), ...focused(state, key) };
}

const neighbours = (graph: LineageGraph, key: string, side: Side): readonly string[] =>
  (side === 'upstream' ? graph.upstreamOf(key) : graph.downstreamOf(key)).filter((other) => other !== key);

/** The assets one step away at a side, two steps, and so on; each at its least distance. */
function levelsOf(graph: LineageGraph, key: string, side: Side): string[][] {
  const levels: string[][] = [];
  const seen = new Set([key]);
  for (let level = [key]; level.length > 0; ) {
    level = [...new Set(level.flatMap((k) => neighbours(graph, k, side)))].filter((k) => !seen.has(k));
    for (const k of level) seen.add(k);
    if (level.length > 0) levels.push(level);
  }
  return levels;
}

/** Shows one level more at a side of the focus. From the whole graph it begins anew, with the first level alone. */
export function expand(state: LineageState, graph: LineageGraph, side: Side): LineageState {
  const { focus, shown } = state;
  if (focus === undefined) return state;
  const levels = levelsOf(graph, focus, side);
  if (levels.length === 0) return say(state, `Nothing is ${side} of ${focus}`);
  if (shown.length === graph.order.length) return show(state, graph, new Set([focus, ...(levels[0] ?? [])]));
  const known = new Set(shown);
  const next = levels.find((level) => level.some((key) => !known.has(key)));
  if (next === undefined) return say(state, `All that is ${side} of ${focus} is shown`);
  return show(state, graph, new Set([...shown, ...next]));
}

/** Hides the furthest level that is shown at a side of the focus. */
export function collapse(state: LineageState, graph: LineageGraph, side: Side): LineageState {
  const { focus, shown } = state;
  if (focus === undefined) return state;
  const known = new Set(shown);
  const last = levelsOf(graph, focus, side).findLast((level) => level.some((key) => known.has(key)));
  if (last === undefined) return say(state, `Nothing that is ${side} of ${focus} is shown`);
  return show(state, graph, new Set(shown.filter((key) => !last.includes(key))));
}

export type Direction = 'left' | 'right' | 'up' | 'down' | 'first' | 'last';

const middleOf = ({ y, height }: LineageNode): number => y + Math.floor((height - 1) / 2);

/**
 * Moves the focus: left and right along an edge, back the way it came or else to the nearest row; up and down within the layer;
 * first and last to the corners. Stays where there is nothing.
 */
export function moveFocus(
  state: LineageState,
  graph: LineageGraph,
  layout: LineageLayout,
  direction: Direction,
): LineageState {
  const nodes = new Map(layout.nodes.map((node) => [node.key, node]));
  const from = state.focus === undefined ? undefined : nodes.get(state.focus);
  const reading = layout.nodes.toSorted((a, b) => a.x - b.x || a.y - b.y);
  const to = (key: string | undefined): LineageState => ({
    ...state,
    ...focused(state, key ?? state.focus),
    message: undefined,
  });
  if (from === undefined || direction === 'first') return to(reading[0]?.key);
  if (direction === 'last') return to(reading.at(-1)?.key);
  if (direction === 'up' || direction === 'down') {
    const layer = reading.filter(({ x }) => x === from.x);
    return to(layer[layer.indexOf(from) + (direction === 'up' ? -1 : 1)]?.key);
  }

  const side: Side = direction === 'left' ? 'upstream' : 'downstream';
  const back: Side = direction === 'left' ? 'downstream' : 'upstream';
  const near = neighbours(graph, from.key, side).flatMap((key) => nodes.get(key) ?? []);
  const known = state.trail[side][from.key];
  const away = (node: LineageNode): number => Math.abs(middleOf(node) - middleOf(from));
  const target = near.find(({ key }) => key === known) ?? near.toSorted((a, b) => away(a) - away(b))[0];
  if (target === undefined) {
    const hidden = neighbours(graph, from.key, side).length > 0;
    return hidden ? say(state, `What is ${side} of ${from.key} is not shown`) : to(undefined);
  }
  const trail = {
    ...state.trail,
    [side]: { ...state.trail[side], [from.key]: target.key },
    [back]: { ...state.trail[back], [target.key]: from.key },
  };
  return { ...to(target.key), trail };
}

/** Follows the next or previous column of the focus; beyond the last and before the first, none. */
export function stepColumn(state: LineageState, columns: readonly string[], by: 1 | -1): LineageState {
  if (columns.length === 0) return say(state, `${state.focus ?? 'Nothing'} has no columns`);
  const at = state.column === undefined ? -1 : columns.indexOf(state.column);
  const places = columns.length + 1;
  const next = (((at + 1 + by) % places) + places) % places;
  return { ...state, column: columns[next - 1], message: undefined };
}

/** How many neighbours of an asset are not shown. */
export function hiddenOf(
  graph: LineageGraph,
  shown: readonly string[],
): ReadonlyMap<string, Readonly<Record<Side, number>>> {
  const known = new Set(shown);
  const count = (key: string, side: Side) => neighbours(graph, key, side).filter((k) => !known.has(k)).length;
  return new Map(shown.map((key) => [key, { upstream: count(key, 'upstream'), downstream: count(key, 'downstream') }]));
}

// --- sizes -------------------------------------------------------------------------------------------------------------------

/** Cells for a node's text and border, of which a long name does not get all. */
export function nodeWidth(key: string, compact: boolean): number {
  const MOST = 44;
  // A glyph, brackets and a share; or a border and blanks, around a status of 16 cells at least.
  if (compact) return Math.min(key.length + 8, MOST);
  const [zone, name] = splitKey(key);
  return Math.min(Math.max(name.length, zone.length + 2, 16) + 4, MOST);
}
/** `binance/spot/klines`: `binance/spot` and `klines`. */
export function splitKey(key: string): readonly [zone: string, name: string] {
  const slash = key.lastIndexOf('/');
  return [key.slice(0, Math.max(slash, 0)), key.slice(slash + 1)];
}

/** The part of the screen that is for the drawing; the rest tells about the focus. */
export const drawingSize = ({ columns, rows }: Size): Size => ({
  columns,
  rows: Math.max(rows - (rows < 12 ? 1 : 3), 0),
});

/** The viewport moved as little as needed for the focus and some room around it to be seen; a small drawing is in the middle. */
export function follow(state: LineageState, layout: LineageLayout, size: Size): LineageState {
  const node = layout.nodes.find(({ key }) => key === state.focus);
  const { columns, rows } = drawingSize(size);
  const x = along(state.viewport.x, columns, layout.width, node && { at: node.x, length: node.width, room: 12 });
  const y = along(state.viewport.y, rows, layout.height, node && { at: node.y, length: node.height, room: 2 });
  return { ...state, viewport: { x, y } };
}
/** The viewport moved by so many cells, as far as there is something to see. */
export function pan(
  state: LineageState,
  layout: LineageLayout,
  size: Size,
  by: { x: number; y: number },
): LineageState {
  const { columns, rows } = drawingSize(size);
  const x = along(state.viewport.x + by.x, columns, layout.width);
  const y = along(state.viewport.y + by.y, rows, layout.height);
  return { ...state, viewport: { x, y } };
}

function along(
  offset: number,
  visible: number,
  whole: number,
  seen?: { readonly at: number; readonly length: number; readonly room: number },
): number {
  if (whole <= visible) return -Math.floor((visible - whole) / 2);
  let moved = offset;
  if (seen) {
    const room = Math.max(0, Math.min(seen.room, Math.floor((visible - seen.length) / 2)));
    moved = Math.max(moved, seen.at + seen.length + room - visible);
    moved = Math.min(moved, seen.at - room);
  }
  return Math.min(Math.max(moved, 0), whole - visible);
}
