import { serializeError } from '../common/errors.ts';
import type { SensorDefinition } from '../define/sensor.ts';
import type { RunControl } from '../materialize/context.ts';
import type { OpenedLake } from '../materialize/open.ts';
import { evaluateNow } from '../report/evaluated.ts';
import { type AutomationCursor, CURSOR_KEYS } from './automation/cursor.ts';
import { automationTick } from './automation/tick.ts';
import { sensorKey } from './keys.ts';
import { redacted } from './redacted.ts';
import { conditionsWork, runRequests } from './requests.ts';
import { look, type SensorMemory } from './sensors.ts';
import type { OperateStore } from './store.ts';
import { runSchedule, runWork, type TickResult } from './tick.ts';
import type { Ticker } from './tickers.ts';

/**
 * Does now what something would do when it is due, because a person asked for it, beside any daemon, and writes the tick down. What
 * the daemon remembers stays as it is: what is due stays due, and a sensor's cursor where it was.
 * @param redact takes secrets out of what is remembered and returned.
 */
export async function runByHand(
  lake: OpenedLake,
  ticker: Ticker,
  store: Pick<OperateStore, 'addTick' | 'endTick' | 'recall' | 'recallAll'>,
  control: RunControl,
  now: () => number,
  redact: (text: string) => string,
): Promise<Pick<TickResult, 'outcome' | 'decision' | 'run' | 'error'>> {
  const due = now();
  const { kind, name } = ticker;
  const { outcome, run, error, ...told } =
    kind === 'schedule'
      ? await runSchedule(lake, ticker.schedule, due, control)
      : kind === 'sensor'
        ? await looked(lake, ticker.sensor, store.recall(sensorKey(name)) as SensorMemory | undefined, control)
        : await conditions(lake, store.recallAll(CURSOR_KEYS) as Map<string, AutomationCursor>, control);
  const result = redacted(redact, { outcome, decision: told.decision, run, error });
  const decision = `asked for by hand; ${result.decision}`;
  const id = store.addTick({ kind, name, due, at: due, outcome, decision, byHand: true });
  store.endTick(id, { ...result, decision, at: now() });
  return result;
}

async function looked(
  lake: OpenedLake,
  sensor: SensorDefinition,
  memory: SensorMemory | undefined,
  control: RunControl,
): Promise<TickResult> {
  const { graph, now } = lake;
  const { stopping } = control;
  try {
    const signal = AbortSignal.any([control.signal, stopping]);
    const seen = await look(sensor, memory, { graph, resources: lake.resources(), now, signal });
    if (seen.outcome !== 'requested') return { outcome: seen.outcome, decision: seen.decision, error: seen.error };
    const result = await runRequests(sensor, seen.requests, (work) => runWork(lake, work, control));
    return { ...result, decision: `${seen.decision}; ${result.decision}` };
  } catch (error) {
    if (stopping.aborted) return { outcome: 'interrupted', decision: 'told to stop' };
    return { outcome: 'failed', decision: String(error), error: serializeError(error) };
  }
}

async function conditions(
  lake: OpenedLake,
  cursors: ReadonlyMap<string, AutomationCursor>,
  control: RunControl,
): Promise<TickResult> {
  const { graph } = lake;
  const { view, evaluations } = evaluateNow(lake);
  const { requests } = automationTick({ graph, evaluations, head: view.head, now: lake.now(), cursors });
  if (requests.size === 0) return { outcome: 'skipped', decision: 'nothing is requested now' };
  return runWork(lake, conditionsWork(requests), control);
}
