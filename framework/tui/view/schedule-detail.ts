import type { ScheduleRow, Size } from '../model/data.ts';
import { duration, instant, plural, visible, when } from './format.ts';
import { ends, page, wrap } from './lines.ts';
import { withScrollbar } from './list.ts';
import { symbolsOf } from './symbols.ts';
import { cell, cut } from './text.ts';
import type { Paint, Theme } from './theme.ts';

export interface ScheduleDetailInput {
  readonly now: number;
  /** First line that is shown. */
  readonly offset: number;
  readonly size: Size;
}

/** What a schedule does, and what became of its ticks and why, the latest first. Exactly `size.rows` lines. */
export function scheduleDetail(row: ScheduleRow, { now, offset, size }: ScheduleDetailInput, theme: Theme): string[] {
  const lines = detailLines(row, now, size.columns, theme);
  const first = Math.min(Math.max(offset, 0), Math.max(lines.length - size.rows, 0));
  const shown = page(lines.slice(first), size.rows).map((line) => cut(theme, line, size.columns));
  return withScrollbar(theme, shown, { first, total: lines.length, columns: size.columns });
}

/** The largest offset that makes sense. */
export const scheduleDetailScroll = (row: ScheduleRow, now: number, size: Size, theme: Theme): number =>
  Math.max(detailLines(row, now, size.columns, theme).length - size.rows, 0);

/** Cells of the names at the left. */
const NAMES = 6;
const WORDS = { schedule: 'schedule', sensor: 'sensor', automation: 'conditions of assets' } as const;

function detailLines(row: ScheduleRow, now: number, columns: number, theme: Theme): string[] {
  // Room for a bar that says where one is.
  const room = Math.max(columns - 2, 1);
  const { kind, name, description, action, select, cron, timezone, paused, disabled, nextAt, ticks } = row;
  const fact = (title: string, text: string) =>
    wrap(theme, text, Math.max(room - NAMES, 1), 4).map(
      (line, i) => theme.faint(cell(theme, i === 0 ? title : '', NAMES)) + line,
    );
  const next = nextAt === undefined ? undefined : `${when(nextAt, now)}, ${instant(nextAt)}`;
  return [
    theme.title(cut(theme, visible(name), room)),
    theme.faint(
      cut(
        theme,
        `${WORDS[kind]}${disabled !== undefined ? `, disabled (${disabled})` : paused ? ', paused' : ''}`,
        room,
      ),
    ),
    ...(description ? ['', ...wrap(theme, description, room, 6)] : []),
    '',
    ...fact('when', [cron, timezone].filter(Boolean).join(' ')),
    ...fact('does', `${action} ${select}`),
    ...(next === undefined || paused ? [] : fact('next', next)),
    ...(ticks.length === 0 ? ['', theme.faint('There was no tick yet.')] : []),
    ...ticks.flatMap((tick) => ['', ...tickLines(tick, room, theme)]),
  ];
}

function tickLines(tick: ScheduleRow['ticks'][number], room: number, theme: Theme): string[] {
  const { due, at, begunAt = at, finishedAt, outcome, decision, ticks, attempt, byHand, run, error } = tick;
  const { good, bad, idle, info, running, cancelled } = symbolsOf(theme);
  const [mark, paint]: readonly [string, Paint] = {
    queued: [idle, theme.faint] as const,
    running: [running, theme.accent] as const,
    succeeded: [good, theme.good] as const,
    failed: [bad, theme.bad] as const,
    skipped: [info, theme.faint] as const,
    interrupted: [cancelled, theme.warning] as const,
  }[outcome];
  const facts = [
    ...(ticks > 1 ? [plural(ticks, 'tick')] : []),
    ...(attempt > 1 ? [`attempt ${attempt}`] : []),
    ...(byHand ? ['by hand'] : []),
    ...(finishedAt === undefined || finishedAt === begunAt ? [] : [duration(finishedAt - begunAt)]),
  ];
  const left = `${paint(`${mark} ${outcome}`)}  ${instant(due)}`;
  const below = (text: string, look: Paint) =>
    wrap(theme, text, Math.max(room - 2, 1), 8).map((line) => `  ${look(line)}`);
  const plain: Paint = (text) => text;
  return [
    ends(theme, left, theme.faint(facts.join(', ')), room),
    ...below(decision, plain),
    ...(error && !decision.includes(error.message) ? below(error.message, theme.bad) : []),
    ...(error?.hint ? below(error.hint, theme.faint) : []),
    ...(run === undefined ? [] : below(`run ${run}`, theme.faint)),
  ];
}
