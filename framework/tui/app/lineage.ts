import { type Direction, focusOn, follow, type LineageState, moveFocus, stepColumn } from '../model/lineage.ts';
import { lineageInfo } from '../read/lineage.ts';
import { choose, type UiContext } from './context.ts';
import { drawingOf } from './drawing.ts';

/** Shows the graph so, with what is in focus in sight; that is the asset of all other screens. */
export function setLineage(ui: UiContext, next: LineageState): void {
  const { layout } = drawingOf(ui.graph, next, ui.body());
  ui.patch({ lineage: follow(next, layout, ui.body()) });
  choose(ui, next.focus);
}

/** When the screen is come to: the asset that was chosen elsewhere is in focus, where it is shown. */
export function showLineage(ui: UiContext): void {
  const { lineage, asset } = ui.state();
  const elsewhere = asset !== undefined && asset !== lineage.focus && lineage.shown.includes(asset);
  setLineage(ui, elsewhere ? focusOn(lineage, ui.graph, asset) : lineage);
}

export function moveLineage(ui: UiContext, direction: Direction): void {
  const { lineage } = ui.state();
  const { layout } = drawingOf(ui.graph, lineage, ui.body());
  setLineage(ui, moveFocus(lineage, ui.graph, layout, direction));
}

/** Follows the next column of the asset in focus, or the one before. */
export function turnColumn(ui: UiContext, by: 1 | -1): void {
  const { lineage } = ui.state();
  if (lineage.focus === undefined) return;
  const names = lineageInfo(ui.graph, lineage.focus).columns.map(({ name }) => name);
  setLineage(ui, stepColumn(lineage, names, by));
}

export function turnDensity(ui: UiContext): void {
  const { lineage } = ui.state();
  const next = { auto: 'lines', lines: 'boxes', boxes: 'auto' } as const;
  setLineage(ui, { ...lineage, density: next[lineage.density] });
}
