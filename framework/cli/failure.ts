import { isLakehouseError, serializeError } from '../common/errors.ts';
import type { Style } from './style.ts';

export const DONE = 0;
/** Some partitions failed, or something that is not the user's mistake. */
export const FAILED = 1;
/** The command, the settings or the definitions are wrong. */
export const USAGE = 2;
export const INTERRUPTED = { SIGINT: 130, SIGTERM: 143 } as const;

export function exitCodeOf(error: unknown): number {
  return isLakehouseError(error) && error.kind === 'usage' ? USAGE : FAILED;
}

/** What a person is told. Stack and causes only for those who debug. */
export function failureText(error: unknown, style: Style, debug: boolean): string {
  const known = isLakehouseError(error);
  const { message } = serializeError(error);
  const lines = [`${style.bad('lakehouse:')} ${known ? '' : 'unexpected error: '}${message}`];
  if (known && error.hint !== undefined) lines.push(`  ${error.hint.replaceAll('\n', '\n  ')}`);
  if (debug) lines.push(...stacksOf(error).map((stack) => style.faint(stack)));
  else if (!known || error.kind === 'internal')
    lines.push('  This is a bug in lakehouse. Run it again with --debug for the stack.');
  return lines.join('\n');
}

function stacksOf(error: unknown): string[] {
  const stacks: string[] = [];
  for (let at: unknown = error; at instanceof Error && stacks.length < 5; at = at.cause) {
    stacks.push(`${stacks.length > 0 ? 'Caused by: ' : ''}${at.stack ?? at.message}`);
  }
  return stacks;
}
