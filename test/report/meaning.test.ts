import { expect, test } from 'vitest';
import { STATUSES } from '../../framework/plan/evaluate.ts';
import { meaningOf } from '../../framework/report/meaning.ts';

test('every status means something of its own', () => {
  const meanings = STATUSES.map((status) => meaningOf(status, 'asset'));
  expect(new Set(meanings).size).toBe(STATUSES.length);
});

test('what a source has leaves no lake', () => {
  expect(meaningOf('leaving', 'asset')).toBe('has content, will leave the lake with the next run');
  expect(meaningOf('leaving', 'source')).toBe('at the source, but not wanted here');
  expect(meaningOf('fresh', 'source')).toBe(meaningOf('fresh', 'asset'));
});
