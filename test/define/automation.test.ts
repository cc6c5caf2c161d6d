import {
  and,
  asset,
  columns,
  eager,
  inLatestWindow,
  missing,
  not,
  onCron,
  or,
  replaced,
  sql,
  stale,
  text,
  willBeRequested,
  without,
} from 'crypto-lakehouse';
import { expect, test } from 'vitest';
import { createCodeHasher } from '../../framework/code/functions.ts';
import { codeVersion } from '../../framework/code/version.ts';
import type { AutomationCondition } from '../../framework/define/automation.ts';
import { refused } from './support.ts';

const table = { columns: columns({ x: text() }), sortBy: ['x'] as const, query: () => sql`SELECT 'x' AS x` };
const withCondition = (automation: AutomationCondition) => asset('gold/x', { ...table, automation });

test('a condition is plain, immutable data', () => {
  const condition = and(missing(), not(inLatestWindow(3)));
  expect(JSON.parse(JSON.stringify(condition))).toEqual({
    type: 'and',
    label: 'and',
    arguments: {},
    children: [
      { type: 'missing', label: 'missing', arguments: {}, children: [] },
      {
        type: 'not',
        label: 'not inLatestWindow(3)',
        arguments: {},
        children: [{ type: 'inLatestWindow', label: 'inLatestWindow(3)', arguments: { count: 3 }, children: [] }],
      },
    ],
  });
  const frozen = (part: AutomationCondition): boolean =>
    Object.isFrozen(part) &&
    Object.isFrozen(part.children) &&
    Object.isFrozen(part.arguments) &&
    part.children.every(frozen);
  for (const one of [
    condition,
    eager(),
    onCron('@daily'),
    replaced(eager(), 'stale', missing()),
    without(eager(), 'depsChecksPassed'),
  ])
    expect(frozen(one), one.label).toBe(true);
});

test('is carried by the asset, and is not part of its code version', () => {
  const hasher = createCodeHasher({ declarers: new Set(), unversioned: new Set() });
  const [plain, automated] = [asset('gold/x', table), withCondition(eager())];
  expect([plain.automation, automated.automation]).toEqual([undefined, eager()]);
  expect(codeVersion(automated, hasher).version).toBe(codeVersion(plain, hasher).version);
});

test('parts are replaced and left out by their labels', () => {
  const condition = or(missing(), and(stale(), missing()));
  expect(replaced(condition, 'missing', inLatestWindow())).toEqual(
    or(inLatestWindow(), and(stale(), inLatestWindow())),
  );
  expect(without(condition, 'stale')).toEqual(or(missing(), and(missing())));
});

test('what is wrong with a condition is told when the definitions are loaded', () => {
  expect(
    [
      inLatestWindow(0),
      and(),
      not(willBeRequested()),
      replaced(eager(), 'stael', missing()),
      without(and(stale()), 'stale'),
    ]
      .map((condition) => refused(withCondition(condition)))
      .join('\n'),
  ).toMatchInlineSnapshot(`
    "bad-automation gold/x.automation: inLatestWindow(0): not a whole number from 1
    bad-automation gold/x.automation: and() of nothing
    bad-automation gold/x.automation: willBeRequested() is about assets upstream => Write anyDepsMatch(willBeRequested()), or newlyRequested() for the last evaluation
    bad-automation gold/x.automation: it has no part 'stael'. Did you mean 'stale'?
    bad-automation gold/x.automation: nothing is left of 'and'"
  `);
});
