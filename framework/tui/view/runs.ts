import type { RunRow, Size } from '../model/data.ts';
import { padded } from './bars.ts';
import { type Filter, filterLines } from './field.ts';
import { ago, number, plural, took, visible } from './format.ts';
import { emptyState, page, wordsOf } from './lines.ts';
import { type Column, list, rightCell, textCell } from './list.ts';
import { symbolsOf } from './symbols.ts';
import { width } from './text.ts';
import type { Paint, Theme } from './theme.ts';

export interface RunsInput {
  /** Newest first. Undefined while the log is being read. */
  readonly rows: readonly RunRow[] | undefined;
  readonly cursor: number;
  readonly offset: number;
  readonly filter?: Filter | undefined;
  readonly now: number;
  readonly size: Size;
}

/** The history of runs: exactly `size.rows` lines. */
export function runsView({ rows, cursor, offset, filter, now, size }: RunsInput, theme: Theme): string[] {
  if (rows === undefined) return emptyState(theme, size, `Reading the log ${theme.box.ellipsis}`, '');
  const top = filterLines(theme, filter, plural(rows.length, 'run'), size.columns);
  const below = { columns: size.columns, rows: Math.max(size.rows - top.length, 0) };
  if (rows.length === 0) {
    const filtered = (filter?.text ?? '') !== '';
    const nothing = filtered
      ? emptyState(theme, below, `No run matches ${visible(filter?.text ?? '')}`, 'esc clears the filter.')
      : emptyState(
          theme,
          below,
          'Nothing ever ran here.',
          'Press m on the Assets screen to materialize what is chosen there.',
        );
    return page([...top, ...nothing], size.rows);
  }
  const columns = columnsOf(rows, now, wordsOf(filter?.text ?? ''), theme);
  return page([...top, ...list({ rows, cursor, offset, columns, size: below }, theme)], size.rows);
}

function columnsOf(rows: readonly RunRow[], now: number, words: readonly string[], theme: Theme): Column<RunRow>[] {
  // A history can be long, and columns should not move while one scrolls.
  const measured = rows.slice(0, 200);
  const widest = (text: (row: RunRow) => string, least: number) =>
    measured.reduce((most, row) => Math.max(most, width(text(row))), least);
  const what = widest((row) => visible(whatOf(row)), 10);
  const id = widest(({ run }) => visible(run), 3);
  const counted = widest(({ counts }) => countCell(counts, 60, theme).trimEnd(), 10);
  return [
    {
      title: 'outcome',
      rank: 0,
      least: 11,
      most: 11,
      draw: ({ outcome }, columns) => {
        const { glyph, paint } = outcomeOf(outcome, theme);
        return textCell(theme, `${glyph} ${outcome}`, columns, paint);
      },
    },
    {
      title: 'started',
      rank: 1,
      least: 8,
      most: 8,
      align: 'right',
      draw: ({ startedAt }, columns) => rightCell(theme, ago(startedAt, now), columns, theme.faint),
    },
    {
      title: 'took',
      rank: 3,
      least: 7,
      most: 8,
      align: 'right',
      draw: ({ outcome, startedAt, finishedAt }, columns) => {
        const known = finishedAt !== undefined || outcome === 'running';
        const paint = outcome === 'running' ? theme.accent : (text: string) => text;
        return rightCell(theme, known ? took(startedAt, finishedAt, now) : '', columns, paint);
      },
    },
    {
      title: 'what',
      rank: 2,
      least: Math.min(what, 20),
      most: Math.min(what, 70),
      draw: (row, columns) => textCell(theme, whatOf(row), columns, (text) => text, words),
    },
    {
      title: 'partitions',
      rank: 4,
      least: Math.min(counted, 16),
      most: Math.min(counted, 40),
      draw: ({ counts }, columns) => countCell(counts, columns, theme),
    },
    ...(rows.some(({ error }) => error !== undefined)
      ? [
          {
            title: 'error',
            rank: 5,
            least: 20,
            most: 80,
            draw: ({ error }: RunRow, columns: number) => textCell(theme, oneLine(error ?? ''), columns, theme.bad),
          },
        ]
      : []),
    {
      title: 'run',
      rank: 6,
      least: Math.min(id, 24),
      most: Math.min(id, 40),
      draw: ({ run }, columns) => textCell(theme, run, columns, theme.faint, words),
    },
  ];
}

/** `materialize silver/*` */
export const whatOf = ({ command, selection }: RunRow): string => [command, selection].filter(Boolean).join(' ');

const oneLine = (text: string) => text.replace(/\s+/g, ' ').trim();

export function outcomeOf(outcome: RunRow['outcome'], theme: Theme): { readonly glyph: string; readonly paint: Paint } {
  const { running, good, bad, cancelled, lost } = symbolsOf(theme);
  switch (outcome) {
    case 'running':
      return { glyph: running, paint: theme.accent };
    case 'succeeded':
      return { glyph: good, paint: theme.good };
    case 'failed':
      return { glyph: bad, paint: theme.bad };
    case 'cancelled':
      return { glyph: cancelled, paint: theme.warning };
    case 'lost':
      return { glyph: lost, paint: theme.warning };
  }
}

/** `1,234 computed  3 failed`: as many as fit, failures first. Zeros are left out. */
export function countCell(counts: RunRow['counts'], columns: number, theme: Theme): string {
  const parts = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .toSorted(([a], [b]) => Number(b === 'failed') - Number(a === 'failed'));
  let text = '';
  let cells = 0;
  for (const [name, count] of parts) {
    const shown = visible(`${number(count)} ${name === 'checksFailed' ? 'checks failed' : name}`);
    const needed = width(shown) + (cells > 0 ? 2 : 0);
    if (cells + needed > columns) {
      if (cells > 0 && cells + 2 <= columns)
        return padded(`${text} ${theme.faint(theme.box.ellipsis)}`, cells + 2, columns);
      break;
    }
    text += (cells > 0 ? '  ' : '') + (name === 'failed' ? theme.bad(shown) : theme.faint(shown));
    cells += needed;
  }
  return padded(text, cells, columns);
}
