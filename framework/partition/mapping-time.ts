import { type Issue, LakehouseError } from '../common/errors.ts';
import type { IndexRange, MappingHelpers, MappingSpec, TimeContext, TimeRule, WindowBound } from './mapping-spec.ts';
import * as ranges from './ranges.ts';
import { exampleOf, type SeriesValues, type TimeDimension } from './space.ts';
import { coverRange, endOf, formatIndex, type Grain, indexAt, parseIndex, parseInstantSpan, startOf } from './time.ts';

/** The time half of a resolved mapping; see `ResolvedMapping` for the meaning of its members. */
export interface TimePart {
  upstream(values: SeriesValues, t: number): IndexRange;
  downstream(values: SeriesValues, lo: number, hi: number): IndexRange;
  core(values: SeriesValues, t: number): IndexRange;
  readonly impliesExistence: boolean;
  readonly monotone: boolean;
  /** Upstream index = downstream index. */
  readonly identity: boolean;
}

const NONE: IndexRange = [0, 0];
/** The only index of an asset without a time dimension. */
const ONE: IndexRange = [0, 1];
/** Every time: integers, so that arithmetic and intersection stay exact. */
export const ALWAYS: IndexRange = [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];

function issue(code: string, message: string, hint?: string): Issue {
  return { code, path: ['time'], message, hint };
}

/** Resolves the time rule between two (possibly absent) time dimensions. */
export function resolveTime(
  spec: MappingSpec,
  down: TimeDimension | undefined,
  up: TimeDimension | undefined,
  helpers: MappingHelpers,
): TimePart | Issue {
  const rule = spec.time;
  if (rule.rule === 'earlier' && spec.self !== true) {
    return issue(
      'earlier-needs-self',
      'earlier() relates an asset to itself',
      'For another asset write a window() instead.',
    );
  }
  if (spec.self === true && rule.rule !== 'earlier' && rule.rule !== 'custom') {
    return issue(
      'self-needs-earlier',
      'An asset can read itself only at an earlier time',
      'Write earlier({ partitions: 1 }).',
    );
  }
  if (!up) {
    if (rule.rule === 'same' || rule.rule === 'all') return constant(ONE, down, true);
    return issue(
      'no-time-dimension',
      `The upstream has no time dimension, so '${rule.rule}' does not apply`,
      'Leave it out.',
    );
  }
  if (rule.rule === 'all') return constant(ALWAYS, down, false);
  if (rule.rule === 'only') return resolveOnly(rule.text, down, up);
  if (rule.rule === 'custom') return custom(rule, down?.grain, up.grain, spec.self === true);
  if (!down) {
    const hint = `Write ${up.name}: all() for every ${up.grain}, or ${up.name}: at('${exampleOf(up.grain)}').`;
    return issue('mapping-needed', `The upstream is partitioned by '${up.name}', this asset has no time`, hint);
  }
  switch (rule.rule) {
    case 'same': {
      if (down.grain === up.grain) return window(down.grain, up.grain, ZERO, ZERO, true);
      const message = `This asset has one partition per ${down.grain}, the upstream one per ${up.grain}`;
      const hint = `Write ${up.name}: overlapping() for every ${up.grain} that overlaps the ${down.grain}.`;
      return issue('mapping-needed', message, hint);
    }
    case 'overlapping':
      return window(down.grain, up.grain, ZERO, ZERO, true);
    case 'window': {
      const to = rule.to ?? { index: 0 };
      const problem = checkWindow(rule.from, to);
      if (problem) return problem;
      const includesOwn = amount(rule.from) <= 0 && amount(to) >= 0;
      return window(down.grain, up.grain, offset(rule.from, helpers), offset(to, helpers), includesOwn);
    }
    case 'earlier': {
      const by = amount(rule.by);
      if (!Number.isSafeInteger(by) || by < 1) {
        return issue('bad-window', `earlier() cannot go back by ${by}`, 'Give a whole number of at least 1.');
      }
      return window(down.grain, up.grain, offset(rule.by, helpers, -1), { index: -1, ms: () => 0 }, false);
    }
  }
}

/** The number in a bound, whatever its unit. */
export function amount(bound: WindowBound): number {
  if ('index' in bound) return bound.index;
  if ('days' in bound) return bound.days;
  return 'hours' in bound ? bound.hours : bound.bars;
}

function checkWindow(from: WindowBound, to: WindowBound): Issue | undefined {
  const [a, b] = [amount(from), amount(to)];
  if (!Number.isSafeInteger(a) || !Number.isSafeInteger(b)) {
    return issue(
      'bad-window',
      `A window from ${a} to ${b} is not in whole numbers`,
      'Use a finer unit, e.g. hours for days.',
    );
  }
  if (a > b)
    return issue(
      'bad-window',
      `The window ends (${b}) before it starts (${a})`,
      'Lookback is negative: from -30 to 0.',
    );
  const unit = (bound: WindowBound) => ('index' in bound ? 'partitions' : Object.keys(bound)[0]);
  if (unit(from) !== unit(to) && (a > 0 || b < 0)) {
    const message = `A window from ${a} ${unit(from)} to ${b} ${unit(to)} may be empty`;
    return issue('bad-window', message, 'Write both ends in the same unit, or let it include the partition itself.');
  }
  return undefined;
}

/** An end of a window: so many upstream partitions and so many milliseconds away. */
interface Offset {
  readonly index: number;
  readonly ms: (values: SeriesValues) => number;
}

const ZERO: Offset = { index: 0, ms: () => 0 };

function offset(bound: WindowBound, helpers: MappingHelpers, sign: 1 | -1 = 1): Offset {
  const n = sign * amount(bound);
  if (n === 0) return ZERO;
  if ('index' in bound) return { index: n, ms: () => 0 };
  if ('bars' in bound) {
    // Partitions are asked for series by series, so remembering the last one saves a look-up per partition.
    let last: SeriesValues | undefined;
    let ms = 0;
    const lengthOf = (values: SeriesValues) => {
      if (values !== last) ms = n * barLength(values, helpers);
      last = values;
      return ms;
    };
    return { index: 0, ms: lengthOf };
  }
  const ms = n * ('days' in bound ? 86_400_000 : 3_600_000);
  return { index: 0, ms: () => ms };
}

function barLength(values: SeriesValues, helpers: MappingHelpers): number {
  const ms = helpers.barMs(values);
  if (ms !== undefined) return ms;
  const series = Object.entries(values).map(([name, value]) => `${name}=${value}`);
  throw new LakehouseError(
    'no-bar-length',
    `The length of one bar is not known for ${series.join('/') || 'this asset'}`,
    {
      hint: 'Give the `bar` option of the asset, or write the window in days or hours.',
      details: { values },
    },
  );
}

/** `indexAt` for instants asked for in order: remembers the last period, because calendar arithmetic is slow. */
function indexer(grain: Grain): (ms: number) => number {
  let lo = 0;
  let hi = 0;
  let index = 0;
  return (ms) => {
    if (ms < lo || ms >= hi) {
      index = indexAt(grain, ms);
      lo = startOf(grain, index);
      hi = endOf(grain, index);
    }
    return index;
  };
}

/**
 * The one formula behind same, window, overlapping and earlier. Both ends of the upstream range never decrease with t, and with
 * from <= to it is never empty, so the times that meet `[lo, hi)` are one range with a closed form: those whose end comes after
 * the start of `lo` and whose start comes before the end of `hi`, each moved by its offset.
 */
function window(down: Grain, up: Grain, from: Offset, to: Offset, includesOwn: boolean): TimePart {
  const own = (t: number) => coverRange(down, t, t + 1, up);
  const [first, last] = [indexer(up), indexer(up)];
  return {
    upstream: (values, t) => [
      first(startOf(down, t) + from.ms(values)) + from.index,
      last(endOf(down, t) - 1 + to.ms(values)) + 1 + to.index,
    ],
    downstream: (values, lo, hi) => {
      if (hi <= lo) return NONE;
      const first = indexAt(down, startOf(up, lo - to.index) - to.ms(values));
      return [first, indexAt(down, startOf(up, hi - from.index) - from.ms(values) - 1) + 1];
    },
    core: (_, t) => (includesOwn ? own(t) : NONE),
    impliesExistence: includesOwn,
    monotone: true,
    identity: down === up && from === ZERO && to === ZERO,
  };
}

/** The same upstream range for every partition. */
function constant([lo, hi]: IndexRange, down: TimeDimension | undefined, impliesExistence: boolean): TimePart {
  const upstream: IndexRange = [lo, hi];
  const readers = down ? ALWAYS : ONE;
  return {
    upstream: () => upstream,
    downstream: (_, from, to) => (from < to && from < hi && lo < to ? readers : NONE),
    core: () => (impliesExistence ? upstream : NONE),
    impliesExistence,
    monotone: true,
    identity: down === undefined && upstream[0] === 0 && upstream[1] === 1,
  };
}

function resolveOnly(texts: readonly string[], down: TimeDimension | undefined, up: TimeDimension): TimePart | Issue {
  const pairs: IndexRange[] = [];
  for (const text of texts) {
    const index = parseIndex(up.grain, text);
    const span =
      index === undefined ? parseInstantSpan(text) : { fromMs: startOf(up.grain, index), toMs: endOf(up.grain, index) };
    if (!span || !(span.fromMs < span.toMs) || !Number.isFinite(span.toMs - span.fromMs)) {
      return issue(
        'bad-partition-value',
        `'${text}' is not a time of '${up.name}'`,
        `Write it like ${exampleOf(up.grain)}.`,
      );
    }
    pairs.push([indexAt(up.grain, span.fromMs), indexAt(up.grain, span.toMs - 1) + 1]);
  }
  const [lo, hi, ...more] = ranges.fromRanges(pairs).bounds;
  if (lo === undefined || hi === undefined) return issue('bad-partition-value', 'at() names no time');
  if (more.length === 0) return constant([lo, hi], down, false);
  return issue(
    'times-not-adjacent',
    `The times ${texts.join(', ')} have gaps between them`,
    'Declare one input for each.',
  );
}

function custom(
  rule: Extract<TimeRule, { rule: 'custom' }>,
  down: Grain | undefined,
  up: Grain,
  self: boolean,
): TimePart {
  const impliesExistence = !self;
  const ask = (values: SeriesValues, t: number) => {
    const read = rule.upstream({ values, lo: t, hi: t + 1, from: down, to: up } satisfies TimeContext);
    if (self && read[0] < read[1] && read[1] > t) throw notEarlier(rule.id, up, t, read);
    return read;
  };
  return {
    upstream: ask,
    downstream: (values, lo, hi) => (hi <= lo ? NONE : rule.downstream({ values, lo, hi, from: up, to: down })),
    core: (values, t) => (impliesExistence ? ask(values, t) : NONE),
    impliesExistence,
    monotone: false,
    identity: false,
  };
}

/** What a function says is only known when it is asked. */
function notEarlier(id: string, grain: Grain, t: number, [lo, hi]: IndexRange): LakehouseError {
  const read = hi - lo === 1 ? formatIndex(grain, lo) : `${formatIndex(grain, lo)} to ${formatIndex(grain, hi - 1)}`;
  return new LakehouseError(
    'self-not-earlier',
    `timesBy('${id}') lets an asset read itself at ${read} for ${formatIndex(grain, t)}, which would never end`,
    { hint: 'An asset can read itself only at earlier times: the range must end at or before the index asked about.' },
  );
}
