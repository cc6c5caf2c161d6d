import { expect, test } from 'vitest';
import { z } from 'zod';
import { resolveSettings } from '../../framework/config/resolve.ts';
import { failure, sourcesOf } from './support.ts';

/** What is said of a value that a lake's own setting does not allow. */
function said(schema: z.ZodType, value: unknown): string {
  const config = `feed:\n  x: ${JSON.stringify(value)}\n`;
  const feed = z.object({ x: schema.optional().meta({ description: 'X.' }) }).meta({ description: 'Feed.' });
  const report = failure(() => resolveSettings(sourcesOf({ config }), { feed }));
  return report.replace('invalid-settings (usage) The settings are wrong:\n  - ', '').replaceAll(/\n {4}/g, ' | ');
}

test('whatever is not allowed: the place, what is allowed, and what is there', () => {
  const cases: [z.ZodType, unknown, string][] = [
    [z.string(), 7, 'a text, got 7 | Put it in quotes'],
    [z.string().min(1), '', 'a text that is not empty, got ""'],
    [z.string().min(3), 'ab', 'a text of at least 3 characters, got "ab"'],
    [z.string().max(1), 'ab', 'a text of at most 1 character, got "ab"'],
    [z.string().length(1), 'ab', 'a text of 1 character, got "ab"'],
    [z.string().regex(/^a+$/), 'b', 'a text that matches /^a+$/, got "b"'],
    [z.email(), 'b', 'an e-mail address, got "b"'],
    [z.url(), 'b', 'a URL, got "b"'],
    [z.uuid(), 'b', expect.stringMatching(/^a text that matches .*, got "b"$/) as unknown as string],
    [z.iso.date(), '2024-02-30', 'a date such as 2024-01-31, got "2024-02-30"'],
    [z.iso.datetime(), 'noon', 'a time such as 2024-01-31T12:00:00Z, got "noon"'],
    [z.number(), 'x', 'a number, got "x"'],
    [z.int(), 'x', 'a whole number, got "x"'],
    [z.int(), 1.5, 'a whole number, got 1.5'],
    [z.int().positive(), 0, 'more than 0, got 0'],
    [z.number().min(2), 1, 'at least 2, got 1'],
    [z.number().max(2), 3, 'at most 2, got 3'],
    [z.number().lt(2), 2, 'less than 2, got 2'],
    [z.number().multipleOf(5), 3, 'a multiple of 5, got 3'],
    [z.boolean(), 'perhaps', 'true or false, got "perhaps"'],
    [z.boolean(), null, 'true or false, got nothing | Leave it out to keep the default'],
    [z.enum(['a', 'b']), 'zzz', 'one of a, b, got "zzz"'],
    [z.literal('a'), 'zzz', 'a, got "zzz"'],
    [z.array(z.string()), 'a', 'a list, got "a" | Write a list: [a]'],
    [z.array(z.string()).min(1), [], 'a list that is not empty, got a list'],
    [z.array(z.string()).max(1), ['a', 'b'], 'a list of at most 1 entry, got a list'],
    [z.array(z.array(z.string())), [{ a: 1 }], expect.stringContaining('a list, got a section') as unknown as string],
    [z.union([z.string(), z.int()]), true, 'a text or a whole number, got true'],
  ];
  for (const [schema, value, expected] of cases)
    expect(said(schema, value).replace(/^lakehouse\.yaml:2:\d+: feed\.x(\.0)?: Expected /, '')).toEqual(expected);
  expect(
    said(
      z.string().refine(() => false),
      'a',
    ),
  ).toBe('lakehouse.yaml:2:6: feed.x: This is not allowed, got "a"');
  expect(said(z.string({ error: 'A colour, please' }), 7)).toContain('feed.x: A colour, please, got 7');
});
