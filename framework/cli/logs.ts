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

/** Lines on stdout: JSON for machines, or as people read it on a terminal. Secrets of the settings never appear in them. */
export function createLog(io: Io, { level, json, color, redact }: LogOptions): Log {
  const pretty = prettyFactory({
    colorize: color,
    ignore: 'pid,host',
    translateTime: 'UTC:yyyy-mm-dd HH:MM:ss',
    singleLine: true,
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
