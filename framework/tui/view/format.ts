import { duration, number } from '../../report/format.ts';

export { bytes, duration, instant, number, plural, some, visible } from '../../report/format.ts';

const UNITS = [
  ['y', 365 * 86_400_000, 2],
  ['mo', 30 * 86_400_000, 2],
  ['d', 86_400_000, 2],
  ['h', 3_600_000, 1],
  ['m', 60_000, 1],
] as const;

/** One unit, at most four cells below a thousand years: `12s`, `5m`, `47h`, `59d`, `23mo`, `3y`. Negative ones count as none. */
export function age(ms: number): string {
  const [unit, size] = UNITS.find(([, size, from]) => ms >= size * from) ?? ['s', 1000];
  return `${number(Math.floor(Math.max(ms, 0) / size))}${unit}`;
}

/** `now`, `5m ago`. Clocks that disagree do not bring the future: that is `now` too. */
export const ago = (at: number, now: number): string => (now - at < 5000 ? 'now' : `${age(now - at)} ago`);

/** `in 3h`, `due` */
export const until = (at: number, now: number): string => (at <= now ? 'due' : `in ${age(at - now)}`);

/** Where a list has room for eight cells: `now`, `5m ago`, `due`, `in 3h`. */
export const when = (at: number, now: number): string => (at > now ? until(at, now) : ago(at, now));

/** At most seven cells for what a lake can hold: `9,999`, `12.3k`, `456k`, `20.0M`. */
export function compact(value: number): string {
  if (value < 9999.5) return number(value);
  const units = ['k', 'M', 'G', 'T', 'P', 'E'];
  let scaled = value / 1000;
  let unit = 0;
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1000;
    unit++;
  }
  return `${scaled < 99.95 ? scaled.toFixed(1) : number(scaled)}${units[unit]}`;
}

/** `0%` only for nothing, `100%` only for everything; `<1%` and `>99%` next to them. At most four cells. */
export function percent(part: number, whole: number): string {
  if (part <= 0 || whole <= 0) return '0%';
  if (part >= whole) return '100%';
  const share = (part / whole) * 100;
  return share < 1 ? '<1%' : share > 99 ? '>99%' : `${Math.round(share)}%`;
}

/** `0.4/s`, `12.5/s`, `1,234/s` */
export const rate = (perSecond: number): string => `${perSecond < 99.95 ? perSecond.toFixed(1) : compact(perSecond)}/s`;

/** `05:07:09`, UTC */
export const clock = (ms: number): string => new Date(ms).toISOString().slice(11, 19);

/** How long it took, or takes since. */
export const took = (startedAt: number, finishedAt: number | undefined, now: number): string =>
  duration(Math.max((finishedAt ?? now) - startedAt, 0));
