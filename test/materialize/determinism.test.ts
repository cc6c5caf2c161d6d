import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseFilter } from '../../framework/partition/filter.ts';
import { type TinyOptions, ticksOf } from './fixture.ts';
import { run } from './lake.ts';
import { NOW, packs, problems, tiny, versions } from './support.ts';

const RUNS = Number(process.env.DETERMINISM_RUNS ?? 2);
const DATES = [
  '2020-01-30',
  '2020-01-31',
  '2020-02-01',
  '2020-02-02',
  '2020-02-03',
  '2020-02-28',
  '2020-02-29',
  '2020-03-01',
];

/** Days with gaps and odd lengths, empty ones too. */
const day = fc.record({
  symbol: fc.constantFrom('A', 'B'),
  date: fc.constantFrom(...DATES),
  count: fc.constantFrom(0, 1, 3, 6, 7),
  seed: fc.nat(1000),
});
const archiveOf = fc.uniqueArray(day, {
  selector: ({ symbol, date }) => `${symbol} ${date}`,
  minLength: 3,
  maxLength: 12,
});

/** How the same work is cut up. */
const course = fc.record({
  batchSize: fc.constantFrom(1, 2, 7, 400),
  threads: fc.constantFrom(1, 2, 4),
  packs: fc.constantFrom<NonNullable<TinyOptions['packs']>>(
    ['partition'],
    ['partition', 'month'],
    ['partition', 'month', 'year'],
    ['partition', 'year'],
  ),
  /** Runs over single assets and some days before the run over everything; the clock goes from one to the next. */
  parts: fc.array(
    fc.record({
      asset: fc.constantFrom('+silver/ticks', '+gold/window', '+gold/function', '+gold/chain', 'bronze/days'),
      dates: fc.subarray(DATES, { minLength: 1 }),
      force: fc.boolean(),
    }),
    { maxLength: 3 },
  ),
  early: fc.boolean(),
});

describe('the same inputs give the same bytes', () => {
  test(
    'alone or in batches of any size, after partial runs in any order, into any packs, on any number of threads',
    async () => {
      await fc.assert(
        fc.asyncProperty(archiveOf, fc.array(course, { minLength: 2, maxLength: 2 }), async (days, courses) => {
          const whole = async (levels: NonNullable<TinyOptions['packs']>, archive?: string) => {
            const lake = await tiny({ packs: levels, ...(archive !== undefined && { archive }) });
            for (const { symbol, date, count, seed } of days)
              lake.archive.put(symbol, date, ticksOf(date, count, seed));
            expect((await run(lake.lake)).outcome).toBe('succeeded');
            return lake;
          };
          const reference = await whole(['partition', 'month']);
          for (const { batchSize, threads, packs: levels, parts, early } of courses) {
            // In the middle of February the days of January are in a month's file and those of February in files of their own.
            let now = early && parts.length > 0 ? Date.parse('2020-02-15T00:00:00Z') : NOW;
            const { lake } = await tiny({
              packs: levels,
              archive: reference.archive.directory,
              now: () => now,
              sets: [`processing.batchSize=${batchSize}`, `engine.threads=${threads}`],
            });
            for (const { asset, dates, force } of parts) {
              const filter = parseFilter(`date=${dates.join('|')}`);
              expect((await run(lake, { selection: asset, filter, force })).counts.failed).toBe(0);
            }
            now = NOW;
            expect((await run(lake)).outcome).toBe('succeeded');
            expect((await run(lake)).counts.computed).toBe(0);
            expect(versions(lake)).toEqual(versions(reference.lake));
            // What is in files of its own because it was made while its month was open goes into the month's with the next change.
            if (!early) expect(packs(lake)).toEqual(packs((await whole(levels, reference.archive.directory)).lake));
            expect(await problems(lake)).toEqual([]);
          }
        }),
        {
          numRuns: RUNS,
          ...(process.env.FC_SEED !== undefined && { seed: Number(process.env.FC_SEED) }),
          endOnFailure: true,
        },
      );
    },
    30_000 + RUNS * 20_000,
  );
});
