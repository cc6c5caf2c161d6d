import { describe, expect, test } from 'vitest';
import { errorDialog, inputDialog, wipeDialog } from '../../../framework/tui/view/dialog.ts';
import { planDialog } from '../../../framework/tui/view/plan.ts';
import { ASCII, PLAIN, seen } from './fitting.ts';
import { PLAN } from './samples-runs.ts';

const SIZE = { columns: 80, rows: 19 };

describe('the plan, before it is run', () => {
  const shown = (dialog: Parameters<typeof planDialog>[2], size = SIZE) => seen(planDialog(PLAIN, size, dialog));

  test('what, how much, why', () =>
    expect(shown({ plan: PLAN, offset: 0 })).toMatchInlineSnapshot(`
      "╭─ Materialize silver/* ─────────────────────────────────────────────────╮
      │                                                                        │
      │ 24,525 partitions to compute, 404 more if what they read really        │
      │ changes.                                                               │
      │ 30 batches, 812 files to write, 190 downloads of 41.2 MB.              │
      │ It takes up to 12m 25s.                                                │
      │ 252 partitions cannot be computed now.                                 │
      │                                                                        │
      │ asset                    will  may  held     time  because             │
      │ bronze/binance-klines     190                31 s  176 missing, 14 …   │
      │ silver/klines          24,335  310    12  11m 54s  24,012 code chan…   │
      │ gold/returns                    94   240                               │
      │                                                                        │
      ╰─ enter run  esc cancel ────────────────────────────────────────────────╯"
    `));

  test('forced, of some partitions, at unknown cost', () =>
    expect(
      shown({
        plan: {
          ...PLAN,
          force: true,
          partitions: 'date=2024-01',
          cost: { batches: 1, files: 1, fetches: 0, downloadBytes: 0, estimatedMs: undefined, knownMs: 0 },
          will: 1,
          may: 0,
          steps: [],
        },
        offset: 0,
      }),
    ).toMatchInlineSnapshot(`
      "╭─ Force silver/* ───────────────────────────────────────────────────────╮
      │                                                                        │
      │ partitions date=2024-01                                                │
      │ 1 partition to compute.                                                │
      │ 1 batch, 1 file to write.                                              │
      │ How long it takes is not known.                                        │
      │                                                                        │
      ╰─ enter run  esc cancel ────────────────────────────────────────────────╯"
    `));

  test('nothing to do: nothing to run', () =>
    expect(shown({ plan: { ...PLAN, will: 0, may: 0, steps: [] }, offset: 0 })).toMatchInlineSnapshot(`
      "╭─ Materialize silver/* ─────────────────────────────────────────────────╮
      │                                                                        │
      │ Nothing to do: everything that can be computed is up to date.          │
      │                                                                        │
      ╰─ esc close ────────────────────────────────────────────────────────────╯"
    `));

  test('not allowed here: why', () => {
    const text = shown({ plan: PLAN, offset: 0, disabledReason: 'The lake was opened read-only.' });
    expect(text).toContain('The lake was opened read-only.');
    expect(text).not.toContain('enter');
  });

  test('more steps than room scroll', () => {
    const steps = Array.from({ length: 50 }, (_, i) => ({
      asset: `asset/${i}`,
      will: i,
      may: 0,
      held: 0,
      estimatedMs: undefined,
      causes: { missing: i },
    }));
    const text = (offset: number) => shown({ plan: { ...PLAN, steps }, offset }, { columns: 80, rows: 12 });
    expect(text(0)).toContain('asset/0');
    expect(text(0)).toContain('j/k scroll');
    expect(text(9999)).toContain('asset/49');
    expect(text(9999).split('\n').length).toBe(12);
  });

  test('while it is made', () => expect(shown({ plan: undefined, offset: 0 })).toContain('Planning …'));
});

describe('typed confirmation', () => {
  const wipe = (typed: string) =>
    seen(
      wipeDialog(ASCII, SIZE, {
        asset: 'silver/klines',
        consequences: ['1,204,000 partitions in 812 files leave the lake.', 'What reads them is computed again.'],
        expected: 'silver/klines',
        typed,
        caret: typed.length,
      }),
    );

  test('what goes, and what to type', () =>
    expect(wipe('silver/kl')).toMatchInlineSnapshot(`
    "+- Wipe silver/klines ---------------------------------------------------+
    |                                                                        |
    | 1,204,000 partitions in 812 files leave the lake.                      |
    | What reads them is computed again.                                     |
    |                                                                        |
    | Type silver/klines to go on:                                           |
    | > silver/kl_                                                           |
    |                                                                        |
    +- enter wipe  esc cancel -----------------------------------------------+"
  `));
  test('whether it is right so far', () => {
    const verdict = (typed: string) =>
      wipe(typed)
        .split('\n')
        .find((line) => line.startsWith('| > '))
        ?.slice(-4);
    expect([verdict('sil'), verdict('gold'), verdict('silver/klines')]).toEqual(['   |', ' x |', ' + |']);
  });
});

describe('other dialogs', () => {
  test('an error with what to do about it', () =>
    expect(
      seen(
        errorDialog(PLAIN, SIZE, {
          title: 'Cannot materialize',
          message: 'Another process (4121) has been writing to this lake since 14:01:22 UTC, and only one can.',
          hint: 'Wait for it, or cancel it on the Runs screen.',
        }),
      ),
    ).toMatchInlineSnapshot(`
      "╭─ ✗ Cannot materialize ─────────────────────────────────────────────────╮
      │                                                                        │
      │ Another process (4121) has been writing to this lake since 14:01:22    │
      │ UTC, and only one can.                                                 │
      │                                                                        │
      │ Wait for it, or cancel it on the Runs screen.                          │
      │                                                                        │
      ╰─ esc close ────────────────────────────────────────────────────────────╯"
    `));

  test('an error longer than the screen ends with an ellipsis, its hint stays', () => {
    const lines = errorDialog(
      PLAIN,
      { columns: 60, rows: 10 },
      { title: 'Failed', message: 'word '.repeat(400), hint: 'Do this.' },
    );
    expect(lines.length).toBe(10);
    expect(seen(lines)).toContain('word… │');
    expect(seen(lines)).toContain('Do this.');
  });

  test('a text is asked for, and what is wrong with it', () => {
    const ask = (problem: string | undefined) =>
      seen(
        inputDialog(PLAIN, SIZE, {
          title: 'Partitions',
          prompt: 'Which partitions?',
          text: 'date=20x4',
          caret: 8,
          problem,
          action: 'use',
        }),
      );
    expect(ask(undefined)).toMatchInlineSnapshot(`
      "╭─ Partitions ───────────────────────────────────────────────────────────╮
      │                                                                        │
      │ Which partitions?                                                      │
      │ > date=20x4                                                            │
      │                                                                        │
      │                                                                        │
      ╰─ enter use  esc cancel ────────────────────────────────────────────────╯"
    `);
    expect(ask('20x4 is no date.')).toMatchInlineSnapshot(`
      "╭─ Partitions ───────────────────────────────────────────────────────────╮
      │                                                                        │
      │ Which partitions?                                                      │
      │ > date=20x4                                                            │
      │ 20x4 is no date.                                                       │
      │                                                                        │
      ╰─ enter use  esc cancel ────────────────────────────────────────────────╯"
    `);
  });
});
