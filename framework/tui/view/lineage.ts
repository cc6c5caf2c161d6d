import type { LineageEdge, LineageLayout, LineageNode, Size } from '../model/data.ts';
import { type ColumnTrace, drawingSize, type LineageInfo, type LineageMessage, type Side } from '../model/lineage.ts';
import { type Canvas, createCanvas, type Point, type Rectangle } from './canvas.ts';
import { compact as short } from './format.ts';
import { drawBox, drawLine, type NodeStatus, type Relation } from './lineage-nodes.ts';
import { page, rule } from './lines.ts';
import { drawMinimap, minimapSize } from './minimap.ts';
import { cut, width } from './text.ts';
import type { Paint, Theme } from './theme.ts';

export interface LineageScreen {
  readonly layout: LineageLayout;
  /** Whether it was laid out for nodes of one line. */
  readonly compact: boolean;
  /** The first cell of the drawing that is visible. */
  readonly viewport: Point;
  readonly focus: string | undefined;
  /** What there is to say about assets; one that is not in it is being loaded. */
  readonly assets: ReadonlyMap<string, NodeStatus>;
  /** How many neighbours of an asset are not in the layout. */
  readonly hidden: ReadonlyMap<string, Readonly<Record<Side, number>>>;
  /** Of the asset in focus. */
  readonly info: LineageInfo | undefined;
  /** Where a column of the asset in focus comes from and goes to; undefined where none is followed. */
  readonly trace: ColumnTrace | undefined;
  /** Assets of the lake, of which the layout may have fewer. */
  readonly total: number;
  readonly selection: string;
  readonly message: LineageMessage | undefined;
}

/** The visible part of the drawing, a map where there is more of it, and what is known of the asset in focus. */
export function lineageLines(screen: LineageScreen, size: Size, theme: Theme): string[] {
  const { layout, viewport } = screen;
  const visible = drawingSize(size);
  const seen: Rectangle = { ...viewport, width: visible.columns, height: visible.rows };
  const canvas = createCanvas(theme, seen);
  drawGraph(canvas, screen, theme, seen);
  if (layout.width > visible.columns || layout.height > visible.rows) {
    const focus = layout.nodes.find(({ key }) => key === screen.focus);
    const area = mapArea(layout, seen, focus);
    if (area) drawMinimap(canvas, theme, area, layout, seen, focus);
  }
  const drawing = layout.nodes.length === 0 ? [theme.faint('No asset is shown.')] : canvas.lines();
  return [...page(drawing, visible.rows), ...infoLines(screen, size.columns, theme)].slice(0, size.rows);
}

/** At the bottom right, or in the next corner that the focus is not in. */
function mapArea(layout: LineageLayout, seen: Rectangle, focus: LineageNode | undefined): Rectangle | undefined {
  const map = minimapSize(layout, { columns: seen.width, rows: seen.height });
  if (map === undefined) return undefined;
  const [right, bottom] = [seen.x + seen.width - map.width, seen.y + seen.height - map.height];
  const corners = [bottom, seen.y].flatMap((y) => [right, seen.x].map((x) => ({ x, y, ...map })));
  return corners.find((corner) => !focus || !overlap(corner, focus)) ?? corners[0];
}
const overlap = (a: Rectangle, b: Rectangle): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

function drawGraph(canvas: Canvas, screen: LineageScreen, theme: Theme, seen: Rectangle): void {
  const { layout, compact, focus, assets, hidden } = screen;
  const relations = screen.trace ? relationsOfColumn(screen.trace) : relationsOf(layout, focus);
  const starts = new Map<string, number>();
  for (const node of layout.nodes) {
    const { key } = node;
    const relation = relations.get(key) ?? 'none';
    if (!overlap(node, seen)) continue;
    const start = compact
      ? drawLine(canvas, theme, node, relation, assets.get(key))
      : drawBox(canvas, theme, node, relation, assets.get(key), hidden.get(key), columnsText(screen.trace, key));
    starts.set(key, start);
  }

  const paints: Readonly<Record<Relation, Paint>> = {
    focus: theme.accent,
    upstream: theme.accent,
    downstream: theme.strong,
    none: theme.border,
  };
  const edges = layout.edges.map((edge) => ({ ...edge, ...roleOf(edge, focus, relations, screen.trace) }));
  // What matters most is drawn last: that is what lies on top.
  edges.sort((a, b) => a.importance - b.importance);
  for (const { from, points, importance, relation } of edges) {
    const [first = { x: 0, y: 0 }] = points;
    const begin = { x: Math.min(starts.get(from) ?? first.x, first.x), y: first.y };
    canvas.line([begin, ...points], { paint: paints[relation], heavy: importance === 2 });
  }
  for (const { points, relation } of edges) {
    const { x, y } = points.at(-1) ?? { x: 0, y: 0 };
    canvas.text(x, y, theme.box.arrow, paints[relation]);
  }
}

/** Everything upstream and downstream of the focus, as far as it is drawn. */
function relationsOf({ edges }: LineageLayout, focus: string | undefined): ReadonlyMap<string, Relation> {
  const relations = new Map<string, Relation>();
  if (focus === undefined) return relations;
  const up = Map.groupBy(edges, ({ to }) => to);
  const down = Map.groupBy(edges, ({ from }) => from);
  const spread = (key: string, side: Side): void => {
    const next = side === 'upstream' ? up.get(key)?.map(({ from }) => from) : down.get(key)?.map(({ to }) => to);
    for (const other of next ?? []) {
      if (relations.has(other)) continue;
      relations.set(other, side);
      spread(other, side);
    }
  };
  relations.set(focus, 'focus');
  spread(focus, 'upstream');
  spread(focus, 'downstream');
  return relations;
}

const relationsOfColumn = ({ asset, upstream, downstream }: ColumnTrace): ReadonlyMap<string, Relation> =>
  new Map<string, Relation>([
    ...[...upstream.keys()].map((key) => [key, 'upstream'] as const),
    ...[...downstream.keys()].map((key) => [key, 'downstream'] as const),
    [asset, 'focus'],
  ]);

/** The columns of an asset that are followed, after a question mark where it cannot be told what comes next. */
function columnsText(trace: ColumnTrace | undefined, key: string): string | undefined {
  if (trace === undefined) return undefined;
  const columns = key === trace.asset ? [trace.column] : (trace.upstream.get(key) ?? trace.downstream.get(key) ?? []);
  return [trace.unknown.has(key) ? '?' : '', columns.join(', ')].filter(Boolean).join(' ');
}

/** What an edge is to the focus, or to its column. Importance 2 have its own edges, 1 those further on the way, 0 the others. */
function roleOf(
  { from, to }: LineageEdge,
  focus: string | undefined,
  relations: ReadonlyMap<string, Relation>,
  trace: ColumnTrace | undefined,
): { readonly relation: Relation; readonly importance: 0 | 1 | 2 } {
  if (trace) {
    if (!trace.edges.has(`${from} ${to}`)) return { relation: 'none', importance: 0 };
    const before = to === focus || relations.get(to) === 'upstream';
    return { relation: before ? 'upstream' : 'downstream', importance: 2 };
  }
  if (to === focus) return { relation: 'upstream', importance: 2 };
  if (from === focus) return { relation: 'downstream', importance: 2 };
  if (relations.get(to) === 'upstream') return { relation: 'upstream', importance: 1 };
  if (relations.get(from) === 'downstream') return { relation: 'downstream', importance: 1 };
  return { relation: 'none', importance: 0 };
}

/** Name and numbers, description, and what it reads or what went wrong. */
function infoLines(screen: LineageScreen, columns: number, theme: Theme): string[] {
  const { info, layout, total, selection, message } = screen;
  const between = ` ${theme.box.bullet} `;
  const shown = layout.nodes.length;
  const count = shown === total ? short(total) : `${short(shown)} of ${short(total)}`;
  const ruled = (label: string): string => {
    const chosen = selection === '' ? '' : `${selection}${between}`;
    const right = [`${chosen}${count} assets`, `${count} assets`].find(
      (text) => width(label) + width(text) + 10 <= columns,
    );
    return rule(theme, columns, label, right === undefined ? '' : theme.faint(right));
  };
  const place = message?.column === undefined ? '' : ` (column ${message.column})`;
  const hint = message?.hint === undefined ? '' : ` ${theme.faint(message.hint)}`;
  const problem = message && `${theme.bad(message.text + place)}${hint}`;
  if (info === undefined) return [ruled(theme.faint('Lineage')), '', cut(theme, problem ?? '', columns)];

  const hidden = screen.hidden.get(info.key);
  const neighbours = (all: number, side: Side, word: string): string => {
    const unseen = hidden?.[side] ?? 0;
    return `${short(all)} ${word}${unseen > 0 ? ` (${short(unseen)} hidden)` : ''}`;
  };
  const facts = [
    info.kind,
    neighbours(info.upstream, 'upstream', 'in'),
    neighbours(info.downstream, 'downstream', 'out'),
  ];
  const [about, reads] = screen.trace ? columnLines(screen.trace, info, theme) : assetLines(info, theme);
  return [
    ruled(theme.strong(info.key) + theme.faint(between + facts.join(between))),
    cut(theme, about, columns),
    cut(theme, problem ?? reads, columns),
  ];
}

function assetLines({ description, inputs }: LineageInfo, theme: Theme): readonly [string, string] {
  const reads = inputs.map(({ need, alternatives }) => {
    const choices = alternatives.map(({ asset, reads }) => `${theme.strong(asset)}: ${reads}`).join(', else ');
    return need === 'ifPresent' ? `${choices}, if present` : choices;
  });
  return [
    description ?? theme.faint('It has no description.'),
    reads.length === 0 ? theme.faint('Reads no asset.') : `reads ${reads.join(` ${theme.box.bullet} `)}`,
  ];
}

function columnLines(trace: ColumnTrace, info: LineageInfo, theme: Theme): readonly [string, string] {
  const { asset, column, edges, unknown } = trace;
  const { type = '', description } = info.columns.find(({ name }) => name === column) ?? {};
  const near = (side: Side): string =>
    [...trace[side]]
      .filter(([key]) => edges.has(side === 'upstream' ? `${key} ${asset}` : `${asset} ${key}`))
      .map(([key, columns]) => `${theme.strong(key)}: ${columns.join(', ')}`)
      .join(` ${theme.box.bullet} `);
  const why = unknown.get(asset);
  const [from, to] = [near('upstream'), near('downstream')];
  const others = [...unknown.keys()].filter((key) => key !== asset);
  const parts = [
    why === undefined ? `from ${from === '' ? 'no column' : from}` : `from what cannot be told: ${why}`,
    to !== '' && `to ${to}`,
    others.length > 0 && `not known beyond ${others.join(', ')}`,
  ];
  return [
    [theme.accent(column), theme.faint(type), description].filter(Boolean).join(' '),
    parts.filter(Boolean).join('; '),
  ];
}
