import { resolveSchedules } from '../../operate/resolve.ts';
import { runSchedule } from '../../operate/tick.ts';
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
      const due = now();
      try {
        const { stopping, signal } = context.interrupts({ graceful: true, say: reporter.say });
        const result = await runSchedule(lake, schedule, due, { stopping, signal, emit: reporter.emit });
        const decision = `asked for by hand; ${result.decision}`;
        const tick = { kind: 'schedule', name, due, at: due, outcome: result.outcome, decision, byHand: true } as const;
        const id = store.addTick(tick);
        store.endTick(id, { ...result, decision, at: now() });
        reporter.close();
        if (!context.globals.json) context.console.print(`${name}: ${result.outcome}; ${result.decision}`);
        return result.outcome === 'failed' ? FAILED : DONE;
      } finally {
        reporter.close();
      }
    });
  });
}
