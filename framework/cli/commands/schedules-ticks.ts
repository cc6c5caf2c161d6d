import { duration, instant, table } from '../../report/format.ts';
import type { Context } from '../context.ts';
import { findSchedule, readSchedules, tickJson, withOperate } from './schedules.ts';

export async function run(
  context: Context,
  { limit }: { readonly limit: number },
  name?: string,
): Promise<number | undefined> {
  const { console } = context;
  if (name !== undefined) findSchedule(await readSchedules(context), name);
  return withOperate(context, true, (store) => {
    const ticks = store.ticks({ limit, ...(name !== undefined && { kind: 'schedule' as const, name }) });
    console.result(ticks.map(tickJson), () => {
      if (ticks.length === 0) return 'There was no tick yet.';
      return table(
        [
          { title: 'DUE' },
          { title: name === undefined ? 'OF' : '', whole: true },
          { title: 'OUTCOME', whole: true },
          { title: 'TOOK', align: 'right' },
          { title: 'RUN', whole: true },
          { title: 'WHAT AND WHY' },
        ],
        ticks.map((tick) => [
          instant(tick.due),
          name === undefined ? tick.name : '',
          tick.ticks > 1 ? `${tick.outcome} ×${tick.ticks}` : tick.outcome,
          tick.finishedAt === undefined ? '-' : duration(tick.finishedAt - tick.at),
          tick.run ?? '-',
          tick.decision,
        ]),
        console.style.strong,
        console.tableWidth,
      );
    });
    return undefined;
  });
}
