import { moveBy, pageBy, toEdge } from '../model/heatmap.ts';
import { detailLines } from '../view/detail.ts';
import { clamped, PLAIN, type UiContext } from './context.ts';
import type { Heat } from './heat.ts';
import { moveLineage } from './lineage.ts';
import { foldSideways, moveList } from './lists.ts';
import { moveColumn } from './preview.ts';

// The keys that move a cursor do so on every screen, each in its way.

/** How far an explanation scrolls. */
function lastOffset({ state, body }: UiContext): number {
  const { detail } = state();
  const { columns, rows } = body();
  return detail ? Math.max(detailLines(detail, columns - 3, PLAIN).length - rows, 0) : 0;
}
const scrollExplanation = (ui: UiContext, to: number) => ui.patch({ explain: { offset: clamped(to, lastOffset(ui)) } });

export function vertical(ui: UiContext, heat: Heat, by: number): void {
  const { screen, explain } = ui.state();
  if (explain) scrollExplanation(ui, explain.offset + by);
  else if (screen === 'lineage') moveLineage(ui, by < 0 ? 'up' : 'down');
  else if (screen === 'partitions') heat.change((own, shape, window) => moveBy(own, shape, window, by, 0));
  else moveList(ui, by);
}

export function sideways(ui: UiContext, heat: Heat, by: 1 | -1): void {
  const { screen, explain } = ui.state();
  if (explain) return;
  if (screen === 'lineage') moveLineage(ui, by < 0 ? 'left' : 'right');
  else if (screen === 'partitions') heat.change((own, shape, window) => moveBy(own, shape, window, 0, by));
  else if (screen === 'data') moveColumn(ui, by);
  else if (screen === 'assets') foldSideways(ui, by);
}

export function pages(ui: UiContext, heat: Heat, by: 1 | -1): void {
  const { screen, explain } = ui.state();
  if (screen === 'partitions' && !explain) heat.change((own, shape, window) => pageBy(own, shape, window, by, 0));
  else vertical(ui, heat, by * Math.max(ui.body().rows - 3, 1));
}

export function toEnd(ui: UiContext, heat: Heat, end: 'first' | 'last'): void {
  const { screen, explain } = ui.state();
  if (explain) scrollExplanation(ui, end === 'first' ? 0 : Number.POSITIVE_INFINITY);
  else if (screen === 'lineage') moveLineage(ui, end);
  else if (screen === 'partitions') heat.change((own, shape, window) => toEdge(own, shape, window, { columns: end }));
  else moveList(ui, end);
}
