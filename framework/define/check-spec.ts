import type { CheckDefinition } from './model.ts';
import { quoteIdentifier, type SqlTemplate, sql } from './sql.ts';
import type { CheckSpec } from './types.ts';

export interface CheckOptions {
  /** `error` (default) fails the partition; `warn` only reports. */
  readonly severity?: 'warn' | 'error';
  /**
   * Whether a failure keeps downstream partitions from being computed. Default: true for `error`, false for a check with inputs of
   * its own, which cannot block.
   */
  readonly blocking?: boolean;
  readonly description?: string;
}

/** Options of checks that compare a partition with others: they report, and block nothing. */
export type ComparisonOptions = Omit<CheckOptions, 'blocking'>;

/** A check as data. `reads` are inputs of its own, by name. */
export function checkSpec<TColumn extends string>(
  name: string,
  columns: readonly TColumn[],
  options: CheckOptions | undefined,
  build: (...context: Parameters<CheckSpec['build']>) => CheckDefinition['test'],
  reads?: Pick<CheckSpec, 'inputs' | 'summaries'>,
): CheckSpec<TColumn> {
  const severity = options?.severity ?? 'error';
  return {
    name,
    description: options?.description,
    severity,
    blocking: options?.blocking ?? (severity === 'error' && reads?.inputs === undefined),
    columns,
    build,
    ...reads,
  };
}

export const id = (name: string): SqlTemplate => sql.raw(quoteIdentifier(name));

/** What a check's query calls the rows of the partition. */
export const ROWS = 'rows';

/** Names of the inputs that a check's query reads: its own, where it has any, else the asset's. */
export function inputsRead({ test }: Pick<CheckDefinition, 'test'>): Set<string> {
  if (test.type === 'rows') return new Set();
  return new Set(
    test.select.parts.flatMap((part) => (part.type === 'relation' && part.input !== ROWS ? [part.input] : [])),
  );
}
