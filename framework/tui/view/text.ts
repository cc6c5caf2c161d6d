import { stripVTControlCharacters } from 'node:util';
import sliceAnsi from 'slice-ansi';
import stringWidth from 'string-width';
import type { Theme } from './theme.ts';

/** Cells that a text takes on a terminal, colours aside. */
export function width(text: string): number {
  // Most lines are ASCII, box drawing and blocks, of one cell each, and the library's emoji rules would take half of a frame's time.
  const plain = stripVTControlCharacters(text);
  return /^[\u0020-\u007e\u2500-\u25ff]*$/.test(plain) ? plain.length : stringWidth(text);
}

/** A text of exactly this many cells: cut with an ellipsis, or padded. */
export function cell(theme: Theme, text: string, columns: number, align: 'left' | 'right' = 'left'): string {
  if (columns <= 0) return '';
  const cells = width(text);
  if (cells > columns) {
    const kept = sliceAnsi(text, 0, columns - 1);
    // A wide character may not fit before the ellipsis.
    return `${kept}${theme.box.ellipsis}${' '.repeat(columns - 1 - width(kept))}`;
  }
  const space = ' '.repeat(columns - cells);
  return align === 'left' ? text + space : space + text;
}

/** Cut with an ellipsis where it is too long, but not padded. */
export function cut(theme: Theme, text: string, columns: number): string {
  return width(text) <= columns ? text : cell(theme, text, columns);
}

/** A part of a text by cells, colours kept. */
export const slice = (text: string, from: number, to: number): string => sliceAnsi(text, from, to);

const ASCII: Readonly<Record<string, string>> = {
  '↑': '^',
  '↓': 'v',
  '←': '<',
  '→': '>',
  '…': '~',
  '×': 'x',
  '–': '-',
};
/** What a terminal that knows only ASCII shows of a line, in as many cells: what the lake holds may be in any script. */
export const ascii = (line: string): string =>
  line.replace(/\P{ASCII}/gu, (character) => ASCII[character] ?? '?'.repeat(width(character)));
