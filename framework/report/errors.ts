import type { SerializedError } from '../common/errors.ts';

/**
 * A message without the asset, the part of it or the partition of it that it begins with, for where these have been said. The line
 * of a file that stands before or between them stays.
 */
export function withoutPlace(message: string, asset: string): string {
  const said = `(?:${asset}(?:[. ]\\S*)?: )*`;
  return message.replace(new RegExp(`^${said}((?:\\S+:\\d+(?::\\d+)?: )?)${said}`), '$1');
}

/** `message [code]`, on one line; without the place, where the asset has been said already. */
export function errorLine({ message, code }: SerializedError, asset?: string): string {
  const [first = ''] = message.split('\n');
  const rest = asset === undefined ? first : withoutPlace(first, asset);
  return code === undefined ? rest : `${rest} [${code}]`;
}
