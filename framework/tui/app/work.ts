import { applyFilter, parseFilter } from '../../partition/filter.ts';
import * as sets from '../../partition/set.ts';
import { presentSet } from '../../plan/universe.ts';
import { EMPTY_LINE } from '../model/line.ts';
import type { WorkRequest } from '../model/state.ts';
import type { UiContext } from './context.ts';
import { entryAt, runAt } from './lists.ts';
import { selectedPartitions } from './shell.ts';

/** What the cursor is on: a selection of assets, and partitions of it. */
function selected({ state, session }: UiContext): Pick<WorkRequest, 'selection' | 'partitions'> | undefined {
  const now = state();
  if (now.screen === 'assets') {
    const entry = entryAt(now);
    if (entry?.type === 'asset') return { selection: entry.row.key, partitions: undefined };
    if (entry?.type === 'zone') return { selection: `${entry.name}/*`, partitions: undefined };
    return entry && { selection: `group:${entry.name}`, partitions: undefined };
  }
  if (now.screen === 'runs') {
    const run = now.runs.open === undefined ? runAt(now) : now.runs.detail?.row;
    return run && { selection: run.selection, partitions: undefined };
  }
  if (now.asset === undefined) return undefined;
  const partitions = now.screen === 'partitions' ? selectedPartitions(now, session) : undefined;
  return { selection: now.asset, partitions };
}

/** A selection with everything upstream of it. */
const withUpstream = (selection: string): string =>
  /^[\w/.*:-]+$/.test(selection) ? `+${selection}` : `+(${selection})`;

/** Shows the plan of computing what is selected. */
export function propose(
  ui: UiContext,
  { upstream = false, ...more }: Partial<WorkRequest> & { readonly upstream?: boolean },
): void {
  const found = selected(ui);
  if (!found) {
    ui.tell('Nothing is selected.');
    return;
  }
  const selection = upstream ? withUpstream(found.selection) : found.selection;
  const request: WorkRequest = { force: false, retryFailed: false, ...found, selection, ...more };
  ui.patch({ overlay: { type: 'plan', request, plan: undefined, offset: 0 } });
  ui.session.plan(request);
}

/** Looks at the sources of what is selected. */
export function observe(ui: UiContext): void {
  const found = selected(ui);
  const selection = found ? `+(${found.selection})` : '*';
  ui.session.start({ selection, partitions: undefined, force: false, retryFailed: false }, true);
}

/** Asks to confirm that the selected partitions are to leave the lake. */
export function askToWipe(ui: UiContext): void {
  const { session, graph, state, tell, patch } = ui;
  const { asset } = state();
  if (asset === undefined) return;
  const partitions = selected(ui)?.partitions;
  const node = graph.node(asset);
  const { space } = node.definition;
  const present = presentSet({ ...node, space }, session.lake().state.index().asset(asset));
  const set = partitions === undefined ? present : applyFilter(space, present, parseFilter(partitions));
  const count = sets.countOf(set);
  if (count === 0) {
    tell('None of these partitions has content.');
    return;
  }
  const which = partitions === undefined ? ', which is all of them' : `: ${partitions}`;
  const below = graph.downstreamOf(asset);
  const consequences = [
    `${count} of its partitions leave the lake${which}.`,
    ...(below.length > 0 ? [`What was made of them becomes stale in ${below.slice(0, 3).join(', ')} and below.`] : []),
    'The next run computes them again, as far as what they are made of is still there.',
  ];
  const expected = asset.split('/').at(-1) ?? asset;
  patch({ overlay: { type: 'wipe', asset, partitions, consequences, expected, line: EMPTY_LINE } });
}
