import { createTask, parse, validateDetailed } from 'node-cron';

/** When something is due, in node-cron's grammar: five fields, or six with seconds first, `L`, `W`, `#` and `@daily` too. */
export interface Cron {
  readonly expression: string;
  /** IANA name, e.g. `UTC` or `Europe/Berlin`: the clock the expression is read on. */
  readonly timezone: string;
}

export const CRON_EXAMPLE =
  "e.g. '0 6 * * *' (every day at 6:00), '*/15 * * * *', '30 9 * * 1-5': minute hour day month weekday";

/** What may be written in each field. */
const FIELDS: Readonly<Record<string, readonly [name: string, range: string]>> = {
  second: ['second', '0 to 59'],
  minute: ['minute', '0 to 59'],
  hour: ['hour', '0 to 23'],
  dayOfMonth: ['day of the month', '1 to 31, L'],
  month: ['month', '1 to 12, JAN to DEC'],
  dayOfWeek: ['weekday', '0 to 7, SUN to SAT'],
};

export interface CronProblem {
  readonly field: 'cron' | 'timezone';
  readonly message: string;
}

/** Empty for a cron that can be used; otherwise what is wrong with it. */
export function cronProblems({ expression, timezone }: Cron): CronProblem[] {
  const { valid, errors } = validateDetailed(expression);
  const problems: CronProblem[] = valid
    ? []
    : errors.map((error) => ({ field: 'cron', message: inWords(expression.trim(), error) }));
  if (!isTimezone(timezone)) {
    const message = `'${timezone}' is not the name of a time zone (UTC, Europe/Berlin, America/New_York, …)`;
    problems.push({ field: 'timezone', message });
  }
  return problems;
}

function inWords(expression: string, error: ReturnType<typeof validateDetailed>['errors'][number]): string {
  const { field, value, message } = error;
  if (message.includes('impossible')) return `there is no day ${value} in that month`;
  const [name, range] = FIELDS[field] ?? [];
  if (name) return `'${value}' is no ${name} (${range})`;
  if (expression === '') return 'nothing is written';
  if (expression.startsWith('@')) return 'there are @yearly, @monthly, @weekly, @daily and @hourly';
  const count = expression.split(/\s+/).length;
  if (count === 5 || count === 6) return 'it has characters that no cron has';
  return `it has ${count} field${count === 1 ? '' : 's'}, and not five (minute hour day month weekday) or six (seconds first)`;
}

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

const DAY_MS = 86_400_000;
const DAYS_KEPT = 8;
/** From one 29 February that is no weekday-of-choice to the next may be decades; what is not found by then never comes. */
const HORIZON_DAYS = 366 * 30;

/**
 * The first tick after an instant (ms UTC), or undefined where none ever comes (30 February).
 *
 * Where the clock is put forward, what was due in the hour that is not there is due when it resumes, once. Where it is put back, what
 * has an hour is due the first time only; what is due in every hour goes on as time does.
 */
export function nextTick(cron: Cron, after: number): number | undefined {
  const ticks = compile(cron);
  const first = ticks.dayOf(after);
  for (let day = first; day <= first + HORIZON_DAYS; day++) {
    const found = ticks.on(day).find((tick) => tick > after);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The last tick at or before an instant, not looking further back than `since`. */
export function previousTick(cron: Cron, at: number, since: number): number | undefined {
  const ticks = compile(cron);
  const last = ticks.dayOf(since);
  for (let day = ticks.dayOf(at); day >= last; day--) {
    const found = ticks.on(day).findLast((tick) => tick <= at);
    if (found !== undefined) return found > since ? found : undefined;
  }
  return undefined;
}

/** Ticks after one instant and up to another, ascending; lazily, for there may be a great many. */
export function* ticksBetween(cron: Cron, after: number, until: number): Generator<number> {
  const ticks = compile(cron);
  for (let day = ticks.dayOf(after); day <= ticks.dayOf(until); day++) {
    for (const tick of ticks.on(day)) if (tick > after && tick <= until) yield tick;
  }
}

/** Ticks of a cron by day of its own calendar, counted from 1970-01-01. */
interface Ticks {
  dayOf(instant: number): number;
  on(day: number): readonly number[];
}

const compiled = new Map<string, Ticks>();

function compile(cron: Cron): Ticks {
  const key = `${cron.timezone} ${cron.expression}`;
  const known = compiled.get(key);
  if (known) return known;
  const { second, minute, hour, dayOfMonth, month, dayOfWeek } = parse(cron.expression);
  const { timezone } = cron;
  // Which days is node-cron's to say; noon is an hour that every day has.
  const noon = createTask(`0 0 12 ${dayOfMonth.join()} ${month.join()} ${dayOfWeek.join()}`, () => undefined, {
    timezone,
  });
  const zone = zoneOf(timezone);
  const times = [...hour].sort(byNumber).flatMap((h) => {
    return [...minute]
      .sort(byNumber)
      .flatMap((m) => [...second].sort(byNumber).map((s) => ((h * 60 + m) * 60 + s) * 1000));
  });
  const hourly = hour.length === 24;
  /** A clock's midnight is asked from both sides. */
  const days = new Map<number, readonly number[]>();
  const ticks: Ticks = {
    dayOf: (instant) => Math.floor((instant + zone.offset(instant)) / DAY_MS),
    on: (day) => {
      const made = days.get(day);
      if (made) return made;
      const found: number[] = [];
      if (noon.match(new Date(zone.instants(day * DAY_MS + DAY_MS / 2)[0] ?? 0))) {
        for (const time of times) {
          const shown = day * DAY_MS + time;
          const instants = zone.instants(shown);
          // What is due in every hour has nothing to do in one that is skipped.
          found.push(...(hourly ? instants.filter((at) => at + zone.offset(at) === shown) : instants.slice(0, 1)));
        }
      }
      const ticks = [...new Set(found)].sort(byNumber);
      if (days.size >= DAYS_KEPT) days.clear();
      days.set(day, ticks);
      return ticks;
    },
  };
  compiled.set(key, ticks);
  return ticks;
}

const byNumber = (a: number, b: number) => a - b;

/** A time zone's clock. Times on it are written as the ms UTC at which a clock in UTC would show the same. */
interface Zone {
  /** What is to be added to an instant for the time its clock shows. */
  offset(instant: number): number;
  /** When its clock shows a time: once, twice where it is put back; where it skips the time, the instant at which it does so. */
  instants(time: number): readonly number[];
}

function zoneOf(timezone: string): Zone {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  if (format.resolvedOptions().timeZone === 'UTC') return { offset: () => 0, instants: (time) => [time] };
  const offset = (instant: number): number => {
    const parts: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(instant)) parts[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(instant / 1000) * 1000;
  };
  return {
    offset,
    instants: (time) => {
      // Clocks are put at most a day forward or back, and not twice within two days.
      const before = offset(time - DAY_MS);
      const after = offset(time + DAY_MS);
      const exact = [...new Set([time - before, time - after])].filter((at) => at + offset(at) === time).sort(byNumber);
      if (exact.length > 0) return exact;
      let [shows, skipped] = [time - Math.max(before, after), time - Math.min(before, after)].sort(byNumber) as [
        number,
        number,
      ];
      // The change is between the two: the clock shows less than the time at the first, and more at the second.
      while (skipped - shows > 1) {
        const middle = Math.floor((shows + skipped) / 2);
        if (middle + offset(middle) < time) shows = middle;
        else skipped = middle;
      }
      return [skipped];
    },
  };
}
