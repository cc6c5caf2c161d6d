import type { CommandId } from '../model/commands.ts';
import { cycleColumns, cycleRows, toggleMark, zoomBy } from '../model/heatmap.ts';
import { EMPTY_LINE } from '../model/line.ts';
import { collapse, expand, showAll } from '../model/lineage.ts';
import type { UiState } from '../model/state.ts';
import type { UiContext } from './context.ts';
import { startFilter } from './filter.ts';
import { toProblem, turnSelector } from './heat.ts';
import { setLineage, turnColumn, turnDensity } from './lineage.ts';
import { entryAt, foldHeading, regroup, runAt, scrollDetail } from './lists.ts';
import { patchLog, searchLog } from './log.ts';
import { pages, sideways, toEnd, vertical } from './moves.ts';
import { pauseSchedule, runScheduleNow } from './scheduled.ts';
import { back, explainCheck, open, type Parts, screenShown, turnScreen, visit } from './screens.ts';
import { shellCommand } from './shell.ts';
import type { Sql } from './sql.ts';
import { askToWipe, observe, propose } from './work.ts';

/** What each command does. */
export function createActions(
  ui: UiContext,
  parts: Parts & { readonly sql: Sql },
): Readonly<Record<CommandId, () => void>> {
  const { session, graph, state, patch } = ui;
  const { heat, preview, sql } = parts;
  const problem = (by: 1 | -1) => {
    const { screen, runs } = state();
    if (screen === 'runs') searchLog(ui, by, runs.log.search);
    else toProblem(ui, heat, by);
  };
  return {
    assets: () => visit(ui, parts, 'assets'),
    lineage: () => visit(ui, parts, 'lineage'),
    partitions: () => visit(ui, parts, 'partitions'),
    runs: () => visit(ui, parts, 'runs'),
    checks: () => visit(ui, parts, 'checks'),
    schedules: () => visit(ui, parts, 'schedules'),
    data: () => visit(ui, parts, 'data'),
    'next-screen': () => turnScreen(ui, parts, 1),
    'previous-screen': () => turnScreen(ui, parts, -1),
    down: () => vertical(ui, heat, 1),
    up: () => vertical(ui, heat, -1),
    left: () => sideways(ui, heat, -1),
    right: () => sideways(ui, heat, 1),
    'page-down': () => pages(ui, heat, 1),
    'page-up': () => pages(ui, heat, -1),
    first: () => toEnd(ui, heat, 'first'),
    last: () => toEnd(ui, heat, 'last'),
    open: () => open(ui, parts),
    back: () => back(ui, parts),
    filter: () => startFilter(ui),
    explain: () => (state().screen === 'checks' ? explainCheck(ui) : open(ui, parts)),
    group: () => regroup(ui),
    toggle: () => {
      const entry = state().screen === 'assets' ? entryAt(state()) : undefined;
      if (entry && entry.type !== 'asset') foldHeading(ui, entry.name);
      else if (state().screen === 'partitions') heat.change((own, shape) => toggleMark(own, shape));
    },
    'expand-up': () => setLineage(ui, expand(state().lineage, graph, 'upstream')),
    'expand-down': () => setLineage(ui, expand(state().lineage, graph, 'downstream')),
    'collapse-up': () => setLineage(ui, collapse(state().lineage, graph, 'upstream')),
    'collapse-down': () => setLineage(ui, collapse(state().lineage, graph, 'downstream')),
    all: () => setLineage(ui, showAll(state().lineage, graph)),
    'next-column': () => turnColumn(ui, 1),
    'previous-column': () => turnColumn(ui, -1),
    density: () => turnDensity(ui),
    'zoom-out': () => heat.change((own, shape, window) => zoomBy(own, shape, window, 1)),
    'zoom-in': () => heat.change((own, shape, window) => zoomBy(own, shape, window, -1)),
    mark: () => heat.change((own, shape) => toggleMark(own, shape)),
    'next-problem': () => problem(1),
    'previous-problem': () => problem(-1),
    'rows-axis': () => heat.change((own, shape) => cycleRows(own, shape)),
    'columns-axis': () => heat.change((own, shape) => cycleColumns(own, shape)),
    'next-value': () => turnSelector(heat, 1),
    'previous-value': () => turnSelector(heat, -1),
    date: () => patch({ overlay: { type: 'date', line: EMPTY_LINE, problem: undefined } }),
    follow: () => patchLog(ui, { follow: !state().runs.log.follow }),
    'log-only': () => patchLog(ui, { only: !state().runs.log.only }),
    'scroll-down': () => scrollDetail(ui, 3),
    'scroll-up': () => scrollDetail(ui, -3),
    sql: () => sql.begin(),
    pause: () => pauseSchedule(ui),
    'run-now': () => runScheduleNow(ui),
    materialize: () => propose(ui, {}),
    'materialize-up': () => propose(ui, { upstream: true }),
    force: () => propose(ui, { force: true }),
    retry: () => propose(ui, { retryFailed: true }),
    observe: () => observe(ui),
    wipe: () => askToWipe(ui),
    cancel: () => void session.cancel(),
    copy: () => copy(ui, keyHere(state())),
    'copy-path': () => copy(ui, state().detail?.file),
    'copy-command': () => copy(ui, shellCommand(state(), session, ui.program)),
    palette: () => patch({ overlay: { type: 'palette', line: EMPTY_LINE, chosen: 0 } }),
    help: () => patch({ overlay: { type: 'help', offset: 0 } }),
    refresh: () => {
      preview.forget();
      session.refresh(true);
      screenShown(ui, parts);
    },
    quit: ui.quit,
    suspend: ui.suspend,
  };
}

function copy(ui: UiContext, text: string | undefined): void {
  if (text === undefined || text === '') ui.tell('There is nothing to copy here.');
  else {
    ui.copy?.(text);
    ui.tell(ui.copy ? `Copied: ${text}` : text);
  }
}

/** The name of what the cursor is on: a run, a partition, an asset. */
function keyHere(state: UiState): string | undefined {
  const { screen, runs, detail, lineage, asset } = state;
  if (screen === 'runs') return runs.open ?? runAt(state)?.run;
  if (screen === 'partitions' && detail) return detail.partition || detail.asset;
  return screen === 'lineage' ? lineage.focus : asset;
}
