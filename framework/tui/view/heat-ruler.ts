import type { Grain } from '../../partition/time.ts';
import type { ShownHeatMap } from '../model/heat-axes.ts';
import { visible } from './format.ts';
import { cell, cut, slice, width } from './text.ts';
import type { Theme } from './theme.ts';

/** A text that begins above a column. */
interface Mark {
  readonly column: number;
  readonly text: string;
}
type Marks = readonly [above: readonly Mark[], below: readonly Mark[]];

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * Two lines above the cells that say where they are: years above months, months above days and so on; names of a listed dimension
 * are shared out between both. As many as there is room for; the column of the cursor is marked.
 */
export function rulerLines(map: ShownHeatMap, cellWidth: number, cursor: number, theme: Theme): [string, string] {
  const room = map.columns.length * cellWidth;
  const [above, below] = marksOf(map, cellWidth, theme);
  const first = theme.faint(line(above, cellWidth, room));
  const second = line(below, cellWidth, room);
  const at = (cursor - map.firstColumn) * cellWidth;
  if (at < 0 || at >= room) return [first, theme.faint(second)];
  const end = at + Math.max(cellWidth - 1, 1);
  const [left, under, right] = [slice(second, 0, at), slice(second, at, end), slice(second, end, room)];
  return [first, theme.faint(left) + theme.selected(under) + theme.faint(right)];
}

/** Marks from left to right; one that would run into the one before it is left out. Single letters may touch. */
function line(marks: readonly Mark[], cellWidth: number, room: number): string {
  let text = '';
  let used = 0;
  for (const mark of marks) {
    const at = mark.column * cellWidth;
    const gap = used > 0 && width(mark.text) > 1 ? 1 : 0;
    if (at < used + gap || at + width(mark.text) > room) continue;
    text += ' '.repeat(at - used) + mark.text;
    used = at + width(mark.text);
  }
  return text + ' '.repeat(room - used);
}

function marksOf(map: ShownHeatMap, cellWidth: number, theme: Theme): Marks {
  const { columns, columnGrain } = map;
  if (columnGrain === undefined) return listedMarks(map, cellWidth, theme);
  const labels = columns.map(({ label }) => label);
  // The first period is seldom seen from its start; it gives way to the next one where there is no room for both.
  const starts = (from: number, to: number, begins: (label: string, before: string) => boolean): Mark[] => {
    const marks = labels.flatMap((label, column) => {
      const begun = column > 0 ? begins(label, labels[column - 1] ?? '') : true;
      return begun ? [{ column, text: label.slice(from, to) }] : [];
    });
    const [first, second] = marks;
    const tight = first && second && (second.column - first.column) * cellWidth <= width(first.text);
    return tight ? marks.slice(1) : marks;
  };
  const changes = (length: number) => (label: string, before: string) =>
    label.slice(0, length) !== before.slice(0, length);
  const some = (text: (label: string, before: string) => string): Mark[] =>
    labels.flatMap((label, column) => {
      const shown = text(label, labels[column - 1] ?? '');
      return shown === '' ? [] : [{ column, text: shown }];
    });
  const month = (label: string) => MONTHS[Number(label.slice(5, 7)) - 1] ?? '';
  const marks: Readonly<Record<Grain, () => Marks>> = {
    hour: () => [
      starts(0, 10, changes(10)),
      some((label) => (Number(label.slice(11)) % 6 === 0 ? label.slice(11) : '')),
    ],
    day: () => [
      starts(0, 7, changes(7)),
      some((label) => (['01', '08', '15', '22'].includes(label.slice(8)) ? String(Number(label.slice(8))) : '')),
    ],
    week: () => [
      starts(0, 4, changes(4)),
      some((label, before) => (label.slice(0, 7) === before.slice(0, 7) ? '' : month(label))),
    ],
    month: () => [
      starts(0, 4, changes(4)),
      some((label) => (cellWidth >= 4 ? month(label) : month(label).slice(0, 1))),
    ],
    year: () =>
      cellWidth >= 5
        ? [[], some((label) => label)]
        : [starts(0, 4, (label) => Number(label) % 5 === 0), some((label) => label.slice(-1))],
  };
  return marks[columnGrain]();
}

/** Names under each other by turns, so that each has the room of two columns. */
function listedMarks({ columns }: ShownHeatMap, cellWidth: number, theme: Theme): Marks {
  const marks = columns.map(({ label }, column) => ({ column, text: visible(label) }));
  if (marks.every(({ text }) => width(text) < cellWidth)) return [[], marks];
  const most = 2 * cellWidth - 1;
  if (most < 4) return [marks.filter(({ column }) => column % 2 === 0), marks.filter(({ column }) => column % 2 === 1)];
  const fitted = marks.map(({ column, text }) => ({ column, text: cut(theme, text, most) }));
  return [fitted.filter(({ column }) => column % 2 === 0), fitted.filter(({ column }) => column % 2 === 1)];
}

/** What stands at the left of the ruler: as wide as the labels of the rows. */
export const besideRuler = (theme: Theme, text: string, columns: number): string =>
  theme.faint(cell(theme, text, columns));
