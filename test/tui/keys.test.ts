import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type KeyFlags, keysOf, typedBy } from '../../framework/tui/model/keys.ts';

describe('keys of an event', () => {
  const table: readonly (readonly [what: string, input: string, flags: KeyFlags, keys: readonly string[]])[] = [
    ['a letter', 'j', {}, ['j']],
    ['a capital letter', 'G', { shift: true }, ['G']],
    ['letters that were typed fast', 'jjk', {}, ['j', 'j', 'k']],
    ['an arrow', '', { upArrow: true }, ['up']],
    ['the other arrows', '', { leftArrow: true }, ['left']],
    ['a page', '', { pageDown: true }, ['pagedown']],
    ['enter', '\r', { return: true }, ['enter']],
    ['tab', '', { tab: true }, ['tab']],
    ['shift and tab', '', { tab: true, shift: true }, ['shift+tab']],
    ['shift and enter', '', { return: true, shift: true }, ['enter']],
    ['escape', '', { escape: true }, ['escape']],
    ['escape as terminals send it', '', { escape: true, meta: true }, ['escape']],
    ['escape and enter that came together', '\r', { return: true, meta: true }, ['escape', 'enter']],
    ['escape and backspace that came together', '', { delete: true, meta: true }, ['escape', 'backspace']],
    ['escape and a letter that came together', 'q', { meta: true }, ['escape', 'q']],
    ['alt and an arrow', '', { leftArrow: true, meta: true }, ['left']],
    ['what terminals send for backspace', '', { delete: true }, ['backspace']],
    ['control and a letter', 'c', { ctrl: true }, ['ctrl+c']],
    ['control and a capital letter', 'P', { ctrl: true, shift: true }, ['ctrl+p']],
    ['control and an arrow', '', { leftArrow: true, ctrl: true }, ['ctrl+left']],
    ['control alone', '', { ctrl: true }, []],
    ['a space', ' ', {}, ['space']],
    ['a pasted line', 'a b\n', {}, ['a', 'space', 'b', 'enter']],
    ['a line end of two characters', 'a\r\nb', {}, ['a', 'enter', 'b']],
    ['tabs and erasing among letters', 'a\tb\u007f\b', {}, ['a', 'tab', 'b', 'backspace', 'backspace']],
    ['other control characters', 'a\u0000\u0007b', {}, ['a', 'b']],
    ['a family', 'x👨‍👩‍👧y', {}, ['x', '👨‍👩‍👧', 'y']],
    ['a flag and an accent of its own', '🇫🇷e\u0301', {}, ['🇫🇷', 'e\u0301']],
    ['nothing', '', {}, []],
  ];
  test.each(table)('%s', (_, input, flags, keys) => {
    expect(keysOf(input, flags)).toEqual(keys);
  });

  test.each(['up', 'down', 'left', 'right'] as const)('shift and an arrow is one and the same for all: %s', (name) => {
    expect(keysOf('', { [`${name}Arrow`]: true, shift: true })).toEqual([`shift+${name}`]);
  });

  test('whatever was typed comes back from its keys, control characters aside', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const typed = keysOf(text, {}).map((key) => typedBy(key) ?? '');
        // biome-ignore lint/suspicious/noControlCharactersInRegex: these are no characters that are typed
        expect(typed.join('')).toBe(text.replace(/[\u0000-\u001f\u007f]/g, ''));
      }),
    );
  });
});

describe('the character a key types', () => {
  test.each([
    ['j', 'j'],
    ['space', ' '],
    ['👨‍👩‍👧', '👨‍👩‍👧'],
    ['up', undefined],
    ['enter', undefined],
    ['ctrl+c', undefined],
    ['', undefined],
  ])('%s', (key, character) => {
    expect(typedBy(key)).toBe(character);
  });
});
