import type { Size } from '../model/data.ts';
import { defaultAxes } from '../model/heat-axes.ts';
import { type HeatState, startHeat } from '../model/heatmap.ts';
import { matchingChecks } from '../model/matching.ts';
import type { UiState } from '../model/state.ts';
import { type HeatIndex, heatShape } from '../read/heatmap.ts';
import type { ChecksInput } from '../view/checks.ts';
import type { DataInput } from '../view/data.ts';
import type { Filter } from '../view/field.ts';
import { heatLayout } from '../view/partitions.ts';
import type { SchedulesInput } from '../view/schedules.ts';

// What views are given of the state: for drawing them, and for how far they scroll.

/** The filter of a list, while it is typed and as long as there is one. */
export function filterInput({ overlay }: UiState, text: string): Filter | undefined {
  const caret = overlay?.type === 'filter' ? overlay.line.cursor : undefined;
  return text === '' && caret === undefined ? undefined : { text, caret };
}

export function checksInput(state: UiState, size: Size, now: number): ChecksInput {
  const { cursor, offset, detailOffset, filter } = state.checks;
  return { rows: matchingChecks(state), cursor, offset, detailOffset, filter: filterInput(state, filter), now, size };
}

export function schedulesInput({ schedules }: UiState, size: Size, now: number, program: string): SchedulesInput {
  const { rows, daemon, problem, cursor, offset, detailOffset } = schedules;
  return { rows, daemon, problem, cursor, offset, detailOffset, now, program, size };
}

export function dataInput({ data }: UiState, size: Size): DataInput {
  const { tab, preview, error, row, column, sql } = data;
  return {
    size,
    tab,
    preview,
    error,
    row,
    column,
    sql: {
      text: sql.line.text,
      caret: sql.typing ? sql.line.cursor : undefined,
      running: sql.running,
      error: sql.error,
      result: sql.result,
      tookMs: sql.tookMs,
      history: sql.at === undefined ? undefined : { index: sql.at + 1, of: sql.history.length },
    },
  };
}

/** Where one begins with an asset: at its newest partition. */
export function defaultHeat(index: HeatIndex, size: Size): HeatState {
  const axes = defaultAxes(index.dimensions);
  const shape = heatShape(index, axes);
  return startHeat(axes, shape, heatLayout(size, shape, axes).window);
}
