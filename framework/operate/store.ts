import type { SerializedError } from '../common/errors.ts';

/** What made a tick: a schedule, a sensor, or the conditions of assets. */
export const TICK_KINDS = ['schedule', 'sensor', 'automation'] as const;
export type TickKind = (typeof TICK_KINDS)[number];

/** `queued`: waits for its turn; `skipped`: decided not to do anything; `interrupted`: the process died meanwhile, or was told to stop. */
export const TICK_OUTCOMES = ['queued', 'running', 'succeeded', 'failed', 'skipped', 'interrupted'] as const;
export type TickOutcome = (typeof TICK_OUTCOMES)[number];

export interface NewTick {
  readonly kind: TickKind;
  readonly name: string;
  /** When it was due, ms UTC. */
  readonly due: number;
  /** When it was decided, ms UTC. */
  readonly at: number;
  readonly outcome: TickOutcome;
  /** What was decided and why, a sentence. */
  readonly decision: string;
  /** Of how many ticks this speaks, where several were skipped at once. Default 1. */
  readonly ticks?: number;
  /** Whether a person asked for it. */
  readonly byHand?: boolean;
}

export interface TickRecord extends Required<NewTick> {
  readonly id: number;
  /** 1 for the first; more where an interrupted one was begun again. */
  readonly attempt: number;
  /** When its turn came, ms UTC; undefined where it never did. */
  readonly begunAt: number | undefined;
  readonly finishedAt: number | undefined;
  /** Id of the run it made. */
  readonly run: string | undefined;
  readonly error: SerializedError | undefined;
}

export interface TickEnd {
  readonly outcome: Exclude<TickOutcome, 'queued' | 'running'>;
  readonly decision: string;
  readonly at: number;
  readonly run?: string | undefined;
  readonly error?: SerializedError | undefined;
}

export interface TickFilter {
  readonly kind?: TickKind;
  readonly name?: string;
  readonly outcome?: TickOutcome;
  /** Without those that were skipped and those that a person asked for. */
  readonly decided?: boolean;
  readonly limit: number;
}

/** A process that may be the active daemon. */
export interface LeaseOwner {
  readonly host: string;
  readonly pid: number;
  /** When the process began, ms by any clock: tells it from an earlier one with the same pid. */
  readonly started: number;
}

export interface Lease {
  /** Rises with every owner: what an earlier one still tries to write is refused. */
  readonly epoch: number;
  readonly owner: LeaseOwner;
  /** ms UTC. */
  readonly acquiredAt: number;
  readonly heartbeatAt: number;
  readonly expiresAt: number;
}

/** What the CLI and the terminal UI look at. */
export interface OperateReader {
  /** What was remembered under a key: plain data. */
  recall(key: string): unknown;
  /** Everything under keys with this beginning, which is taken off. */
  recallAll(prefix: string): Map<string, unknown>;
  /** Latest first. */
  ticks(filter: TickFilter): TickRecord[];
  /** Of the active daemon, or the last one, which may have expired. */
  lease(): Lease | undefined;
  /** A number that differs when something was written by anybody else. */
  version(): number;
  close(): void;
}

/** What the daemon remembers besides the event log. Every call is one short transaction. */
export interface OperateStore extends OperateReader {
  /** Sets facts, all or none; undefined forgets one. */
  remember(facts: Readonly<Record<string, unknown>>): void;
  /** Writes down that a tick was decided, together with facts. Returns its id. */
  addTick(tick: NewTick, facts?: Readonly<Record<string, unknown>>): number;
  /** Its turn has come: it is running from now on. */
  beginTick(id: number, at: number): void;
  endTick(id: number, end: TickEnd, facts?: Readonly<Record<string, unknown>>): void;
  /** Keeps the latest `keep` ticks of every name, and those that have not ended. Returns how many were deleted. */
  prune(keep: number): number;
  /** The lease, or who has it. Taken over are those that have expired and those whose process on this host is gone. */
  acquire(owner: LeaseOwner, ttlMs: number, now: number): { readonly lease: Lease } | { readonly heldBy: Lease };
  /** Heartbeat. False when it was taken over. */
  renew(lease: Lease, ttlMs: number, now: number): boolean;
  /** Lets others take over at once. */
  release(lease: Lease): void;
  /**
   * The same store for the holder of a lease: once another process took the lease over, everything that writes throws
   * `lease-lost` (conflict).
   */
  fenced(lease: Lease): OperateStore;
}
