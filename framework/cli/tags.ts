import { LakehouseError } from '../common/errors.ts';
import { type Tags, tagProblem } from '../common/tags.ts';

/**
 * The tags of `--tag key=value`, given several times; undefined where there are none.
 * @throws LakehouseError `bad-tag` (usage).
 */
export function readTags(given: readonly string[] | undefined): Tags | undefined {
  if (given === undefined) return undefined;
  const pairs = given.map((text): [string, string] => {
    const equals = text.indexOf('=');
    const [key, value] = equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
    const problem = tagProblem(key, value);
    if (problem !== undefined)
      throw new LakehouseError('bad-tag', `--tag '${text}': '${key}' ${problem}`, {
        hint: 'Write --tag key=value, e.g. --tag reason=backfill',
      });
    return [key, value];
  });
  return Object.fromEntries(pairs);
}
