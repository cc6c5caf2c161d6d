import type { CheckRow, DaemonInfo, RunDetail, RunRow, ScheduleRow } from '../model/data.ts';
import { clock, number, plural, took } from './format.ts';
import { CLEAR, counted, filtered, listed, position, type Told, whenSpoken } from './linear.ts';
import { whatOf } from './runs.ts';
import { DECLARE, daemonText, NO_SCHEDULES } from './schedules.ts';

export interface ListTold<T> {
  /** Undefined while they are being read. */
  readonly rows: readonly T[] | undefined;
  readonly cursor: number;
  readonly filter: string;
  readonly now: number;
}

/** A list with a filter: what there is, and the one under the cursor. */
function listTold<T>(
  { rows, cursor, filter }: Omit<ListTold<T>, 'now'>,
  { place, word, none, text }: { place: string; word: string; none: string; text: (row: T) => string },
): Told {
  const told = { place, title: filtered(`${word[0]?.toUpperCase()}${word.slice(1)}s`, filter) };
  if (rows === undefined) return { ...told, summary: [`Reading the ${word}s.`], focus: undefined, reading: 'all' };
  const at = Math.min(cursor, rows.length - 1);
  const row = rows[at];
  if (row === undefined) return { ...told, summary: [filter === '' ? none : `None. ${CLEAR}`], focus: undefined };
  return {
    ...told,
    summary: [`${plural(rows.length, word)}.`],
    focus: listed(text(row), position(at, rows.length)),
  };
}

export const runsTold = (input: ListTold<RunRow>): Told =>
  listTold(input, {
    place: 'runs',
    word: 'run',
    none: 'Nothing ever ran here. m on the assets computes what is chosen there.',
    text: (row) => listed(runText(row, input.now), `run ${row.run}`),
  });

function runText(row: RunRow, now: number): string {
  const { outcome, startedAt, finishedAt, counts } = row;
  const known = finishedAt !== undefined || outcome === 'running';
  const error = row.error ?? (outcome === 'lost' ? 'it never said that it finished, and its process is gone' : '');
  return listed(
    `${outcome}: ${whatOf(row)}`,
    `started ${whenSpoken(startedAt, now)}`,
    known && `${finishedAt === undefined ? 'so far' : 'took'} ${took(startedAt, finishedAt, now)}`,
    counted(counts),
    error !== '' && `error: ${error}`,
  );
}

/** One run: what it was, its assets, and the line of its log that one is at. */
export function runTold(
  detail: RunDetail | undefined,
  run: string,
  log: { readonly offset: number; readonly follow: boolean },
  now: number,
): Told {
  const told = { place: 'run', title: `Run ${run}` };
  if (!detail) return { ...told, summary: ['Reading it.'], focus: undefined, reading: 'all' };
  const { row, assets, lines } = detail;
  const at = log.follow ? lines.length - 1 : Math.min(log.offset, lines.length - 1);
  const line = lines[at];
  return {
    ...told,
    summary: [
      `${runText(row, now)}.`,
      ...assets.map(({ asset, phase, done, failed, total }) =>
        listed(
          `${asset}: ${phase}`,
          total > 0 && `${number(done)} of ${number(total)} done`,
          failed > 0 && `${number(failed)} failed`,
        ),
      ),
    ],
    focus: line && listed(clock(line.at), line.asset, line.text, position(at, lines.length, 'line')),
  };
}

export const checksTold = (input: ListTold<CheckRow>): Told =>
  listTold(input, {
    place: 'checks',
    word: 'check',
    none: 'No asset has checks: they are declared with an asset.',
    text: (row) => checkText(row, input.now),
  });

function checkText({ asset, check, severity, blocking, description, passed, failed, failures }: CheckRow, now: number) {
  const [newest] = failures;
  const judged = passed + failed;
  return listed(
    `${asset}, ${check}, ${severity}${blocking ? ', blocks what reads it' : ''}: ${
      judged === 0
        ? 'not checked yet'
        : failed === 0
          ? `all ${plural(passed, 'partition')} passed`
          : `${number(failed)} of ${plural(judged, 'partition')} failed`
    }`,
    description,
    newest &&
      `newest failure ${newest.partition}, ${plural(newest.failedRows, 'row')}, ${whenSpoken(newest.at, now)}${newest.sample.map((row) => `, ${row}`).join('')}`,
  );
}

export interface SchedulesTold extends Omit<ListTold<ScheduleRow>, 'filter'> {
  readonly daemon: DaemonInfo | undefined;
  readonly problem: { readonly message: string; readonly hint?: string | undefined } | undefined;
}

export function schedulesTold({ daemon, problem, ...input }: SchedulesTold): Told {
  const none = problem ? [problem.message, problem.hint].filter(Boolean).join(' ') : `${NO_SCHEDULES} ${DECLARE}`;
  const told = listTold(
    { ...input, filter: '' },
    { place: 'schedules', word: 'schedule', none, text: (row) => scheduleText(row, input.now) },
  );
  return told.focus === undefined ? told : { ...told, summary: [...told.summary, daemonText(daemon, input.now)] };
}

function scheduleText(row: ScheduleRow, now: number): string {
  const { kind, name, cron, timezone, paused, nextAt, lastAt, lastOutcome, action, select, ticks } = row;
  return listed(
    `${kind === 'schedule' ? '' : `${kind} `}${name}: ${cron} ${timezone}`.trim(),
    row.disabled !== undefined
      ? `disabled (${row.disabled})`
      : paused
        ? 'paused'
        : nextAt !== undefined && `next ${whenSpoken(nextAt, now)}`,
    lastAt === undefined ? 'never ran' : `last ${whenSpoken(lastAt, now)}`,
    lastOutcome,
    ticks[0]?.decision,
    `${action} ${select}`,
  );
}
