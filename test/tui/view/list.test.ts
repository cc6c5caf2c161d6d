import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Column, firstShown, list, place, textCell, withScrollbar } from '../../../framework/tui/view/list.ts';
import { ASCII, expectFilled, PLAIN, seen, sizes, texts, themes } from './fitting.ts';

const column = (title: string, rank: number, least: number, most = least): Column<string> => ({
  title,
  rank,
  least,
  most,
  draw: (row, columns) => textCell(PLAIN, row, columns),
});
const widths = (columns: readonly Column<string>[], room: number) =>
  place(columns, room).map(({ column, columns }) => `${column.title}${columns}`);

describe('columns', () => {
  const all = [column('a', 0, 4, 10), column('b', 2, 5), column('c', 1, 3, 6)];

  test.each([
    [2, ['a2']],
    [4, ['a4']],
    [8, ['a8']],
    [9, ['a4', 'c3']],
    [15, ['a10', 'c3']],
    [16, ['a4', 'b5', 'c3']],
    [24, ['a10', 'b5', 'c5']],
    [99, ['a10', 'b5', 'c6']],
  ])('in %d cells', (room, placed) => expect(widths(all, room)).toEqual(placed));

  test('never more than there is room for', () => {
    const columns = fc.array(fc.tuple(fc.nat(9), fc.integer({ min: 1, max: 30 }), fc.nat(20)), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(columns, fc.nat(120), (some, room) => {
        const placed = place(
          some.map(([rank, least, more], i) => column(String(i), rank, least, least + more)),
          room,
        );
        const used = placed.reduce((sum, { columns }) => sum + columns, 0) + (placed.length - 1) * 2;
        expect(used).toBeLessThanOrEqual(room);
      }),
    );
  });
});

describe('lists', () => {
  const rows = Array.from({ length: 9 }, (_, i) => `row ${i}`);
  const columns = [column('name', 0, 8)];

  test('the rows in sight, and where they are', () => {
    expect(
      seen(list({ rows, cursor: 4, offset: 3, columns, size: { columns: 14, rows: 5 } }, PLAIN)),
    ).toMatchInlineSnapshot(`
      " name
       row 3       │
       row 4       ┃
       row 5       ┃
       row 6       │"
    `);
    expect(
      seen(list({ rows, cursor: 8, offset: 0, columns, size: { columns: 14, rows: 5 } }, ASCII)),
    ).toMatchInlineSnapshot(`
      " name
       row 5       |
       row 6       |
       row 7       #
       row 8       #"
    `);
  });

  test('the cursor is a bar, or a mark where another pane has the keys', () => {
    const size = { columns: 14, rows: 3 };
    const short = { rows: rows.slice(0, 2), cursor: 1, offset: 0, columns, size };
    expect(list(short, PLAIN)).toEqual([' name    ', ' row 0   ', '\u001b[7m row 1        \u001b[0m']);
    expect(list({ ...short, focused: false }, PLAIN)).toEqual([' name    ', ' row 0   ', '▸row 1   ']);
    expect(list({ ...short, cursor: -1 }, PLAIN)).toEqual([' name    ', ' row 0   ', ' row 1   ']);
  });

  test('a scroll bar reaches both ends', () => {
    const lines = ['a', 'b', 'c', 'd'];
    const at = (first: number) =>
      withScrollbar(PLAIN, lines, { first, total: 100, columns: 2 }).map((line) => line.slice(-1));
    expect(at(0)).toEqual(['┃', '│', '│', '│']);
    expect(at(96)).toEqual(['│', '│', '│', '┃']);
  });

  test('a list is full and its cursor in sight', () => {
    fc.assert(
      fc.property(
        fc.nat(200),
        fc.integer({ min: 1, max: 60 }),
        fc.integer(),
        fc.nat(250),
        (length, height, offset, cursor) => {
          const first = firstShown(length, height, offset, cursor);
          const chosen = Math.min(cursor, length - 1);
          expect(first).toBeGreaterThanOrEqual(0);
          expect(first).toBeLessThanOrEqual(Math.max(length - height, 0));
          if (length > 0) expect(chosen >= first && chosen < first + height).toBe(true);
        },
      ),
    );
  });

  test('always fits', () => {
    const input = fc.record({
      rows: fc.array(texts),
      cursor: fc.integer({ min: -1, max: 40 }),
      offset: fc.integer(),
      focused: fc.boolean(),
    });
    fc.assert(
      fc.property(input, sizes, themes, (some, size, theme) => {
        expectFilled(list({ ...some, columns: [column('one', 0, 4, 30), column('two', 1, 10)], size }, theme), size);
      }),
    );
  });
});
