import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { displayWidth } from '../../framework/cli/format.ts';
import { barLines } from '../../framework/cli/progress/bars.ts';
import { liveArea } from '../../framework/cli/progress/live.ts';
import { type AssetProgress, advance, type Progress } from '../../framework/cli/progress/model.ts';
import { styleFor } from '../../framework/cli/style.ts';
import type { RunEvent } from '../../framework/materialize/events.ts';
import { place, screen } from './support.ts';

const plain = styleFor(screen(), {}, false);
const one = (more: Partial<AssetProgress>): AssetProgress => ({
  asset: 'silver/klines',
  phase: 'computing',
  startedAt: 0,
  total: 400,
  done: 100,
  failed: 0,
  ...more,
});

describe('bars', () => {
  const shown = (width: number, ...progress: Progress) => barLines(progress, 10_000, width, 10, plain);

  test('say how far an asset is, how fast, and how long it takes', () => {
    expect(
      shown(
        100,
        one({}),
        one({ asset: 'gold/x', done: 0, total: 3 }),
        one({ asset: 'gold/longer_name', done: 7, failed: 3, total: 10 }),
        one({ asset: 'binance/archive', phase: 'observing' }),
      ),
    ).toMatchInlineSnapshot(`
      [
        "silver/klines     ━━━━━━━───────────────────────  100/400   25%  10/s  30 s left",
        "gold/x            ──────────────────────────────  0/3    0%",
        "gold/longer_name  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━  10/10  100%  3 failed  1.0/s",
        "binance/archive   looking at the source, 10 s",
      ]
    `);
  });

  test('give up what does not fit, the name last', () => {
    expect([80, 60, 50, 40, 30, 20, 12].map((width) => shown(width, one({}))[0])).toMatchInlineSnapshot(`
      [
        "silver/klines  ━━━━━━━───────────────────────  100/400   25%  10/s  30 s left",
        "silver/klines  ━━━──────────  100/400   25%  10/s  30 s left",
        "silver/klines  100/400   25%  10/s  30 s left",
        "silver/klines  100/400   25%  10/s",
        "silver/klines  100/400   25%",
        "silver/klin…  100/4…",
        "silver/klin…",
      ]
    `);
  });

  test('never wrap and never scroll', () => {
    const progress = fc.array(
      fc.record({
        asset: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).map((text) => text.replace(/\p{C}/gu, '_')),
        phase: fc.constantFrom('observing' as const, 'computing' as const),
        startedAt: fc.integer({ min: 0, max: 10_000_000 }),
        total: fc.nat(10_000_000),
        done: fc.nat(10_000_000),
        failed: fc.nat(10_000_000),
      }),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(progress, fc.integer({ min: 10, max: 200 }), fc.integer({ min: 1, max: 8 }), (all, width, height) => {
        const lines = barLines(all, 10_000_000, width, height, plain);
        expect(lines.length).toBeLessThanOrEqual(height);
        for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(width);
      }),
    );
  });
});

test('progress is a fold of events', () => {
  const events: RunEvent[] = [
    { type: 'observing', asset: 's' },
    { type: 'observed', asset: 's', seen: 1, changed: 1, withdrawn: 0, ms: 1 },
    { type: 'asset-started', asset: 'a', partitions: 10, batches: 2, causes: {} },
    { type: 'asset-started', asset: 'b', partitions: 1, batches: 1, causes: {} },
    { type: 'batch-finished', asset: 'a', partitions: 4, changed: 4, rows: 1, bytes: 1, ms: 1 },
    { type: 'partition-failed', asset: 'a', partition: 'x', error: { message: 'm' } },
    { type: 'asset-finished', asset: 'b', done: 1, changed: 1, failed: 0, ms: 1 },
  ];
  expect(events.reduce<Progress>((progress, event, i) => advance(progress, event, i), [])).toEqual([
    { asset: 'a', phase: 'computing', startedAt: 2, total: 10, done: 4, failed: 1 },
  ]);
});

/** What a terminal of some width shows after some output: enough of one for what the live area writes. */
function terminal(text: string, width: number): string[] {
  const lines = [''];
  let row = 0;
  const esc = String.fromCharCode(27);
  for (const part of text.split(new RegExp(`(${esc}\\[\\d+[FJ]|\\n)`))) {
    if (part === '\n') {
      row++;
      lines[row] ??= '';
    } else if (part.endsWith('F') && part.startsWith('\u001b')) row = Math.max(row - Number(part.slice(2, -1)), 0);
    else if (part.endsWith('J') && part.startsWith('\u001b')) {
      lines.length = row + 1;
      lines[row] = '';
    } else {
      expect(part.length).toBeLessThanOrEqual(width);
      lines[row] = (lines[row] ?? '') + part;
    }
  }
  return lines;
}

describe('the live area', () => {
  test('is rewritten in place, what is printed above stays', () => {
    const output = screen({ columns: 20 });
    const area = liveArea(output);
    area.draw(['a 1', 'b 1']);
    area.draw(['a 2', 'b 2', 'c 2'], ['first']);
    area.draw(['a 3'], ['second', 'third']);
    expect(terminal(output.text, 20)).toEqual(['first', 'second', 'third', 'a 3', '']);
    area.draw([]);
    expect(terminal(output.text, 20)).toEqual(['first', 'second', 'third', '']);
  });

  test('erases the rows that its lines take after the terminal became narrower', () => {
    const output = screen({ columns: 20 });
    const area = liveArea(output);
    area.draw(['x'.repeat(19), 'y'.repeat(5)]);
    output.resize(10);
    output.text = '';
    area.draw(['z']);
    expect(output.text).toBe('\u001b[3F\u001b[0Jz\n');
  });
});

test('a run on a terminal leaves what happened and no bars', async () => {
  const here = await place();
  const { code, out, err } = await here.run(['materialize', '+gold/days', '--no-color'], { columns: 80 });
  expect(code).toBe(0);
  expect(out).toContain('Done: 18 partitions computed');
  expect(terminal(err, 80).map((line) => line.replace(/\(\d+ ms\)|\(\d\.\d s\)/, '(…)'))).toEqual([
    'files/days: 6 partitions seen, 6 new or changed (…)',
    '✓ raw/days: 6 computed (…)',
    '✓ silver/prices: 6 computed (…)',
    '✓ gold/days: 6 computed (…)',
    '',
  ]);
});
