import type { CheckRow, Size } from '../model/data.ts';
import { ago, number, plural, visible } from './format.ts';
import { ends, page, wrap } from './lines.ts';
import { withScrollbar } from './list.ts';
import { symbolsOf } from './symbols.ts';
import { cut } from './text.ts';
import type { Theme } from './theme.ts';

export interface CheckDetailInput {
  readonly now: number;
  /** First line that is shown. */
  readonly offset: number;
  readonly size: Size;
}

/** What a check says, and where it failed: partition, rows, samples and the query that finds them. Exactly `size.rows` lines. */
export function checkDetail(row: CheckRow, { now, offset, size }: CheckDetailInput, theme: Theme): string[] {
  const lines = detailLines(row, now, size.columns, theme);
  const first = Math.min(Math.max(offset, 0), Math.max(lines.length - size.rows, 0));
  const shown = page(lines.slice(first), size.rows).map((line) => cut(theme, line, size.columns));
  return withScrollbar(theme, shown, { first, total: lines.length, columns: size.columns });
}

/** The largest offset that makes sense. */
export const checkDetailScroll = (row: CheckRow, now: number, size: Size, theme: Theme): number =>
  Math.max(detailLines(row, now, size.columns, theme).length - size.rows, 0);

function detailLines(row: CheckRow, now: number, columns: number, theme: Theme): string[] {
  // Room for a bar that says where one is.
  const room = Math.max(columns - 2, 1);
  const { good, bad } = symbolsOf(theme);
  const about = row.blocking ? 'blocks what reads it' : 'blocks nothing';
  const lines = [
    theme.title(cut(theme, visible(row.check), room)),
    theme.faint(cut(theme, `${visible(row.asset)}, severity ${row.severity}, ${about}`, room)),
    ...(row.description ? ['', ...wrap(theme, row.description, room, 6)] : []),
    '',
  ];
  const judged = row.passed + row.failed;
  if (judged === 0)
    lines.push(
      ...wrap(theme, 'It was not checked yet: that is done when partitions are computed.', room).map(theme.faint),
    );
  else if (row.failed === 0)
    lines.push(theme.good(cut(theme, `${good} All ${plural(row.passed, 'partition')} passed.`, room)));
  else
    lines.push(theme.bad(cut(theme, `${bad} ${number(row.failed)} of ${plural(judged, 'partition')} failed.`, room)));
  for (const failure of row.failures) {
    const left = theme.strong(visible(failure.partition));
    const right = `${theme.bad(plural(failure.failedRows, 'row'))}  ${theme.faint(ago(failure.at, now))}`;
    lines.push('', ends(theme, left, right, room));
    for (const sample of failure.sample) lines.push(cut(theme, `  ${visible(sample)}`, room));
    if (failure.sql)
      lines.push(...wrap(theme, failure.sql, Math.max(room - 2, 1), 12).map((line) => theme.faint(`  ${line}`)));
  }
  if (row.failed > row.failures.length && row.failures.length > 0)
    lines.push('', theme.faint(cut(theme, `The newest ${row.failures.length} are shown.`, room)));
  return lines;
}
