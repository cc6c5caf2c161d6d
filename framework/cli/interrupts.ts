import { LakehouseError } from '../common/errors.ts';
import { INTERRUPTED } from './failure.ts';
import type { Io } from './io.ts';

/** How a command hears that it is to stop. */
export interface Interrupts {
  /** Start nothing new; what is running may finish. */
  readonly stopping: AbortSignal;
  /** Stop now. */
  readonly signal: AbortSignal;
  /** The exit code that says so, once it was interrupted. */
  readonly code: number | undefined;
  dispose(): void;
}

/** Through a wrapper one Ctrl-C may arrive twice. */
const SAME_MS = 100;
/** A compute function that does not heed the signal cannot hold up the end for longer. Nothing of it would be committed. */
const PATIENCE_MS = 5_000;

/**
 * Listens to SIGINT and SIGTERM until disposed. With `graceful` the first SIGINT only asks to stop and the second stops now;
 * without, the first does. SIGTERM always stops now. A process that does not get to an end is ended after five seconds, or at once
 * by one more SIGINT.
 */
export function listenToInterrupts(io: Io, graceful: boolean, say: (text: string) => void): Interrupts {
  const stopping = new AbortController();
  const now = new AbortController();
  let code: number | undefined;
  let last = Number.NEGATIVE_INFINITY;
  const reason = () => new LakehouseError('interrupted', 'It was interrupted', { kind: 'transient' });
  let patience: NodeJS.Timeout | undefined;
  const stopNow = (exitCode: number) => {
    patience ??= setTimeout(() => io.exit(exitCode), PATIENCE_MS).unref();
    stopping.abort(reason());
    now.abort(reason());
  };
  const forget = [
    io.onSignal('SIGINT', () => {
      const at = io.now();
      if (at - last < SAME_MS) return;
      last = at;
      code ??= INTERRUPTED.SIGINT;
      if (now.signal.aborted) io.exit(code);
      else if (graceful && !stopping.signal.aborted) {
        stopping.abort(reason());
        say('Stopping: what is running finishes, nothing new starts. Press Ctrl-C again to stop now.');
      } else {
        say('Stopping now.');
        stopNow(code);
      }
    }),
    io.onSignal('SIGTERM', () => {
      code ??= INTERRUPTED.SIGTERM;
      stopNow(code);
    }),
  ];
  return {
    stopping: stopping.signal,
    signal: now.signal,
    get code() {
      return code;
    },
    dispose: () => {
      clearTimeout(patience);
      for (const each of forget) each();
    },
  };
}
