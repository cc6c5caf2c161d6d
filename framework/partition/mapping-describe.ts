import type { IndexRange, ListedRule, MappingSpec, TimeRule, WindowBound } from './mapping-spec.ts';
import { amount } from './mapping-time.ts';
import type { PartitionSpace } from './space.ts';
import { formatIndex, GRAINS, type Grain } from './time.ts';

/** A mapping in words, read after "reads": `the 400 bars up to it, all symbols`. For a valid mapping only. */
export function describeMapping(
  spec: MappingSpec,
  down: PartitionSpace,
  up: PartitionSpace,
  named: IndexRange,
): string {
  const listed = Object.entries(spec.listed).flatMap(([name, rule]) => describeListed(name, rule) ?? []);
  const time = describeTime(spec.time, down.time?.grain, up.time?.grain, named);
  if (time !== undefined) return [time, ...listed].join(', ');
  if (listed.length === 0) return 'the same partition';
  return up.time ? [`the same ${up.time.grain}`, ...listed].join(', ') : listed.join(', ');
}

function describeListed(name: string, rule: ListedRule): string | undefined {
  switch (rule.rule) {
    case 'same':
      return undefined;
    case 'all':
      return `all ${plural(name)}`;
    case 'only':
      return `${name} ${rule.values.join('|')}`;
    case 'from':
      return `${name} as in ${rule.dimension}`;
    case 'custom':
      return `${plural(name)} by ${rule.id}`;
  }
}

function plural(word: string): string {
  if (/[^aeiou]y$/.test(word)) return `${word.slice(0, -1)}ies`;
  return /(s|x|ch|sh)$/.test(word) ? `${word}es` : `${word}s`;
}

/** Undefined where there is nothing to say: the same time, or an upstream without time. */
function describeTime(
  rule: TimeRule,
  down: Grain | undefined,
  up: Grain | undefined,
  named: IndexRange,
): string | undefined {
  if (!up) return undefined;
  switch (rule.rule) {
    case 'same':
      return undefined;
    case 'overlapping':
      return down === undefined || down === up ? undefined : overlap(down, up);
    case 'window':
      return describeWindow(rule.from, rule.to ?? { index: 0 }, up);
    case 'all':
      return `all ${plural(up)}`;
    case 'only': {
      const [first, last] = [formatIndex(up, named[0]), formatIndex(up, named[1] - 1)];
      return first === last ? `only ${first}` : `only ${first}..${last}`;
    }
    case 'earlier':
      return amount(rule.by) === 1 && 'index' in rule.by
        ? `itself one ${up} before`
        : `itself in the ${length(rule.by, up)} before`;
    case 'custom':
      return `times by ${rule.id}`;
  }
}

function overlap(down: Grain, up: Grain): string {
  // Months and years do not consist of whole weeks, so neither contains the other.
  const nested =
    !(down === 'week' || up === 'week') || down === 'hour' || down === 'day' || up === 'hour' || up === 'day';
  if (!nested) return `the ${plural(up)} that overlap it`;
  return GRAINS.indexOf(up) > GRAINS.indexOf(down) ? `the ${up} it is in` : `the ${plural(up)} in it`;
}

function describeWindow(from: WindowBound, to: WindowBound, up: Grain): string {
  const [a, b] = [amount(from), amount(to)];
  if (a === 0 && b === 0) return 'the time it covers';
  if (b === 0) return `the ${length(from, up)} up to it`;
  if (a === 0) return `it and the ${length(to, up)} after it`;
  return `from ${length(from, up)} ${side(a)} to ${length(to, up)} ${side(b)} it`;
}

function side(n: number): string {
  return n < 0 ? 'before' : 'after';
}

function length(bound: WindowBound, up: Grain): string {
  const n = Math.abs(amount(bound));
  const unit = 'index' in bound ? up : 'days' in bound ? 'day' : 'hours' in bound ? 'hour' : 'bar';
  return `${n} ${n === 1 ? unit : plural(unit)}`;
}
