import { describe, expect, test } from 'vitest';
import { type Canvas, createCanvas, type Point } from '../../../framework/tui/view/canvas.ts';
import { width } from '../../../framework/tui/view/text.ts';
import { createTheme, type Paint } from '../../../framework/tui/view/theme.ts';

const unicode = createTheme('none', true);
const ascii = createTheme('none', false);
const plain: Paint = (text) => text;
const thin = { paint: plain, heavy: false };
const thick = { paint: plain, heavy: true };
const at = (...points: readonly [number, number][]): Point[] => points.map(([x, y]) => ({ x, y }));

/** Draws in both alphabets, side by side. */
function drawn(columns: number, rows: number, draw: (canvas: Canvas) => void): string {
  const pages = [unicode, ascii].map((theme) => {
    const canvas = createCanvas(theme, { x: 0, y: 0, width: columns, height: rows });
    draw(canvas);
    return canvas.lines();
  });
  const [left = [], right = []] = pages;
  return left.map((line, i) => `${line.padEnd(columns)}  ${right[i] ?? ''}`.trimEnd()).join('\n');
}

describe('lines', () => {
  test('turn, join what turns where they are, and cross what goes straight on', () => {
    const picture = drawn(13, 7, (canvas) => {
      canvas.line(at([0, 1], [4, 1], [4, 5], [12, 5]), thin);
      canvas.line(at([4, 1], [12, 1]), thin);
      canvas.line(at([4, 3], [12, 3]), thin);
      canvas.line(at([8, 0], [8, 6]), thin);
    });
    expect(`\n${picture}\n`).toMatchInlineSnapshot(`
      "
              ╷              |
      ╶───┬───│───╴  ----+---|----
          │   │          |   |
          ├───│───╴      +---|----
          │   │          |   |
          ╰───│───╴      +---|----
              ╵              |
      "
    `);
  });

  test('are thin and thick, the thick one above', () => {
    const picture = drawn(13, 7, (canvas) => {
      canvas.line(at([0, 1], [12, 1]), thick);
      canvas.line(at([4, 0], [4, 6]), thin);
      canvas.line(at([4, 3], [9, 3], [9, 5], [12, 5]), thick);
      canvas.line(at([0, 5], [9, 5]), thin);
      canvas.line(at([11, 0], [11, 6]), thick);
    });
    expect(`\n${picture}\n`).toMatchInlineSnapshot(`
      "
          ╷      ╻       |      #
      ╺━━━━━━━━━━┃╸  ===========#=
          │      ┃       |      #
          ┝━━━━┓ ┃       *====* #
          │    ┃ ┃       |    # #
      ╶───│────┺━┃╸  ----|----*=#=
          ╵      ╹       |      #
      "
    `);
  });

  test('stick out of boxes', () => {
    const picture = drawn(20, 4, (canvas) => {
      canvas.box({ x: 0, y: 0, width: 6, height: 4 }, thin);
      canvas.box({ x: 12, y: 0, width: 6, height: 4 }, thick);
      canvas.line(at([5, 1], [11, 1]), thick);
      canvas.line(at([17, 2], [19, 2]), thin);
      canvas.text(11, 1, '>');
      canvas.text(2, 1, 'ab');
    });
    expect(`\n${picture}\n`).toMatchInlineSnapshot(`
      "
      ╭────╮      ┏━━━━┓    +----+      *====*
      │ ab ┝━━━━━>┃    ┃    | ab *=====>#    #
      │    │      ┃    ┠─╴  |    |      #    *--
      ╰────╯      ┗━━━━┛    +----+      *====*
      "
    `);
  });

  test('have a character for every way in which thin and thick arms meet', () => {
    const arms = [at([1, 1], [1, 0]), at([1, 1], [2, 1]), at([1, 1], [1, 2]), at([1, 1], [0, 1])];
    const joints = Array.from({ length: 81 }, (_, i) => {
      const canvas = createCanvas(unicode, { x: 1, y: 1, width: 1, height: 1 });
      for (const [n, arm] of arms.entries()) {
        const thickness = Math.floor(i / 3 ** n) % 3;
        if (thickness > 0) canvas.line(arm, thickness === 2 ? thick : thin);
      }
      return canvas.lines().join('');
    });
    expect(new Set(joints).size).toBe(81);
    const wrong = joints.slice(1).filter((joint) => !/^[\u2500-\u257f]$/.test(joint));
    expect(wrong).toEqual([]);
    // Up is 1, right 3, down 9 and left 27; thick ones double.
    const [upRight, allThin, allThick, thickDown, thickLeft] = [4, 40, 80, 49, 67].map((i) => joints[i]);
    expect({ upRight, allThin, allThick, thickDown, thickLeft }).toEqual({
      upRight: '╰',
      allThin: '┼',
      allThick: '╋',
      thickDown: '╁',
      thickLeft: '┽',
    });
  });
});

describe('a viewport', () => {
  test('shows its part of the drawing, and nothing beside it', () => {
    const draw = (canvas: Canvas): void => {
      canvas.box({ x: 2, y: 1, width: 12, height: 4 }, thin);
      canvas.text(4, 2, 'prices');
      canvas.line(at([0, 3], [2, 3]), thin);
    };
    const whole = createCanvas(unicode, { x: 0, y: 0, width: 16, height: 6 });
    draw(whole);
    const lines = whole.lines().map((line) => line.padEnd(16));
    for (let x = -3; x < 16; x++) {
      for (let y = -3; y < 6; y++) {
        const part = createCanvas(unicode, { x, y, width: 5, height: 3 });
        draw(part);
        const cut = [0, 1, 2].map((row) =>
          [0, 1, 2, 3, 4].map((column) => lines[y + row]?.[x + column] ?? ' ').join(''),
        );
        expect(part.lines()).toEqual(cut.map((line) => line.trimEnd()));
      }
    }
  });

  test('does not show half of a wide character', () => {
    const seen = (x: number, columns: number): string => {
      const canvas = createCanvas(unicode, { x, y: 0, width: columns, height: 1 });
      canvas.text(0, 0, '價格é', plain);
      return canvas.lines().join('');
    };
    expect([seen(0, 5), seen(0, 3), seen(1, 4), seen(2, 2)]).toEqual(['價格é', '價 ', ' 格é', '格']);
    expect([seen(0, 5), seen(0, 3), seen(1, 4), seen(2, 2)].map(width)).toEqual([5, 3, 4, 2]);
  });
});

test('what covers half of a wide character removes it', () => {
  const over = (draw: (canvas: Canvas) => void): string => {
    const canvas = createCanvas(unicode, { x: 0, y: 0, width: 8, height: 1 });
    canvas.text(0, 0, '價格價格');
    draw(canvas);
    return canvas.lines().join('');
  };
  expect([
    over((canvas) => canvas.text(3, 0, 'x')),
    over((canvas) => canvas.text(2, 0, 'x')),
    over((canvas) => canvas.text(1, 0, '價')),
    over((canvas) => canvas.line(at([3, 0], [6, 0]), thin)),
    over((canvas) => canvas.clear({ x: 3, y: 0, width: 2, height: 1 })),
  ]).toEqual(['價 x價格', '價x 價格', ' 價 價格', '價 ╶──╴', '價    格']);
});

describe('colours', () => {
  const red: Paint = (text) => `<r>${text}</r>`;
  const blue: Paint = (text) => `<b>${text}</b>`;
  const shown = (draw: (canvas: Canvas) => void): string[] => {
    const canvas = createCanvas(unicode, { x: 0, y: 0, width: 9, height: 3 });
    draw(canvas);
    return canvas.lines();
  };

  test('are written once for all cells that have them', () => {
    const lines = shown((canvas) => {
      canvas.text(0, 0, 'ab', red);
      canvas.text(2, 0, 'cd', red);
      canvas.text(4, 0, 'e', blue);
      canvas.text(6, 0, 'f');
    });
    expect(lines).toEqual(['<r>abcd</r><b>e</b> f', '', '']);
  });

  test('of a text are kept', () => {
    const { good, bad } = createTheme('dark', true);
    const lines = shown((canvas) => {
      canvas.text(0, 0, `${good('ab')}c${bad('d')}`);
      canvas.text(0, 1, `${good('ab')}c`, red);
    });
    expect(lines).toEqual([`${good('ab')}c${bad('d')}`, `${good('ab')}<r>c</r>`, '']);
  });

  test('of lines: the last one of the thickest, and of what lies above', () => {
    const lines = shown((canvas) => {
      canvas.line(at([0, 1], [8, 1]), { paint: red, heavy: false });
      canvas.line(at([2, 0], [2, 1], [8, 1]), { paint: blue, heavy: false });
      canvas.line(at([0, 1], [2, 1]), { paint: red, heavy: true });
      canvas.line(at([6, 0], [6, 2]), { paint: red, heavy: false });
    });
    expect(lines).toEqual(['  <b>╷</b>   <r>╷</r>', '<r>╺━┵</r><b>───</b><r>│</r><b>─╴</b>', '      <r>╵</r>']);
  });

  test('go where something is cleared', () => {
    const lines = shown((canvas) => {
      canvas.line(at([0, 0], [8, 0]), { paint: red, heavy: false });
      canvas.clear({ x: 3, y: 0, width: 3, height: 1 });
    });
    expect(lines).toEqual(['<r>╶──</r>   <r>──╴</r>', '', '']);
  });
});
