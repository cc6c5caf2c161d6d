import {
  type Dimension,
  exampleOf,
  type PartitionSpace,
  partitionSpace,
  type TimeDimension,
} from '../partition/space.ts';
import { parseIndex } from '../partition/time.ts';
import type { DimensionShape, StaticDimension, TimeDimensionSpec } from './dimensions.ts';
import { checkNames, type Report } from './report.ts';

/** What `partition` has besides the dimensions in a query. */
const RESERVED: readonly string[] = ['start', 'end'];

/** The partition space of named dimensions. */
export function buildSpace(shape: DimensionShape, report: Report): PartitionSpace {
  const names = Object.keys(shape);
  checkNames(names, 'a dimension', (name) => ['partitions', name], report);
  const dimensions = Object.entries(shape).map(([name, spec]): Dimension => {
    const at = ['partitions', name];
    if (RESERVED.includes(name)) {
      report('bad-name', at, `'${name}' stands for the ${name} of the partition's time in queries`, 'Use another word');
    }
    if (spec.type === 'dynamic') return { type: 'dynamic', name };
    if (spec.type === 'time') return buildTime(name, spec, at, report);
    checkValues(spec, at, report);
    return { type: 'static', name, values: spec.values };
  });
  const times = dimensions.filter((d) => d.type === 'time').map((d) => d.name);
  if (times.length > 1) {
    const message = `has ${times.length} time dimensions (${times.join(', ')}), at most one is possible`;
    report('two-time-dimensions', ['partitions'], message, 'Keep one as the dimension and make the other a column');
  }
  return partitionSpace(dimensions);
}

function buildTime(name: string, spec: TimeDimensionSpec, at: readonly string[], report: Report): TimeDimension {
  const { grain, lag } = spec;
  const index = (member: 'start' | 'end') => {
    const text = spec[member];
    const parsed = text === undefined ? undefined : parseIndex(grain, text);
    if (text !== undefined && parsed === undefined) {
      report('bad-time', [...at, member], `'${text}' is not a ${grain}`, `Write it like ${exampleOf(grain)}`);
    }
    return parsed;
  };
  const [start, end] = [index('start'), index('end')];
  if (start !== undefined && end !== undefined && end < start) {
    report('bad-time', [...at, 'end'], `ends (${spec.end}) before it starts (${spec.start})`);
  }
  if (!Number.isInteger(lag) || lag < -1) {
    report(
      'bad-lag',
      [...at, 'lag'],
      `${lag} is not a number of ${grain}s`,
      'Write -1 (the running one too), 0 or more',
    );
  }
  return { type: 'time', name, grain, start: start ?? 0, ...(end !== undefined && { end: end + 1 }), lag };
}

function checkValues({ values }: StaticDimension, at: readonly string[], report: Report): void {
  if (values.length === 0) report('no-values', at, 'a static dimension needs at least one value');
  if (values.includes('')) report('empty-value', at, 'a value is empty, which no directory can be named');
  const seen = new Map<string, string>();
  for (const value of values) {
    const other = seen.get(value.toLowerCase());
    if (other === value) report('duplicate-value', at, `'${value}' is listed twice`);
    else if (other !== undefined) {
      const message = `'${other}' and '${value}' differ only in case, which is one directory on some disks`;
      report('case-collision', at, message, 'Use distinct words, e.g. 1mo instead of 1M');
    }
    seen.set(value.toLowerCase(), value);
  }
}
