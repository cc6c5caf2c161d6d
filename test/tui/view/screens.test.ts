import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Size } from '../../../framework/tui/model/data.ts';
import { assetsView } from '../../../framework/tui/view/assets.ts';
import { overlay } from '../../../framework/tui/view/box.ts';
import { checksView } from '../../../framework/tui/view/checks.ts';
import { errorDialog, inputDialog, wipeDialog } from '../../../framework/tui/view/dialog.ts';
import { bodySize } from '../../../framework/tui/view/frame.ts';
import { helpBox } from '../../../framework/tui/view/help.ts';
import { paletteBox } from '../../../framework/tui/view/palette.ts';
import { planDialog } from '../../../framework/tui/view/plan.ts';
import { runView } from '../../../framework/tui/view/run.ts';
import { runsView } from '../../../framework/tui/view/runs.ts';
import { schedulesView } from '../../../framework/tui/view/schedules.ts';
import type { Theme } from '../../../framework/tui/view/theme.ts';
import { checkRow, entry, filters, listed, planView, rowsOf, runDetail, runRow, scheduleRow } from './arbitraries.ts';
import {
  ASCII,
  expectAscii,
  expectFilled,
  expectWithin,
  instants,
  maybe,
  SIZES,
  sizes,
  THEMES,
  texts,
  themes,
} from './fitting.ts';
import { ASSETS, CANDIDATES, HELP, NOW, tree } from './samples.ts';
import { CHECKS, PLAN, RUN, RUNS, SCHEDULES } from './samples-runs.ts';

type Draw = (size: Size, theme: Theme) => string[];
const list = { cursor: 1, offset: 0, now: NOW };
const asciiHelp = HELP.map((group) => ({
  ...group,
  bindings: group.bindings.map((binding) => ({ ...binding, keys: ['x'] })),
}));

const BODIES: readonly (readonly [name: string, draw: Draw])[] = [
  ['assets', (size, theme) => assetsView({ ...list, entries: tree(ASSETS), size }, theme)],
  ['no assets', (size, theme) => assetsView({ ...list, entries: [], size }, theme)],
  ['runs', (size, theme) => runsView({ ...list, rows: RUNS, size }, theme)],
  ['a run', (size, theme) => runView({ detail: RUN, offset: 0, follow: true, now: NOW, size }, theme)],
  ['checks', (size, theme) => checksView({ ...list, rows: CHECKS, size }, theme)],
  ['schedules', (size, theme) => schedulesView({ ...list, rows: SCHEDULES, size }, theme)],
  ['no schedules', (size, theme) => schedulesView({ ...list, rows: [], size }, theme)],
];
const wipe = { asset: 'a', consequences: ['All of it goes.'], expected: 'a', typed: '', caret: 0 };
const BOXES: readonly (readonly [name: string, draw: Draw])[] = [
  ['help', (size, theme) => helpBox(theme, size, { groups: asciiHelp, offset: 0 })],
  [
    'palette',
    (size, theme) => paletteBox(theme, size, { query: 'ma', caret: 2, candidates: CANDIDATES, chosen: 0, offset: 0 }),
  ],
  ['plan', (size, theme) => planDialog(theme, size, { plan: PLAN, offset: 0 })],
  ['wipe', (size, theme) => wipeDialog(theme, size, wipe)],
  ['error', (size, theme) => errorDialog(theme, size, { title: 'Failed', message: 'It failed.', hint: 'Try again.' })],
  ['input', (size, theme) => inputDialog(theme, size, { title: 'T', prompt: 'P', text: '', caret: 0, action: 'use' })],
];

describe.each(THEMES)('in %s', (_, theme) => {
  describe.each(SIZES)('at $columns×$rows', (screen) => {
    const size = bodySize(screen);

    test.each(BODIES)('%s fill the body', (_, draw) => {
      const lines = draw(size, theme);
      expectFilled(lines, size);
      if (theme === ASCII) expectAscii(lines);
      expect(draw(size, theme)).toEqual(lines);
    });

    test.each(BOXES)('%s lies over it', (_, draw) => {
      const box = draw(size, theme);
      expect(box.length).toBeLessThanOrEqual(size.rows);
      expectWithin(box, size.columns);
      if (theme === ASCII) expectAscii(box);
      const under = BODIES[0]?.[1](size, theme) ?? [];
      expectFilled(overlay(theme, under, box, size), size);
    });
  });
});

describe('whatever the lake holds and however large the terminal is, every line fits', () => {
  const bodies = <T extends object>(
    inputs: fc.Arbitrary<T>,
    draw: (input: T & { size: Size }, theme: Theme) => string[],
  ) =>
    fc.assert(
      fc.property(inputs, sizes, themes, (input, size, theme) => expectFilled(draw({ ...input, size }, theme), size)),
    );
  const boxes = <T>(inputs: fc.Arbitrary<T>, draw: (theme: Theme, size: Size, input: T) => string[]) =>
    fc.assert(
      fc.property(inputs, fc.array(texts, { maxLength: 5 }), sizes, themes, (input, texts, size, theme) => {
        const box = draw(theme, size, input);
        expect(box.length).toBeLessThanOrEqual(size.rows);
        expectWithin(box, size.columns);
        const under = texts.map((text) => text.replace(/\p{Cc}/gu, ''));
        expectFilled(overlay(theme, under, box, size), size);
      }),
    );

  test('assets', () =>
    bodies(
      fc.tuple(listed, rowsOf(entry), filters).map(([one, entries, filter]) => ({ ...one, entries, filter })),
      assetsView,
    ));
  test('runs', () =>
    bodies(
      fc.tuple(listed, rowsOf(runRow), filters).map(([one, rows, filter]) => ({ ...one, rows, filter })),
      runsView,
    ));
  test('a run', () => {
    const search = maybe(fc.record({ text: texts }));
    bodies(
      fc.record({
        detail: runDetail,
        offset: fc.integer({ min: -2, max: 20 }),
        follow: fc.boolean(),
        search,
        logOnly: fc.boolean(),
        now: instants,
      }),
      runView,
    );
  });
  test('checks', () =>
    bodies(
      fc
        .tuple(listed, rowsOf(checkRow), filters, fc.nat(30))
        .map(([one, rows, filter, detailOffset]) => ({ ...one, rows, filter, detailOffset })),
      checksView,
    ));
  test('schedules', () =>
    bodies(
      fc
        .tuple(listed, rowsOf(scheduleRow), fc.nat(30))
        .map(([one, rows, detailOffset]) => ({ ...one, rows, detailOffset })),
      schedulesView,
    ));

  test('plans', () =>
    boxes(
      fc.record({ plan: maybe(planView), offset: fc.integer({ min: -2, max: 9 }), disabledReason: maybe(texts) }),
      planDialog,
    ));
  test('wiping', () =>
    boxes(
      fc.record({
        asset: texts,
        consequences: fc.array(texts, { maxLength: 3 }),
        expected: texts,
        typed: texts,
        caret: fc.nat(30),
      }),
      wipeDialog,
    ));
  test('errors', () => boxes(fc.record({ title: texts, message: texts, hint: maybe(texts) }), errorDialog));
  test('input', () =>
    boxes(
      fc.record({
        title: texts,
        prompt: texts,
        text: texts,
        caret: fc.nat(30),
        problem: maybe(texts),
        action: fc.constantFrom('use', '使う'),
      }),
      inputDialog,
    ));
  test('help', () => {
    const binding = fc.record({
      keys: fc.array(texts, { maxLength: 3 }),
      label: texts,
      description: texts,
      disabledReason: maybe(texts),
    });
    const groups = fc.array(fc.record({ title: texts, bindings: fc.array(binding, { maxLength: 4 }) }), {
      maxLength: 4,
    });
    boxes(fc.record({ groups, offset: fc.integer({ min: -2, max: 40 }) }), helpBox);
  });
  test('the palette', () => {
    const candidate = fc.record({
      label: texts,
      kind: texts,
      key: maybe(texts),
      description: maybe(texts),
      disabledReason: maybe(texts),
      positions: fc.uniqueArray(fc.nat(20)).map((all) => all.toSorted((a, b) => a - b)),
    });
    boxes(
      fc.record({
        query: texts,
        caret: fc.nat(30),
        candidates: fc.array(candidate, { maxLength: 20 }),
        chosen: fc.integer({ min: -1, max: 22 }),
        offset: fc.integer({ min: -2, max: 22 }),
      }),
      paletteBox,
    );
  });
});
