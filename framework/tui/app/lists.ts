import type { CheckRow, RunRow, ScheduleRow } from '../model/data.ts';
import { matchingChecks, matchingRuns } from '../model/matching.ts';
import { EMPTY_LIST, moved, type UiState } from '../model/state.ts';
import { assetTree, type TreeEntry } from '../model/tree.ts';
import { checkScroll } from '../view/checks.ts';
import { dataScroll } from '../view/data.ts';
import { scheduleScroll } from '../view/schedules.ts';
import { choose, clamped, type Move, PLAIN, type UiContext } from './context.ts';
import { checksInput, dataInput, schedulesInput } from './inputs.ts';
import { scrollLog } from './log.ts';

const targetOf = (by: Move, cursor: number, length: number): number =>
  by === 'first' ? 0 : by === 'last' ? length - 1 : cursor + by;

const entriesOf = ({ assets }: UiState): readonly TreeEntry[] => (assets.rows ? assetTree(assets.rows, assets) : []);
/** What the cursor is on: in the tree of assets, in a list. */
export const entryAt = (state: UiState): TreeEntry | undefined => entriesOf(state)[state.assets.cursor];
export const runAt = (state: UiState): RunRow | undefined => matchingRuns(state)?.[state.runs.cursor];
export const checkAt = (state: UiState): CheckRow | undefined => matchingChecks(state)?.[state.checks.cursor];
export const scheduleAt = ({ schedules: { rows, cursor } }: UiState): ScheduleRow | undefined => rows?.[cursor];

export function toEntry(ui: UiContext, to: number): void {
  ui.change((before) => ({ ...before, assets: moved(before.assets, to, entriesOf(before).length) }));
  const entry = entryAt(ui.state());
  if (entry?.type === 'asset') choose(ui, entry.row.key);
}

/** Moves the cursor of the list on the screen. */
export function moveList(ui: UiContext, by: Move): void {
  const { screen, runs, checks, assets, schedules, data } = ui.state();
  if (screen === 'assets') toEntry(ui, targetOf(by, assets.cursor, entriesOf(ui.state()).length));
  else if (screen === 'schedules') {
    const length = schedules.rows?.length ?? 0;
    ui.patch({
      schedules: { ...moved(schedules, targetOf(by, schedules.cursor, length), length), detailOffset: 0 },
    });
  } else if (screen === 'checks') {
    const length = matchingChecks(ui.state())?.length ?? 0;
    ui.patch({ checks: { ...moved(checks, targetOf(by, checks.cursor, length), length), detailOffset: 0 } });
    choose(ui, checkAt(ui.state())?.asset);
  } else if (screen === 'runs' && runs.open !== undefined) scrollLog(ui, by);
  else if (screen === 'runs') {
    const length = matchingRuns(ui.state())?.length ?? 0;
    ui.patch({ runs: moved(runs, targetOf(by, runs.cursor, length), length) });
  } else if (screen === 'data') {
    const most = dataScroll(dataInput(ui.state(), ui.body()));
    ui.patch({ data: { ...data, row: clamped(targetOf(by, data.row, most + 1), most) } });
  }
}

/** Scrolls what is said of the check or the schedule under the cursor. */
export function scrollDetail(ui: UiContext, by: number): void {
  const { screen, checks, schedules } = ui.state();
  if (screen === 'schedules') {
    const most = scheduleScroll(schedulesInput(ui.state(), ui.body(), ui.now(), ui.program), PLAIN);
    ui.patch({ schedules: { ...schedules, detailOffset: clamped(schedules.detailOffset + by, most) } });
    return;
  }
  const most = checkScroll(checksInput(ui.state(), ui.body(), ui.now()), PLAIN);
  ui.patch({ checks: { ...checks, detailOffset: clamped(checks.detailOffset + by, most) } });
}

export function foldHeading({ state, patch }: UiContext, name: string): void {
  const { assets } = state();
  const collapsed = new Set(assets.collapsed);
  if (!collapsed.delete(name)) collapsed.add(name);
  patch({ assets: { ...assets, collapsed } });
}

/** Closes (left) or opens (right) the heading under the cursor; from an asset, left goes to its heading. */
export function foldSideways(ui: UiContext, by: 1 | -1): void {
  const all = entriesOf(ui.state());
  const at = ui.state().assets.cursor;
  const entry = all[at];
  const closes = by < 0;
  if (entry && entry.type !== 'asset' && entry.collapsed !== closes) foldHeading(ui, entry.name);
  else if (closes && entry?.type === 'asset')
    toEntry(
      ui,
      all.findLastIndex((one, i) => i < at && one.type !== 'asset'),
    );
}

export function regroup({ state, patch }: UiContext): void {
  const { assets } = state();
  patch({ assets: { ...assets, ...EMPTY_LIST, filter: assets.filter, by: assets.by === 'zone' ? 'group' : 'zone' } });
}
