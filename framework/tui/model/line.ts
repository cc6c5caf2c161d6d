import { typedBy } from './keys.ts';

/** A line of text that is being typed. */
export interface Line {
  readonly text: string;
  /** In UTF-16 units. */
  readonly cursor: number;
}

export const EMPTY_LINE: Line = { text: '', cursor: 0 };
export const lineOf = (text: string): Line => ({ text, cursor: text.length });

const before = (line: Line): string => line.text.slice(0, line.cursor);
const after = (line: Line): string => line.text.slice(line.cursor);

/** Length of the last grapheme of a text. */
function lastLength(text: string): number {
  return [...new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(text)].at(-1)?.segment.length ?? 0;
}
function firstLength(text: string): number {
  const [first] = new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(text);
  return first?.segment.length ?? 0;
}

/** What a key does to a line, as in readline; undefined where it is no matter of the line. */
export function edit(line: Line, key: string): Line | undefined {
  const [left, right] = [before(line), after(line)];
  switch (key) {
    case 'left':
    case 'ctrl+b':
      return { ...line, cursor: line.cursor - lastLength(left) };
    case 'right':
    case 'ctrl+f':
      return { ...line, cursor: line.cursor + firstLength(right) };
    case 'home':
    case 'ctrl+a':
      return { ...line, cursor: 0 };
    case 'end':
    case 'ctrl+e':
      return { ...line, cursor: line.text.length };
    case 'backspace':
    case 'ctrl+h': {
      const kept = left.slice(0, left.length - lastLength(left));
      return { text: kept + right, cursor: kept.length };
    }
    case 'ctrl+d':
      return { text: left + right.slice(firstLength(right)), cursor: left.length };
    case 'ctrl+u':
      return { text: right, cursor: 0 };
    case 'ctrl+k':
      return { text: left, cursor: left.length };
    case 'ctrl+w': {
      const kept = left.replace(/\S*\s*$/, '');
      return { text: kept + right, cursor: kept.length };
    }
    default: {
      const typed = typedBy(key);
      return typed === undefined ? undefined : { text: left + typed + right, cursor: left.length + typed.length };
    }
  }
}
