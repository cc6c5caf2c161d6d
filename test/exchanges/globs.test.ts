import fc from 'fast-check';
import { expect, test } from 'vitest';
import { globsMeet } from '../../assets/exchanges/index.ts';
import { globMatcher } from '../../framework/common/glob.ts';

test('two globs meet when some text is both', () => {
  const glob = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), minLength: 1, maxLength: 4 });
  // Two such globs have a text in common that is not longer than both together, if any.
  const texts = [''];
  for (let i = 0; texts[i] !== undefined && texts[i] !== 'bbbbbbbb'; i++) texts.push(`${texts[i]}a`, `${texts[i]}b`);
  fc.assert(
    fc.property(glob, glob, (a, b) => {
      const [isA, isB] = [globMatcher([a]), globMatcher([b])];
      expect(globsMeet(a, b)).toBe(texts.some((text) => isA(text) && isB(text)));
    }),
    { numRuns: 300 },
  );
});
