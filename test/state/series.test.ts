import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Scratch } from '../../framework/common/scratch.ts';
import { Unpacked } from '../../framework/common/unpacked.ts';
import type { SeriesColumns } from '../../framework/plan/view.ts';
import { MutableSeries } from '../../framework/state/series.ts';

/** What a series should say of a point. */
type Point = Readonly<Record<keyof SeriesColumns, number>>;
type Model = ReadonlyMap<number, Point>;

const NOTHING: Point = { changed: 0, verified: 0, code: 0, choice: 0, flags: 0 };
const COLUMNS = ['changed', 'verified', 'code', 'choice', 'flags'] as const;

const revision = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 2 ** 31 - 1 }));
const point = fc.record({
  changed: revision,
  verified: revision,
  code: fc.nat(0xffff),
  choice: fc.constantFrom(0, 1, 0xffff),
  flags: fc.constantFrom(1, 1, 1, 2, 4, 17),
});
const range = fc
  .tuple(
    fc.oneof(fc.integer({ min: -20, max: 60 }), fc.constantFrom(-4097, -4096, 4090, 4096, 8191, 20_000)),
    fc.constantFrom(1, 2, 7, 40, 5_000),
  )
  .map(([lo, length]): [number, number] => [lo, lo + length]);
const step = fc.oneof(
  fc.record({
    do: fc.constantFrom('write' as const, 'write' as const, 'fail' as const),
    range,
    point,
    daily: fc.boolean(),
  }),
  fc.record({ do: fc.constantFrom('pack' as const, 'clone' as const, 'restore' as const) }),
);

function saysOf(series: MutableSeries): Map<number, Point> {
  const found = new Map<number, Point>();
  const columns = Object.fromEntries(COLUMNS.map((name) => [name, series[name]])) as unknown as SeriesColumns;
  for (let i = 0; i < series.length; i++) {
    if (columns.flags[i] === 0) continue;
    found.set(series.base + i, Object.fromEntries(COLUMNS.map((name) => [name, columns[name][i]])) as never);
  }
  return found;
}

function check(series: MutableSeries, model: Model, failures: ReadonlyMap<number, unknown>): void {
  const sorted = new Map([...model].sort(([a], [b]) => a - b));
  const scratch = new Scratch();
  // Packed or not, in scratch memory that has been used for something else, it is the same.
  for (let turn = 0; turn < 2; turn++) {
    scratch.during(() => scratch.u32(3 * series.length).fill(0xabcdef));
    scratch.during(() => {
      const columns = series.columns(scratch);
      const changed = scratch.u32(series.length + 2).fill(9);
      changed.subarray(2).fill(0);
      series.copyChanged(changed, 2);
      for (const [time, one] of sorted) {
        const at = time - series.base;
        expect(Object.fromEntries(COLUMNS.map((name) => [name, columns[name][at]]))).toEqual(one);
        expect(changed[at + 2]).toBe(one.changed);
      }
      expect([changed[0], changed[1]]).toEqual([9, 9]);
      expect(columns.flags.reduce((n, flags) => n + (flags === 0 ? 0 : 1), 0)).toBe(sorted.size);
    });
    expect(saysOf(series)).toEqual(sorted);
    expect(series.failures ?? new Map()).toEqual(failures);
    series.pack();
  }
}

test('a series is what was written into it, however often it was packed, copied or restored in between', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), fc.constantFrom(0, 2 ** 20), (steps, most) => {
      const unpacked = new Unpacked(most);
      const make = () => new MutableSeries('s=a', { s: 'a' }, 1, unpacked);
      let series = make();
      let model = new Map<number, Point>();
      const failures = new Map<number, unknown>();
      const earlier: { series: MutableSeries; model: Model; failures: ReadonlyMap<number, unknown> }[] = [];
      steps.forEach((one, n) => {
        // What others unpack must not disturb it.
        unpacked.hold({ pack: () => undefined }, 100);
        if ('range' in one) {
          const [lo, hi] = one.do === 'fail' ? [one.range[0], one.range[0] + 1] : one.range;
          const columns = series.edit(lo, hi, n + 1);
          for (let time = lo; time < hi; time++) {
            const step = one.daily && one.do === 'write' ? 3 * (time - lo) : 0;
            const changed = Math.min(one.point.changed + step, 2 ** 31 - 1);
            const now = one.do === 'fail' ? { ...(model.get(time) ?? NOTHING), flags: 4 } : { ...one.point, changed };
            for (const name of COLUMNS) columns[name][time - series.base] = now[name];
            model.set(time, now);
          }
          if (one.do === 'write') return;
          const { changed: head, code } = one.point;
          const failure = { head, code, transient: n % 2 === 0, revision: n, attempts: 1 };
          series.failures ??= new Map();
          series.failures.set(lo, failure);
          failures.set(lo, failure);
        } else if (one.do === 'pack') series.pack();
        else if (one.do === 'clone') {
          earlier.push({ series, model, failures: new Map(failures) });
          series = series.clone(n + 2);
          model = new Map(model);
        } else {
          const numbers = new Set([...model.keys()].map((time) => Math.floor(time / 4096)));
          const chunks = [...numbers].sort((a, b) => a - b).map((number) => series.chunk(number).slice());
          series = make();
          series.restore(chunks);
        }
      });
      check(series, model, failures);
      for (const was of earlier) check(was.series, was.model, was.failures);
    }),
  );
});
