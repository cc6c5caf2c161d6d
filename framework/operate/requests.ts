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

/** Carries out what a sensor asked for, one after the other, and says what the worst of it came to. */
export async function runRequests(
  { name, action, tags, priority }: SensorDefinition,
  requests: readonly ResolvedRequest[],
  run: (work: Work) => Promise<TickResult>,
): Promise<TickResult> {
  const command = `lakehouse daemon: sensor ${name}`;
  const results: TickResult[] = [];
  for (const { select, partitions } of requests) {
    const filter = partitions === undefined ? undefined : parseFilter(partitions);
    results.push(await run({ command, action, select, filter, tags, priority }));
    if (results.at(-1)?.outcome === 'interrupted') break;
  }
  const worst = (['interrupted', 'failed'] as const).map((outcome) => results.find((one) => one.outcome === outcome));
  const told = worst.find((one) => one !== undefined) ?? results.at(-1);
  return {
    outcome: told?.outcome ?? 'succeeded',
    decision: results.map(({ decision }) => decision).join('; '),
    run: results.at(-1)?.run,
    error: told?.error,
  };
}
