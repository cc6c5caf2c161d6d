import { runByHand } from '../../operate/by-hand.ts';
import { tickersOf } from '../../operate/tickers.ts';
import { jsonText } from '../console.ts';
import type { Context } from '../context.ts';
import { DONE, FAILED } from '../failure.ts';
import { createReporter } from '../progress/reporter.ts';
import { findTicker, scheduledIn, withOperate } from '../tickers.ts';

/** What a schedule, a sensor or the conditions do when they are due: now and in this process; a daemon may be active beside it. */
export async function run(context: Context, _options: object, asked: string): Promise<number | undefined> {
  const { now } = context.io;
  return context.withLake('write', async (lake) => {
    const { graph } = lake;
    const ticker = findTicker(tickersOf({ graph, ...scheduledIn(await context.configuration(), graph, now()) }), asked);
    return withOperate(context, false, async (store) => {
      const reporter = createReporter(context);
      try {
        const { stopping, signal } = context.interrupts({ graceful: true, say: reporter.say });
        const control = { stopping, signal, emit: reporter.emit };
        const result = await runByHand(lake, ticker, store, control, now, context.redact);
        reporter.close();
        const { kind, name } = ticker;
        const { outcome, decision, run, error } = result;
        context.console.print(
          context.globals.json
            ? jsonText({ type: 'tick', kind, name, outcome, decision, run, error })
            : `${asked}: ${outcome}; ${decision}`,
        );
        return outcome === 'failed' ? FAILED : DONE;
      } finally {
        reporter.close();
      }
    });
  });
}
