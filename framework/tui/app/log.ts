import type { UiState } from '../model/state.ts';
import { clamped, type Move, type UiContext } from './context.ts';

type Log = UiState['runs']['log'];

export function patchLog({ change }: UiContext, some: Partial<Log>): void {
  change((before) => ({ ...before, runs: { ...before.runs, log: { ...before.runs.log, ...some } } }));
}

/** Scrolls the log of the run that is open. Who goes to its end follows it. */
export function scrollLog(ui: UiContext, by: Move): void {
  const { log, detail } = ui.state().runs;
  const length = detail?.lines.length ?? 0;
  const from = log.follow ? Math.max(length - ui.body().rows, 0) : log.offset;
  const offset = by === 'first' ? 0 : by === 'last' ? length : clamped(from + by, length - 1);
  patchLog(ui, { offset, follow: by === 'last' });
}

/** Goes to the next line that has a text in it, or to the one before; round and round. */
export function searchLog(ui: UiContext, by: 1 | -1, text: string): void {
  const { log, detail } = ui.state().runs;
  const wanted = text.toLowerCase();
  const hits = (detail?.lines ?? []).flatMap((line, i) =>
    `${line.asset ?? ''} ${line.text}`.toLowerCase().includes(wanted) ? [i] : [],
  );
  const from = log.offset;
  const next = by > 0 ? (hits.find((i) => i > from) ?? hits[0]) : (hits.findLast((i) => i < from) ?? hits.at(-1));
  if (next !== undefined) patchLog(ui, { offset: next, follow: false });
}
