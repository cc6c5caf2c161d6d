import { commandsOf, READ_ONLY } from '../model/commands.ts';
import type { Size } from '../model/data.ts';
import { fitted } from '../model/heatmap.ts';
import { hiddenOf } from '../model/lineage.ts';
import { matchingRuns } from '../model/matching.ts';
import { SCREENS, type Screen, type UiState } from '../model/state.ts';
import { assetTree } from '../model/tree.ts';
import { traceColumn } from '../read/columns.ts';
import { heatMap, heatShape } from '../read/heatmap.ts';
import { lineageInfo } from '../read/lineage.ts';
import { assetsView } from '../view/assets.ts';
import { overlay } from '../view/box.ts';
import { checksView } from '../view/checks.ts';
import { dataView } from '../view/data.ts';
import { detailView } from '../view/detail.ts';
import { errorDialog, inputDialog, wipeDialog } from '../view/dialog.ts';
import { filterLines } from '../view/field.ts';
import { bodySize, frame, type Hint } from '../view/frame.ts';
import { helpBox } from '../view/help.ts';
import { lineageLines } from '../view/lineage.ts';
import { emptyState } from '../view/lines.ts';
import { paletteBox } from '../view/palette.ts';
import { heatLayout, partitionsView } from '../view/partitions.ts';
import { planDialog } from '../view/plan.ts';
import { runView } from '../view/run.ts';
import { runsView } from '../view/runs.ts';
import { schedulesView } from '../view/schedules.ts';
import type { Theme } from '../view/theme.ts';
import { drawingOf } from './drawing.ts';
import { checksInput, dataInput, defaultHeat, filterInput, schedulesInput } from './inputs.ts';
import { helpGroups, keyName, paletteEntries } from './menus.ts';
import type { Session } from './session.ts';
import { shellCommand } from './shell.ts';

/** What drawing needs besides the state: the lake as it was read, and where the person sits. */
export interface Stage {
  readonly session: Pick<Session, 'graph' | 'heat' | 'lake'>;
  readonly title: string;
  readonly program: string;
  readonly now: number;
  readonly size: Size;
}

export const LABELS: Readonly<Record<Screen, string>> = {
  assets: 'Assets',
  lineage: 'Lineage',
  partitions: 'Partitions',
  runs: 'Runs',
  checks: 'Checks',
  schedules: 'Schedules',
  data: 'Data',
};

/** The whole screen as lines: exactly as many as there are rows. */
export function draw(state: UiState, stage: Stage, theme: Theme): string[] {
  const { size, title, program, now } = stage;
  const inside = bodySize(size);
  const body = withOverlay(state, stage, bodyOf(state, stage, inside, theme), inside, theme);
  return frame(
    {
      size,
      title,
      breadcrumb: breadcrumb(state),
      command: shellCommand(state, stage.session, program),
      tabs: SCREENS.map((screen, i) => ({ key: String(i + 1), label: LABELS[screen] })),
      current: String(SCREENS.indexOf(state.screen) + 1),
      state: {
        live: true,
        readOnly: state.readOnly,
        revision: state.revision,
        at: state.newestAt,
      },
      now,
      body,
      hints: hintsOf(state),
      message: state.message ?? jobMessage(state),
    },
    theme,
  );
}

function breadcrumb(state: UiState): string[] {
  const { screen, asset, runs, explain, data, detail } = state;
  const crumbs = [LABELS[screen]];
  if ((screen === 'partitions' || screen === 'data') && asset !== undefined) crumbs.push(asset);
  if (screen === 'data' && data.partition) crumbs.push(data.partition);
  if (screen === 'runs' && runs.open !== undefined) crumbs.push(runs.open);
  if (explain && detail) crumbs.push(detail.partition);
  return crumbs;
}

/** How far the run of this process is. */
export function jobMessage({ job }: Pick<UiState, 'job'>) {
  if (!job) return undefined;
  const { assets } = job.detail;
  const busy = assets.filter(({ phase }) => phase === 'computing' || phase === 'observing');
  const total = assets.reduce((sum, one) => sum + one.total, 0);
  const done = assets.reduce((sum, one) => sum + one.done + one.failed, 0);
  const what = busy.map(({ asset }) => asset).join(', ');
  return {
    kind: 'info' as const,
    text: `${job.stopping ? 'Stopping' : 'Running'}: ${done} of ${total} partitions${what === '' ? '' : `, now ${what}`}`,
  };
}

/** What is mentioned before the way back, where there is no room for all. */
const BEFORE_BACK = 4;

function hintsOf(state: UiState): Hint[] {
  if (state.data.sql.typing && state.screen === 'data')
    return [
      { key: 'enter', label: 'run', enabled: true },
      { key: '↑↓', label: 'history', enabled: true },
      { key: 'esc', label: 'done', enabled: true },
    ];
  // Of one partition there is nothing to zoom into; what is not allowed at all is not offered.
  const commands = commandsOf(state.screen).filter(
    ({ footer, screens, disabled }) =>
      footer !== undefined && !(state.explain && screens !== undefined) && disabled?.(state) !== READ_ONLY,
  );
  const back = state.back.length > 0 || state.explain ? [{ key: 'esc', label: 'back', enabled: true }] : [];
  const hints = commands
    .toSorted((a, b) => (a.footer ?? 0) - (b.footer ?? 0))
    .map(({ keys, label, disabled }) => ({
      key: keyName(keys[0] ?? ''),
      label,
      enabled: disabled?.(state) === undefined,
    }));
  return [...hints.slice(0, BEFORE_BACK), ...back, ...hints.slice(BEFORE_BACK)];
}

function bodyOf(state: UiState, stage: Stage, size: Size, theme: Theme): string[] {
  const { now } = stage;
  if (state.explain) return detailView({ size, detail: state.detail, offset: state.explain.offset }, theme);
  const filter = (text: string) => filterInput(state, text);
  switch (state.screen) {
    case 'assets': {
      const { rows, cursor, offset } = state.assets;
      const entries = rows && assetTree(rows, state.assets);
      const idle = state.assets.filter === '' ? rows?.filter((row) => row.idle).length : 0;
      return assetsView(
        { entries, cursor, offset, filter: filter(state.assets.filter), idle: idle ?? 0, now, size },
        theme,
      );
    }
    case 'lineage':
      return lineageBody(state, stage, size, theme);
    case 'partitions':
      return partitionsBody(state, stage, size, theme);
    case 'runs': {
      const { cursor, offset, open, detail, log } = state.runs;
      if (open === undefined)
        return runsView(
          { rows: matchingRuns(state), cursor, offset, filter: filter(state.runs.filter), now, size },
          theme,
        );
      if (!detail) return emptyState(theme, size, 'Reading the run …', '');
      const search = log.search === '' ? undefined : { text: log.search };
      return runView({ detail, offset: log.offset, follow: log.follow, search, logOnly: log.only, now, size }, theme);
    }
    case 'checks':
      return checksView(checksInput(state, size, now), theme);
    case 'schedules':
      return schedulesView(schedulesInput(state, size, now, stage.program), theme);
    case 'data':
      return dataView(dataInput(state, size), theme);
  }
}

function lineageBody(state: UiState, { session: { graph } }: Stage, size: Size, theme: Theme): string[] {
  const { lineage, assets, overlay: over } = state;
  const { layout, compact } = drawingOf(graph, lineage, size);
  const lines = lineageLines(
    {
      layout,
      compact,
      viewport: lineage.viewport,
      focus: lineage.focus,
      assets: new Map(assets.rows?.map((row) => [row.key, row])),
      hidden: hiddenOf(graph, lineage.shown),
      info: lineage.focus === undefined ? undefined : lineageInfo(graph, lineage.focus),
      trace:
        lineage.focus === undefined || lineage.column === undefined
          ? undefined
          : traceColumn(graph, lineage.focus, lineage.column),
      total: graph.order.length,
      selection: lineage.selection,
      message: lineage.message,
    },
    size,
    theme,
  );
  // The graph is not moved by a selection being typed.
  const typed = over?.type === 'filter' ? filterLines(theme, filterInput(state, over.line.text), '', size.columns) : [];
  return [...typed, ...lines.slice(typed.length)];
}

function partitionsBody(state: UiState, { session }: Stage, size: Size, theme: Theme): string[] {
  const { asset, detail } = state;
  if (asset === undefined) return emptyState(theme, size, 'No asset is chosen.', 'Choose one on the first screen.');
  const index = session.heat(asset);
  if (!index) return emptyState(theme, size, `Reading ${asset} …`, '');
  const kept = state.heat.get(asset) ?? defaultHeat(index, size);
  const shape = heatShape(index, kept);
  const { window } = heatLayout(size, shape, kept);
  // There may be other rows than when the cursor was moved, and the terminal may have another size.
  const heat = fitted(kept, shape, window);
  const map = heatMap(index, heat, { ...window, firstRow: heat.firstRow, firstColumn: heat.firstColumn });
  return partitionsView({ size, map, shape, state: heat, detail: detail?.asset === asset ? detail : undefined }, theme);
}

function withOverlay(state: UiState, stage: Stage, body: string[], size: Size, theme: Theme): string[] {
  const { overlay: over } = state;
  switch (over?.type) {
    case undefined:
    case 'filter':
      return body;
    case 'help':
      return overlay(theme, body, helpBox(theme, size, { groups: helpGroups(state), offset: over.offset }), size);
    case 'palette': {
      const candidates = paletteEntries(state, stage.session, over.line.text).map(({ candidate }) => candidate);
      const input = { query: over.line.text, caret: over.line.cursor, candidates, chosen: over.chosen, offset: 0 };
      return overlay(theme, body, paletteBox(theme, size, input), size, 'top');
    }
    case 'plan':
      return overlay(theme, body, planDialog(theme, size, { plan: over.plan, offset: over.offset }), size);
    case 'wipe': {
      const { asset, consequences, expected, line } = over;
      const box = wipeDialog(theme, size, { asset, consequences, expected, typed: line.text, caret: line.cursor });
      return overlay(theme, body, box, size);
    }
    case 'date': {
      const box = inputDialog(theme, size, {
        title: 'Go to a date',
        prompt: 'A year, a month or a day, such as 2024-01-31.',
        text: over.line.text,
        caret: over.line.cursor,
        problem: over.problem,
        action: 'go',
      });
      return overlay(theme, body, box, size);
    }
    case 'error':
      return overlay(theme, body, errorDialog(theme, size, over), size);
  }
}
