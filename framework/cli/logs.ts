import { pino } from 'pino';
import { prettyFactory } from 'pino-pretty';
import type { Log } from '../operate/log.ts';
import type { Io } from './io.ts';

export interface LogOptions {
  readonly level: string;
  /** JSON even on a terminal. */
  readonly json: boolean;
  readonly color: boolean;
  readonly redact: (text: string) => string;
}

/** What a line is about, in the order it is said. */
const ABOUT = ['schedule', 'sensor', 'automation', 'source', 'asset', 'partition'];
/** Numbers that say how much. */
const AMOUNTS = ['seen', 'changed', 'withdrawn', 'will', 'may', 'partitions', 'done', 'failed', 'ticks', 'ms'];

/** A line for people: what it is about, what is said, how much of it, and what went wrong where that has not been said. */
function told(line: Readonly<Record<string, unknown>>, messageKey: string): string {
  const message = String(line[messageKey] ?? '');
  const about = ABOUT.filter((key) => line[key] !== undefined && !message.includes(String(line[key])));
  const named = about
    .map((key) => (key === 'asset' || key === 'partition' ? line[key] : `${key} ${line[key]}`))
    .join(' ');
  const amounts = AMOUNTS.filter((key) => typeof line[key] === 'number').map((key) => `${key} ${line[key]}`);
  const error = (line.error as { readonly message?: string } | undefined)?.message;
  return [
    named === '' ? message : `${named}: ${message}`,
    ...(amounts.length > 0 ? [` (${amounts.join(', ')})`] : []),
    ...(error !== undefined && !message.includes(error) ? [`: ${error}`] : []),
  ].join('');
}

/** Lines on stdout: JSON for machines, or as people read it on a terminal. Secrets of the settings never appear in them. */
export function createLog(io: Io, { level, json, color, redact }: LogOptions): Log {
  const pretty = prettyFactory({
    colorize: color,
    translateTime: 'UTC:yyyy-mm-dd HH:MM:ss',
    ignore: 'pid,host',
    hideObject: true,
    messageKey: 'message',
    messageFormat: told,
  });
  const isJson = json || !io.stdout.isTTY;
  const logger = pino(
    {
      level,
      base: { pid: io.pid, host: io.host },
      timestamp: () => `,"time":"${new Date(io.now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: 'message',
    },
    // Before and after: laid out for people, a secret of several lines is none that can be found.
    { write: (line) => io.stdout.write(isJson ? redact(line) : redact(pretty(redact(line)))) },
  );
  return (at, message, fields = {}) => logger[at](fields, message);
}
