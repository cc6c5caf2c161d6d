import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { type Host, processHost } from '../sdk/host.ts';

/** Where text goes, and the bytes of a format that is none. */
export interface Output {
  write(text: string | Uint8Array): void;
  readonly isTTY: boolean;
  /** Characters per line and lines of a terminal that knows them; never 0. */
  readonly columns: number | undefined;
  readonly rows: number | undefined;
  /** Nobody reads any more (`| head`). What is written then is dropped. */
  readonly closed: boolean;
  /** Why writing failed otherwise, e.g. a full disk. */
  readonly failure: Error | undefined;
  /** Resolves when the reader has caught up, or has left, or writing has failed. */
  drained(): Promise<void>;
  onResize(listener: () => void): () => void;
}

export type HeardSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

/** Everything the command line takes from the process around it. Tests pass their own. */
export interface Io extends Host {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  /** The stream behind `stdout`, for what draws on the whole terminal; undefined in tests. */
  readonly screen?: NodeJS.WriteStream;
  /** Returns how to stop listening. */
  readonly onSignal: (signal: HeardSignal, listener: () => void) => () => void;
  /** Hands the terminal back to the shell; resolves when that lets the process go on. */
  readonly suspend?: () => Promise<void>;
  /** Tells of promises that were rejected and that nobody waits for, which would end the process. Returns how to stop listening. */
  readonly onUnhandled?: (listener: (error: unknown) => void) => () => void;
  /** Ends the process at once. */
  readonly exit: (code: number) => void;
}

/** A stream of the process as where text goes. */
export function outputOf(stream: NodeJS.WriteStream): Output {
  let closed = false;
  let failure: Error | undefined;
  // A terminal that does not know its size (a serial line, some CI runners) says 0.
  const sizeOf = (count: number | undefined) => (stream.isTTY && count ? count : undefined);
  stream.on('error', (error: NodeJS.ErrnoException) => {
    closed = true;
    if (error.code !== 'EPIPE') failure = error;
  });
  return {
    write: (text) => {
      if (!closed) stream.write(text);
    },
    isTTY: stream.isTTY === true,
    get columns() {
      return sizeOf(stream.columns);
    },
    get rows() {
      return sizeOf(stream.rows);
    },
    get closed() {
      return closed;
    },
    get failure() {
      return failure;
    },
    drained: async () => {
      // What went wrong with the last write is told in a later turn.
      await setImmediate();
      if (!closed && stream.writableNeedDrain) await once(stream, 'drain').catch(() => undefined);
    },
    onResize: (listener) => {
      stream.on('resize', listener);
      return () => stream.off('resize', listener);
    },
  };
}

export function processIo(): Io {
  return {
    stdout: outputOf(process.stdout),
    stderr: outputOf(process.stderr),
    stdin: process.stdin,
    screen: process.stdout,
    ...processHost(),
    onSignal: (signal, listener) => {
      process.on(signal, listener);
      return () => process.off(signal, listener);
    },
    onUnhandled: (listener) => {
      process.on('unhandledRejection', listener);
      return () => process.off('unhandledRejection', listener);
    },
    suspend: async () => {
      const resumed = once(process, 'SIGCONT');
      process.kill(process.pid, 'SIGTSTP');
      await resumed;
    },
    exit: (code) => process.exit(code),
  };
}
