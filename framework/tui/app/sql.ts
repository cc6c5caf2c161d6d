import { edit, lineOf } from '../model/line.ts';
import type { UiState } from '../model/state.ts';
import { problemOf, runSql } from '../read/data.ts';
import type { UiContext } from './context.ts';
import { ROWS } from './preview.ts';

type SqlState = UiState['data']['sql'];

/** The SQL prompt. */
export interface Sql {
  /** A key while a statement is typed. */
  readonly press: (key: string) => void;
  readonly begin: () => void;
}

export const typesSql = ({ screen, data }: UiState): boolean =>
  screen === 'data' && data.tab === 'sql' && data.sql.typing;

export function createSql({ session, state, change, now }: UiContext): Sql {
  let running: AbortController | undefined;
  const patchSql = (some: Partial<SqlState>, data: Partial<UiState['data']> = {}) =>
    change((before) => ({ ...before, data: { ...before.data, ...data, sql: { ...before.data.sql, ...some } } }));
  const run = () => {
    const { sql } = state().data;
    const text = sql.line.text.trim();
    if (text === '' || sql.running) return;
    const own = new AbortController();
    running = own;
    const started = now();
    const history = [...sql.history.filter((one) => one !== text), text];
    patchSql({ running: true, error: undefined, history, at: undefined }, { row: 0, column: 0 });
    runSql(session.lake(), text, ROWS, own.signal).then(
      (result) => patchSql({ running: false, result, tookMs: now() - started }),
      (error: unknown) => patchSql({ running: false, ...(!own.signal.aborted && { error: problemOf(error) }) }),
    );
  };
  const leaf = (by: 1 | -1) => {
    const { history, at = history.length } = state().data.sql;
    const next = Math.min(Math.max(at + by, 0), history.length);
    if (next !== at) patchSql({ line: lineOf(history[next] ?? ''), at: next === history.length ? undefined : next });
  };
  return {
    begin: () => patchSql({ typing: true }, { tab: 'sql' }),
    press: (key) => {
      if (key === 'escape') patchSql({ typing: false });
      else if (key === 'enter') run();
      else if (key === 'up') leaf(-1);
      else if (key === 'down') leaf(1);
      else if (key === 'ctrl+c') {
        running?.abort(new Error('It was stopped'));
        patchSql({ typing: false });
      } else {
        const line = edit(state().data.sql.line, key);
        if (line) patchSql({ line, at: undefined });
      }
    },
  };
}
