import { visible } from './format.ts';
import { cell, cut, slice, width } from './text.ts';
import type { Theme } from './theme.ts';

const graphemes = new Intl.Segmenter();

/**
 * A line of text that is being typed, of at most `columns` cells. The caret is an index into the text (UTF-16 code units) and is
 * always in sight; undefined where the field has no focus.
 */
export function field(theme: Theme, text: string, caret: number | undefined, columns: number): string {
  if (columns <= 0) return '';
  if (caret === undefined) return cut(theme, visible(text), columns);
  // The whole character that the caret is in or before.
  const at = graphemes.segment(text).containing(Math.max(caret, 0));
  const before = visible(text.slice(0, at?.index));
  const under = visible(at?.segment ?? '');
  const after = at === undefined ? '' : visible(text.slice(at.index + at.segment.length));
  const caretCell = under === '' ? theme.accent(theme.unicode ? '█' : '_') : theme.selected(cut(theme, under, columns));
  const room = columns - width(caretCell);
  const used = width(before);
  // The end of what is before the caret is what a person looks at.
  const shown = used <= room ? before : cell(theme, slice(before, used - room, used), room, 'right');
  return shown + caretCell + slice(after, 0, room - width(shown));
}

export interface Filter {
  readonly text: string;
  /** Set while it is being typed. */
  readonly caret?: number | undefined;
}

/** The line of a filter above a list: what was typed and how much of the list it leaves. None where there is no filter. */
export function filterLines(
  theme: Theme,
  filter: Filter | undefined,
  counted: string,
  columns: number,
): readonly string[] {
  if (filter === undefined || (filter.text === '' && filter.caret === undefined)) return [];
  const right = width(counted) + 4 < columns / 2 ? counted : '';
  const room = columns - 3 - (right === '' ? 0 : width(right) + 2);
  const typed = cell(theme, field(theme, filter.text, filter.caret, room), room);
  return [cut(theme, ` ${theme.accent('/')}${typed}${right === '' ? '' : `  ${theme.faint(right)}`}`, columns)];
}
