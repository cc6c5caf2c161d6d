import type { DaemonInfo, ScheduleRow, Size } from '../model/data.ts';
import { instant, visible, when } from './format.ts';
import { emptyState, page } from './lines.ts';
import { type Column, list, rightCell, textCell } from './list.ts';
import { joined, type Panes, panesOf } from './panes.ts';
import { scheduleDetail, scheduleDetailScroll } from './schedule-detail.ts';
import { symbolsOf } from './symbols.ts';
import { cut, width } from './text.ts';
import type { Paint, Theme } from './theme.ts';

export interface SchedulesInput {
  /** Undefined while they are being read. */
  readonly rows: readonly ScheduleRow[] | undefined;
  /** Who runs what is due; undefined where nobody ever did. */
  readonly daemon?: DaemonInfo | undefined;
  /** Why they cannot be read. */
  readonly problem?: { readonly message: string; readonly hint?: string | undefined } | undefined;
  readonly cursor: number;
  readonly offset: number;
  /** First line of the detail that is shown. */
  readonly detailOffset?: number | undefined;
  readonly now: number;
  /** How the shell calls this program. */
  readonly program?: string | undefined;
  readonly size: Size;
}

export const NO_SCHEDULES = 'No schedules yet.';
export const DECLARE =
  "They are declared in code, beside the assets, or under 'schedules:' in the configuration, and run by the daemon.";

/** The Schedules screen, with the ticks of one beside or below the list: exactly `size.rows` lines. */
export function schedulesView(input: SchedulesInput, theme: Theme): string[] {
  const { rows, daemon, problem, cursor, offset, detailOffset = 0, now, program = 'lakehouse', size } = input;
  if (problem) return emptyState(theme, size, problem.message, problem.hint ?? '');
  if (rows === undefined) return emptyState(theme, size, `Reading the schedules ${theme.box.ellipsis}`, '');
  if (rows.length === 0)
    return emptyState(theme, size, NO_SCHEDULES, `${DECLARE} Until then, press m on an asset to materialize it.`);
  const { good, warning } = symbolsOf(theme);
  const active = isActive(daemon, now);
  const start = active ? '' : theme.faint(` Start one with: ${program} daemon`);
  const paint = active ? theme.good : theme.warning;
  const top = ` ${paint(`${active ? good : warning} ${daemonText(daemon, now)}`)}${start}`;
  const panes = panesBelow(rows, size);
  const listed = list({ rows, cursor, offset, columns: columnsOf(rows, now, theme), size: panes.list }, theme);
  const chosen = rows[Math.min(cursor, rows.length - 1)];
  const detail = chosen ? scheduleDetail(chosen, { now, offset: detailOffset, size: panes.detail }, theme) : [];
  return page([cut(theme, top, size.columns), ...joined(theme, panes, listed, detail)], size.rows);
}

/** How far the detail of the schedule under the cursor scrolls. */
export function scheduleScroll({ rows, cursor, now, size }: SchedulesInput, theme: Theme): number {
  const chosen = rows?.[Math.min(cursor, rows.length - 1)];
  return rows && chosen ? scheduleDetailScroll(chosen, now, panesBelow(rows, size).detail, theme) : 0;
}

/** Below the line about the daemon. */
const panesBelow = (rows: readonly ScheduleRow[], { columns, rows: height }: Size): Panes =>
  panesOf(rows.length, { columns, rows: Math.max(height - 1, 0) });

const isActive = (daemon: DaemonInfo | undefined, now: number): daemon is DaemonInfo =>
  daemon !== undefined && daemon.expiresAt > now;

/** Whether anybody runs what is due, in a sentence. */
export const daemonText = (daemon: DaemonInfo | undefined, now: number): string =>
  isActive(daemon, now)
    ? `The daemon is active: pid ${daemon.pid} on ${visible(daemon.host)}, since ${instant(daemon.since)}.`
    : 'No daemon is active: nothing runs unasked.';

function columnsOf(rows: readonly ScheduleRow[], now: number, theme: Theme): Column<ScheduleRow>[] {
  const widest = (of: (row: ScheduleRow) => string, least: number) =>
    rows.reduce((most, row) => Math.max(most, width(visible(of(row)))), least);
  const name = widest((row) => row.name, 8);
  const cron = widest((row) => row.cron, 9);
  const zone = widest((row) => row.timezone, 9);
  const does = widest(doesOf, 8);
  const outcome = widest((row) => row.lastOutcome ?? '', 12);
  const { idle, live } = symbolsOf(theme);
  const plain: Paint = (text) => text;
  const at = (ms: number | undefined, missing: string) => (ms === undefined ? missing : when(ms, now));
  return [
    {
      title: 'schedule',
      rank: 0,
      least: Math.min(name, 18) + 2,
      most: Math.min(name, 48) + 2,
      draw: ({ name, paused }, columns) => {
        const text = `${paused ? idle : live} ${name}`;
        return textCell(theme, text, columns, paused ? theme.faint : plain);
      },
    },
    {
      title: 'when',
      rank: 2,
      least: Math.min(cron, 12),
      most: Math.min(cron, 30),
      draw: ({ cron }, columns) => textCell(theme, cron, columns, theme.accent),
    },
    {
      title: 'does',
      rank: 7,
      least: Math.min(does, 24),
      most: Math.min(does, 50),
      draw: (row, columns) => textCell(theme, doesOf(row), columns, theme.faint),
    },
    {
      title: 'time zone',
      rank: 5,
      least: Math.min(zone, 16),
      most: Math.min(zone, 24),
      draw: ({ timezone }, columns) => textCell(theme, timezone, columns, theme.faint),
    },
    {
      title: 'next',
      rank: 1,
      least: 8,
      most: 8,
      align: 'right',
      draw: ({ nextAt, paused, disabled }, columns) =>
        paused
          ? rightCell(theme, disabled === undefined ? 'paused' : 'disabled', columns, theme.warning)
          : rightCell(theme, at(nextAt, ''), columns, plain),
    },
    {
      title: '',
      rank: 6,
      least: 23,
      most: 23,
      draw: ({ nextAt, paused }, columns) =>
        textCell(theme, nextAt === undefined || paused ? '' : instant(nextAt), columns, theme.faint),
    },
    {
      title: 'last',
      rank: 3,
      least: 8,
      most: 9,
      align: 'right',
      draw: ({ lastAt }, columns) => rightCell(theme, at(lastAt, 'never'), columns, theme.faint),
    },
    {
      title: 'last outcome',
      rank: 4,
      least: Math.min(outcome, 24),
      most: Math.min(outcome, 50),
      draw: ({ lastOutcome = '' }, columns) => {
        const paint = lastOutcome.startsWith('failed') ? theme.bad : lastOutcome === 'succeeded' ? theme.good : plain;
        return textCell(theme, lastOutcome, columns, paint);
      },
    },
  ];
}

const doesOf = ({ action, select }: ScheduleRow): string => `${action} ${select}`;
