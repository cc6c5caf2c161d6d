import { stripVTControlCharacters } from 'node:util';
import type { Size } from '../model/data.ts';
import { visible } from './format.ts';
import { cell, cut, slice, width } from './text.ts';
import type { Paint, Theme } from './theme.ts';

const RESET = '\u001b[0m';
const INVERSE = '\u001b[7m';

/** A paint over a text that has colours of its own: where one of them ends, this one goes on. */
export function over(paint: Paint, text: string): string {
  const [begin = ''] = paint('\0').split('\0');
  return paint(text.replaceAll(RESET, RESET + begin));
}

/** A whole line as the one the cursor is on. */
export function selectedLine(theme: Theme, line: string, columns: number): string {
  const shown = cell(theme, line, columns);
  // Inverse colours side by side are a patchwork; on a background of its own they stay what they are.
  return theme.selected('x').includes(INVERSE)
    ? theme.selected(stripVTControlCharacters(shown))
    : over(theme.selected, shown);
}

/** One text at the left and one at the right end; where they do not fit, the left one is cut. */
export function ends(theme: Theme, left: string, right: string, columns: number): string {
  const room = columns - width(right) - 1;
  if (right === '' || room < 1) return cut(theme, left, columns);
  return `${cell(theme, left, room)} ${right}`;
}

/** A horizontal line, with a label in it where there is one. */
export function rule(theme: Theme, columns: number, label = '', right = ''): string {
  const line = (cells: number) => theme.border(theme.box.horizontal.repeat(Math.max(cells, 0)));
  if (label === '') return line(columns);
  const begin = `${line(2)} ${label} `;
  const end = right === '' ? '' : ` ${right} ${line(2)}`;
  const between = columns - width(begin) - width(end);
  return between < 0 ? cut(theme, begin, columns) : begin + line(between) + end;
}

/** Exactly so many lines: what is too much goes, what lacks is empty. */
export function page(lines: readonly string[], rows: number): string[] {
  return Array.from({ length: Math.max(rows, 0) }, (_, i) => lines[i] ?? '');
}

/**
 * A plain text in lines of at most so many cells, broken between words where that is possible. Line breaks in it stay, control
 * characters become visible. What would be more than `most` lines ends with an ellipsis.
 */
export function wrap(theme: Theme, text: string, columns: number, most = 1000): string[] {
  const room = Math.max(columns, 1);
  const lines: string[] = [];
  for (const paragraph of text.trimEnd().split(/\r?\n/)) {
    let line = '';
    for (const word of visible(paragraph.replaceAll('\t', '  ')).match(/\s*\S+/gu) ?? []) {
      if (lines.length > most) break;
      if (width(line) + width(word) <= room) {
        line += word;
        continue;
      }
      if (line !== '') lines.push(line);
      line = lines.length === 0 || line === '' ? word : word.trimStart();
      while (width(line) > room && lines.length <= most) {
        const head = slice(line, 0, room) || theme.box.ellipsis;
        lines.push(head);
        line = line.slice(Math.max(head.length, 1));
      }
    }
    lines.push(line);
    if (lines.length > most) break;
  }
  if (lines.length <= most) return lines;
  const last = lines[most - 1] ?? '';
  return most < 1 ? [] : [...lines.slice(0, most - 1), cell(theme, `${last} ${theme.box.ellipsis}`, room).trimEnd()];
}

/** Half-open, by index in the text. */
export type Span = readonly [from: number, to: number];

/** What a person typed to filter, as words each of which is to be found. */
export const wordsOf = (filter: string): string[] => filter.split(/\s+/).filter((word) => word !== '');

/** Where words occur in a text, whatever their case, in order and apart. */
export function find(text: string, words: readonly string[]): Span[] {
  if (words.length === 0) return [];
  const any = words.map((word) => word.replace(/[\\^$.*+?()[\]{}|/]/gu, '\\$&')).join('|');
  return [...text.matchAll(new RegExp(any, 'giu'))].map(({ index, 0: found }) => [index, index + found.length]);
}

/** A plain text with parts of it marked. */
export function marked(theme: Theme, text: string, spans: readonly Span[], base: Paint): string {
  let painted = '';
  let at = 0;
  for (const [from, to] of spans) {
    if (from < at || from >= text.length || to <= from) continue;
    painted += base(text.slice(at, from)) + mark(theme, text.slice(from, to));
    at = to;
  }
  return painted + base(text.slice(at));
}

/** What was searched for: bold too, because colours may be off. */
export const mark = (theme: Theme, text: string): string => theme.strong(theme.accent(text));

/** Instead of a body: what is the case, and what to do. A little above the middle. */
export function emptyState(theme: Theme, size: Size, title: string, hint: string): string[] {
  const room = Math.min(Math.max(size.columns - 4, 1), 72);
  const left = ' '.repeat(Math.max(Math.floor((size.columns - room) / 2), 0));
  const middle = (text: string) => ' '.repeat(Math.max(Math.floor((room - width(text)) / 2), 0));
  const lines = [
    ...wrap(theme, title, room).map((text) => left + middle(text) + theme.strong(text)),
    ...(hint === '' ? [] : ['', ...wrap(theme, hint, room).map((text) => left + middle(text) + theme.faint(text))]),
  ];
  const above = Math.max(Math.floor((size.rows - lines.length) * 0.4), 0);
  return page([...Array.from({ length: above }, () => ''), ...lines], size.rows).map((line) =>
    cut(theme, line, size.columns),
  );
}
