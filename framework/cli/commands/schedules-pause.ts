import { pauseKey } from '../../operate/keys.ts';
import type { Pause } from '../../operate/schedules.ts';
import { isEnabled, pausedText, resumedText, standingOf } from '../../operate/tickers.ts';
import type { Context } from '../context.ts';
import { disabledText, findTicker, readTickers, withOperate } from '../tickers.ts';

export const run = (context: Context, _options: object, name: string) => setPaused(context, name, true);

/** Says that a schedule, a sensor or the conditions are paused or not, whatever the definitions say. */
export async function setPaused(context: Context, asked: string, paused: boolean): Promise<undefined> {
  const ticker = findTicker(await readTickers(context), asked);
  const { kind, name } = ticker;
  const disabled = isEnabled(ticker) ? undefined : await disabledText(context, ticker);
  await withOperate(context, false, (store) => {
    const before = standingOf(ticker, store);
    const already = (before !== 'active') === paused;
    const pause: Pause = { paused, at: context.io.now() };
    if (!already) store.remember({ [pauseKey(name, kind)]: pause });
    const status = standingOf(ticker, store);
    context.console.result({ kind, name, status, ...(disabled !== undefined && { disabled }) }, () => {
      if (already && before === 'disabled') return `${asked} was never let run: ${disabled}.`;
      if (already) return `${asked} ${paused ? 'was paused' : 'was not paused'} already.`;
      if (paused) return `${pausedText(ticker)} ${context.again('schedules', 'resume', asked)}  lets it go on.`;
      if (before !== 'disabled') return resumedText(ticker);
      return `${asked} runs from now on, although its definition says ${disabled}: what was said last by hand counts, until ${context.again('schedules', 'pause', asked)}`;
    });
  });
}
