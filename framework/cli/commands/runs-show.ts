import { LakehouseError } from '../../common/errors.ts';
import { didYouMean } from '../../common/suggest.ts';
import { describeEvent } from '../../state/describe.ts';
import { filesOf, outcomesOf, type StoredEvent } from '../../state/events.ts';
import type { RunRecord, StateReader } from '../../state/store.ts';
import type { Context } from '../context.ts';
import { errorLine } from '../failure.ts';
import { bytes, indent, instant, number, plural } from '../format.ts';
import { countsOf, outcomeOf, tookOf } from './runs.ts';

export async function run(context: Context, _options: object, id: string): Promise<number | undefined> {
  const { console } = context;
  return context.withLog(async (state) => {
    const found = findRun(state, id);
    const { record, events } = found;
    console.result({ ...record, outcome: outcomeOf(record), events: events.map(describeEvent) }, () => {
      const { style } = console;
      const lines = [
        `${style.strong(record.run)}  ${outcomeOf(record)}  ${style.faint(`started ${instant(record.startedAt)}, took ${tookOf(record)}`)}`,
        indent(record.command),
        ...(countsOf(record) === '' ? [] : [indent(countsOf(record))]),
        ...(record.error === undefined ? [] : [indent(style.bad(errorLine(record.error)))]),
        '',
        ...(events.length === 0
          ? ['Its events have been pruned.']
          : events.map((event) => `${String(event.revision).padStart(6)}  ${instant(event.at)}  ${eventText(event)}`)),
      ];
      return lines.join('\n');
    });
    return undefined;
  });
}

/** By its id, the beginning of it, or `last`. */
function findRun(state: StateReader, id: string): { record: RunRecord; events: StoredEvent[] } {
  const exact = state.run(id);
  if (exact) return exact;
  const runs = state.runs(1000);
  const matching = id === 'last' ? runs.slice(0, 1) : runs.filter(({ run }) => run.startsWith(id));
  const [only] = matching;
  const found = only && matching.length === 1 ? state.run(only.run) : undefined;
  if (found) return found;
  const names = runs.map(({ run }) => run);
  if (matching.length > 1)
    throw new LakehouseError('ambiguous-run', `${plural(matching.length, 'run')} begin with '${id}'`, {
      hint: matching
        .slice(0, 5)
        .map(({ run }) => run)
        .join(', '),
    });
  throw new LakehouseError('unknown-run', id === 'last' ? 'There was no run yet' : `There is no run '${id}'`, {
    hint: names.length > 0 ? didYouMean(id, names) : undefined,
  });
}

function eventText({ event, changed }: StoredEvent): string {
  const points = outcomesOf(event).reduce((sum, { times }) => sum + times.length, 0);
  const moved = changed.reduce((sum, mask) => sum + mask.reduce((n, bit) => n + bit, 0), 0);
  switch (event.kind) {
    case 'materialized': {
      const size = filesOf(event).reduce((sum, file) => sum + file.bytes, 0);
      const checks = event.checks?.filter(({ failedRows }) => failedRows > 0).length ?? 0;
      return `computed ${event.asset}: ${plural(points, 'partition')}, ${number(moved)} changed; ${plural(filesOf(event).length, 'file')}, ${bytes(size)}${checks > 0 ? `; ${plural(checks, 'failed check')}` : ''}`;
    }
    case 'observed':
      return `observed ${event.asset}: ${number(moved)} new or changed${event.withdrawn ? ', some withdrawn' : ''}`;
    case 'failed':
      return `failed   ${event.asset}: ${plural(event.failures.length, 'partition')}: ${event.failures[0] ? errorLine(event.failures[0].error, event.asset) : ''}`;
    case 'departed':
      return `departed ${event.asset}: ${event.reason}`;
    case 'accepted':
      return `accepted ${event.asset}: code ${event.from} gives the same as ${event.to}`;
    case 'compacted':
      return `packed   ${event.asset}: ${plural(event.files.length, 'file')} instead of ${number(event.supersedes.length)}`;
    case 'definitions':
      return `loaded   new code of ${Object.keys(event.versions).join(', ')}`;
    case 'run-started':
      return 'started';
    case 'run-finished':
      return `finished ${event.outcome}`;
  }
}
