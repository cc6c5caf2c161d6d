import type { Emit } from '../materialize/events.ts';
import type { OpenedLake } from '../materialize/open.ts';
import type { TickKind, TickOutcome } from './store.ts';

/** What the daemon is doing. */
export interface DaemonFacts {
  readonly role: 'starting' | 'standby' | 'active' | 'stopping';
  /** When it last decided what is due, ms UTC. */
  readonly turnAt?: number | undefined;
  /** Ticks that are being carried out. */
  readonly running: number;
  /** Ticks that wait for their turn. */
  readonly waiting: number;
  /** All sources, and whether they are left alone because they do not answer. */
  readonly sources?: ReadonlyMap<string, boolean> | undefined;
}

export interface TickEnded {
  readonly kind: TickKind;
  readonly name: string;
  readonly outcome: TickOutcome;
  /** From its beginning, without waiting. */
  readonly ms: number;
}

/** Somebody who looks on. Nothing of it throws. */
export interface Watch {
  /** Where to tell what happens in one run (or one look at sources). `job`: what it is one of, e.g. `schedule nightly`. */
  readonly follow: (lake: Pick<OpenedLake, 'graph' | 'store'>, job: string) => Emit;
  readonly tickEnded: (tick: TickEnded) => void;
  /** What is new about the daemon. */
  readonly daemon: (facts: Partial<DaemonFacts>) => void;
}
