import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EMPTY_LINE, edit, type Line, lineOf } from '../../framework/tui/model/line.ts';

/** `a|b`: the cursor is at the bar. */
const line = (text: string): Line => ({ text: text.replace('|', ''), cursor: text.indexOf('|') });
const shown = ({ text, cursor }: Line): string => `${text.slice(0, cursor)}|${text.slice(cursor)}`;
const after = (text: string, ...keys: readonly string[]): string =>
  shown(keys.reduce((before, key) => edit(before, key) ?? before, line(text)));

describe('a line that is typed', () => {
  const table: readonly (readonly [before: string, keys: readonly string[], after: string])[] = [
    ['|', ['a', 'b'], 'ab|'],
    ['a|c', ['b'], 'ab|c'],
    ['a|', ['space', 'b'], 'a b|'],
    ['ab|', ['left'], 'a|b'],
    ['|ab', ['left'], '|ab'],
    ['|ab', ['right'], 'a|b'],
    ['ab|', ['right'], 'ab|'],
    ['a|b', ['home'], '|ab'],
    ['a|b', ['ctrl+e'], 'ab|'],
    ['ab|c', ['backspace'], 'a|c'],
    ['|ab', ['backspace'], '|ab'],
    ['a|bc', ['ctrl+d'], 'a|c'],
    ['ab|', ['ctrl+d'], 'ab|'],
    ['ab|cd', ['ctrl+u'], '|cd'],
    ['ab|cd', ['ctrl+k'], 'ab|'],
    ['select  x  |y', ['ctrl+w'], 'select  |y'],
    ['👨‍👩‍👧x|', ['left', 'backspace'], '|x'],
    ['|👨‍👩‍👧x', ['right'], '👨‍👩‍👧|x'],
    ['e\u0301|', ['backspace'], '|'],
  ];
  test.each(table)('%s %j', (before, keys, expected) => {
    expect(after(before, ...keys)).toBe(expected);
  });

  test.each(['up', 'down', 'enter', 'escape', 'tab', 'ctrl+c', 'pagedown'])('%s is no matter of the line', (key) => {
    expect(edit(lineOf('a'), key)).toBeUndefined();
  });

  const boundaries = (text: string): Set<number> => {
    const segments = [...new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(text)];
    return new Set([...segments.map(({ index }) => index), text.length]);
  };
  const keys = fc.array(
    fc.oneof(
      // Separate characters: two that join into one make boundaries vanish below the cursor, as on any terminal.
      fc.constantFrom('a', 'é', '👨‍👩‍👧', '日', 'space', '😀'),
      fc.constantFrom('left', 'right', 'home', 'end', 'backspace', 'ctrl+d', 'ctrl+w', 'ctrl+u', 'ctrl+k', 'ctrl+h'),
    ),
    { maxLength: 60 },
  );
  test('the cursor is always inside, and never within a character', () => {
    fc.assert(
      fc.property(keys, (pressed) => {
        let at = EMPTY_LINE;
        for (const key of pressed) {
          at = edit(at, key) ?? at;
          expect(boundaries(at.text)).toContain(at.cursor);
        }
      }),
    );
  });

  test('erasing as often as was typed leaves nothing', () => {
    const characters = fc.array(fc.constantFrom('a', 'é', '👨‍👩‍👧', '🇫🇷', 'space'), { maxLength: 20 });
    fc.assert(
      fc.property(characters, (pressed) => {
        const typed = pressed.reduce((before, key) => edit(before, key) ?? before, EMPTY_LINE);
        const erased = pressed.reduce((before) => edit(before, 'backspace') ?? before, typed);
        expect(erased).toEqual(EMPTY_LINE);
      }),
    );
  });
});
