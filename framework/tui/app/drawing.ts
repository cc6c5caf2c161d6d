import type { Size } from '../model/data.ts';
import type { LineageGraph, LineageState } from '../model/lineage.ts';
import { lineageDrawing } from '../read/lineage.ts';

interface Drawn {
  readonly key: string;
  readonly drawing: ReturnType<typeof lineageDrawing>;
}
const drawings = new WeakMap<readonly string[], Drawn>();

/** The drawing of the graph, made once for the same assets, density and size: a large one takes a tenth of a second. */
export function drawingOf(graph: LineageGraph, state: LineageState, size: Size): Drawn['drawing'] {
  const key = `${state.density} ${size.columns} ${size.rows}`;
  const known = drawings.get(state.shown);
  if (known?.key === key) return known.drawing;
  const drawing = lineageDrawing(graph, state, size);
  drawings.set(state.shown, { key, drawing });
  return drawing;
}
