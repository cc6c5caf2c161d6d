import { LakehouseError } from '../common/errors.ts';
import * as ranges from '../partition/ranges.ts';
import { parseInstantRange } from '../partition/time.ts';
import type { FileRecord, RunRecord, StateReader } from '../state/store.ts';
import type { Lake } from './lake.ts';

/** The lake as it was once: after a revision of its log. */
export interface AsOf {
  readonly revision: number;
  /** As a person asked for it, e.g. a run. */
  readonly asked: string;
}

/** A file as of then, or now. */
export interface Held extends FileRecord {
  /** Times of partitions that have left it since, as flat half-open ranges. */
  readonly left?: readonly number[];
}

const FORMS = 'A run (the beginning of its id, or last), a time in UTC such as 2024-01-31T06:00, or @ and a revision.';

/**
 * What `text` stands for: a run, when it had finished; a time, what had been appended until then; `@` and a revision.
 * @param now ms UTC.
 * @throws LakehouseError `bad-as-of`, `history-gone` (usage).
 */
export function parseAsOf(state: StateReader, text: string, now: number): AsOf {
  const { head } = state.refresh();
  const refuse = (why: string, hint = FORMS) => new LakehouseError('bad-as-of', `As of ${text}: ${why}`, { hint });
  const asked = text.startsWith('@') ? `revision ${text.slice(1)}` : text;
  if (text.startsWith('@')) {
    const revision = Number(text.slice(1));
    if (!/^@\d+$/.test(text) || revision > head) throw refuse(`the revisions of the log are @1 to @${head}`);
    return { revision, asked };
  }
  const at = instantOf(text);
  if (at !== undefined) {
    if (at > now) throw refuse('that is yet to come', 'Times are in UTC.');
    const revision = state.revisionAt(at);
    if (revision !== undefined) return { revision, asked };
    const [oldest] = state.events({ limit: 1 });
    throw new LakehouseError(
      'history-gone',
      `As of ${text}: the log tells times only since ${oldest ? new Date(oldest.at).toISOString() : 'its last event'}`,
      {
        hint: 'Name the run, or its revision (lakehouse runs). Times are told for as long as events are kept (state.retentionDays).',
      },
    );
  }
  const runs = runsNamed(state, text);
  const [run] = runs;
  if (run === undefined) throw refuse('there is no such run, and it is no time');
  if (runs.length > 1)
    throw refuse(
      `${runs.length} runs begin so`,
      runs
        .slice(0, 5)
        .map((one) => one.run)
        .join(', '),
    );
  if (run.finishedRevision === undefined) throw refuse(`the run ${run.run} has not finished, or died`);
  return { revision: run.finishedRevision, asked: `run ${run.run}` };
}

const TIME = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)?$/;

/** ms UTC. The beginning of a period, such as `2024-01-31`. */
function instantOf(text: string): number | undefined {
  const period = parseInstantRange(text);
  // Runs begin with digits as well, of which the first is 0 for some centuries.
  if (period && period.fromMs >= 0) return period.fromMs;
  if (!TIME.test(text)) return undefined;
  // The 31st of a month that has none would be a day of the next.
  if (!parseInstantRange(text.slice(0, 10))) return undefined;
  const ms = Date.parse(`${text.replace(' ', 'T')}${/(Z|[+-]\d\d:\d\d)$/.test(text) ? '' : 'Z'}`);
  return Number.isNaN(ms) ? undefined : ms;
}

/** More than are kept. */
const ALL_RUNS = 10_000;

function runsNamed(state: StateReader, text: string): RunRecord[] {
  const runs = state.runs(ALL_RUNS);
  if (text === 'last') return runs.slice(0, 1);
  const exact = runs.filter(({ run }) => run === text);
  return exact.length > 0 ? exact : runs.filter(({ run }) => run.startsWith(text));
}

/**
 * The files of an asset that partitions lived in, in no order.
 * @param asOf when; now where it is absent.
 * @throws LakehouseError `history-gone` (usage) where some of them are not there any more.
 */
export function filesOf(lake: Lake<StateReader>, asset: string, asOf: AsOf | undefined): readonly Held[] {
  const { state } = lake;
  if (asOf === undefined) return [...state.files(asset)];
  const then = state.filesAt(asset, asOf.revision);
  if (then !== undefined && asOf.revision >= then.since) return then.files;
  const keeps = lake.graph.find(asset)?.definition.historyMs !== undefined;
  throw new LakehouseError(
    'history-gone',
    `The files of ${asset} as of ${asOf.asked} are gone: ${then === undefined ? 'no history was kept until now' : `its history goes back to ${sinceText(state, then.since)}`}`,
    {
      hint: keeps
        ? 'It keeps them for as long as its `history` says. To keep more from now on, make that longer.'
        : `To keep replaced files from now on, declare it with e.g. history: '30d'.`,
      details: { asset, revision: asOf.revision, ...(then && { since: then.since }) },
    },
  );
}

function sinceText(state: StateReader, since: number): string {
  const [event] = state.events({ after: since - 1, limit: 1 });
  return event?.revision === since ? `@${since}, ${new Date(event.at).toISOString()}` : `@${since}`;
}

/** By id of a file the times of the partitions of a series that live in it, or did: ascending. */
export function timesIn(
  { state }: Lake<StateReader>,
  asset: string,
  series: string,
  files: readonly Held[],
): ReadonlyMap<number, readonly number[]> {
  const found = new Map<number, number[]>(
    files.map(({ id, left = [] }) => [id, [...ranges.iterate({ bounds: left })]]),
  );
  const { base = 0, file = [] } = state.details(asset, series) ?? {};
  file.forEach((id, i) => {
    found.get(id)?.push(base + i);
  });
  for (const { id, left } of files) if (left !== undefined) found.get(id)?.sort((a, b) => a - b);
  return found;
}

/** How long an asset keeps its superseded files, ms: as declared, or as last declared where the definitions do not have it. */
export function historyMs({ graph, state }: Pick<Lake<StateReader>, 'graph' | 'state'>, asset: string): number {
  const node = graph.find(asset);
  return (node ? node.definition.historyMs : state.keptMs().get(asset)) ?? 0;
}

/** So that other definitions, and none, do not cost an asset its history. */
export function rememberHistory({ graph, state }: Lake): void {
  const known = state.keptMs();
  const declared = graph.order.map((key) => [key, graph.node(key).definition.historyMs ?? 0] as const);
  const other = new Map(declared.filter(([key, ms]) => (known.get(key) ?? 0) !== ms));
  if (other.size > 0) state.setKeptMs(other);
}
