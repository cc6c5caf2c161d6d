import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { boxed, overlay } from '../../../framework/tui/view/box.ts';
import { field } from '../../../framework/tui/view/field.ts';
import { helpBox, helpScroll } from '../../../framework/tui/view/help.ts';
import { paletteBox } from '../../../framework/tui/view/palette.ts';
import { ASCII, COLOURED, expectWithin, maybe, PLAIN, seen, texts, themes } from './fitting.ts';
import { CANDIDATES, HELP } from './samples.ts';

describe('boxes over a body', () => {
  const size = { columns: 20, rows: 5 };
  const body = Array.from({ length: 5 }, () => COLOURED.good('abcdefghijklmnopqrst'));
  const box = boxed(PLAIN, { title: 'Box', lines: ['content'], footer: 'esc', columns: 12 });

  test('in the middle, and near the top', () => {
    expect(seen(overlay(PLAIN, body, box, size))).toMatchInlineSnapshot(`
      "abcdefghijklmnopqrst
      abcd╭─ Box ────╮qrst
      abcd│ content  │qrst
      abcd╰─ esc ────╯qrst
      abcdefghijklmnopqrst"
    `);
    const top = overlay(PLAIN, body, box, { columns: 20, rows: 9 }, 'top');
    expect(top.findIndex((line) => line.includes('Box'))).toBe(1);
    expect(overlay(PLAIN, body, box, { columns: 20, rows: 9 }).findIndex((line) => line.includes('Box'))).toBe(3);
    expect(
      seen(
        overlay(
          ASCII,
          ['', '漢字漢字漢字漢字漢字'],
          boxed(ASCII, { title: '', lines: ['x'], columns: 7 }),
          size,
          'top',
        ),
      ),
    ).toMatchInlineSnapshot(`
      "
      漢字漢+-----+ 字漢字
            | x   |
            +-----+
      "
    `);
  });

  test('the body is faint meanwhile', () => {
    const [first, second] = overlay(COLOURED, body, box, size);
    expect(first).toBe(COLOURED.faint('abcdefghijklmnopqrst'));
    expect(second?.startsWith(COLOURED.faint('abcd'))).toBe(true);
  });
});

describe('what is typed', () => {
  test.each([
    ['caret at the end', 'abc', 3, 10, 'abc█'],
    ['caret inside', 'abc', 1, 10, 'a[b]c'],
    ['no focus', 'abc', undefined, 10, 'abc'],
    ['longer than its room: the caret is in sight', 'abcdefghij', 10, 6, 'fghij█'],
    ['longer, caret at the start', 'abcdefghij', 0, 6, '[a]bcdef'],
    ['longer, caret inside', 'abcdefghij', 3, 6, 'abc[d]ef'],
    ['wide characters', '漢字漢字', 4, 6, '漢字█'],
    ['control characters', 'a\nb', 3, 10, 'a\\nb█'],
    ['a caret that is nowhere', 'abc', 99, 10, 'abc█'],
    ['no room', 'abc', 1, 0, ''],
  ])('%s', (_, text, caret, columns, line) => {
    const theme = { ...PLAIN, selected: (part: string) => `[${part}]` };
    // The brackets are no cells of a terminal, so the room is that of the text alone.
    expect(field(theme, text, caret, columns + (line.includes('[') ? 2 : 0)).trimStart()).toBe(line);
  });

  test('is never wider than its room', () => {
    fc.assert(
      fc.property(
        texts,
        maybe(fc.integer({ min: -2, max: 400 })),
        fc.nat(80),
        themes,
        (text, caret, columns, theme) => {
          expectWithin([field(theme, text, caret, columns)], columns);
        },
      ),
    );
  });
});

describe('help', () => {
  test('80 columns, scrolling', () => {
    const size = { columns: 80, rows: 12 };
    expect(seen(helpBox(PLAIN, size, { groups: HELP, offset: 0 }))).toMatchInlineSnapshot(`
      "╭─ Keys ───────────────────────────────────────────────────────────────────────╮
      │ Everywhere                                                                 ┃ │
      │ 1 … 7     Show a screen                                                    ┃ │
      │ :         Go to anything or do anything by typing a part of its name       ┃ │
      │ esc       Back to where one came from                                      ┃ │
      │ ?         These keys                                                       ┃ │
      │ q ctrl-c  Leave; what runs goes on until it can stop                       ┃ │
      │                                                                            │ │
      │ Lists                                                                      │ │
      │ j ↓       down                                                             │ │
      │ k ↑       up                                                               │ │
      ╰─ esc close  j/k scroll ──────────────────────────────────────────────────────╯"
    `);
    const most = helpScroll(PLAIN, size, HELP);
    expect(most).toBe(6);
    expect(helpBox(PLAIN, size, { groups: HELP, offset: most })).toEqual(
      helpBox(PLAIN, size, { groups: HELP, offset: 999 }),
    );
    expect(seen(helpBox(PLAIN, size, { groups: HELP, offset: most }))).toContain('Take data out of the lake');
  });

  test('120 columns: two columns of groups', () => {
    const size = { columns: 120, rows: 30 };
    expect(seen(helpBox(PLAIN, size, { groups: HELP, offset: 0 }))).toMatchInlineSnapshot(`
      "╭─ Keys ───────────────────────────────────────────────────────────────────────────────────────────────────────────────╮
      │ Everywhere                                                Lists                                                      │
      │ 1 … 7     Show a screen                                   j ↓       down                                             │
      │ :         Go to anything or do anything by typing a       k ↑       up                                               │
      │           part of its name                                /         Show only what contains some words               │
      │ esc       Back to where one came from                                                                                │
      │ ?         These keys                                      Assets                                                     │
      │ q ctrl-c  Leave; what runs goes on until it can stop      m         Show what is to be computed and what it          │
      │                                                                     costs, then do it                                │
      │                                                           o         observe: not now, the lake was opened            │
      │                                                                     read-only                                        │
      │                                                           w         Take data out of the lake                        │
      ╰─ esc close ──────────────────────────────────────────────────────────────────────────────────────────────────────────╯"
    `);
    expect(helpScroll(PLAIN, size, HELP)).toBe(0);
  });
});

describe('the command palette', () => {
  const input = { query: 'ma', caret: 2, candidates: CANDIDATES, chosen: 0, offset: 0 };

  test('candidates with what they are and their keys', () => {
    expect(seen(paletteBox(PLAIN, { columns: 80, rows: 10 }, input))).toMatchInlineSnapshot(`
      "╭─ Go to or do ────────────────────────────────────────────────────────╮
      │ :ma█                                                                 │
      │ ──────────────────────────────────────────────────────────────────── │
      │  materialize                   compute what is chosen  command     m │
      │  silver/market-makers                                    asset       │
      │  observe sources matching                   read-only  command     o │
      │                                                                      │
      │                                                                      │
      ╰──────────────────────────────────────────────────────────────────────╯"
    `);
    expect(seen(paletteBox(ASCII, { columns: 46, rows: 9 }, input))).toMatchInlineSnapshot(`
      "+- Go to or do ------------------------------+
      | :ma_                                       |
      | ------------------------------------------ |
      |  materialize                 command     m |
      |  silver/market-makers          asset       |
      |  observe sources matching    command     o |
      |                                            |
      +--------------------------------------------+"
    `);
  });

  test('what matched is marked', () => {
    const lines = paletteBox(COLOURED, { columns: 80, rows: 10 }, { ...input, chosen: 1 });
    expect(lines.join('\n')).toContain(`${COLOURED.strong(COLOURED.accent('ma'))}terialize`);
  });

  test('without candidates', () => {
    const none = { ...input, candidates: [] };
    expect(seen(paletteBox(PLAIN, { columns: 80, rows: 8 }, none))).toContain('Nothing is called that.');
    expect(seen(paletteBox(PLAIN, { columns: 80, rows: 8 }, { ...none, query: '', caret: 0 }))).toContain(
      'Type a command',
    );
  });
});
