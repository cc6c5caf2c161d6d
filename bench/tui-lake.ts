import type { AssetGraph } from '../framework/graph/graph.ts';
import { seriesKey } from '../framework/partition/space.ts';
import { indexAt, startOf } from '../framework/partition/time.ts';
import type { NewEvent, SeriesOutcome } from '../framework/state/events.ts';
import { clock, FIRST_DAY, type Size } from './plan-lake.ts';

/** Days at the end that were written one by one, as a daily run writes them. */
const DAILY = 365;
/** Symbols whose history one event of a backfill has a year of. */
const TOGETHER = 10;

const name = (s: number): string => `S${String(s).padStart(4, '0')}`;
const dice = (a: number, b: number): number =>
  (Math.imul(Math.imul(a + 1, 2_654_435_761) ^ Math.imul(b + 7, 40_503), 2_246_822_519) >>> 8) & 0xffff;

/** A third of the symbols was listed later than the others. */
const listed = (s: number, days: number): number => (s % 3 === 0 ? (s * 37) % (days >> 1) : 0);
/** Of two days in a thousand the exchange has nothing. */
const isHole = (s: number, day: number): boolean => dice(s, day) % 500 === 0;

/**
 * The events of a lake that has been in use for a year: its history was backfilled, ten symbols and a year at a time, and then every day
 * was written by itself, so that each partition of the last year has revisions of its own. Symbols begin on different days and have
 * holes; one day in a hundred of the last month was published again and computed again; of one symbol in fifty the last day is still to
 * be computed, and of one in a hundred it failed.
 */
export function* usedLake(graph: AssetGraph, size: Size): Generator<NewEvent> {
  const { symbols, days } = size;
  const lastDay = FIRST_DAY + days;
  const tail = lastDay - DAILY;
  let head = 0;
  const count = (event: NewEvent): NewEvent => {
    head++;
    return event;
  };

  function* write(from: number, to: number, step: number, together: number): Generator<NewEvent> {
    for (const key of graph.order) {
      const { space, definition } = graph.node(key);
      const grain = space.time?.grain ?? 'day';
      const start = head;
      const groups = space.listed.length === 0 ? 1 : Math.ceil(symbols / together);
      for (let g = 0; g < groups; g++) {
        const own = space.listed.length === 0 ? [-1] : range(g * together, Math.min((g + 1) * together, symbols));
        for (let day = from; day < to; day += step) {
          const [lo = 0, end = 0] = [day, Math.min(day + step, to)].map((at) => indexAt(grain, startOf('day', at)));
          const outcomes = own.flatMap((s) => outcomeOf(s, lo, end));
          if (outcomes.length === 0) continue;
          if (step > 1 && definition.kind !== 'source') for (const [n, { file }] of outcomes.entries()) file.fill(n);
          const common = { asset: key, run: 'bench', outcomes };
          if (definition.kind === 'source') yield count({ kind: 'observed', ...common, observedAt: clock(size) });
          else {
            // Runs commit what they computed a few revisions after they looked.
            const verified = Math.max(head - (dice(head, 3) % 8), start);
            const files =
              step === 1 ? [] : outcomes.map(({ series }) => ({ path: `${key}/${series}/${day}`, bytes: 1e6 }));
            yield count({ kind: 'materialized', ...common, code: 'v1', verified, files });
          }
        }
      }

      function outcomeOf(s: number, lo: number, end: number): SeriesOutcome[] {
        const first = s < 0 ? 0 : listed(s, days);
        const begin = indexAt(grain, startOf('day', FIRST_DAY + first));
        const late =
          grain === 'day' && definition.kind !== 'source' && key !== 'bronze/ticks' && (s % 50 === 7 || s % 100 === 3);
        const all = range(Math.max(lo, begin), late ? Math.min(end, lastDay - 1) : end);
        const times = Int32Array.from(grain === 'day' && s >= 0 ? all.filter((t) => !isHole(s, t)) : all);
        return times.length === 0 ? [] : [outcome(space, s, times, key)];
      }
    }
  }

  for (let from = FIRST_DAY; from < tail; from += 365) yield* write(from, Math.min(from + 365, tail), 365, TOGETHER);
  // A month of each asset after the other, so that what they were made of came before them.
  for (let from = tail; from < lastDay; from += 30) yield* write(from, Math.min(from + 30, lastDay), 1, 200);

  for (const key of graph.order) {
    const { space, definition } = graph.node(key);
    if (space.time?.grain !== 'day' || space.listed.length === 0) continue;
    const again = range(0, symbols).flatMap((s) => {
      const times = range(Math.max(lastDay - 30, FIRST_DAY + listed(s, days)), lastDay - 1).filter(
        (t) => !isHole(s, t) && dice(s + 5, t) % 100 === 0,
      );
      return times.length === 0 ? [] : [outcome(space, s, Int32Array.from(times), `${key} again`)];
    });
    const common = { asset: key, run: 'bench', outcomes: again };
    if (definition.kind === 'source') yield count({ kind: 'observed', ...common, observedAt: clock(size) });
    else yield count({ kind: 'materialized', ...common, code: 'v1', verified: head, files: [] });
  }
  const failures = range(0, symbols)
    .filter((s) => s % 100 === 3)
    .map((s) => ({
      series: `symbol=${name(s)}`,
      values: { symbol: name(s) },
      time: lastDay - 1,
      transient: false,
      error: { message: 'The row 17 has no price', code: 'bad-row', kind: 'data' as const },
    }));
  yield count({ kind: 'failed', asset: 'silver/ticks', run: 'bench', code: 'v1', head, failures });
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(to - from, 0) }, (_, i) => from + i);
}

function outcome(space: Parameters<typeof seriesKey>[0], s: number, times: Int32Array, salt: string): SeriesOutcome {
  const values: Record<string, string> = s < 0 ? {} : { symbol: name(s) };
  const n = times.length;
  const version = new Uint8Array(16 * n);
  const seed = dice(s + 11, salt.length * 31 + salt.charCodeAt(salt.length - 1));
  for (let i = 0; i < version.length; i++) version[i] = (i * 31 + seed * 7 + (times[i >> 4] as number) * 13) & 0xff;
  return {
    series: seriesKey(space, values),
    values,
    times,
    version,
    rows: new Uint32Array(n).fill(1440),
    bytes: new Float64Array(n).fill(60_000),
    file: new Int32Array(n).fill(-1),
  };
}

/** What a batch of a run leaves in the log: the last ten days of ten symbols, computed again and other than before. */
export function batchOf(graph: AssetGraph, size: Size, asset: string, verified: number): NewEvent {
  const { space } = graph.node(asset);
  const last = FIRST_DAY + size.days - 1;
  const outcomes = range(20, 30).map((s) =>
    outcome(space, s, Int32Array.from(range(last - 10, last).filter((t) => !isHole(s, t))), `batch ${verified}`),
  );
  return { kind: 'materialized', asset, run: 'bench', code: 'v1', verified, files: [], outcomes };
}
