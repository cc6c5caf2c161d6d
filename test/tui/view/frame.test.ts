import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bodySize, type Frame, frame, hintLine } from '../../../framework/tui/view/frame.ts';
import {
  ASCII,
  expectAscii,
  expectFilled,
  maybe,
  PLAIN,
  SIZES,
  seen,
  sizes,
  THEMES,
  texts,
  themes,
} from './fitting.ts';
import { NOW } from './samples.ts';

const INPUT: Frame = {
  size: { columns: 80, rows: 18 },
  title: 'lakehouse',
  breadcrumb: ['Assets', 'silver/klines'],
  command: 'lakehouse status silver/klines',
  tabs: ['Assets', 'Lineage', 'Partitions', 'Runs', 'Checks', 'Schedules', 'Data'].map((label, i) => ({
    key: String(i + 1),
    label,
  })),
  current: '1',
  state: { live: true, readOnly: false, revision: 1234, at: NOW - 300_000 },
  now: NOW,
  body: ['the body'],
  hints: [
    { key: 'enter', label: 'open', enabled: true },
    { key: 'm', label: 'materialize', enabled: true },
    { key: 'o', label: 'observe', enabled: false },
    { key: '?', label: 'help', enabled: true },
    { key: 'q', label: 'quit', enabled: true },
  ],
};
const head = (input: Partial<Frame>, columns = 80) =>
  seen(frame({ ...INPUT, ...input, size: { columns, rows: 18 } }, PLAIN).slice(0, 3));

describe('the frame of every screen', () => {
  test('header, tabs, body, keys', () => {
    expect(seen(frame(INPUT, PLAIN))).toMatchInlineSnapshot(`
      " lakehouse  Assets › silver/klines               ● live  revision 1,234  5m ago
       $ lakehouse status silver/klines
       1 Assets  2 Lineage  3 Partitions  4 Runs  5 Checks  6 Schedules  7 Data
      ────────────────────────────────────────────────────────────────────────────────
      the body












       enter open  m materialize  o observe  ? help  q quit"
    `);
  });

  test('the tab that is shown stands out', () => {
    expect(frame({ ...INPUT, current: '4' }, PLAIN)[2]).toContain('\u001b[7m 4 Runs \u001b[0m');
  });

  test('what matters least goes first when it is narrow', () => {
    const state = { live: true, readOnly: true, revision: 1234, at: NOW - 300_000 };
    expect(head({ state }, 80)).toMatchInlineSnapshot(`
      " lakehouse  Assets › silver/klines    ● live  read-only  revision 1,234  5m ago
       $ lakehouse status silver/klines
       1 Assets  2 Lineage  3 Partitions  4 Runs  5 Checks  6 Schedules  7 Data"
    `);
    expect(head({ state }, 60)).toMatchInlineSnapshot(`
      " lakehouse  Assets › silver/klines        ● live  read-only
       $ lakehouse status silver/klines
       1 Assets  2  3  4  5  6  7"
    `);
    expect(head({ state, breadcrumb: ['Runs', '20260508T140000-9a3e', 'silver/klines'] }, 48)).toMatchInlineSnapshot(`
      " lakehouse  … › silver/klines ● live  read-only
       $ lakehouse status silver/klines
       1 Assets  2  3  4  5  6  7"
    `);
  });

  test('a log that is not followed is said, and a quiet minute changes nothing', () => {
    const state = { live: false, readOnly: false, revision: undefined, at: NOW };
    expect(head({ state })).toMatchInlineSnapshot(`
      " lakehouse  Assets › silver/klines                    ○ not following  just now
       $ lakehouse status silver/klines
       1 Assets  2 Lineage  3 Partitions  4 Runs  5 Checks  6 Schedules  7 Data"
    `);
    expect(head({ state, now: NOW + 59_000 })).toBe(head({ state }));
  });

  test('keys are dropped from the end', () => {
    expect(seen([hintLine(INPUT.hints, 80, PLAIN)])).toBe(' enter open  m materialize  o observe  ? help  q quit');
    expect(seen([hintLine(INPUT.hints, 40, PLAIN)])).toBe(' enter open  m materialize  o observe');
    expect(seen([hintLine(INPUT.hints, 5, PLAIN)])).toBe('');
  });

  test('a message stands before the keys', () => {
    const last = (message: Frame['message']) => seen(frame({ ...INPUT, message }, PLAIN).slice(-1));
    expect(last({ kind: 'good', text: 'Copied.' })).toBe(
      ' ✓ Copied.  enter open  m materialize  o observe  ? help  q quit',
    );
    expect(last({ kind: 'bad', text: 'It\nfailed' })).toBe(
      ' ✗ It\\nfailed  enter open  m materialize  o observe  ? help  q quit',
    );
    expect(last({ kind: 'info', text: 'x'.repeat(90) })).toBe(` · ${'x'.repeat(76)}…`);
  });

  test.each([
    [24, 19],
    [16, 11],
    [15, 11],
    [10, 6],
    [9, 7],
    [5, 3],
    [4, 4],
    [0, 0],
  ])('of %d rows the body has %d', (rows, body) =>
    expect(bodySize({ columns: 80, rows })).toEqual({ columns: 80, rows: body }),
  );

  test.each(THEMES)('fits at every size in %s', (name, theme) => {
    for (const size of SIZES) {
      const lines = frame({ ...INPUT, size }, theme);
      expectFilled(lines, size);
      if (theme === ASCII) expectAscii(lines);
      expect(lines[4], name).toBe('the body');
    }
  });

  test('fits whatever it is given', () => {
    const input = fc.record({
      title: texts,
      breadcrumb: fc.array(texts, { maxLength: 4 }),
      command: texts,
      tabs: fc.array(
        fc.record({ key: fc.constantFrom('1', '2'), label: fc.constantFrom('Assets', '資産の一覧', '') }),
        { maxLength: 9 },
      ),
      current: fc.constantFrom('1', '9'),
      state: fc.record({ live: fc.boolean(), readOnly: fc.boolean(), revision: maybe(fc.nat()), at: maybe(fc.nat()) }),
      now: fc.nat(),
      body: fc.constant([]),
      hints: fc.array(
        fc.record({
          key: fc.constantFrom('enter', 'ctrl-c', '↑'),
          label: fc.constantFrom('open', '開く'),
          enabled: fc.boolean(),
        }),
      ),
      message: maybe(fc.record({ kind: fc.constantFrom('info', 'good', 'bad'), text: texts })),
    });
    fc.assert(
      fc.property(input, sizes, themes, (some, size, theme) => expectFilled(frame({ ...some, size }, theme), size)),
    );
  });
});
