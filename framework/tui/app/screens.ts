import { toggleMark } from '../model/heatmap.ts';
import { DATA_TABS, goBack, goTo, SCREENS, type Screen, type UiState } from '../model/state.ts';
import type { UiContext } from './context.ts';
import { dropFilter } from './filter.ts';
import type { Heat } from './heat.ts';
import { showLineage } from './lineage.ts';
import { checkAt, entryAt, foldHeading, runAt, scheduleAt } from './lists.ts';
import type { Preview } from './preview.ts';

/** What screens have of their own besides the state. */
export interface Parts {
  readonly heat: Heat;
  readonly preview: Preview;
}

/** Reads what the screen that is shown now needs. */
export function screenShown(ui: UiContext, { heat, preview }: Parts): void {
  const { screen, runs } = ui.state();
  if (screen === 'runs') ui.session.load(runs.open === undefined ? 'runs' : 'run');
  if (screen === 'checks' || screen === 'schedules') ui.session.load(screen);
  if (screen === 'data') preview.show();
  if (screen === 'partitions') heat.explain();
  if (screen === 'lineage') showLineage(ui);
}

export function show(ui: UiContext, parts: Parts, screen: Screen, more: Partial<UiState> = {}): void {
  ui.change((before) => goTo(before, screen, more));
  screenShown(ui, parts);
}

/** A screen by its number key: as it was left, but for runs the list, and for data what one comes from. */
export function visit(ui: UiContext, parts: Parts, to: Screen): void {
  const { screen, runs, detail, data } = ui.state();
  if (to === 'runs') show(ui, parts, to, { runs: { ...runs, open: undefined } });
  else if (to === 'data') {
    // From anywhere else one comes for the whole asset.
    const partition = { partitions: detail?.partition, data: data.partition }[screen as 'partitions' | 'data'];
    show(ui, parts, to, { data: { ...data, partition: partition === '' ? undefined : partition } });
  } else show(ui, parts, to);
}

/** The next screen that can be shown, or the one before. */
export function turnScreen(ui: UiContext, parts: Parts, by: 1 | -1): void {
  const { screen, asset } = ui.state();
  const all = SCREENS.filter((one) => asset !== undefined || (one !== 'partitions' && one !== 'data'));
  visit(ui, parts, all[(all.indexOf(screen) + by + all.length) % all.length] ?? 'assets');
}

/** Into what is under the cursor. */
export function open(ui: UiContext, parts: Parts): void {
  const { screen, lineage, detail, runs, data } = ui.state();
  if (screen === 'assets') {
    const entry = entryAt(ui.state());
    if (entry?.type === 'asset') show(ui, parts, 'partitions', { asset: entry.row.key });
    else if (entry) foldHeading(ui, entry.name);
  } else if (screen === 'lineage') show(ui, parts, 'partitions', { asset: lineage.focus });
  else if (screen === 'partitions') {
    if (detail) ui.change((before) => goTo(before, 'partitions', { explain: { offset: 0 } }));
  } else if (screen === 'runs' && runs.open === undefined) {
    const run = runAt(ui.state());
    if (run) show(ui, parts, 'runs', { runs: { ...runs, open: run.run, detail: undefined } });
  } else if (screen === 'checks') explainCheck(ui);
  else if (screen === 'schedules') openTick(ui, parts);
  else if (screen === 'data') {
    const tab = DATA_TABS[(DATA_TABS.indexOf(data.tab) + 1) % DATA_TABS.length] ?? 'rows';
    ui.patch({ data: { ...data, tab, row: 0, column: 0 } });
  }
}

/** The run that the newest tick of the schedule under the cursor made. */
function openTick(ui: UiContext, parts: Parts): void {
  const { runs } = ui.state();
  const made = scheduleAt(ui.state())?.ticks.find(({ run }) => run !== undefined);
  if (made) show(ui, parts, 'runs', { runs: { ...runs, open: made.run, detail: undefined } });
  else ui.tell('None of its ticks made a run.');
}

/** Why the newest partition that failed the check under the cursor is as it is. */
export function explainCheck({ state, session, change, tell }: UiContext): void {
  const row = checkAt(state());
  const [failure] = row?.failures ?? [];
  if (row && failure) {
    session.explain(row.asset, failure.partition);
    change((before) => goTo(before, 'checks', { asset: row.asset, explain: { offset: 0 } }));
  } else tell('No partition failed this check.');
}

/** Where one came from; before that what is in the way: a filter, a range. */
export function back(ui: UiContext, parts: Parts): void {
  const { screen, explain, message } = ui.state();
  if (message) ui.patch({ message: undefined });
  if (dropFilter(ui)) return;
  if (screen === 'partitions' && !explain && parts.heat.current()?.own.anchor)
    parts.heat.change((own, shape) => toggleMark(own, shape));
  else {
    const before = ui.state();
    ui.change(goBack);
    if (ui.state() !== before) screenShown(ui, parts);
  }
}
