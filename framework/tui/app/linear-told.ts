import { printKey } from '../../partition/space.ts';
import { commandsOf } from '../model/commands.ts';
import { fitted } from '../model/heatmap.ts';
import type { Line } from '../model/line.ts';
import { matchingChecks, matchingRuns } from '../model/matching.ts';
import type { UiState } from '../model/state.ts';
import { assetTree } from '../model/tree.ts';
import { traceColumn } from '../read/columns.ts';
import { heatMap, heatShape, worstIn } from '../read/heatmap.ts';
import { lineageInfo } from '../read/lineage.ts';
import { bodySize } from '../view/frame.ts';
import type { Told } from '../view/linear.ts';
import { dataTold } from '../view/linear-data.ts';
import { dateTold, errorTold, filterTold, helpTold, paletteTold, planTold, wipeTold } from '../view/linear-dialogs.ts';
import { checksTold, runsTold, runTold, schedulesTold } from '../view/linear-lists.ts';
import { assetsTold, explanationTold, lineageTold, partitionsTold } from '../view/linear-screens.ts';
import { heatLayout } from '../view/partitions.ts';
import type { Stage } from './draw.ts';
import { dataInput, defaultHeat } from './inputs.ts';
import { helpGroups, paletteEntries } from './menus.ts';

export type Telling = Pick<Stage, 'session' | 'now' | 'size'>;

/** What there is to say of where one is: of the dialog that lies over the screen, or of the screen. */
export function tellOf(state: UiState, telling: Telling): Told {
  const { overlay: over } = state;
  switch (over?.type) {
    case undefined:
      return screenTold(state, telling);
    case 'filter':
      return filterTold(screenTold(state, telling));
    case 'help':
      return helpTold(helpGroups(state, (key) => key));
    case 'palette': {
      const entries = paletteEntries(state, telling.session, over.line.text, (key) => key);
      const candidates = entries.map(({ candidate }) => candidate);
      return paletteTold({ query: over.line.text, candidates, chosen: over.chosen });
    }
    case 'plan':
      return planTold(over.plan, over.offset);
    case 'wipe':
      return wipeTold(over);
    case 'date':
      return dateTold(over.problem);
    case 'error':
      return errorTold(over);
  }
}

/** The line that is being typed, if one is. */
export function fieldOf({ overlay, screen, data }: UiState): Line | undefined {
  if (overlay) return 'line' in overlay ? overlay.line : undefined;
  return screen === 'data' && data.tab === 'sql' && data.sql.typing ? data.sql.line : undefined;
}

/** How many keys are mentioned. */
const MOST_KEYS = 4;

/** The main keys of a screen; undefined where a dialog says its own. */
export function keysTold(state: UiState): string | undefined {
  if (state.overlay || fieldOf(state)) return undefined;
  const commands = commandsOf(state.screen).filter(
    ({ id, footer, screens, disabled }) =>
      footer !== undefined && id !== 'help' && !(state.explain && screens) && disabled?.(state) === undefined,
  );
  const keys = commands
    .toSorted((a, b) => (a.footer ?? 0) - (b.footer ?? 0))
    .slice(0, MOST_KEYS)
    .map(({ keys: [key], label }) => `${key} ${label}`);
  const back = state.back.length > 0 ? ['escape back'] : [];
  return `Keys: ${[...keys, ...back, '? for help'].join(', ')}.`;
}

function screenTold(state: UiState, telling: Telling): Told {
  const { now, size } = telling;
  if (state.explain) return explanationTold(state.detail);
  const { assets, runs, checks, schedules, data, asset } = state;
  switch (state.screen) {
    case 'assets': {
      const { rows, cursor, filter, by } = assets;
      return assetsTold({ entries: rows && assetTree(rows, assets), cursor, filter, by, now });
    }
    case 'lineage':
      return lineageOf(state, telling);
    case 'partitions':
      return partitionsOf(state, telling);
    case 'runs':
      return runs.open === undefined
        ? runsTold({ rows: matchingRuns(state), cursor: runs.cursor, filter: runs.filter, now })
        : runTold(runs.detail, runs.open, runs.log, now);
    case 'checks':
      return checksTold({ rows: matchingChecks(state), cursor: checks.cursor, filter: checks.filter, now });
    case 'schedules':
      return schedulesTold({ ...schedules, now });
    case 'data':
      return dataTold(dataInput(state, size), [asset, data.partition].filter(Boolean).join(', '));
  }
}

function lineageOf({ lineage, assets }: UiState, { session: { graph } }: Telling): Told {
  const { focus, column } = lineage;
  return lineageTold({
    state: lineage,
    total: graph.order.length,
    info: focus === undefined ? undefined : lineageInfo(graph, focus),
    upstream: focus === undefined ? [] : graph.upstreamOf(focus),
    downstream: focus === undefined ? [] : graph.downstreamOf(focus),
    row: assets.rows?.find(({ key }) => key === focus),
    trace: focus === undefined || column === undefined ? undefined : traceColumn(graph, focus, column),
  });
}

function partitionsOf({ asset, detail, heat }: UiState, { session, size }: Telling): Told {
  const place = 'partitions';
  if (asset === undefined)
    return { place, title: 'Partitions', summary: ['No asset is chosen: 1 shows them.'], focus: undefined };
  const index = session.heat(asset);
  if (!index)
    return { place, title: `Partitions of ${asset}`, summary: ['Reading.'], focus: undefined, reading: 'all' };
  const body = bodySize(size);
  const kept = heat.get(asset) ?? defaultHeat(index, body);
  const shape = heatShape(index, kept);
  const state = fitted(kept, shape, heatLayout(body, shape, kept).window);
  const cell = { firstRow: state.row, rows: 1, firstColumn: state.column, columns: 1 };
  const worst = worstIn(index, state, state.row, state.column);
  const key = worst && printKey(session.graph.node(asset).definition.space, worst);
  const own = detail?.asset === asset && detail.partition === key ? detail : undefined;
  return partitionsTold({ map: heatMap(index, state, cell), shape, state, detail: own });
}
