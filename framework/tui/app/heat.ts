import { printKey } from '../../partition/space.ts';
import { selectorsOf } from '../model/heat-axes.ts';
import { cycleSelector, fitted, goTo, type HeatState, problemStatuses, toDate } from '../model/heatmap.ts';
import { findCell, type HeatIndex, heatMap, heatShape, worstIn } from '../read/heatmap.ts';
import { heatLayout } from '../view/partitions.ts';
import type { UiContext } from './context.ts';
import { defaultHeat } from './inputs.ts';

type Shape = ReturnType<typeof heatShape>;
interface Window {
  readonly rows: number;
  readonly columns: number;
}

/** The heat map of the chosen asset. */
export interface Heat {
  /** Undefined before its asset was read. */
  readonly current: () => { readonly index: HeatIndex; readonly own: HeatState } | undefined;
  /** Shows it otherwise; undefined leaves it as it is. */
  readonly change: (make: (own: HeatState, shape: Shape, window: Window) => HeatState | undefined) => void;
  /** Looks up the cell under the cursor, once keys have stopped coming. */
  readonly explain: () => void;
  /** Looks it up now, where that is still to be done. */
  readonly settle: () => void;
}

/** How long the cursor must rest before the cell is looked up: a large event takes a tenth of a second to read. */
const EXPLAIN_MS = 50;

export function createHeat(ui: UiContext): Heat {
  const { session, graph, state, patch, body } = ui;
  let explaining: NodeJS.Timeout | undefined;
  const current: Heat['current'] = () => {
    const { asset, heat } = state();
    const index = asset === undefined ? undefined : session.heat(asset);
    return asset !== undefined && index ? { index, own: heat.get(asset) ?? defaultHeat(index, body()) } : undefined;
  };
  const explainNow = () => {
    clearTimeout(explaining);
    explaining = undefined;
    const found = current();
    const { asset } = state();
    if (!found || asset === undefined) return;
    const ref = worstIn(found.index, found.own, found.own.row, found.own.column);
    if (!ref) patch({ detail: undefined });
    else session.explain(asset, printKey(graph.node(asset).definition.space, ref));
  };
  const explain = () => {
    clearTimeout(explaining);
    explaining = setTimeout(explainNow, EXPLAIN_MS);
  };
  return {
    current,
    change: (make) => {
      const found = current();
      const { asset } = state();
      if (!found || asset === undefined) return;
      const shape = heatShape(found.index, found.own);
      const { window } = heatLayout(body(), shape, found.own);
      const made = make(fitted(found.own, shape, window), shape, window);
      if (!made) return;
      const after = heatShape(found.index, made);
      const next = fitted(made, after, heatLayout(body(), after, made).window);
      ui.change((before) => ({ ...before, heat: new Map(before.heat).set(asset, next) }));
      explain();
    },
    explain,
    settle: () => {
      if (explaining) explainNow();
    },
  };
}

/** Goes to the next cell in trouble, or to the one before. */
export function toProblem({ tell }: UiContext, heat: Heat, by: 1 | -1): void {
  heat.change((own, shape, window) => {
    const found = heat.current();
    if (!found) return undefined;
    const { counts } = heatMap(found.index, own, { firstRow: 0, rows: 0, firstColumn: 0, columns: 0 });
    const cell = findCell(found.index, own, own, by, problemStatuses(counts));
    if (!cell) tell('Nothing here is in trouble.', 'good');
    return cell && goTo(own, shape, window, cell.row, cell.column);
  });
}

/** Goes to a time that was typed; false where it is none. */
export function toTime(heat: Heat, text: string): boolean {
  let found = false;
  heat.change((own, shape, window) => {
    const next = toDate(own, shape, window, text);
    found = next !== undefined;
    return next;
  });
  return found;
}

/** The next value of the first dimension that is on no axis. */
export function turnSelector(heat: Heat, by: 1 | -1): void {
  heat.change((own, shape) => {
    const [first] = selectorsOf(shape, own);
    return first && cycleSelector(own, shape, first.dimension, by);
  });
}
