import stringWidth from 'string-width';
import type { Paint, Theme } from './theme.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
}
export interface Rectangle extends Point {
  readonly width: number;
  readonly height: number;
}
export interface Stroke {
  readonly paint: Paint;
  /** Thick lines lie over thin ones. */
  readonly heavy: boolean;
}

/** Cells to draw on. Coordinates are those of the drawing; what lies outside the viewport is cut off. */
export interface Canvas {
  /** Text, over whatever is there, in this paint or in its own colours. A wide character that an edge would cut is a blank. */
  text(x: number, y: number, text: string, paint?: Paint): void;
  clear(area: Rectangle): void;
  /**
   * An orthogonal line through these points, over text. It joins the lines of every cell in which one of them turns or ends; where
   * both go straight on they cross, the thicker over the other, else the vertical one.
   */
  line(points: readonly Point[], stroke: Stroke): void;
  /** The border of an area, as a line. */
  box(area: Rectangle, stroke: Stroke): void;
  /** As many as the viewport has rows, without blanks at their ends. */
  lines(): string[];
}

/** Of the arms of a cell: up + 3 right + 9 down + 27 left, each 0 (none), 1 (thin) or 2 (thick). */
const JOINTS = [
  ...[' ╵╹╶╰┖╺┕┗', '╷│╿╭├┞┍┝┡', '╻╽┃┎┟┠┏┢┣'],
  ...['╴╯┚─┴┸╼┶┺', '╮┤┦┬┼╀┮┾╄', '┒┧┨┰╁╂┲╆╊'],
  ...['╸┙┛╾┵┹━┷┻', '┑┥┩┭┽╃┯┿╇', '┓┪┫┱╅╉┳╈╋'],
].join('');
const UP = 1;
const RIGHT = 3;
const DOWN = 9;
const LEFT = 27;
const thickness = (arms: number, arm: number): number => (arm === 0 ? 0 : Math.floor(arms / arm) % 3);

function joint(arms: number, unicode: boolean): string {
  if (unicode) return JOINTS[arms] ?? ' ';
  const across = Math.max(thickness(arms, LEFT), thickness(arms, RIGHT));
  const along = Math.max(thickness(arms, UP), thickness(arms, DOWN));
  if (along === 0) return across === 2 ? '=' : '-';
  if (across === 0) return along === 2 ? '#' : '|';
  return Math.max(across, along) === 2 ? '*' : '+';
}

interface Cell {
  /** Undefined where there are only lines; '' in the second half of a wide character. */
  text?: string | undefined;
  paint?: Paint | undefined;
  arms: number;
  /** Whether a line turns or ends here. */
  joined: boolean;
  /** Paints of what goes straight through. */
  across?: Paint;
  along?: Paint;
}

const SEGMENTS = new Intl.Segmenter('en', { granularity: 'grapheme' });
const COLOUR = new RegExp(`(${String.fromCharCode(27)}\\[[0-9;]*m)`);
const RESET = `${String.fromCharCode(27)}[0m`;
/** Of one cell each: ASCII, lines, blocks and shapes. */
const NARROW = /^[ -~─-◿]*$/;

export function createCanvas(theme: Theme, viewport: Rectangle): Canvas {
  const { x: left, y: top, width, height } = viewport;
  const cells = new Array<Cell | undefined>(width * height);
  const inside = (x: number, y: number): boolean => x >= left && x < left + width && y >= top && y < top + height;
  const index = (x: number, y: number): number => (y - top) * width + (x - left);

  /** One paint per colour, so that equal ones make one run. */
  const colours = new Map<string, Paint>();
  const colourOf = (code: string): Paint => {
    const paint = colours.get(code) ?? ((text: string) => `${code}${text}${RESET}`);
    colours.set(code, paint);
    return paint;
  };
  /** A wide character of which a cell is about to be something else becomes blank. */
  const breakWide = (x: number, y: number): void => {
    const first = cells[index(x, y)]?.text === '' ? x - 1 : x;
    if (!inside(first + 1, y) || cells[index(first + 1, y)]?.text !== '') return;
    for (const half of [first, first + 1]) cells[index(half, y)] = { text: ' ', arms: 0, joined: false };
  };
  const put = (x: number, y: number, text: string, paint?: Paint): void => {
    if (!inside(x, y)) return;
    breakWide(x, y);
    cells[index(x, y)] = { text, paint, arms: 0, joined: false };
  };

  const text: Canvas['text'] = (x, y, content, paint) => {
    if (y < top || y >= top + height) return;
    let [column, colour] = [x, paint];
    for (const part of content.split(COLOUR)) {
      if (COLOUR.test(part)) colour = part === RESET ? paint : colourOf(part);
      else if (NARROW.test(part)) for (const char of part) put(column++, y, char, colour);
      else {
        for (const { segment } of SEGMENTS.segment(part)) {
          const wide = stringWidth(segment);
          const whole = inside(column, y) && inside(column + wide - 1, y);
          for (let i = 0; i < wide; i++) put(column + i, y, whole ? (i === 0 ? segment : '') : ' ', colour);
          column += wide;
        }
      }
    }
  };

  /** @param from,to the arms through which the line comes and goes; 0 at its ends. */
  const pass = (x: number, y: number, from: number, to: number, { paint, heavy }: Stroke): void => {
    if (!inside(x, y)) return;
    breakWide(x, y);
    const wanted = heavy ? 2 : 1;
    const cell: Cell = cells[index(x, y)] ?? { arms: 0, joined: false };
    const { arms } = cell;
    if (Math.max(thickness(arms, UP), thickness(arms, RIGHT), thickness(arms, DOWN), thickness(arms, LEFT)) <= wanted) {
      cell.paint = paint;
    }
    cell.arms += Math.max(0, wanted - thickness(arms, from)) * from + Math.max(0, wanted - thickness(arms, to)) * to;
    if (from + to === UP + DOWN) cell.along = paint;
    else if (from + to === LEFT + RIGHT) cell.across = paint;
    else cell.joined = true;
    cell.text = undefined;
    cells[index(x, y)] = cell;
  };

  const line: Canvas['line'] = (points, stroke) => {
    let from = 0;
    for (const [i, { x, y }] of points.entries()) {
      const next = points[i + 1];
      if (next === undefined || (next.x === x && next.y === y)) {
        if (next === undefined) pass(x, y, from, 0, stroke);
        continue;
      }
      const [dx, dy] = [Math.sign(next.x - x), Math.sign(next.y - y)];
      const to = dx > 0 ? RIGHT : dx < 0 ? LEFT : dy > 0 ? DOWN : UP;
      const back = dx > 0 ? LEFT : dx < 0 ? RIGHT : dy > 0 ? UP : DOWN;
      pass(x, y, from, to, stroke);
      for (let [cx, cy] = [x + dx, y + dy]; cx !== next.x || cy !== next.y; cx += dx, cy += dy) {
        pass(cx, cy, back, to, stroke);
      }
      from = back;
    }
  };

  const shown = ({ text: content, paint, arms, joined, across, along }: Cell): [string, Paint | undefined] => {
    if (content !== undefined) return [content, paint];
    const crossing = !joined && across !== undefined && along !== undefined;
    if (!crossing) return [joint(arms, theme.unicode), paint];
    const flat = thickness(arms, LEFT) * (LEFT + RIGHT);
    const upright = thickness(arms, UP) * (UP + DOWN);
    return thickness(arms, LEFT) > thickness(arms, UP)
      ? [joint(flat, theme.unicode), across]
      : [joint(upright, theme.unicode), along];
  };

  return {
    text,
    clear: ({ x, y, width, height }) => {
      for (let row = y; row < y + height; row++) {
        for (let column = x; column < x + width; column++) put(column, row, ' ');
      }
    },
    line,
    box: ({ x, y, width, height }, stroke) => {
      const [right, bottom] = [x + width - 1, y + height - 1];
      const start = { x, y };
      line([start, { x: right, y }, { x: right, y: bottom }, { x, y: bottom }, start], stroke);
    },
    lines: () =>
      Array.from({ length: height }, (_, row) => {
        let [line, run] = ['', ''];
        let paint: Paint | undefined;
        const flush = (next: Paint | undefined): void => {
          line += paint === undefined ? run : paint(run);
          [run, paint] = ['', next];
        };
        for (const cell of trimmed(cells.slice(row * width, (row + 1) * width))) {
          const [content, wanted] = cell === undefined ? [' ', undefined] : shown(cell);
          if (wanted !== paint) flush(wanted);
          run += content;
        }
        flush(undefined);
        return line;
      }),
  };
}

const isBlank = (cell: Cell | undefined): boolean =>
  cell === undefined || (cell.text === ' ' && cell.paint === undefined);

function trimmed(row: readonly (Cell | undefined)[]): readonly (Cell | undefined)[] {
  const end = row.findLastIndex((cell) => !isBlank(cell));
  return row.slice(0, end + 1);
}
