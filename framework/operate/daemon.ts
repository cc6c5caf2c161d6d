import { serializeError } from '../common/errors.ts';
import type { ScheduleDefinition } from '../define/schedule.ts';
import type { SensorDefinition } from '../define/sensor.ts';
import type { OpenedLake } from '../materialize/open.ts';
import type { PartitionSet } from '../partition/set.ts';
import * as sets from '../partition/set.ts';
import type { AssetEvaluation } from '../plan/evaluate.ts';
import { evaluateNow } from '../report/evaluated.ts';
import { type AutomationCursor, CURSOR_KEYS, cursorKey, packPartitions } from './automation/cursor.ts';
import { automationTick, conditionsOf } from './automation/tick.ts';
import { type Backoff, heldBack, isOver } from './backoff.ts';
import { avoidedSources } from './circuits.ts';
import { type Duty, dutyOf } from './duty.ts';
import { type Housekeeping, isHousekeepingDue, keepHouse } from './housekeeping.ts';
import { Jobs } from './jobs.ts';
import {
  BACKOFFS,
  CONDITIONS,
  HOUSEKEEPING,
  pauseKey,
  requestKey,
  seenKey,
  sensorBackoffKey,
  sensorKey,
} from './keys.ts';
import type { Loaded } from './loaded.ts';
import type { Log } from './log.ts';
import { redacted } from './redacted.ts';
import { CONDITIONS_PRIORITY, together } from './requests.ts';
import { decideSchedule, isPaused, type Pause, type ScheduleMemory } from './schedules.ts';
import { isAskable, look, nextPoll, type ResolvedRequest, requestsText, type SensorMemory } from './sensors.ts';
import type { OperateStore, TickKind, TickRecord } from './store.ts';
import type { Watch } from './watch.ts';

export interface DaemonOptions {
  readonly loaded: Loaded;
  /** Of the holder of the lease. */
  readonly store: OperateStore;
  readonly log: Log;
  /** ms UTC. */
  readonly now: () => number;
  /** Runs at once. */
  readonly maxRuns: number;
  readonly ticksKept: number;
  /** Takes secrets out of what is remembered. */
  readonly redact: (text: string) => string;
  /** Days that events of the log are kept. */
  readonly retentionDays: number;
  /** Milliseconds between two evaluations of the assets' conditions. */
  readonly automationEveryMs: number;
  readonly watch?: Watch | undefined;
  /** Told after every tick that ended, when more may be due. */
  readonly wake: () => void;
}

/** While something else runs, conditions are evaluated so much less often. */
const BUSY_TIMES = 10;
/** A tick is begun again at most so often. */
const MOST_ATTEMPTS = 10;

const isoOf = (instant: number) => new Date(instant).toISOString();

/**
 * Decides what is due and has it carried out. It knows no clock but the one it is given and waits for nothing by itself: `turn` is
 * called when time has come.
 */
export class Daemon {
  readonly #options: DaemonOptions;
  readonly #jobs: Jobs;
  #loaded: Loaded;
  readonly #looking = new Set<string>();
  #automatedAt: number | undefined;

  constructor(options: DaemonOptions) {
    this.#options = options;
    this.#loaded = options.loaded;
    this.#jobs = new Jobs({ ...options, afterwards: (lake) => this.#keepHouse(lake) });
    this.#jobs.use(this.#loaded.lake);
  }

  get loaded(): Loaded {
    return this.#loaded;
  }

  /** What is carried out or waits for its turn. */
  get busy(): readonly string[] {
    return [...this.#jobs.busy, ...this.#looking];
  }

  /** How many ticks have ended. */
  get ended(): number {
    return this.#jobs.ended;
  }

  get load(): Jobs['load'] {
    return this.#jobs.load;
  }

  /** All sources, and whether they are left alone because they do not answer. */
  get sources(): ReadonlyMap<string, boolean> {
    const { graph } = this.#loaded.lake;
    const avoided = avoidedSources(this.#options.store, this.#options.now());
    return new Map(
      graph.order.flatMap((key) =>
        graph.node(key).definition.kind === 'source' ? [[key, avoided.has(key)] as const] : [],
      ),
    );
  }

  /**
   * Begins again what was interrupted: a process that died, or was told to stop, had decided it and not finished. What had been
   * committed stays; the rest is planned anew. What was still waiting for its turn waits on.
   */
  recover(): void {
    const { store, log, now, ticksKept } = this.#options;
    store.prune(ticksKept);
    for (const tick of store.ticks({ outcome: 'running', limit: 10_000 })) {
      // It may be called again, where it could not come to its end.
      if (this.#jobs.running(tick.kind, tick.name) !== undefined) continue;
      log('warn', 'a tick was interrupted', { [tick.kind]: tick.name, due: isoOf(tick.due), attempt: tick.attempt });
      store.endTick(tick.id, { outcome: 'interrupted', decision: `${tick.decision}; the daemon died`, at: now() });
    }
    const { schedules, sensors } = this.#loaded;
    const names: [TickKind, string][] = [
      ...schedules.map(({ name }): [TickKind, string] => ['schedule', name]),
      ...sensors.map(({ name }): [TickKind, string] => ['sensor', name]),
      ['automation', CONDITIONS],
    ];
    for (const [kind, name] of names) {
      // What was skipped while it ran stands after it.
      const [tick] = store.ticks({ kind, name, decided: true, limit: 1 });
      // What never began was paused then, and has nothing to make up for.
      if (tick?.outcome !== 'interrupted' || tick.begunAt === undefined) continue;
      if (this.#jobs.running(kind, name) !== undefined) continue;
      const duty = this.#dutyOf(tick);
      if (duty) this.#again(tick, duty);
    }
    // Those had begun to wait later. They never ran, and wait on.
    for (const tick of store.ticks({ outcome: 'queued', limit: 10_000 }).reverse()) {
      if (this.#jobs.running(tick.kind, tick.name) !== undefined) continue;
      this.#start(tick, this.#dutyOf(tick)?.priority, tick.id, tick.decision);
    }
  }

  #again(tick: TickRecord, { priority }: Duty): void {
    const { store, log, now } = this.#options;
    const { kind, name, due, attempt } = tick;
    if (attempt >= MOST_ATTEMPTS) {
      // What kills its process every time must not do so for ever.
      const decision = `given up: it was interrupted ${attempt} times`;
      const forgotten = { [requestKey(kind, name)]: undefined };
      store.addTick({ kind, name, due, at: now(), outcome: 'failed', decision }, forgotten);
      log('error', `tick ${decision}`, { [kind]: name, due: isoOf(due) });
      return;
    }
    const decision = `begun again, it was interrupted (attempt ${attempt + 1})`;
    const id = store.addTick({ kind, name, due, at: now(), outcome: 'queued', decision });
    this.#start(tick, priority, id, decision);
  }

  /** A tick that is written down as queued. What it has to do is asked when its turn comes: by then it may be another thing. */
  #start(tick: Pick<TickRecord, 'kind' | 'name' | 'due'>, priority = 0, id: number, reason: string): void {
    const { kind, name, due } = tick;
    this.#jobs.start({ kind, name, due, id, reason, priority, begin: () => this.#dutyOf(tick) });
  }

  #dutyOf(tick: Pick<TickRecord, 'kind' | 'name' | 'due'>): Duty | undefined {
    return dutyOf(this.#options, this.#loaded, tick);
  }

  /** Decides all that is due and starts it. Returns when the next is due, ms UTC; undefined when only a run's end can tell. */
  turn(): number | undefined {
    if (this.#jobs.isStopping) return undefined;
    this.#jobs.writeEnds();
    const wakes = [
      ...this.#loaded.schedules.map((schedule) => this.#decideSchedule(schedule)),
      ...this.#loaded.sensors.map((sensor) => this.#decideSensor(sensor)),
      // After the others, which may have put something to work.
      this.#decideConditions(),
    ].filter((at) => at !== undefined);
    return wakes.length > 0 ? Math.min(...wakes) : undefined;
  }

  #pause(kind: TickKind, name: string): Pause | undefined {
    return this.#options.store.recall(pauseKey(name, kind)) as Pause | undefined;
  }

  #decideSchedule(schedule: ScheduleDefinition): number | undefined {
    const { store, log, now } = this.#options;
    const { name } = schedule;
    const at = now();
    const known = store.recall(seenKey(name)) as ScheduleMemory | undefined;
    if (known !== undefined && known.seen > at)
      log('warn', 'the clock has been put back', { schedule: name, by: known.seen - at });
    const activity = {
      running: this.#jobs.running('schedule', name),
      isWaiting: this.#jobs.isWaiting('schedule', name),
      startedAt: this.#jobs.startedAt('schedule', name),
      endedAt: this.#jobs.endedAt('schedule', name),
    };
    const { ticks, memory, wakeAt } = decideSchedule(schedule, known, this.#pause('schedule', name), activity, at);
    const facts = memory === known ? {} : { [seenKey(name)]: memory };
    if (ticks.length === 0 && memory !== known) store.remember(facts);
    for (const tick of ticks) {
      const { due, reason } = tick;
      const base = { kind: 'schedule', name, due, at } as const;
      if (tick.type === 'skip') {
        store.addTick({ ...base, outcome: 'skipped', decision: `skipped: ${reason}`, ticks: tick.ticks }, facts);
        log('warn', `tick skipped: ${reason}`, { schedule: name, due: isoOf(due), ticks: tick.ticks });
      } else {
        const id = store.addTick({ ...base, outcome: 'queued', decision: reason }, facts);
        this.#start(base, schedule.priority, id, reason);
      }
    }
    return wakeAt;
  }

  #decideSensor(sensor: SensorDefinition): number | undefined {
    const { store, now } = this.#options;
    const { name } = sensor;
    if (isPaused(sensor, this.#pause('sensor', name))) return undefined;
    if (this.#looking.has(name) || this.#jobs.running('sensor', name) !== undefined) return undefined;
    const memory = store.recall(sensorKey(name)) as SensorMemory | undefined;
    const next = nextPoll(sensor, memory, now());
    if (next > now()) return next;
    this.#looking.add(name);
    this.#jobs.beside(this.#look(sensor, memory));
    return undefined;
  }

  /** A look does not wait for its turn, what it asks for does. Never rejects. */
  async #look(sensor: SensorDefinition, memory: SensorMemory | undefined): Promise<void> {
    const { store, log, now, wake, redact } = this.#options;
    const { name } = sensor;
    const { lake } = this.#loaded;
    const at = now();
    try {
      const { graph } = lake;
      const { signal } = this.#jobs;
      const seen = await look(sensor, memory, { graph, resources: lake.resources(), now, signal });
      if (this.#jobs.isStopping) return;
      const found = redacted(redact, seen);
      const remembered = { [sensorKey(name)]: seen.memory };
      const base = { kind: 'sensor', name, due: at, at } as const;
      if (found.outcome === 'failed') {
        const { outcome, decision, error } = found;
        const id = store.addTick({ ...base, outcome, decision }, remembered);
        store.endTick(id, { outcome, decision, at: now(), error });
        log('error', decision, { sensor: name, error });
        return;
      }
      const { left, gone } = this.#undone(name);
      const isTime = isOver(store.recall(sensorBackoffKey(name)) as Backoff | undefined, now());
      const requests = found.outcome === 'requested' || isTime ? together(left, found.requests) : [];
      const facts = {
        ...remembered,
        ...(gone && { [requestKey('sensor', name)]: undefined, [sensorBackoffKey(name)]: undefined }),
      };
      if (requests.length > 0) {
        const again = requests.filter((one) => !found.requests.includes(one));
        const decision = [
          ...(found.outcome === 'requested' ? [found.decision] : []),
          ...(again.length > 0 ? [`asked for before and not done: ${requestsText(again)}`] : []),
        ].join('; ');
        const request = { [requestKey('sensor', name)]: requests };
        const id = store.addTick({ ...base, outcome: 'queued', decision }, { ...facts, ...request });
        this.#start(base, sensor.priority, id, decision);
      } else if (gone || (memory !== undefined && memory.failures > 0)) {
        // Who was told that it fails is told that it is over.
        const decision = `it works again: ${found.decision}`;
        store.addTick({ ...base, outcome: 'succeeded', decision }, facts);
        log('info', decision, { sensor: name, failures: memory?.failures });
      } else {
        store.remember(facts);
        log('debug', `sensor: ${found.decision}`, { sensor: name });
      }
    } catch (error) {
      log('error', 'a sensor could not look', { sensor: name, error: serializeError(error) });
    } finally {
      this.#looking.delete(name);
      wake();
    }
  }

  /** What a sensor asked for and was not done; `gone`: all of it names what is not declared any more. */
  #undone(name: string): { readonly left: readonly ResolvedRequest[]; readonly gone: boolean } {
    const asked = this.#options.store.recall(requestKey('sensor', name)) as readonly ResolvedRequest[] | undefined;
    const left = (asked ?? []).filter((one) => isAskable(this.#loaded.lake.graph, one));
    return { left, gone: asked !== undefined && left.length === 0 };
  }

  #decideConditions(): number | undefined {
    const { store, log, now, automationEveryMs } = this.#options;
    const { lake } = this.#loaded;
    const conditions = conditionsOf(lake.graph);
    if (isPaused({ enabled: true }, this.#pause('automation', CONDITIONS))) return undefined;
    // What is running may change what is to be decided, and its end wakes.
    if (conditions.size === 0 || this.#jobs.running('automation', CONDITIONS) !== undefined) return undefined;
    const at = now();
    // What is running may make some of it needless, but it may take long.
    const since = at - (this.#automatedAt ?? Number.NEGATIVE_INFINITY);
    if (this.#jobs.busy.length > 0 && since >= 0 && since < BUSY_TIMES * automationEveryMs) return undefined;
    const next = Math.min((this.#automatedAt ?? Number.NEGATIVE_INFINITY) + automationEveryMs, at + automationEveryMs);
    if (next > at) return next;
    this.#automatedAt = at;
    const { view, evaluations } = evaluateNow(lake);
    const cursors = store.recallAll(CURSOR_KEYS) as Map<string, AutomationCursor>;
    const backoffs = store.recallAll(BACKOFFS) as Map<string, Backoff>;
    const tick = automationTick({
      graph: lake.graph,
      evaluations,
      head: view.head,
      now: at,
      conditions,
      cursors,
      heldBack: this.#heldBack(evaluations, heldBack(lake.graph, view, backoffs, at)),
    });
    const facts: Record<string, unknown> = {};
    for (const [asset, cursor] of tick.cursors) {
      // Most evaluations decide nothing: what differs only in when they were made is not worth a write.
      const known = cursors.get(asset);
      if (
        JSON.stringify({ ...known, at: 0, head: 0 }) !== JSON.stringify({ ...cursor, at: 0, head: 0 }) ||
        known?.head !== cursor.head
      )
        facts[cursorKey(asset)] = cursor;
    }
    // A condition that was taken away begins anew when it returns.
    for (const asset of cursors.keys()) if (!conditions.has(asset)) facts[cursorKey(asset)] = undefined;
    if (tick.requests.size === 0) {
      if (Object.keys(facts).length > 0) store.remember(facts);
      return at + automationEveryMs;
    }
    const asked = [...tick.requests].map(([asset, set]) => `${asset} ${sets.countOf(set)}`);
    const decision = `requested: ${asked.join(', ')}`;
    const packed = Object.fromEntries([...tick.requests].map(([asset, set]) => [asset, packPartitions(set)]));
    const id = store.addTick(
      { kind: 'automation', name: CONDITIONS, due: at, at, outcome: 'queued', decision },
      { ...facts, [requestKey('automation', CONDITIONS)]: packed },
    );
    log('debug', decision, { automation: CONDITIONS });
    this.#start({ kind: 'automation', name: CONDITIONS, due: at }, CONDITIONS_PRIORITY, id, decision);
    return undefined;
  }

  /** Also what is fetched from sources that are left alone. */
  #heldBack(
    evaluations: ReadonlyMap<string, AssetEvaluation>,
    held: Map<string, PartitionSet>,
  ): ReadonlyMap<string, PartitionSet> {
    const { graph } = this.#loaded.lake;
    for (const source of avoidedSources(this.#options.store, this.#options.now()).keys())
      for (const asset of graph.find(source) ? graph.downstreamOf(source) : [])
        held.set(asset, evaluations.get(asset)?.universe.all ?? sets.EMPTY_SET);
    return held;
  }

  /** Once a day, after a tick. Never rejects. */
  async #keepHouse(lake: OpenedLake): Promise<void> {
    const { store, log, now, retentionDays } = this.#options;
    try {
      if (!isHousekeepingDue(store.recall(HOUSEKEEPING) as Housekeeping | undefined, now())) return;
      store.remember({ [HOUSEKEEPING]: { at: now() } satisfies Housekeeping });
      store.prune(this.#options.ticksKept);
      log('info', 'tidied up', await keepHouse(lake, now(), retentionDays));
    } catch (error) {
      log('error', 'tidying up failed; it is tried again tomorrow', { error: serializeError(error) });
    }
  }

  /** Other definitions and settings from now on. The earlier lake is closed when its last run has ended. */
  replace(loaded: Loaded): void {
    const { lake } = this.#loaded;
    this.#loaded = loaded;
    this.#jobs.use(loaded.lake);
    this.#jobs.leave(lake);
  }

  /** Resolves when nothing is running or waits. */
  settled(): Promise<void> {
    return this.#jobs.settled();
  }

  /** Starts nothing new, lets what is running finish for a while, then stops it. Everything that was committed stays. */
  stop(drainMs: number): Promise<void> {
    return this.#jobs.stop(drainMs);
  }

  /** Stops at once: another daemon has taken over. */
  abandon(reason: unknown): Promise<void> {
    return this.#jobs.abandon(reason);
  }
}
