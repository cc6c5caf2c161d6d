import type { SensorDefinition } from '../define/sensor.ts';
import { parseFilter } from '../partition/filter.ts';
import type { ResolvedRequest } from './sensors.ts';
import type { TickResult, Work } from './tick.ts';

/** What somebody wrote a schedule or a sensor for goes before what follows by itself. */
export const CONDITIONS_PRIORITY = -1;

/** The work of what conditions request, by asset. */
export const conditionsWork = (targets: NonNullable<Work['targets']>): Work => ({
  command: 'lakehouse daemon: conditions',
  action: 'materialize-stale',
  select: [...targets.keys()].join(' or '),
  targets,
  priority: CONDITIONS_PRIORITY,
});

/** What was asked for and is not done is kept of a sensor up to this many requests, the latest. */
const MOST_KEPT = 1000;

/** What was asked for before and is not done, and what is asked for now; nothing twice. */
export function together(left: readonly ResolvedRequest[], fresh: readonly ResolvedRequest[]): ResolvedRequest[] {
  const same = (a: ResolvedRequest, b: ResolvedRequest) => a.select === b.select && a.partitions === b.partitions;
  return [...left.filter((one) => !fresh.some((other) => same(one, other))), ...fresh].slice(-MOST_KEPT);
}

/** Carries out what a sensor asked for, one after the other, and says what the worst of it came to. */
export async function runRequests(
  { name, action, tags, priority }: SensorDefinition,
  requests: readonly ResolvedRequest[],
  run: (work: Work) => Promise<TickResult>,
): Promise<TickResult> {
  const command = `lakehouse daemon: sensor ${name}`;
  const results: TickResult[] = [];
  const undone: ResolvedRequest[] = [];
  for (const request of requests) {
    const { select, partitions } = request;
    const filter = partitions === undefined ? undefined : parseFilter(partitions);
    results.push(await run({ command, action, select, filter, tags, priority }));
    const outcome = results.at(-1)?.outcome;
    if (outcome === 'failed') undone.push(request);
    if (outcome === 'interrupted') break;
  }
  const worst = (['interrupted', 'failed'] as const).map((outcome) => results.find((one) => one.outcome === outcome));
  const told = worst.find((one) => one !== undefined) ?? results.at(-1);
  return {
    outcome: told?.outcome ?? 'succeeded',
    decision: results.map(({ decision }) => decision).join('; '),
    run: results.at(-1)?.run,
    error: told?.error,
    undone,
  };
}
