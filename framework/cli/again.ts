/** What plan and materialize were asked for. */
export interface Asked {
  readonly partitions?: string;
  readonly force?: boolean;
  readonly retryFailed?: boolean;
  readonly observe: boolean;
  readonly requireComplete?: boolean;
  readonly tag?: readonly string[];
}

/** A selection and a filter as words of a command line; `*`, which is everything, needs none. */
export function selectionWords(selection: string, partitions: string | undefined): string[] {
  return [...(selection === '*' ? [] : [selection]), ...(partitions === undefined ? [] : ['--partitions', partitions])];
}

/** All that was asked for, so that a command that is suggested means the same. What was accepted stays so and is not said again. */
export function askedWords(selection: string, asked: Asked): string[] {
  return [
    ...selectionWords(selection, asked.partitions),
    ...(asked.force ? ['--force'] : []),
    ...(asked.retryFailed ? ['--retry-failed'] : []),
    ...(asked.observe ? [] : ['--no-observe']),
    ...(asked.requireComplete ? ['--require-complete'] : []),
    ...(asked.tag ?? []).flatMap((tag) => ['--tag', tag]),
  ];
}

/** A selection with all that it reads. */
export function withUpstream(selection: string): string {
  if (/^\+[^\s(),+]+$/.test(selection)) return selection;
  return /^[^\s(),+]+$/.test(selection) ? `+${selection}` : `+(${selection})`;
}
