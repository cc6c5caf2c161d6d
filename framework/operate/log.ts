import type { RunEvent } from '../materialize/events.ts';

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Where the daemon says what it does: one line each, `fields` for machines and `message` for people. */
export type Log = (level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>) => void;

/** What a run says all the time is for those who ask for more. */
const QUIET: ReadonlySet<RunEvent['type']> = new Set(['waiting', 'observing', 'asset-started', 'batch-finished']);

function lineOf(event: RunEvent): readonly [LogLevel, string] {
  switch (event.type) {
    case 'run-finished':
      return [event.outcome === 'failed' ? 'error' : 'info', `run ${event.outcome}`];
    case 'partition-failed':
      return ['error', event.error.message];
    case 'check-failed':
      return [event.severity, `check ${event.check} failed`];
    case 'warning':
      return ['warn', event.message];
    case 'retry':
      return ['warn', `trying again: ${event.error.message}`];
    default:
      return [QUIET.has(event.type) ? 'debug' : 'info', event.type.replace('-', ' ')];
  }
}

/** An event of a run as a line of the log. */
export function logRunEvent(log: Log, event: RunEvent, fields: Readonly<Record<string, unknown>>): void {
  const [level, message] = lineOf(event);
  const { type, ...own } = event;
  log(level, message, { ...fields, event: type, ...own });
}
