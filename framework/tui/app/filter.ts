import { lineOf } from '../model/line.ts';
import { filterLineage } from '../model/lineage.ts';
import { EMPTY_LIST, type ListState, type UiState } from '../model/state.ts';
import type { UiContext } from './context.ts';
import { setLineage } from './lineage.ts';
import { toEntry } from './lists.ts';
import { patchLog, searchLog } from './log.ts';

/** The filter of what is on the screen: of a list, of the graph a selection, of a log what is searched for. */
export function filterOf({ screen, assets, runs, checks, lineage }: UiState): string | undefined {
  if (screen === 'runs') return runs.open === undefined ? runs.filter : runs.log.search;
  return { assets: assets.filter, lineage: lineage.selection, checks: checks.filter }[
    screen as 'assets' | 'lineage' | 'checks'
  ];
}

/** Begins to type it. */
export function startFilter({ state, tell, patch }: UiContext): void {
  const before = filterOf(state());
  if (before === undefined) tell('There is nothing to filter on this screen.');
  else patch({ overlay: { type: 'filter', line: lineOf(before), before } });
}

/** Shows only what a text leaves. */
export function applyFilterText(ui: UiContext, text: string): void {
  const { screen, assets, runs, checks, lineage } = ui.state();
  const fresh = <T extends ListState>(list: T): T => ({ ...list, ...EMPTY_LIST, filter: text });
  if (screen === 'assets') {
    ui.patch({ assets: fresh(assets) });
    toEntry(ui, text === '' ? 0 : 1);
  } else if (screen === 'checks') ui.patch({ checks: { ...fresh(checks), detailOffset: 0 } });
  else if (screen === 'runs' && runs.open === undefined) ui.patch({ runs: fresh(runs) });
  else if (screen === 'runs') {
    patchLog(ui, { search: text });
    if (text !== '') searchLog(ui, 1, text);
  } else if (screen === 'lineage') setLineage(ui, filterLineage(lineage, ui.graph, text));
}

/** Drops the filter of a list; false where it has none. */
export function dropFilter(ui: UiContext): boolean {
  const { screen, runs, explain } = ui.state();
  const list = screen === 'assets' || screen === 'checks' || (screen === 'runs' && runs.open === undefined);
  if (explain || !list || !filterOf(ui.state())) return false;
  applyFilterText(ui, '');
  return true;
}
