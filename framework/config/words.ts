import type { z } from 'zod';

const KINDS: { readonly [kind: string]: string } = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'a section',
  record: 'a section',
};

const FORMATS: { readonly [format: string]: string } = {
  date: 'a date such as 2024-01-31',
  datetime: 'a time such as 2024-01-31T12:00:00Z',
  url: 'a URL',
  email: 'an e-mail address',
};

/** What zod found wrong, in the words of these settings: what is allowed. An error map, for the parameter `error` of a parse. */
export function inOurWords(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type': {
      const whole = (issue.inst?._zod.def as { readonly format?: unknown } | undefined)?.format === 'safeint';
      return `Expected ${KINDS[whole ? 'int' : issue.expected] ?? `a value of type ${issue.expected}`}`;
    }
    case 'invalid_value':
      return `Expected ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return `Expected ${sized(issue.origin, issue.minimum, issue.exact ? '' : issue.inclusive ? 'at least' : 'more than')}`;
    case 'too_big':
      return `Expected ${sized(issue.origin, issue.maximum, issue.exact ? '' : issue.inclusive ? 'at most' : 'less than')}`;
    case 'invalid_format':
      return `Expected ${FORMATS[issue.format] ?? `a text that matches ${issue.pattern ?? issue.format}`}`;
    case 'not_multiple_of':
      return `Expected a multiple of ${issue.divisor}`;
    case 'unrecognized_keys':
      return `Unknown: ${issue.keys.join(', ')}`;
    case 'invalid_union': {
      const alternatives = issue.errors.flatMap(([first]) => first?.message.replace(/^Expected /, '') ?? []);
      return alternatives.length > 0 ? `Expected ${[...new Set(alternatives)].join(' or ')}` : 'This is not allowed';
    }
    default:
      return 'This is not allowed';
  }
}

function sized(origin: string, size: number | bigint, bound: string): string {
  const of = `${bound} ${size}`.trim();
  if (origin !== 'string' && origin !== 'array') return of;
  const [what, one, many] =
    origin === 'string' ? ['a text', 'character', 'characters'] : ['a list', 'entry', 'entries'];
  return of === 'at least 1' ? `${what} that is not empty` : `${what} of ${of} ${size === 1 ? one : many}`;
}
