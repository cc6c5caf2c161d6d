import type { CommandId } from '../model/commands.ts';
import { edit, type Line } from '../model/line.ts';
import type { Overlay } from '../model/state.ts';
import { helpScroll } from '../view/help.ts';
import { planScroll } from '../view/plan.ts';
import { clamped, PLAIN, type UiContext } from './context.ts';
import { applyFilterText } from './filter.ts';
import { toTime } from './heat.ts';
import { helpGroups, paletteEntries } from './menus.ts';
import { type Parts, show } from './screens.ts';

type Over<T extends Overlay['type']> = Extract<Overlay, { type: T }>;
/** What a dialog needs to have keys mean something. */
export interface OverlayKeys {
  readonly ui: UiContext;
  readonly parts: Parts;
  readonly perform: (id: CommandId) => void;
}

/** A key while something lies over the screen: it has all of them. */
export function pressOverlay(keys: OverlayKeys, over: Overlay, key: string): void {
  if (key === 'ctrl+c') {
    if (over.type === 'filter') cancelFilter(keys.ui, over);
    else close(keys.ui);
  } else if (over.type === 'help') pressHelp(keys.ui, over, key);
  else if (over.type === 'plan') pressPlan(keys.ui, over, key);
  else if (over.type === 'palette') pressPalette(keys, over, key);
  else if (over.type === 'filter') pressFilter(keys.ui, over, key);
  else if (over.type === 'wipe') pressWipe(keys.ui, over, key);
  else if (over.type === 'date') pressDate(keys, over, key);
  else if (['escape', 'enter', 'q', 'space'].includes(key)) close(keys.ui);
}

const close = ({ patch }: UiContext): void => patch({ overlay: undefined });
const ONE: Readonly<Record<string, number>> = { j: 1, down: 1, k: -1, up: -1 };
const PAGE: Readonly<Record<string, number>> = { ...ONE, pagedown: 10, pageup: -10 };

/** Types into the line of an overlay: what is in it then, undefined for keys that type nothing. */
function type<T extends Extract<Overlay, { line: Line }>>(
  { patch }: UiContext,
  over: T,
  key: string,
  more: Partial<T> = {},
): string | undefined {
  const line = edit(over.line, key);
  if (line) patch({ overlay: { ...over, ...more, line } });
  return line?.text;
}

function pressHelp(ui: UiContext, over: Over<'help'>, key: string): void {
  const by = PAGE[key];
  if (by !== undefined) {
    const most = helpScroll(PLAIN, ui.body(), helpGroups(ui.state()));
    ui.patch({ overlay: { ...over, offset: clamped(over.offset + by, most) } });
  } else if (['escape', 'q', '?', 'enter'].includes(key)) close(ui);
}

function pressPlan(ui: UiContext, over: Over<'plan'>, key: string): void {
  const { plan, offset, request } = over;
  const by = ONE[key];
  if (by !== undefined) {
    const most = plan ? planScroll(PLAIN, ui.body(), plan) : 0;
    ui.patch({ overlay: { ...over, offset: clamped(offset + by, most) } });
  } else if (key === 'escape' || key === 'q') close(ui);
  else if (key === 'enter' && plan) {
    close(ui);
    if (plan.will + plan.may > 0) ui.session.start(request);
    else ui.tell('There is nothing to compute.');
  }
}

function pressPalette({ ui, parts, perform }: OverlayKeys, over: Over<'palette'>, key: string): void {
  const choices = paletteEntries(ui.state(), ui.session, over.line.text);
  const by = { down: 1, 'ctrl+n': 1, tab: 1, up: -1, 'ctrl+p': -1, 'shift+tab': -1 }[key];
  if (key === 'escape') close(ui);
  else if (by !== undefined) ui.patch({ overlay: { ...over, chosen: clamped(over.chosen + by, choices.length - 1) } });
  else if (key === 'enter') {
    const chosen = choices[over.chosen]?.choice;
    if (!chosen) return;
    close(ui);
    if (chosen.type === 'asset') show(ui, parts, 'partitions', { asset: chosen.asset, detail: undefined });
    else perform(chosen.command.id);
  } else type(ui, over, key, { chosen: 0 });
}

function pressFilter(ui: UiContext, over: Over<'filter'>, key: string): void {
  if (key === 'escape') cancelFilter(ui, over);
  else if (key === 'enter') close(ui);
  else {
    const text = type(ui, over, key);
    if (text !== undefined) applyFilterText(ui, text);
  }
}
function cancelFilter(ui: UiContext, { before }: Over<'filter'>): void {
  close(ui);
  applyFilterText(ui, before);
}

function pressWipe(ui: UiContext, over: Over<'wipe'>, key: string): void {
  if (key === 'escape') close(ui);
  else if (key !== 'enter') type(ui, over, key);
  else if (over.line.text === over.expected) {
    close(ui);
    ui.session.wipe(over.asset, over.partitions);
  }
}

function pressDate({ ui, parts }: OverlayKeys, over: Over<'date'>, key: string): void {
  if (key === 'escape') close(ui);
  else if (key !== 'enter') type(ui, over, key, { problem: undefined });
  else if (toTime(parts.heat, over.line.text)) close(ui);
  else ui.patch({ overlay: { ...over, problem: 'Write a time such as 2024, 2024-01 or 2024-01-31.' } });
}
