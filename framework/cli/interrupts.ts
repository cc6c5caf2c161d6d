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

/**
 * Listens to SIGINT and SIGTERM until disposed. With `graceful` the first SIGINT only asks to stop and the second stops now;
 * without, the first does. SIGTERM always stops now. One more SIGINT ends a process that does not get to an end.
 */
export function listenToInterrupts(io: Io, graceful: boolean, say: (text: string) => void): Interrupts {
  const stopping = new AbortController();
  const now = new AbortController();
  let code: number | undefined;
  let last = Number.NEGATIVE_INFINITY;
  const reason = () => new LakehouseError('interrupted', 'It was interrupted', { kind: 'transient' });
  const stopNow = () => {
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
        stopNow();
      }
    }),
    io.onSignal('SIGTERM', () => {
      code ??= INTERRUPTED.SIGTERM;
      stopNow();
    }),
  ];
  return {
    stopping: stopping.signal,
    signal: now.signal,
    get code() {
      return code;
    },
    dispose: () => {
      for (const each of forget) each();
    },
  };
}
