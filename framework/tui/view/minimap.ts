import type { LineageLayout, LineageNode, Size } from '../model/data.ts';
import type { Canvas, Rectangle } from './canvas.ts';
import type { Theme } from './theme.ts';

/** Cells of the map, border included; undefined where the screen is too small for one. */
export function minimapSize(
  layout: LineageLayout,
  { columns, rows }: Size,
): { readonly width: number; readonly height: number } | undefined {
  const [most, highest] = [Math.min(Math.floor(columns / 4), 34), Math.min(Math.floor(rows / 3), 10)];
  if (most < 12 || highest < 5) return undefined;
  const width = Math.min(most, Math.max(12, Math.ceil(layout.width / 8)));
  const height = Math.min(highest, Math.max(5, Math.ceil(layout.height / 6) + 2));
  return { width, height };
}

/**
 * The whole drawing in an area of the canvas, each asset a dot or more. Thick parts of its border say which part of the drawing is
 * on the screen; the cell of the focus is inverse.
 */
export function drawMinimap(
  canvas: Canvas,
  theme: Theme,
  area: Rectangle,
  layout: LineageLayout,
  seen: Rectangle,
  focus: LineageNode | undefined,
): void {
  canvas.clear(area);
  canvas.box(area, { paint: theme.border, heavy: false });
  const [columns, rows] = [area.width - 2, area.height - 2];
  const column = (x: number): number => clamp(Math.floor((x / layout.width) * columns), columns);
  const row = (y: number): number => clamp(Math.floor((y / layout.height) * rows), rows);

  const dots = new Uint8Array(columns * rows);
  for (const { x, y, width, height } of layout.nodes) {
    const [left, right] = span(x, width, layout.width, columns * 2);
    const [top, bottom] = span(y, height, layout.height, rows * 4);
    for (let dy = top; dy <= bottom; dy++) {
      for (let dx = left; dx <= right; dx++) {
        const cell = (dy >> 2) * columns + (dx >> 1);
        dots[cell] = (dots[cell] ?? 0) | (DOTS[(dy & 3) * 2 + (dx & 1)] ?? 0);
      }
    }
  }
  const [left, right] = [column(seen.x), column(seen.x + seen.width - 1)];
  const [top, bottom] = [row(seen.y), row(seen.y + seen.height - 1)];
  const [x0, y0] = [area.x + 1, area.y + 1];
  const thick = { paint: theme.accent, heavy: true };
  for (const y of [area.y, area.y + area.height - 1]) {
    canvas.line(
      [left, right].map((x) => ({ x: x0 + x, y })),
      thick,
    );
  }
  for (const x of [area.x, area.x + area.width - 1]) {
    canvas.line(
      [top, bottom].map((y) => ({ x, y: y0 + y })),
      thick,
    );
  }

  const at = (x: number, y: number): string => {
    const pattern = dots[y * columns + x] ?? 0;
    if (pattern === 0) return ' ';
    return theme.unicode ? String.fromCharCode(0x2800 + pattern) : 'o';
  };
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const inside = x >= left && x <= right && y >= top && y <= bottom;
      if (at(x, y) !== ' ') canvas.text(x0 + x, y0 + y, at(x, y), inside ? theme.accent : theme.faint);
    }
  }
  if (focus) {
    const [x, y] = [column(focus.x + focus.width / 2), row(focus.y + focus.height / 2)];
    canvas.text(x0 + x, y0 + y, at(x, y), theme.selected);
  }
}

/** The bits of a braille character, row by row. */
const DOTS = [0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80];
const clamp = (value: number, end: number): number => Math.min(Math.max(value, 0), end - 1);
/** First and last dot, one less than there would be so that neighbours stay apart. */
function span(at: number, length: number, whole: number, dots: number): readonly [number, number] {
  const dot = (position: number): number => clamp(Math.floor((position / whole) * dots), dots);
  return [dot(at), Math.max(dot(at), dot(at + length - 1) - 1)];
}
