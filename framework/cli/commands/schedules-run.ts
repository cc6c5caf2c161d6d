import { resolveSchedules } from '../../operate/resolve.ts';
import { runByHand } from '../../operate/tick.ts';
import type { Context } from '../context.ts';
import { DONE, FAILED } from '../failure.ts';
import { createReporter } from '../progress/reporter.ts';
import { findSchedule, withOperate } from './schedules.ts';

/** What a schedule does, now and in this process; a daemon may be active beside it. */
export async function run(context: Context, _options: object, name: string): Promise<number | undefined> {
  const { now } = context.io;
  return context.withLake('write', async (lake) => {
    const { definition, loaded } = await context.configuration();
    const schedule = findSchedule(resolveSchedules(definition, loaded.settings, lake.graph, now()), name);
    return withOperate(context, false, async (store) => {
      const reporter = createReporter(context);
      try {
        const { stopping, signal } = context.interrupts({ graceful: true, say: reporter.say });
        const result = await runByHand(lake, schedule, store, { stopping, signal, emit: reporter.emit }, now);
        reporter.close();
        if (!context.globals.json) context.console.print(`${name}: ${result.outcome}; ${result.decision}`);
        return result.outcome === 'failed' ? FAILED : DONE;
      } finally {
        reporter.close();
      }
    });
  });
}
