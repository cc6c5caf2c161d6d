import { createHash } from 'node:crypto';

/** The process that writes stages, as others can tell it. */
export interface StageOwner {
  readonly host: string;
  readonly pid: number;
  /** When the process began, in ms by any clock: tells it from an earlier one that had the same pid. */
  readonly started: number;
  /** Whether a process of this host is running. */
  readonly isAlive: (pid: number) => boolean;
}

/** What the names of an owner's stages begin with. */
export function stagePrefix(owner: StageOwner | undefined): string {
  return owner === undefined ? 's-' : `s-${hostHash(owner)}-${owner.pid}-${Math.round(owner.started).toString(36)}-`;
}

/**
 * Whether the owner of a stage is known to be running, asked by `self`. Of another host's process, or where either did not say
 * who it is, nothing is known.
 */
export function isRunning(name: string, self: StageOwner | undefined): boolean {
  const [, host, pid, started] = /^s-([0-9a-f]{8})-(\d+)-([0-9a-z]+)-/.exec(name) ?? [];
  if (self === undefined || host !== hostHash(self)) return false;
  // In containers every process may have the same pid.
  if (Number(pid) === self.pid) return started === Math.round(self.started).toString(36);
  return self.isAlive(Number(pid));
}

/** A host's name may hold anything. */
function hostHash({ host }: StageOwner): string {
  return createHash('sha256').update(host).digest('hex').slice(0, 8);
}
