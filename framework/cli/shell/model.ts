import type { AsOf } from '../../materialize/history.ts';
import type { LakeTable } from '../../report/tables.ts';
import type { QueryFormat } from '../queries.ts';
import type { Completion } from './complete.ts';

export const SHELL_FORMATS: readonly QueryFormat[] = ['table', 'csv', 'json', 'ndjson', 'parquet', 'arrow'];

/** What options begin with and dot-commands change. */
export interface ShellState {
  format: QueryFormat;
  /** 0 for all; undefined for what `query` prints. */
  limit: number | undefined;
  /** Absolute path for the next result. */
  output: string | undefined;
  timing: boolean;
  /** As `--param` takes them, by name. A statement is given those that it names. */
  readonly parameters: Map<string, string>;
  /** When the lake was as it is to be asked; as it is at each statement when undefined. */
  asOf: AsOf | undefined;
  /** Absolute paths outside of the lake that statements may read. */
  readonly allow: readonly string[];
}

/** Statements one after another, on the lake as it is at each. */
export interface ShellSession {
  readonly state: ShellState;
  /** The statement that has begun and has no semicolon yet; '' between statements. */
  readonly begun: string;
  /** `.quit` was said. */
  readonly left: boolean;
  /**
   * Takes a line: a dot-command between statements, else SQL, of which it runs what ends with a semicolon.
   * @throws what went wrong, unless `failed` takes it; then the rest of the line is dropped.
   */
  line(text: string, signal: AbortSignal): Promise<void>;
  /** There are no more lines: runs what has begun. Throws as `line` does. */
  end(signal: AbortSignal): Promise<void>;
  /** Forgets the statement that has begun. */
  drop(): void;
  /** What the word at the cursor may become. */
  complete(line: string, cursor: number): Completion;
  // For dot-commands.
  readonly tables: () => readonly LakeTable[];
  /** Prints rows of texts; with `--json` an object per line. */
  readonly list: (names: readonly string[], rows: readonly (readonly string[])[]) => void;
  readonly describe: (table: string, signal: AbortSignal) => Promise<void>;
  readonly say: (text: string) => void;
  readonly pathOf: (file: string) => string;
  readonly setAsOf: (text: string) => void;
  readonly setParameter: (text: string) => void;
  readonly read: (file: string, signal: AbortSignal) => Promise<void>;
  readonly leave: () => void;
}
