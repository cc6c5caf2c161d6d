import type { CheckRow, RunRow } from './data.ts';
import type { UiState } from './state.ts';

const wordsOf = (filter: string): string[] => filter.toLowerCase().split(/\s+/).filter(Boolean);
const hasAll = (text: string, words: readonly string[]): boolean =>
  words.every((word) => text.toLowerCase().includes(word));

/** The checks that a filter leaves; undefined while they are being read. */
export function matchingChecks({ checks: { rows, filter } }: Pick<UiState, 'checks'>): CheckRow[] | undefined {
  const words = wordsOf(filter);
  return rows?.filter(({ asset, check }) => hasAll(`${asset} ${check}`, words));
}

/** The runs that a filter leaves; undefined while they are being read. */
export function matchingRuns({ runs: { rows, filter } }: Pick<UiState, 'runs'>): RunRow[] | undefined {
  const words = wordsOf(filter);
  return rows?.filter((row) => hasAll(`${row.run} ${row.command} ${row.selection} ${row.outcome}`, words));
}
