import { isLakehouseError, LakehouseError } from '../../common/errors.ts';
import { didYouMean } from '../../common/suggest.ts';
import { tagsText } from '../../common/tags.ts';
import { buildGraph } from '../../graph/graph.ts';
import { type PartitionSpace, printKey, type SeriesValues } from '../../partition/space.ts';
import { errorLine } from '../../report/errors.ts';
import { bytes, indent, instant, number, plural } from '../../report/format.ts';
import { describeEvent } from '../../state/describe.ts';
import { checkFailuresOf, filesOf, outcomesOf, packedCount, type StoredEvent } from '../../state/events.ts';
import type { RunRecord, StateReader } from '../../state/store.ts';
import { selectionWords } from '../again.ts';
import type { Context } from '../context.ts';
import { countsOf, described, outcomeOf, tookOf } from './runs.ts';

export async function run(context: Context, _options: object, id: string): Promise<number | undefined> {
  const { console } = context;
  return context.withLog(async (state) => {
    const found = findRun(state, id);
    const { record, events } = found;
    const nameOf = await namer(context);
    console.result({ ...described(record), events: events.map(eventJson) }, () => {
      const { style } = console;
      const lines = [
        `${style.strong(record.run)}  ${outcomeOf(record)}  ${style.faint(`started ${instant(record.startedAt)}, took ${tookOf(record)}`)}`,
        indent(record.command),
        ...(record.tags === undefined ? [] : [indent(`tags: ${tagsText(record.tags)}`)]),
        ...(countsOf(record) === '' ? [] : [indent(countsOf(record))]),
        ...((record.counts?.held ?? 0) === 0
          ? []
          : [
              indent(
                `${context.again('plan', ...selectionWords(record.selection, undefined), '--verbose')}  says what could not be computed, and why`,
              ),
            ]),
        ...(record.error === undefined ? [] : [indent(style.bad(errorLine(record.error)))]),
        ...troubleLines(context, record.run, events, nameOf),
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

/** Failures, and checks of a kind, that are listed. */
const SHOWN = 20;

type NameOf = (asset: string, partition: { readonly values: SeriesValues; readonly time: number }) => string;

/** Partitions by name; where their asset is not defined, which says what its times are, by series and number. */
async function namer(context: Context): Promise<NameOf> {
  let spaceOf: (asset: string) => PartitionSpace | undefined = () => undefined;
  try {
    const graph = buildGraph((await context.configuration()).definition.assets, { codes: () => '' });
    spaceOf = (asset) => graph.find(asset)?.definition.space;
  } catch (error) {
    if (!isLakehouseError(error)) throw error;
  }
  return (asset, { values, time }) => {
    const space = spaceOf(asset);
    if (space?.listed.every(({ name }) => values[name] !== undefined)) return printKey(space, { values, time });
    return `${Object.entries(values)
      .map(([name, value]) => `${name}=${value}`)
      .join('/')} (time ${time})`;
  };
}

/** What went wrong, by kind, with the partitions. */
function troubleLines(
  { console, again }: Context,
  run: string,
  events: readonly StoredEvent[],
  nameOf: NameOf,
): string[] {
  const { style } = console;
  const failed: string[] = [];
  const refused: string[] = [];
  const warned: string[] = [];
  for (const { event } of events) {
    if (event.kind === 'failed')
      for (const failure of event.failures)
        failed.push(`${event.asset} ${nameOf(event.asset, failure)}: ${errorLine(failure.error, event.asset)}`);
    if (event.kind !== 'materialized' && event.kind !== 'checked') continue;
    for (const check of checkFailuresOf(event)) {
      if (check.failedRows === 0) continue;
      const line = `${event.asset} ${nameOf(event.asset, check)}: ${check.check}, ${plural(check.failedRows, 'row')}`;
      (check.severity === 'error' ? refused : warned).push(line);
    }
  }
  const list = (title: string, lines: readonly string[]): string[] => {
    if (lines.length === 0) return [];
    const rest = lines.length - SHOWN;
    return [
      '',
      title,
      ...lines.slice(0, SHOWN).map((line) => indent(line)),
      ...(rest > 0 ? [indent(style.faint(`… and ${number(rest)} more: ${again('runs', 'show', run, '--json')}`))] : []),
    ];
  };
  return [
    ...list(style.bad('Failed:'), failed),
    ...list(style.bad('Checks that failed:'), refused),
    ...list(style.warning('Checks that warn:'), warned),
  ];
}

/** As {@link describeEvent}, with what an observation holds as JSON text, and its instant, in JSON's own terms. */
function eventJson(stored: StoredEvent): Record<string, unknown> {
  const { event } = stored;
  if (event.kind !== 'observed') return describeEvent(stored);
  return {
    ...describeEvent(stored),
    observedAt: new Date(event.observedAt).toISOString(),
    ...(event.detail !== undefined && { detail: JSON.parse(event.detail) as unknown }),
  };
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
    case 'checked':
      return `checked  ${event.asset}: ${plural(packedCount(event.set), 'partition')}, ${event.checks.join(', ')}${event.failures.length > 0 ? `; ${plural(event.failures.length, 'failed check')}` : ''}`;
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
