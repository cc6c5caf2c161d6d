import type { HeatRow, ShownStatus } from '../model/data.ts';
import { percent } from './format.ts';
import type { Paint, Theme } from './theme.ts';

/** Cells of a row as they are to be marked: half-open, by index into the row. */
export interface CellMarks {
  readonly cursor: number;
  readonly from: number;
  readonly to: number;
}

/** Wide enough to say the share that is fresh in figures. */
export const FIGURES = 6;

/**
 * The cells of a row, each `cellWidth` wide. One partition is the shape of its status, and so are several that are none of them fresh.
 * Else they are shaded by the share that is fresh, in the colour of the worst status, with its shape where there is room for both. In a
 * single cell failures and what they block show their shape alone.
 */
export function cellsLine(row: HeatRow, cellWidth: number, marks: CellMarks | undefined, theme: Theme): string {
  let line = '';
  let run = '';
  let style: Paint | undefined;
  for (let c = 0; c < row.worst.length; c++) {
    const status = row.worst[c] ?? 'none';
    const text = cellText(status, row.total[c] ?? 0, row.fresh[c] ?? 0, cellWidth, theme);
    const wanted = paintOf(status, c, marks, theme);
    // A blank looks the same in all colours, so it ends no run of them.
    const blank = wanted === PLAIN && !(style && INVERSE.has(style));
    if (wanted !== style && !blank) {
      line += style ? style(run) : run;
      run = '';
      style = wanted;
    }
    run += text;
  }
  return line + (style ? style(run) : run);
}

const PLAIN: Paint = (text) => text;
/** Paints of marked cells by theme and status, made once, so that equal ones are the same function. */
const marked = new WeakMap<Theme, { readonly cursor: Paint; readonly chosen: Map<Paint, Paint> }>();
const INVERSE = new WeakSet<Paint>();

function paintOf(status: ShownStatus | 'none', c: number, marks: CellMarks | undefined, theme: Theme): Paint {
  const own = status === 'none' ? PLAIN : theme.status[status];
  if (marks === undefined || (c !== marks.cursor && (c < marks.from || c >= marks.to))) return own;
  let paints = marked.get(theme);
  if (!paints) {
    paints = { cursor: (text) => theme.cursor(theme.strong(text)), chosen: new Map() };
    INVERSE.add(paints.cursor);
    marked.set(theme, paints);
  }
  if (c === marks.cursor) return paints.cursor;
  const known = paints.chosen.get(own);
  if (known) return known;
  const inverse: Paint = (text) => theme.selected(own(text));
  INVERSE.add(inverse);
  paints.chosen.set(own, inverse);
  return inverse;
}

function cellText(status: ShownStatus | 'none', total: number, fresh: number, cellWidth: number, theme: Theme): string {
  if (total === 0) return ' '.repeat(cellWidth);
  const glyph = theme.glyph[status];
  if (cellWidth >= FIGURES) {
    const figures = total === 1 ? '' : percent(fresh, total).padStart(4);
    return `${glyph}${figures}`.padEnd(cellWidth);
  }
  if (total === 1 || fresh === 0) return glyph.padEnd(cellWidth);
  const shade = shadeOf(fresh / total, theme);
  if (cellWidth === 1) return status === 'failed' || status === 'blocked' ? glyph : shade;
  return `${shade}${fresh === total ? shade : glyph}`.padEnd(cellWidth);
}

/** What a shade means, for the legend. */
export const shadesText = (theme: Theme): string =>
  theme.unicode ? '█▓▒░ share that is fresh' : '# all fresh, 9-0 tenths';

/** Full only where everything is fresh. */
function shadeOf(share: number, { unicode }: Theme): string {
  if (share >= 1) return unicode ? '█' : '#';
  if (!unicode) return String(Math.floor(share * 10));
  return share >= 2 / 3 ? '▓' : share >= 1 / 3 ? '▒' : '░';
}
