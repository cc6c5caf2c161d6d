import { displayWidth } from '../../report/format.ts';
import type { Output } from '../io.ts';

/** Lines at the bottom of a terminal that are rewritten in place. */
export interface LiveArea {
  /** Replaces the lines; `above` is printed before them and stays. */
  draw(lines: readonly string[], above?: readonly string[]): void;
}

/** Lines must be narrower than the terminal when they are drawn: a full line wraps on some terminals. */
export function liveArea(output: Output): LiveArea {
  let drawn: readonly string[] = [];
  /** Rows that the drawn lines take now: a terminal that became narrower has wrapped them. */
  const rows = () => {
    const width = output.columns ?? 80;
    return drawn.reduce((sum, line) => sum + Math.max(Math.ceil(displayWidth(line) / width), 1), 0);
  };
  return {
    draw: (lines, above = []) => {
      const up = rows();
      const erase = up > 0 ? `\u001b[${up}F\u001b[0J` : '';
      const text = [...above, ...lines].map((line) => `${line}\n`).join('');
      drawn = lines;
      if (erase + text !== '') output.write(erase + text);
    },
  };
}
