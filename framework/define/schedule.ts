import type { Issue } from '../common/errors.ts';
import {
  CATCH_UPS,
  type CatchUp,
  OVERLAPS,
  type Overlap,
  type RunWords,
  SCHEDULE_ACTIONS,
  SCHEDULE_NAME,
  type ScheduleAction,
} from '../common/schedule.ts';
import type { Tags } from '../common/tags.ts';
import { callers } from './caller.ts';
import type { RuntimeContext } from './model.ts';
import { runWordsProblems } from './run-words.ts';

export interface TickContext extends RuntimeContext {
  /** When the tick was due. */
  readonly due: Date;
}

/** Something else to do on a schedule. What it returns is written down as what the tick did. */
export type ScheduleFunction = (context: TickContext) => Promise<string | undefined> | string | undefined;

export interface ScheduleOptions extends RunWords {
  /** Lower case letters, digits, `_` and `-`. Its ticks, and whether it is paused, are remembered under this name. */
  readonly name: string;
  readonly description?: string;
  /** When it is due: five fields (minute hour day month weekday), six with seconds first, or `@daily` and the like; node-cron's grammar. */
  readonly cron: string;
  /** IANA name of the time zone the cron is read in. Default `UTC`. */
  readonly timezone?: string;
  /** Assets, as on the command line: `silver/klines`, `+gold/*`. Default: all. */
  readonly select?: string;
  /** Only these partitions, as `--partitions` says them: `date=2024-01..`; or a function of the instant at which the tick was due. */
  readonly partitions?: string | ((due: Date) => string);
  /** Default `materialize-stale`. */
  readonly action?: ScheduleAction | ScheduleFunction;
  /** Default `skip`. */
  readonly overlap?: Overlap;
  /** Default `last`. */
  readonly catchUp?: CatchUp;
  /** Seconds within which ticks are put off, each by its own share, so that not everything begins at the full hour. Default 0. */
  readonly jitterSeconds?: number;
  /** Minutes after which a run is stopped; what has been committed stays. Default: none. */
  readonly timeoutMinutes?: number;
  /** Whether it runs before anybody has paused or resumed it. Default true. */
  readonly enabled?: boolean;
}

/** A schedule as declared: plain data but for the functions. */
export interface ScheduleDefinition {
  readonly name: string;
  readonly description: string | undefined;
  readonly cron: string;
  readonly timezone: string;
  readonly select: string;
  readonly partitions: string | ((due: Date) => string) | undefined;
  readonly action: ScheduleAction | ScheduleFunction;
  readonly overlap: Overlap;
  readonly catchUp: CatchUp;
  readonly jitterMs: number;
  readonly timeoutMs: number | undefined;
  readonly priority: number;
  readonly tags: Tags | undefined;
  readonly enabled: boolean;
  readonly module: string | undefined;
  readonly line: number | undefined;
  /** Problems found while declaring; reported when the schedules are read. */
  readonly issues: readonly Issue[];
}

/**
 * Declares what the daemon does at certain times:
 * `schedule({ name: 'nightly', cron: '0 6 * * *', timezone: 'Europe/Berlin', select: '+gold/*' })`.
 */
export function schedule(options: ScheduleOptions): ScheduleDefinition {
  const [site] = callers(schedule);
  return Object.freeze({
    name: options.name,
    description: options.description,
    cron: options.cron,
    timezone: options.timezone ?? 'UTC',
    select: options.select ?? '*',
    partitions: options.partitions,
    action: options.action ?? 'materialize-stale',
    overlap: options.overlap ?? 'skip',
    catchUp: options.catchUp ?? 'last',
    jitterMs: (options.jitterSeconds ?? 0) * 1000,
    timeoutMs: options.timeoutMinutes === undefined ? undefined : options.timeoutMinutes * 60_000,
    priority: options.priority ?? 0,
    tags: options.tags,
    enabled: options.enabled ?? true,
    module: site?.module,
    line: site?.line,
    issues: issuesOf(options),
  });
}

/** What is wrong with the options by themselves; crons and selections are looked at when schedules are read. */
function issuesOf(options: ScheduleOptions): Issue[] {
  const issues: Issue[] = [];
  const report = (field: string, message: string, hint?: string) =>
    issues.push({
      code: 'bad-schedule',
      path: [String(options.name), field],
      message,
      ...(hint !== undefined && { hint }),
    });
  if (typeof options.name !== 'string' || !SCHEDULE_NAME.test(options.name))
    report('name', `'${options.name}' is not lower case letters, digits, _ and -`, 'e.g. nightly');
  const oneOf = (field: string, value: unknown, allowed: readonly string[]) => {
    if (value !== undefined && !allowed.includes(value as string))
      report(field, `'${String(value)}' is not one of ${allowed.join(', ')}`);
  };
  if (typeof options.action !== 'function') oneOf('action', options.action, SCHEDULE_ACTIONS);
  oneOf('overlap', options.overlap, OVERLAPS);
  oneOf('catchUp', options.catchUp, CATCH_UPS);
  const { jitterSeconds = 0, timeoutMinutes = 1 } = options;
  if (!(jitterSeconds >= 0 && jitterSeconds <= 86_400))
    report('jitterSeconds', `${jitterSeconds} is not between 0 and 86400`);
  if (!(timeoutMinutes > 0)) report('timeoutMinutes', `${timeoutMinutes} is not more than 0`);
  for (const [field, message] of runWordsProblems(options)) report(field, message);
  return issues;
}
