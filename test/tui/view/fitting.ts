import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { expect } from 'vitest';
import type { Size } from '../../../framework/tui/model/data.ts';
import { width } from '../../../framework/tui/view/text.ts';
import { createTheme, type Theme } from '../../../framework/tui/view/theme.ts';

export const SIZES: readonly Size[] = [
  { columns: 80, rows: 24 },
  { columns: 120, rows: 40 },
  { columns: 200, rows: 50 },
];
export const PLAIN = createTheme('none', true);
export const COLOURED = createTheme('dark', true);
export const ASCII = createTheme('none', false);
export const THEMES: readonly (readonly [name: string, theme: Theme])[] = [
  ['dark', COLOURED],
  ['none', PLAIN],
  ['ascii', ASCII],
];

/** What a person sees without colours, no blanks at the ends of lines. */
export const seen = (lines: readonly string[]): string =>
  lines.map((line) => stripVTControlCharacters(line).trimEnd()).join('\n');

const bare = (lines: readonly string[]) => lines.map(stripVTControlCharacters);

/** Nothing that moves the cursor, and no line wider than asked. */
export function expectWithin(lines: readonly string[], columns: number): void {
  expect(lines.filter((line) => width(line) > columns)).toEqual([]);
  expect(bare(lines).filter((line) => /\p{Cc}/u.test(line))).toEqual([]);
}

/** The same, and as many lines as asked. */
export function expectFilled(lines: readonly string[], size: Size): void {
  expect(lines.length).toBe(size.rows);
  expectWithin(lines, size.columns);
}

/** Where data is ASCII, all that is drawn without unicode is. */
export function expectAscii(lines: readonly string[]): void {
  expect(bare(lines).filter((line) => /[^\x20-\x7e]/.test(line))).toEqual([]);
}

export const sizes = fc.record({ columns: fc.integer({ min: 1, max: 240 }), rows: fc.integer({ min: 0, max: 60 }) });

/** Names as nobody should choose them: long, wide, combining, with control characters and escapes. */
export const texts = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom(
    '',
    'silver/klines',
    '銀/ローソク足/日次',
    'a'.repeat(300),
    '漢字'.repeat(120),
    '👩‍👩‍👧‍👦🇩🇪é',
    'a\nb\tc\u001b[31mred\u0007',
    'x '.repeat(200),
  ),
);
export const amounts = fc.oneof(
  fc.constant(0),
  fc.nat(20),
  fc.nat(2_000_000_000),
  fc.constantFrom(1e12, 2 ** 53, 1e21),
);
export const instants = fc.oneof(fc.integer({ min: 0, max: 4e12 }), fc.constantFrom(0, 8.64e15 / 2));
export const maybe = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(one, { nil: undefined });
export const themes = fc.constantFrom(COLOURED, PLAIN, ASCII);
