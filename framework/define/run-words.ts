import type { RunWords } from '../common/schedule.ts';
import { tagProblem } from '../common/tags.ts';

/** What is wrong with them: fields, and what is said of each. */
export function runWordsProblems({ priority = 0, tags = {} }: RunWords): [field: string, message: string][] {
  return [
    ...(Number.isSafeInteger(priority) ? [] : [['priority', `${priority} is not a whole number`] as [string, string]]),
    ...Object.entries(tags).flatMap(([key, value]): [string, string][] => {
      const problem = tagProblem(key, value);
      return problem === undefined ? [] : [['tags', `'${key}' ${problem}`]];
    }),
  ];
}
