import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  emptyState,
  ends,
  find,
  marked,
  over,
  page,
  rule,
  selectedLine,
  wordsOf,
  wrap,
} from '../../../framework/tui/view/lines.ts';
import { width } from '../../../framework/tui/view/text.ts';
import { ASCII, COLOURED, expectFilled, expectWithin, PLAIN, seen, sizes, texts, themes } from './fitting.ts';

const [ON, BOLD, RESET] = ['\u001b[7m', '\u001b[1m', '\u001b[0m'];

describe('paints', () => {
  test('a paint over painted parts goes on where they end', () => {
    expect(over(PLAIN.selected, `a${PLAIN.strong('b')}c`)).toBe(`${ON}a${BOLD}b${RESET}${ON}c${RESET}`);
  });

  test('a selected line is as wide as asked, and in inverse without other colours', () => {
    const inverse = { ...COLOURED, selected: PLAIN.selected };
    expect(selectedLine(inverse, COLOURED.good('ok'), 4)).toBe(`${ON}ok  ${RESET}`);
    const shaded = { ...COLOURED, selected: (text: string) => `<${text}>` };
    expect(selectedLine(shaded, COLOURED.good('ok'), 4)).toBe(`<${COLOURED.good('ok')}<  >`);
  });

  test('what is found is marked, whatever its case', () => {
    const spans = find('Silver/klines (K+)', wordsOf(' kl  (k+ '));
    expect(spans).toEqual([
      [7, 9],
      [14, 17],
    ]);
    expect(marked(PLAIN, 'Silver/klines (K+)', spans, (text) => text)).toBe(
      `Silver/${BOLD}kl${RESET}ines ${BOLD}(K+${RESET})`,
    );
    expect(find('anything', [])).toEqual([]);
  });

  test('marking loses no character', () => {
    fc.assert(
      fc.property(texts, texts, (text, query) => {
        expect(marked({ ...PLAIN, strong: (part) => part }, text, find(text, wordsOf(query)), (part) => part)).toBe(
          text,
        );
      }),
    );
  });
});

describe('lines', () => {
  test('two ends: the right one stays', () => {
    expect(ends(PLAIN, 'left', 'right', 12)).toBe('left   right');
    expect(ends(PLAIN, 'a long left text', 'right', 12)).toBe('a lon… right');
    expect(ends(PLAIN, 'left', 'right', 5)).toBe('left');
  });

  test('rules', () => {
    expect(rule(PLAIN, 6)).toBe('──────');
    expect(rule(PLAIN, 20, 'log', 'end')).toBe('── log ────── end ──');
    expect(rule(ASCII, 12, 'log')).toBe('-- log -----');
    expect(rule(PLAIN, 5, 'long label')).toBe('── l…');
  });

  test('page', () => {
    expect(page(['a', 'b', 'c'], 2)).toEqual(['a', 'b']);
    expect(page(['a'], 3)).toEqual(['a', '', '']);
    expect(page(['a'], -1)).toEqual([]);
  });

  test.each([
    ['breaks between words', 'the quick brown fox', 10, 9, ['the quick', 'brown fox']],
    ['keeps line breaks and indents', 'SELECT *\n  FROM t\n', 20, 9, ['SELECT *', '  FROM t']],
    ['breaks what is too long', 'abcdefghij kl', 4, 9, ['abcd', 'efgh', 'ij', 'kl']],
    ['measures wide characters', '漢字漢字', 5, 9, ['漢字', '漢字']],
    ['says that more follows', 'one two three four', 5, 2, ['one', 'two …']],
    ['shows control characters', 'a\u001b[31mb', 20, 9, ['a\\x1b[31mb']],
    ['nothing is an empty line', '', 5, 9, ['']],
  ])('wrap %s', (_, text, columns, most, lines) => expect(wrap(PLAIN, text, columns, most)).toEqual(lines));

  test('wrapped text fits, and is whole where there is room for it', () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 8 }), (text, columns, most) => {
        const few = wrap(PLAIN, text, columns, most);
        expectWithin(few, columns);
        expect(few.length).toBeLessThanOrEqual(most);
      }),
    );
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1 }),
        fc.integer({ min: 12, max: 40 }),
        (words, columns) => {
          expect(wrap(PLAIN, words.join(' '), columns).join(' ')).toBe(words.join(' '));
        },
      ),
    );
  });
});

describe('instead of a body', () => {
  test('says what is the case and what to do', () => {
    expect(
      seen(emptyState(PLAIN, { columns: 40, rows: 7 }, 'Nothing ever ran here.', 'Press m.')),
    ).toMatchInlineSnapshot(`
      "
               Nothing ever ran here.

                      Press m.


      "
    `);
  });

  test('always fits', () => {
    fc.assert(
      fc.property(texts, texts, sizes, themes, (title, hint, size, theme) => {
        expectFilled(emptyState(theme, size, title, hint), size);
      }),
    );
  });

  test('a selected line has its width whatever it holds', () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 80 }), themes, (text, columns, theme) => {
        expect(width(selectedLine(theme, theme.good(text.replace(/\p{Cc}/gu, '')), columns))).toBe(columns);
      }),
    );
  });
});
