import type { Issue } from '../common/errors.ts';
import type { RunWords } from '../common/schedule.ts';
import type { Tags } from '../common/tags.ts';
import { callers } from './caller.ts';
import type { RuntimeContext } from './model.ts';
import { runWordsProblems } from './run-words.ts';

/** What a sensor does when it requests something. `materialize-stale` looks at the selected sources first; `observe` does only that. */
export const SENSOR_ACTIONS = ['materialize-stale', 'observe', 'check'] as const;
export type SensorAction = (typeof SENSOR_ACTIONS)[number];

/** What one look asks for. What is left out is as the sensor says. */
export interface SensorRequest {
  /** Assets, as on the command line: `+gold/*`. */
  readonly select?: string;
  /** Only these partitions, as `--partitions` says them: `symbol=BTCUSDT`. */
  readonly partitions?: string;
  /** Why, in a few words. */
  readonly reason?: string;
}

export interface PollContext extends RuntimeContext {
  /** What the last look that went well returned; undefined for the first one. */
  readonly cursor: string | undefined;
}

export interface PollResult {
  /** Given to the next look. Default: the same as before. */
  readonly cursor?: string | undefined;
  /** `true` asks for what the sensor selects. */
  readonly request?: true | SensorRequest | readonly SensorRequest[] | undefined;
  /** Why nothing is requested, in a few words. */
  readonly skip?: string | undefined;
}

/**
 * Looks whether something is new out there. What it throws is reported under the sensor's name, and the next look gets the same
 * cursor. `signal` is aborted when the time is up: it is not waited for any longer then.
 */
export type PollFunction = (context: PollContext) => Promise<PollResult> | PollResult;

export interface SensorOptions extends RunWords {
  /** Lower case letters, digits, `_` and `-`. Its cursor is remembered under this name. */
  readonly name: string;
  readonly description?: string;
  /** Time between two looks, at least ten seconds. */
  readonly every: { readonly seconds?: number; readonly minutes?: number; readonly hours?: number };
  /** How long a look may take. Default 60. */
  readonly timeoutSeconds?: number;
  /** Assets, as on the command line, for requests that do not say. Default: all. */
  readonly select?: string;
  /** Default `materialize-stale`. */
  readonly action?: SensorAction;
  readonly poll: PollFunction;
  /** Whether it looks before anybody has paused or resumed it. Default true. */
  readonly enabled?: boolean;
}

/** A sensor as declared: plain data but for `poll`. */
export interface SensorDefinition {
  readonly name: string;
  readonly description: string | undefined;
  readonly everyMs: number;
  readonly timeoutMs: number;
  readonly select: string;
  readonly action: SensorAction;
  readonly poll: PollFunction;
  readonly priority: number;
  readonly tags: Tags | undefined;
  readonly enabled: boolean;
  readonly module: string | undefined;
  readonly line: number | undefined;
  /** Problems found while declaring; reported when the sensors are read. */
  readonly issues: readonly Issue[];
}

const SENSOR_NAME = /^[a-z][a-z0-9_-]*$/;
const LEAST_MS = 10_000;

/**
 * Declares what the daemon looks at from time to time, and what it does when something is new there:
 * `sensor({ name: 'listings', every: { minutes: 5 }, select: '+gold/*', poll: newValues({ dimension: 'symbol', list }) })`.
 */
export function sensor(options: SensorOptions): SensorDefinition {
  const [site] = callers(sensor);
  const { seconds = 0, minutes = 0, hours = 0 } = options.every ?? {};
  return Object.freeze({
    name: options.name,
    description: options.description,
    everyMs: ((hours * 60 + minutes) * 60 + seconds) * 1000,
    timeoutMs: (options.timeoutSeconds ?? 60) * 1000,
    select: options.select ?? '*',
    action: options.action ?? 'materialize-stale',
    poll: options.poll,
    priority: options.priority ?? 0,
    tags: options.tags,
    enabled: options.enabled ?? true,
    module: site?.module,
    line: site?.line,
    issues: issuesOf(options, ((hours * 60 + minutes) * 60 + seconds) * 1000),
  });
}

/** What is wrong with the options by themselves; selections are looked at when sensors are read. */
function issuesOf(options: SensorOptions, everyMs: number): Issue[] {
  const issues: Issue[] = [];
  const report = (field: string, message: string, hint?: string) =>
    issues.push({ code: 'bad-sensor', path: [String(options.name), field], message, ...(hint && { hint }) });
  if (typeof options.name !== 'string' || !SENSOR_NAME.test(options.name))
    report('name', `'${options.name}' is not lower case letters, digits, _ and -`, 'e.g. new-listings');
  if (!(everyMs >= LEAST_MS && everyMs <= 366 * 86_400_000))
    report('every', 'is not between ten seconds and a year', 'e.g. { minutes: 5 }');
  const { timeoutSeconds = 1, action } = options;
  if (!(timeoutSeconds > 0 && timeoutSeconds <= 86_400))
    report('timeoutSeconds', `${timeoutSeconds} is not more than 0 and at most 86400`);
  if (action !== undefined && !SENSOR_ACTIONS.includes(action))
    report('action', `'${String(action)}' is not one of ${SENSOR_ACTIONS.join(', ')}`);
  if (typeof options.poll !== 'function')
    report('poll', 'is not a function', 'async ({ cursor }) => ({ cursor, request: true })');
  for (const [field, message] of runWordsProblems(options)) report(field, message);
  return issues;
}
