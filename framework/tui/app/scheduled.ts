import type { UiContext } from './context.ts';
import { scheduleAt } from './lists.ts';

// What keys do with the schedule under the cursor.

/** Pauses it, or lets it go on. */
export function pauseSchedule({ state, session }: UiContext): void {
  const row = scheduleAt(state());
  if (row) session.pause(row, !row.paused);
}

/** Does now what it does, when the key came twice. */
export function runScheduleNow({ state, session, tell }: UiContext): void {
  const row = scheduleAt(state());
  if (!row) return;
  const question = `x again does now what ${row.name} does: ${row.action} ${row.select}`;
  if (state().message?.text === question) session.runSchedule(row);
  else tell(question);
}
