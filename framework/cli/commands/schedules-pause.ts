import { pauseKey } from '../../operate/daemon.ts';
import type { Pause } from '../../operate/schedules.ts';
import { isPaused } from '../../operate/schedules.ts';
import type { Context } from '../context.ts';
import { findSchedule, readSchedules, withOperate } from './schedules.ts';

export const run = (context: Context, _options: object, name: string) => setPaused(context, name, true);

/** Says that a schedule is paused or not, whatever its definition says. What came due meanwhile is not made up for. */
export async function setPaused(context: Context, name: string, paused: boolean): Promise<undefined> {
  const schedule = findSchedule(await readSchedules(context), name);
  await withOperate(context, false, (store) => {
    const known = store.recall(pauseKey(name)) as Pause | undefined;
    const already = isPaused(schedule, known) === paused;
    const pause: Pause = { paused, at: context.io.now() };
    if (!already) store.remember({ [pauseKey(name)]: pause });
    context.console.result({ schedule: name, paused }, () =>
      already
        ? `${name} ${paused ? 'was paused' : 'was not paused'} already.`
        : paused
          ? `${name} is paused. ${context.again('schedules', 'resume', name)}  lets it go on.`
          : `${name} goes on. What came due while it was paused is not made up for.`,
    );
  });
}
