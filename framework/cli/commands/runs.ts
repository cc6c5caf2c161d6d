import type { RunRecord } from '../../state/store.ts';
import type { Context } from '../context.ts';
import { duration, instant, number, plural, table } from '../format.ts';

export async function run(context: Context, options: { readonly limit: number }): Promise<number | undefined> {
  const { console } = context;
  return context.withLog(async (state) => {
    const runs = state.runs(options.limit);
    console.result(
      runs.map((record) => ({ ...record, outcome: outcomeOf(record) })),
      () => {
        if (runs.length === 0) return 'There was no run yet.';
        const rows = runs.map((record) => [
          record.run,
          instant(record.startedAt),
          tookOf(record),
          outcomeOf(record),
          countsOf(record),
          record.command,
        ]);
        return table(
          [
            { title: 'RUN' },
            { title: 'STARTED' },
            { title: 'TOOK', align: 'right' },
            { title: 'OUTCOME' },
            { title: 'PARTITIONS' },
            { title: 'COMMAND' },
          ],
          rows,
          console.style.strong,
        );
      },
    );
    return undefined;
  });
}

/** A run without an end is still going on, or its process was killed: the log cannot tell. */
export const outcomeOf = ({ outcome }: RunRecord): string => outcome ?? 'unfinished';

export const tookOf = ({ startedAt, finishedAt }: RunRecord): string =>
  finishedAt === undefined ? '-' : duration(finishedAt - startedAt);

export function countsOf({ counts }: RunRecord): string {
  return Object.entries(counts ?? {})
    .filter(([name, count]) => count > 0 && !['rows', 'bytes'].includes(name))
    .map(([name, count]) => (name === 'checksFailed' ? `${plural(count, 'check')} failed` : `${number(count)} ${name}`))
    .join(', ');
}
