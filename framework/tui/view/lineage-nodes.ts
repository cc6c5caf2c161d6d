import type { AssetRow, LineageNode, StatusCounts } from '../model/data.ts';
import { type Side, splitKey } from '../model/lineage.ts';
import { BY_ATTENTION, freshnessBar, freshShare, progressBar, totalOf } from './bars.ts';
import type { Canvas, Stroke } from './canvas.ts';
import { percent, compact as short } from './format.ts';
import { cut, width } from './text.ts';
import type { Paint, Theme } from './theme.ts';

/** What an asset or an edge is to the focus. */
export type Relation = 'focus' | Side | 'none';
export type NodeStatus = Pick<AssetRow, 'counts' | 'known' | 'running'>;

/** The row on which a node's name stands and its line leaves. */
export const rowOf = ({ y, height }: LineageNode): number => y + Math.floor((height - 1) / 2);

const PLAIN: Paint = (text) => text;
const borderOf = (theme: Theme, relation: Relation): Stroke => ({
  paint: relation === 'none' ? theme.border : relation === 'focus' ? theme.accent : PLAIN,
  heavy: relation === 'focus',
});

/**
 * A box with zone, name and status. @param hidden neighbours that are not drawn: their number stands below.
 * @param columns the ones that are followed, instead of the status.
 * @returns the column from which its line leaves.
 */
export function drawBox(
  canvas: Canvas,
  theme: Theme,
  node: LineageNode,
  relation: Relation,
  status: NodeStatus | undefined,
  hidden: Readonly<Record<Side, number>> | undefined,
  columns: string | undefined,
): number {
  const { key, x, y, height } = node;
  const [zone, name] = splitKey(key);
  const room = node.width - 4;
  canvas.box(node, borderOf(theme, relation));
  if (zone !== '') canvas.text(x + 2, y, ` ${cut(theme, zone, room - 2)} `, theme.faint);
  canvas.text(x + 2, rowOf(node), cut(theme, name, room), relation === 'none' ? undefined : theme.strong);
  const below = columns === undefined ? statusText(theme, status, room) : theme.accent(cut(theme, columns, room));
  canvas.text(x + 2, rowOf(node) + 1, below);
  const end = x + node.width - 1;
  const [before, after] = [hidden?.upstream ?? 0, hidden?.downstream ?? 0];
  if (before > 0) canvas.text(x + 1, y + height - 1, `+${short(before)}`, theme.faint);
  if (after > 0) canvas.text(end - 1 - short(after).length, y + height - 1, `+${short(after)}`, theme.faint);
  return end;
}

/** A bar, the share that is fresh and how many partitions there are; or how far it is, while it runs. */
function statusText(theme: Theme, status: NodeStatus | undefined, columns: number): string {
  const beside = (text: string, bar: (cells: number) => string): string => `${bar(columns - width(text) - 1)} ${text}`;
  if (status?.running) {
    const { done, total } = status.running;
    return beside(theme.accent(`${short(done)}/${short(total)}`), (cells) =>
      progressBar(theme, { done, failed: 0, total }, cells),
    );
  }
  const counts = status?.counts;
  const total = counts ? totalOf(counts) : 0;
  const text =
    counts === undefined ? theme.box.ellipsis : total === 0 ? 'empty' : `${freshShare(counts)} ${short(total)}`;
  const doubt = status?.known === false ? '?' : '';
  return beside(theme.faint(`${text.trim()}${doubt}`), (cells) => freshnessBar(theme, counts, cells));
}

/** A line with the worst status, the key and what is not fresh of it. @returns the column from which its line leaves. */
export function drawLine(
  canvas: Canvas,
  theme: Theme,
  node: LineageNode,
  relation: Relation,
  status: NodeStatus | undefined,
): number {
  const { x, y, height } = node;
  const row = rowOf(node);
  // All rows at which lines arrive.
  if (height > 1) {
    const ends = [y, y + height - 1].map((end) => ({ x, y: end }));
    canvas.line(ends, borderOf(theme, relation));
  }
  const [glyph, paint] = status?.running ? [theme.box.pointer, theme.accent] : worst(theme, status?.counts);
  canvas.text(x, row, glyph, paint);
  const note = noteOf(theme, status);
  const key = cut(theme, node.key, node.width - 4 - width(note));
  let end = x + 2 + width(key);
  if (relation === 'focus') canvas.text(x + 1, row, `[${key}]`, theme.selected);
  else {
    const [zone] = splitKey(key);
    const name = key.slice(zone.length);
    canvas.text(x + 2, row, zone, theme.faint);
    canvas.text(x + 2 + width(zone), row, name, relation === 'none' ? undefined : theme.strong);
  }
  if (relation === 'focus') end++;
  if (note === '') return end + 1;
  canvas.text(end + 1, row, note);
  return end + width(note) + 2;
}

/** The worst status of an asset's partitions as a shape. */
function worst(theme: Theme, counts: StatusCounts | undefined): readonly [string, Paint] {
  if (counts === undefined) return [theme.box.ellipsis, theme.faint];
  const status = BY_ATTENTION.find((status) => counts[status] > 0);
  return status === undefined ? [theme.box.bullet, theme.faint] : [theme.glyph[status], theme.status[status]];
}

/** How far it is, or the share that is fresh if that is not all. */
function noteOf(theme: Theme, status: NodeStatus | undefined): string {
  if (status?.running) return theme.accent(percent(status.running.done, status.running.total));
  const share = status?.counts ? freshShare(status.counts) : '';
  return share === '100%' ? '' : theme.faint(share);
}
