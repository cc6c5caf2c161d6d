import { afterFailure, type Circuit, whyOpen } from './circuit.ts';
import { CIRCUITS } from './keys.ts';
import type { Log } from './log.ts';
import type { OperateStore } from './store.ts';
import type { TickResult } from './tick.ts';

/** Sources that are to be left alone at an instant, with why. */
export function avoidedSources(store: Pick<OperateStore, 'recallAll'>, now: number): Map<string, string> {
  const avoided = new Map<string, string>();
  for (const [source, circuit] of store.recallAll(CIRCUITS)) {
    const why = whyOpen(circuit as Circuit, now);
    if (why !== undefined) avoided.set(source, why);
  }
  return avoided;
}

/** Remembers which sources answered, and says which do not any more or do again. */
export function rememberSources(
  store: Pick<OperateStore, 'recall' | 'remember'>,
  log: Log,
  sources: NonNullable<TickResult['sources']>,
  now: number,
): void {
  for (const [source, message] of sources) {
    const known = store.recall(`${CIRCUITS}${source}`) as Circuit | undefined;
    if (message === undefined && known === undefined) continue;
    const next = message === undefined ? undefined : afterFailure(known, message, now);
    store.remember({ [`${CIRCUITS}${source}`]: next });
    if (next === undefined) log('info', 'a source answers again', { source, failures: known?.failures });
    else log('error', 'a source could not be looked at', { source, ...next });
  }
}
