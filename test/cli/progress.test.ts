import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { outputOf } from '../../framework/cli/io.ts';
import { barLines } from '../../framework/cli/progress/bars.ts';
import { liveArea } from '../../framework/cli/progress/live.ts';
import { type AssetProgress, advance, type Progress } from '../../framework/cli/progress/model.ts';
import { storyteller } from '../../framework/cli/progress/repeats.ts';
import { styleFor } from '../../framework/cli/style.ts';
import { newCounts, type RunEvent } from '../../framework/materialize/events.ts';
import { displayWidth } from '../../framework/report/format.ts';
import { place, screen } from './support.ts';

const plain = styleFor(screen(), {}, false);
const one = (more: Partial<AssetProgress>): AssetProgress => ({
  asset: 'silver/klines',
  phase: 'computing',
  startedAt: 0,
  total: 400,
  done: 100,
  failed: 0,
  checksFailed: 0,
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
        one({ asset: 'gold/checked', done: 200, checksFailed: 2 }),
        one({ asset: 'binance/archive', phase: 'observing' }),
      ),
    ).toMatchInlineSnapshot(`
      [
        "silver/klines     ━━━━━━━───────────────────────  100/400   25%  10/s  30 s left",
        "gold/x            ──────────────────────────────  0/3    0%",
        "gold/longer_name  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━  10/10  100%  3 failed  1.0/s",
        "gold/checked      ━━━━━━━━━━━━━━━───────────────  200/400   50%  2 checks failed  20/s  10 s left",
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
        checksFailed: fc.nat(10_000_000),
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
    { type: 'check-failed', asset: 'a', partition: 'y', check: 'c', severity: 'error', failedRows: 3 },
    { type: 'check-failed', asset: 'a', partition: 'y', check: 'd', severity: 'warn', failedRows: 3 },
    { type: 'asset-finished', asset: 'b', done: 1, changed: 1, failed: 0, ms: 1 },
  ];
  expect(events.reduce<Progress>((progress, event, i) => advance(progress, event, i), [])).toEqual([
    { asset: 'a', phase: 'computing', startedAt: 2, total: 10, done: 4, failed: 1, checksFailed: 1 },
  ]);
});

describe('what a run tells', () => {
  const tell = (...events: RunEvent[]): string[] => {
    const story = storyteller(plain);
    let progress: Progress = [];
    return events.flatMap((event, i) => {
      const before = 'asset' in event ? progress.find(({ asset }) => asset === event.asset) : undefined;
      progress = advance(progress, event, i);
      return story(event, before);
    });
  };
  const failed = (asset: string, partition: string, message: string): RunEvent => ({
    type: 'partition-failed',
    asset,
    partition,
    error: { message, code: 'bad' },
  });
  const started = (asset: string): RunEvent => ({
    type: 'asset-started',
    asset,
    partitions: 9,
    batches: 1,
    causes: { missing: 9 },
  });
  const finished = (asset: string, more: { done: number; failed: number }): RunEvent => ({
    type: 'asset-finished',
    asset,
    changed: more.done,
    ms: 5,
    ...more,
  });
  const end: RunEvent = {
    type: 'run-finished',
    run: 'r',
    outcome: 'failed',
    counts: newCounts(),
    ms: 1,
  };

  test('of failures that say the same only the first; how many, when the asset is done', () => {
    expect(
      tell(
        started('gold/x'),
        failed('gold/x', 'd=1', 'gold/x d=1: no such column'),
        failed('gold/x', 'd=2', 'gold/x d=2: no such column'),
        failed('gold/x', 'd=3', 'gold/x d=3: another matter'),
        failed('gold/x', 'd=4', 'gold/x d=4: no such column'),
        finished('gold/x', { done: 5, failed: 4 }),
        end,
      ),
    ).toEqual([
      'gold/x: computing 9 partitions (9 missing)',
      '✗ gold/x d=1: no such column [bad]',
      '✗ gold/x d=3: another matter [bad]',
      '✗ gold/x: 5 computed, 4 failed (5 ms)',
    ]);
  });

  test('of an asset that failed as a whole, how many at the end', () => {
    const stutter = 'gold/x: assets/x.ts:3: gold/x.query: gold/x: no such column';
    expect(tell(failed('gold/x', 'd=1', stutter), failed('gold/x', 'd=2', stutter), end)).toEqual([
      '✗ gold/x d=1: assets/x.ts:3: no such column [bad]',
      '✗ gold/x: the same for 1 more partition',
    ]);
  });

  test('of waiting once per asset and process, not per batch', () => {
    const waiting = (asset: string, heldBy: string): RunEvent => ({ type: 'waiting', asset, partitions: 3, heldBy });
    expect(
      tell(
        waiting('gold/x', 'run a'),
        waiting('gold/x', 'run a'),
        waiting('gold/y', 'run a'),
        waiting('gold/x', 'run b'),
      ),
    ).toEqual([
      'gold/x: waiting for run a, which computes partitions of it',
      'gold/y: waiting for run a, which computes partitions of it',
      'gold/x: waiting for run b, which computes partitions of it',
    ]);
  });

  test('not thousands of different ones', () => {
    const lines = tell(...Array.from({ length: 99 }, (_, i) => failed('gold/x', `d=${i}`, `row ${i} is bad`)), end);
    expect(lines).toHaveLength(21);
    expect(lines.slice(-2)).toEqual(['✗ gold/x d=19: row 19 is bad [bad]', '… and others, which the end tells']);
  });

  test('computed partitions that a check refused are no success', () => {
    const refused = (partition: string): RunEvent => ({
      type: 'check-failed',
      asset: 'gold/x',
      partition,
      check: 'positive',
      severity: 'error',
      failedRows: 2,
    });
    expect(tell(started('gold/x'), refused('d=1'), refused('d=2'), finished('gold/x', { done: 9, failed: 0 }))).toEqual(
      [
        'gold/x: computing 9 partitions (9 missing)',
        '✗ gold/x d=1: check positive failed for 2 rows',
        '✗ gold/x: 9 computed, 2 checks failed (5 ms)',
      ],
    );
  });
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

  test('is drawn on a terminal that does not know its size', () => {
    let text = '';
    const stream = new PassThrough().on('data', (more) => {
      text += more;
    });
    const output = outputOf(
      Object.assign(stream, { isTTY: true, columns: 0, rows: 0 }) as unknown as NodeJS.WriteStream,
    );
    expect([output.columns, output.rows]).toEqual([undefined, undefined]);
    const area = liveArea(output);
    area.draw(['x']);
    area.draw(['y']);
    expect(text).toBe('x\n\u001b[1F\u001b[0Jy\n');
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
