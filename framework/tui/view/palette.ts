import type { Size } from '../model/data.ts';
import { filled } from './bars.ts';
import { boxed } from './box.ts';
import { field } from './field.ts';
import { visible } from './format.ts';
import { marked, page, type Span, selectedLine } from './lines.ts';
import { firstShown, withScrollbar } from './list.ts';
import { cell, cut, width } from './text.ts';
import type { Theme } from './theme.ts';

export interface Candidate {
  readonly label: string;
  /** What it is: `command`, `asset`, `screen` … */
  readonly kind: string;
  /** The key that does the same. */
  readonly key?: string | undefined;
  readonly description?: string | undefined;
  /** Why it cannot be chosen now. */
  readonly disabledReason?: string | undefined;
  /** Indices of the characters of the label that matched (UTF-16 code units), ascending. */
  readonly positions: readonly number[];
}

export interface PaletteInput {
  readonly query: string;
  readonly caret: number;
  /** Best first. */
  readonly candidates: readonly Candidate[];
  readonly chosen: number;
  readonly offset: number;
}

const ROWS = 14;

/** The command palette, to be laid near the top of a body: at most `size.rows` lines. */
export function paletteBox(theme: Theme, size: Size, input: PaletteInput): string[] {
  const { query, caret, candidates, chosen, offset } = input;
  const columns = size.columns < 60 ? size.columns : Math.min(size.columns - 8, 100);
  const room = Math.max(columns - 4, 1);
  const height = Math.min(Math.max(size.rows - 5, 1), ROWS);
  const first = firstShown(candidates.length, height, offset, chosen);
  const shown = candidates.slice(first, first + height);
  const list = room - (candidates.length > height ? 1 : 0);
  const lines = shown.map((candidate, i) => candidateLine(theme, candidate, first + i === chosen, list));
  const body =
    candidates.length === 0
      ? [
          theme.faint(
            cut(theme, query === '' ? 'Type a command, a screen or an asset.' : 'Nothing is called that.', room),
          ),
        ]
      : withScrollbar(theme, lines, { first, total: candidates.length, columns: room });
  const prompt = `${theme.accent(':')}${field(theme, query, caret, room - 1)}`;
  const separator = theme.border(theme.box.horizontal.repeat(room));
  // As high as it can get, so that it does not jump while one types.
  const all = page([prompt, separator, ...body], Math.min(height, Math.max(size.rows - 4, 0)) + 2);
  return boxed(theme, { title: 'Go to or do', lines: all, columns, tone: theme.accent }).slice(0, size.rows);
}

function candidateLine(theme: Theme, candidate: Candidate, chosen: boolean, columns: number): string {
  const { kind, key = '', description = '', disabledReason, positions } = candidate;
  const off = disabledReason !== undefined;
  const right = [
    visible(off ? disabledReason : description),
    visible(kind),
    cell(theme, visible(key), Math.max(width(key), 4), 'right'),
  ];
  const label = visible(candidate.label);
  const least = Math.min(width(label), Math.max(columns - 24, 8));
  while (right.length > 0 && joined(right) + least + 3 > columns) right.shift();
  const room = columns - 1 - (right.length === 0 ? 0 : joined(right) + 2);
  const name = cell(theme, label, Math.max(room, 0));
  // A label with control characters is shown in other characters than were matched.
  const spans: Span[] = label === candidate.label ? spansOf(label, positions) : [];
  const painted = off ? theme.faint(name) : marked(theme, name, spans, (text) => text);
  const line = ` ${painted}${right.length === 0 ? '' : `  ${hints(theme, right, off)}`}`;
  return chosen ? selectedLine(theme, line, columns) : filled(line, columns);
}

/** Runs of characters, a pair of surrogates together. */
function spansOf(label: string, positions: readonly number[]): Span[] {
  const spans: [number, number][] = [];
  for (const at of positions) {
    const to = at + ((label.codePointAt(at) ?? 0) > 0xffff ? 2 : 1);
    const last = spans.at(-1);
    if (last && at <= last[1]) last[1] = Math.max(last[1], to);
    else spans.push([at, to]);
  }
  return spans;
}

const joined = (parts: readonly string[]) => parts.reduce((sum, part) => sum + width(part), 0) + (parts.length - 1) * 2;

/** The key is the last of them. */
function hints(theme: Theme, parts: readonly string[], off: boolean): string {
  return parts.map((part, i) => (i === parts.length - 1 && !off ? theme.accent(part) : theme.faint(part))).join('  ');
}
