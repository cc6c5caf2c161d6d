import { type PartitionDetail, SHOWN_STATUSES, type StatusCounts } from '../model/data.ts';
import { totalOf } from './bars.ts';
import { age, number, plural } from './format.ts';

// What a screen says in sentences, for those who hear it: no shapes, no columns, nothing that is only seen. One line each, without
// colours; data in them may hold control characters.

/** What there is to say of where one is. */
export interface Told {
  /** Which screen or dialog. Where one was not there before, its keys are mentioned. */
  readonly place: string;
  /** Its name, and what it is of. Where that is another, all of it is said. */
  readonly title: string;
  /** What there is as a whole. */
  readonly summary: readonly string[];
  /** What the cursor is on; undefined where nothing is. */
  readonly focus: string | undefined;
  /** What is still being read: all of it, or what there is to say of the focus. */
  readonly reading?: 'all' | 'focus' | undefined;
}

/** Parts of a sentence, as far as there is something to say; without the full stops of what was written as a sentence. */
export const listed = (...parts: readonly (string | false | undefined)[]): string =>
  parts.flatMap((part) => (part ? [part.replace(/\.$/, '')] : [])).join(', ');

export const filtered = (title: string, filter: string): string =>
  filter === '' ? title : `${title} matching ${filter}`;
export const CLEAR = 'Escape clears the filter.';

/** `item 3 of 12` */
export const position = (index: number, total: number, what = 'item'): string =>
  `${what} ${number(index + 1)} of ${number(total)}`;

const UNITS: Readonly<Record<string, string>> = {
  s: 'second',
  m: 'minute',
  h: 'hour',
  d: 'day',
  mo: 'month',
  y: 'year',
};

/** `1 second`, `47 hours` */
export function spoken(ms: number): string {
  const [, count = '', unit = ''] = /^(.*\d)(\D+)$/.exec(age(ms)) ?? [];
  return `${count} ${UNITS[unit]}${count === '1' ? '' : 's'}`;
}

/** `just now`, `2 hours ago`, `in 3 hours` */
export function whenSpoken(at: number, now: number): string {
  if (at > now) return `in ${spoken(at - now)}`;
  return now - at < 5000 ? 'just now' : `${spoken(now - at)} ago`;
}

/** `4,100 of 4,123 partitions fresh, 23 stale` */
export function statuses(counts: StatusCounts | undefined): string {
  if (counts === undefined) return 'not worked out yet';
  const total = totalOf(counts);
  if (total === 0) return 'no partitions';
  if (counts.fresh === total) return total === 1 ? 'fresh' : `all ${number(total)} partitions fresh`;
  const others = SHOWN_STATUSES.filter((status) => status !== 'fresh' && counts[status] > 0);
  return listed(
    `${number(counts.fresh)} of ${plural(total, 'partition')} fresh`,
    ...others.map((status) => `${number(counts[status])} ${status}`),
  );
}

/** Counts by name, without zeros: `12 computed, 3 failed` */
export const counted = (counts: Readonly<Record<string, number>>): string =>
  listed(...Object.entries(counts).map(([name, count]) => count > 0 && `${number(count)} ${name}`));

/** What is first to be said of why a partition is as it is; '' where its status says enough. */
export function reason({ status, error, causes }: PartitionDetail): string {
  if (status === 'fresh' || status === 'none') return '';
  // Before the colon stands the kind of the cause, which its sentence says again.
  return error?.message ?? causes[0]?.text.replace(/^\w+: /, '') ?? '';
}
