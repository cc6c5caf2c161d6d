import type { ScheduleRow, Size } from '../model/data.ts';
import { instant, visible, when } from './format.ts';
import { emptyState } from './lines.ts';
import { type Column, list, rightCell, textCell } from './list.ts';
import { symbolsOf } from './symbols.ts';
import { width } from './text.ts';
import type { Paint, Theme } from './theme.ts';

export interface SchedulesInput {
  /** Undefined while they are being read. */
  readonly rows: readonly ScheduleRow[] | undefined;
  readonly cursor: number;
  readonly offset: number;
  readonly now: number;
  readonly size: Size;
}

/** The Schedules screen: exactly `size.rows` lines. */
export function schedulesView({ rows, cursor, offset, now, size }: SchedulesInput, theme: Theme): string[] {
  if (rows === undefined) return emptyState(theme, size, `Reading the schedules ${theme.box.ellipsis}`, '');
  if (rows.length === 0)
    return emptyState(
      theme,
      size,
      'No schedules yet.',
      'Schedules are declared in code, beside the assets, and run by the daemon. Until then, press m on an asset to materialize it.',
    );
  return list({ rows, cursor, offset, columns: columnsOf(rows, now, theme), size }, theme);
}

function columnsOf(rows: readonly ScheduleRow[], now: number, theme: Theme): Column<ScheduleRow>[] {
  const widest = (of: (row: ScheduleRow) => string, least: number) =>
    rows.reduce((most, row) => Math.max(most, width(visible(of(row)))), least);
  const name = widest((row) => row.name, 8);
  const cron = widest((row) => row.cron, 9);
  const zone = widest((row) => row.timezone, 9);
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
      title: 'time zone',
      rank: 5,
      least: Math.min(zone, 16),
      most: Math.min(zone, 24),
      draw: ({ timezone }, columns) => textCell(theme, timezone, columns, theme.faint),
    },
    {
      title: 'next',
      rank: 1,
      least: 7,
      most: 8,
      align: 'right',
      draw: ({ nextAt, paused }, columns) =>
        paused ? rightCell(theme, 'paused', columns, theme.warning) : rightCell(theme, at(nextAt, ''), columns, plain),
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
