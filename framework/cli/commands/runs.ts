import { tagsText } from '../../common/tags.ts';
import { duration, instant, number, plural, table } from '../../report/format.ts';
import type { RunRecord } from '../../state/store.ts';
import type { Context } from '../context.ts';
import { readTags } from '../tags.ts';

interface RunsOptions {
  readonly limit: number;
  readonly tag?: readonly string[];
}

export async function run(context: Context, options: RunsOptions): Promise<number | undefined> {
  const { console } = context;
  const tags = readTags(options.tag);
  return context.withLog(async (state) => {
    const runs = state.runs(options.limit, tags);
    const tagged = runs.some((record) => record.tags !== undefined);
    console.result(runs.map(described), () => {
      if (runs.length === 0) return tags ? `No run has the tags ${tagsText(tags)}.` : 'There was no run yet.';
      const rows = runs.map((record) => [
        record.run,
        instant(record.startedAt),
        tookOf(record),
        outcomeOf(record),
        countsOf(record),
        ...(tagged ? [tagsText(record.tags)] : []),
        record.command,
      ]);
      return table(
        [
          { title: 'RUN', whole: true },
          { title: 'STARTED' },
          { title: 'TOOK', align: 'right' },
          { title: 'OUTCOME', whole: true },
          { title: 'PARTITIONS' },
          ...(tagged ? [{ title: 'TAGS' }] : []),
          { title: 'COMMAND' },
        ],
        rows,
        console.style.strong,
        console.tableWidth,
      );
    });
    return undefined;
  });
}

/** A run as JSON: instants as ISO texts. */
export const described = ({ startedAt, finishedAt, ...record }: RunRecord) => ({
  ...record,
  startedAt: new Date(startedAt).toISOString(),
  ...(finishedAt !== undefined && { finishedAt: new Date(finishedAt).toISOString() }),
  outcome: record.outcome ?? 'unfinished',
});

/** A run without an end is still going on, or its process was killed: the log cannot tell. */
export const outcomeOf = ({ outcome }: RunRecord): string => outcome ?? 'unfinished';

export const tookOf = ({ startedAt, finishedAt }: RunRecord): string =>
  finishedAt === undefined ? '-' : duration(finishedAt - startedAt);

/** What a count of a run is called where its name does not say it. */
const WORD: Readonly<Record<string, string>> = { held: 'not computed', standing: 'failed before' };

export function countsOf({ counts }: RunRecord): string {
  return Object.entries(counts ?? {})
    .filter(([name, count]) => count > 0 && !['rows', 'bytes'].includes(name))
    .map(([name, count]) =>
      name === 'checksFailed' ? `${plural(count, 'check')} failed` : `${number(count)} ${WORD[name] ?? name}`,
    )
    .join(', ');
}
