import PQueue from 'p-queue';
import { LakehouseError, serializeError } from '../common/errors.ts';
import { traced } from '../common/trace.ts';
import type { RunEvent } from '../materialize/events.ts';
import type { OpenedLake } from '../materialize/open.ts';
import type { Duty } from './duty.ts';
import { type Log, logRunEvent } from './log.ts';
import { redacted } from './redacted.ts';
import type { OperateStore, TickEnd, TickKind } from './store.ts';
import type { TickResult } from './tick.ts';
import type { Watch } from './watch.ts';

/** A tick that was decided, and written down as queued. */
export interface Job {
  readonly kind: TickKind;
  readonly name: string;
  readonly due: number;
  /** Of the tick. */
  readonly id: number;
  readonly reason: string;
  /** What waits with a greater one goes first, else what came first. */
  readonly priority: number;
  /** Asked when its turn comes; undefined where there is nothing to do any more. */
  readonly begin: () => Duty | undefined;
}

export interface JobOptions {
  readonly store: OperateStore;
  readonly log: Log;
  /** ms UTC. */
  readonly now: () => number;
  /** Runs at once. */
  readonly maxRuns: number;
  readonly ticksKept: number;
  /** Takes secrets out of a text. */
  readonly redact: (text: string) => string;
  readonly watch?: Watch | undefined;
  /** Told after every job that ended, when more may be due. */
  readonly wake: () => void;
  /** Done after every job, before others may begin. Never rejects. */
  readonly afterwards: (lake: OpenedLake) => Promise<void>;
}

interface Running {
  readonly due: number;
  /** Whether its turn has come. */
  begun: boolean;
  /** Never rejects. */
  readonly ended: Promise<void>;
}

/** Ticks between two clean-ups of the list of them. */
const PRUNE_EVERY = 100;

const keyOf = (kind: TickKind, name: string) => `${kind} ${name}`;
const isoOf = (instant: number) => new Date(instant).toISOString();

/** Carries out what was decided: so many runs at once, the others wait for their turn. One of a name at a time. */
export class Jobs {
  readonly #options: JobOptions;
  readonly #queue: PQueue;
  readonly #running = new Map<string, Running>();
  readonly #startedAt = new Map<string, number>();
  readonly #endedAt = new Map<string, number>();
  readonly #beside = new Set<Promise<void>>();
  /** Ends of ticks that could not be written down, say because the disk was full. */
  readonly #unwritten: {
    readonly id: number;
    readonly end: TickEnd;
    readonly facts: () => Readonly<Record<string, unknown>>;
  }[] = [];
  readonly #stopping = new AbortController();
  readonly #signal = new AbortController();
  readonly #users = new Map<OpenedLake, number>();
  #ticks = 0;
  #ended = 0;

  constructor(options: JobOptions) {
    this.#options = options;
    this.#queue = new PQueue({ concurrency: options.maxRuns });
  }

  get isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** Aborted when what runs is to stop at once. */
  get signal(): AbortSignal {
    return this.#signal.signal;
  }

  /** Of jobs that are carried out or wait for their turn. */
  get busy(): readonly string[] {
    return [...this.#running.keys()];
  }

  get load(): { readonly running: number; readonly waiting: number } {
    return { running: this.#queue.pending, waiting: this.#queue.size };
  }

  /** How many have ended. */
  get ended(): number {
    return this.#ended;
  }

  /** When the one of this name that has not ended was due. */
  running(kind: TickKind, name: string): number | undefined {
    return this.#running.get(keyOf(kind, name))?.due;
  }

  /** Whether the one of this name that has not ended waits for its turn. */
  isWaiting(kind: TickKind, name: string): boolean {
    return this.#running.get(keyOf(kind, name))?.begun === false;
  }

  /** When the one that runs, or else the last one, was started, ms UTC. */
  startedAt(kind: TickKind, name: string): number | undefined {
    return this.#startedAt.get(keyOf(kind, name));
  }

  endedAt(kind: TickKind, name: string): number | undefined {
    return this.#endedAt.get(keyOf(kind, name));
  }

  start(job: Job): void {
    const { kind, name, due, priority } = job;
    const key = keyOf(kind, name);
    this.#startedAt.set(key, this.#options.now());
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const running: Running = { due, begun: false, ended };
    // Before it is queued: where there is room it begins at once, and may have ended.
    this.#running.set(key, running);
    this.#queue
      .add(() => this.#carryOut(job, running), { priority })
      .catch((error: unknown) => {
        this.#running.delete(key);
        this.#options.log('error', 'a tick ended in disorder', { [kind]: name, error: serializeError(error) });
      })
      .then(resolve);
  }

  /** Something short that is not to wait for its turn. It is waited for in the end, and does not reject. */
  beside(work: Promise<void>): void {
    this.#beside.add(work);
    work.finally(() => this.#beside.delete(work));
  }

  async #carryOut(job: Job, running: Running): Promise<void> {
    const { log, watch, wake, afterwards } = this.#options;
    const { kind, name, due, reason } = job;
    // When told to stop, it goes on waiting, for the next daemon.
    const duty = this.isStopping ? undefined : this.#begin(job);
    if (!duty) {
      this.#running.delete(keyOf(kind, name));
      if (!this.isStopping) wake();
      return;
    }
    running.begun = true;
    const { lake } = duty;
    this.use(lake);
    this.#writeBegin(job);
    const fields = { [kind]: name, due: isoOf(due) };
    log('info', `tick started: ${reason}`, fields);
    const began = performance.now();
    const follow = watch?.follow(lake, `${kind} ${name}`);
    let run: string | undefined;
    const emit = (event: RunEvent) => {
      if (event.type === 'run-started') run = event.run;
      logRunEvent(log, event, { ...fields, run });
      follow?.(event);
    };
    const result: TickResult = await traced({ type: 'tick', kind, name, due }, () =>
      duty.work({ signal: this.#signal.signal, stopping: this.#stopping.signal, emit }),
    );
    watch?.tickEnded({ kind, name, outcome: result.outcome, ms: performance.now() - began });
    this.#end(job, { ...result, run: result.run ?? run }, () => duty.after?.(result) ?? {});
    if (!this.isStopping) await afterwards(lake);
    this.#running.delete(keyOf(kind, name));
    this.leave(lake);
    wake();
  }

  /** What is to be done now that its turn has come. Where that is nothing, or cannot be told, it has ended. */
  #begin(job: Job): Duty | undefined {
    try {
      const duty = job.begin();
      if (duty === undefined)
        this.#end(job, { outcome: 'interrupted', decision: 'it never began: it is paused, or not declared any more' });
      return duty;
    } catch (thrown) {
      const error = serializeError(thrown);
      this.#end(job, { outcome: 'failed', decision: error.message, error });
      return undefined;
    }
  }

  #end(
    { id, kind, name, due, reason }: Job,
    result: TickResult,
    facts: () => Readonly<Record<string, unknown>> = () => ({}),
  ): void {
    const { log, now, redact } = this.#options;
    const { outcome, decision, run, error } = result;
    log(outcome === 'failed' ? 'error' : 'info', `tick ${outcome}: ${decision}`, {
      [kind]: name,
      due: isoOf(due),
      run,
      error,
    });
    const end = { outcome, error, run, decision: `${reason}; ${decision}`, at: now() };
    this.#unwritten.push({ id, end: redacted(redact, end), facts });
    this.#endedAt.set(keyOf(kind, name), now());
    this.writeEnds();
    this.#ended++;
  }

  /** What cannot be written goes on being shown as queued; it ends all the same. */
  #writeBegin({ id, kind, name }: Job): void {
    const { store, log, now } = this.#options;
    try {
      store.beginTick(id, now());
    } catch (error) {
      log('error', 'the beginning of a tick could not be written down', { [kind]: name, error: serializeError(error) });
    }
  }

  /** Writes down how ticks ended. What cannot be written now is tried again the next time. */
  writeEnds(): void {
    const { store, log, ticksKept } = this.#options;
    try {
      for (let next = this.#unwritten[0]; next !== undefined; next = this.#unwritten[0]) {
        store.endTick(next.id, next.end, next.facts());
        this.#unwritten.shift();
        if (++this.#ticks % PRUNE_EVERY === 0) store.prune(ticksKept);
      }
    } catch (error) {
      log('error', 'the end of a tick could not be written down', { error: serializeError(error) });
    }
  }

  /** One more works with a lake. */
  use(lake: OpenedLake): void {
    this.#users.set(lake, (this.#users.get(lake) ?? 0) + 1);
  }

  /** One less does; after the last it is closed. */
  leave(lake: OpenedLake): void {
    const users = (this.#users.get(lake) ?? 1) - 1;
    this.#users.set(lake, users);
    if (users > 0) return;
    this.#users.delete(lake);
    lake.close().catch((error: unknown) => {
      this.#options.log('error', 'a lake could not be closed', { error: serializeError(error) });
    });
  }

  /** Resolves when nothing is carried out or waits. */
  async settled(): Promise<void> {
    while (this.#running.size + this.#beside.size > 0)
      await Promise.all([...[...this.#running.values()].map(({ ended }) => ended), ...this.#beside]);
  }

  /** Starts nothing new, lets what is running finish for a while, then stops it. Everything that was committed stays. */
  async stop(drainMs: number): Promise<void> {
    const reason = new LakehouseError('interrupted', 'The daemon was told to stop', { kind: 'transient' });
    this.#stopping.abort(reason);
    const deadline = setTimeout(() => this.#signal.abort(reason), drainMs);
    try {
      await this.settled();
    } finally {
      clearTimeout(deadline);
    }
  }

  /** Stops at once: another daemon has taken over. */
  abandon(reason: unknown): Promise<void> {
    this.#signal.abort(reason);
    return this.stop(0);
  }
}
