import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { importModule } from './modules.ts';

/** What a lake takes from the process around it. Tests pass their own. */
export interface Host {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute. */
  readonly cwd: string;
  /** Milliseconds since the epoch, UTC. */
  readonly now: () => number;
  readonly random: (bytes: number) => Uint8Array;
  readonly host: string;
  readonly pid: number;
  readonly isAlive: (pid: number) => boolean;
  /**
   * The exports of a module, by absolute path. Each generation above 0 reads it anew, with all that it imports from its own
   * directory and those below.
   */
  readonly importModule: (file: string, generation?: number) => Promise<unknown>;
}

export const processHost = (): Host => ({
  env: process.env,
  cwd: process.cwd(),
  now: Date.now,
  random: randomBytes,
  host: hostname(),
  pid: process.pid,
  isAlive: (pid) => {
    try {
      return process.kill(pid, 0);
    } catch (error) {
      // Somebody else's process may not be signalled, but it is there.
      return (error as NodeJS.ErrnoException).code === 'EPERM';
    }
  },
  importModule,
});
