import { serializeError } from '../common/errors.ts';
import type { ScheduleDefinition } from '../define/schedule.ts';
import type { SensorDefinition } from '../define/sensor.ts';
import type { OpenedLake } from '../materialize/open.ts';
import type { PartitionSet } from '../partition/set.ts';
import * as sets from '../partition/set.ts';
import type { AssetEvaluation } from '../plan/evaluate.ts';
import { evaluateNow } from '../report/evaluated.ts';
import {
  type AutomationCursor,
  CURSOR_KEYS,
  cursorKey,
  packPartitions,
  unpackPartitions,
} from './automation/cursor.ts';
import { automationTick, conditionsOf } from './automation/tick.ts';
import { afterShakyRun, type Backoff, heldBack } from './backoff.ts';
import { afterFailure, type Circuit, whyOpen } from './circuit.ts';
import { type Housekeeping, isHousekeepingDue, keepHouse } from './housekeeping.ts';
import { Jobs } from './jobs.ts';
import type { Log } from './log.ts';
import { CONDITIONS_PRIORITY, conditionsWork, runRequests } from './requests.ts';
import { decideSchedule, isPaused, type Pause, type ScheduleMemory } from './schedules.ts';
import { look, nextPoll, type ResolvedRequest, type SensorMemory } from './sensors.ts';
import type { OperateStore, TickKind, TickRecord } from './store.ts';
import { runSchedule, runWork, type TickResult } from './tick.ts';
import type { Watch } from './watch.ts';

/** What the daemon keeps fresh, and when. A reload replaces it; runs that began with an earlier one end with it. */
export interface Loaded {
  readonly lake: OpenedLake;
  readonly schedules: readonly ScheduleDefinition[];
  readonly sensors: readonly SensorDefinition[];
}

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

// Keys of what is remembered. What a person says about pauses is anybody's to write, the others are the daemon's.
export const pauseKey = (name: string, kind: TickKind = 'schedule') => `${kind}/pause/${name}`;
const seenKey = (schedule: string) => `schedule/seen/${schedule}`;
export const sensorKey = (sensor: string) => `sensor/memory/${sensor}`;
/** What a tick that is running was to do, for whoever begins it again. Schedules say so themselves. */
const requestKey = (kind: TickKind, name: string) => `${kind}/request/${name}`;
/** While something else runs, conditions are evaluated so much less often. */
const BUSY_TIMES = 10;
/** A tick is begun again at most so often. */
const MOST_ATTEMPTS = 10;
const HOUSEKEEPING = 'housekeeping';
export const CIRCUITS = 'circuit/';
const BACKOFFS = 'automation/backoff/';

/** All conditions of a lake are decided together, by ticks of this name. */
export const CONDITIONS = 'conditions';

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
    const avoided = this.#avoided();
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
      store.endTick(tick.id, { outcome: 'interrupted', decision: 'the daemon died', at: now() });
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
      if (tick?.outcome !== 'interrupted' || this.#jobs.running(kind, name) !== undefined) continue;
      const start = this.#restart(tick);
      if (start) this.#again(tick, start);
    }
    // Those had begun to wait later. They never ran, and wait on.
    for (const tick of store.ticks({ outcome: 'queued', limit: 10_000 }).reverse()) {
      if (this.#jobs.running(tick.kind, tick.name) !== undefined) continue;
      const start = this.#restart(tick);
      if (start) start(tick.id, tick.decision);
      else {
        const decision = `${tick.decision}; it never began: it is paused, or not declared any more`;
        store.endTick(tick.id, { outcome: 'interrupted', decision, at: now() });
      }
    }
  }

  /** How a tick of an earlier daemon is carried out; undefined where it is not to be any more. */
  #restart({ kind, name, due }: TickRecord): ((id: number, reason: string) => void) | undefined {
    const { store } = this.#options;
    const { lake, schedules, sensors } = this.#loaded;
    const pause = this.#pause(kind, name);
    if (kind === 'schedule') {
      const schedule = schedules.find((one) => one.name === name);
      if (!schedule || isPaused(schedule, pause)) return undefined;
      return (id, reason) => this.#runSchedule(schedule, due, id, reason);
    }
    const request = store.recall(requestKey(kind, name));
    if (request === undefined) return undefined;
    if (kind === 'sensor') {
      const sensor = sensors.find((one) => one.name === name);
      if (!sensor || isPaused(sensor, pause)) return undefined;
      return (id, reason) => this.#runSensor(sensor, request as readonly ResolvedRequest[], due, id, reason);
    }
    if (isPaused({ enabled: true }, pause)) return undefined;
    const known = Object.entries(request as Readonly<Record<string, PackedRequest>>).filter(([key]) =>
      lake.graph.find(key),
    );
    const targets = new Map(known.map(([asset, set]) => [asset, unpackPartitions(set)]));
    return (id, reason) => this.#runConditions(targets, due, id, reason);
  }

  #again({ kind, name, due, attempt }: TickRecord, start: (id: number, reason: string) => void): void {
    const { store, log, now } = this.#options;
    if (attempt >= MOST_ATTEMPTS) {
      // What kills its process every time must not do so for ever.
      const decision = `given up: it was interrupted ${attempt} times`;
      store.addTick({ kind, name, due, at: now(), outcome: 'failed', decision });
      log('error', `tick ${decision}`, { [kind]: name, due: isoOf(due) });
      return;
    }
    const decision = `begun again, it was interrupted (attempt ${attempt + 1})`;
    const { outcome } = this.#jobs;
    start(store.addTick({ kind, name, due, at: now(), outcome, decision }), decision);
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
      } else
        this.#runSchedule(
          schedule,
          due,
          store.addTick({ ...base, outcome: this.#jobs.outcome, decision: reason }, facts),
          reason,
        );
    }
    return wakeAt;
  }

  #runSchedule(schedule: ScheduleDefinition, due: number, id: number, reason: string): void {
    const { lake } = this.#loaded;
    const work = (control: Parameters<typeof runSchedule>[3]) =>
      this.#answering(() => runSchedule(lake, schedule, due, control, this.#avoided()));
    const { name, priority } = schedule;
    this.#jobs.start({ kind: 'schedule', name, due, id, reason, priority, lake, work });
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
      const found = JSON.parse(redact(JSON.stringify(seen))) as typeof seen;
      const facts = { [sensorKey(name)]: seen.memory };
      const base = { kind: 'sensor', name, due: at, at, decision: found.decision } as const;
      if (found.outcome === 'skipped' && memory !== undefined && memory.failures > 0) {
        // Who was told that it fails is told that it is over.
        const decision = `it works again: ${found.decision}`;
        store.addTick({ ...base, outcome: 'succeeded', decision }, facts);
        log('info', decision, { sensor: name, failures: memory.failures });
      } else if (found.outcome === 'skipped') {
        store.remember(facts);
        log('debug', `sensor: ${found.decision}`, { sensor: name });
      } else if (found.outcome === 'failed') {
        const id = store.addTick({ ...base, outcome: 'failed' }, facts);
        store.endTick(id, { outcome: 'failed', decision: found.decision, at: now(), error: found.error });
        log('error', found.decision, { sensor: name, error: found.error });
      } else {
        const request = { [requestKey('sensor', name)]: found.requests };
        const { outcome } = this.#jobs;
        const id = store.addTick({ ...base, outcome }, { ...facts, ...request });
        this.#runSensor(sensor, found.requests, at, id, found.decision);
      }
    } catch (error) {
      log('error', 'a sensor could not look', { sensor: name, error: serializeError(error) });
    } finally {
      this.#looking.delete(name);
      wake();
    }
  }

  #runSensor(
    sensor: SensorDefinition,
    requests: readonly ResolvedRequest[],
    due: number,
    id: number,
    reason: string,
  ): void {
    const { lake } = this.#loaded;
    const { name, priority } = sensor;
    const work = (control: Parameters<typeof runWork>[2]) =>
      runRequests(sensor, requests, (asked) =>
        this.#answering(() => runWork(lake, { ...asked, avoid: this.#avoided() }, control)),
      );
    const after = forgetRequest('sensor', name);
    this.#jobs.start({ kind: 'sensor', name, due, id, reason, priority, lake, work, after });
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
      { kind: 'automation', name: CONDITIONS, due: at, at, outcome: this.#jobs.outcome, decision },
      { ...facts, [requestKey('automation', CONDITIONS)]: packed },
    );
    log('debug', decision, { automation: CONDITIONS });
    this.#runConditions(tick.requests, at, id, decision);
    return undefined;
  }

  /** Also what is fetched from sources that are left alone. */
  #heldBack(
    evaluations: ReadonlyMap<string, AssetEvaluation>,
    held: Map<string, PartitionSet>,
  ): ReadonlyMap<string, PartitionSet> {
    const { graph } = this.#loaded.lake;
    for (const source of this.#avoided().keys())
      for (const asset of graph.find(source) ? graph.downstreamOf(source) : [])
        held.set(asset, evaluations.get(asset)?.universe.all ?? sets.EMPTY_SET);
    return held;
  }

  #runConditions(targets: ReadonlyMap<string, PartitionSet>, due: number, id: number, reason: string): void {
    const { store, now } = this.#options;
    const { lake } = this.#loaded;
    const name = CONDITIONS;
    this.#jobs.start({
      kind: 'automation',
      name,
      due,
      id,
      reason,
      priority: CONDITIONS_PRIORITY,
      lake,
      work: (control) => runWork(lake, conditionsWork(targets), control),
      after: (result) => {
        const facts: Record<string, unknown> = { ...forgetRequest('automation', name)(result) };
        for (const asset of targets.keys()) {
          const known = store.recall(`${BACKOFFS}${asset}`) as Backoff | undefined;
          if (result.shaky?.has(asset)) facts[`${BACKOFFS}${asset}`] = afterShakyRun(known, now());
          else if (known) facts[`${BACKOFFS}${asset}`] = undefined;
        }
        return facts;
      },
    });
  }

  /** Remembers which sources answered. Never rejects. */
  async #answering(work: () => Promise<TickResult>): Promise<TickResult> {
    try {
      const result = await work();
      this.#rememberSources(result.sources);
      return result;
    } catch (thrown) {
      // What is remembered could not be read or written.
      const error = serializeError(thrown);
      return { outcome: 'failed', decision: error.message, error };
    }
  }

  /** Sources that are to be left alone, with why. */
  #avoided(): Map<string, string> {
    const { store, now } = this.#options;
    const avoided = new Map<string, string>();
    for (const [source, circuit] of store.recallAll(CIRCUITS)) {
      const why = whyOpen(circuit as Circuit, now());
      if (why !== undefined) avoided.set(source, why);
    }
    return avoided;
  }

  #rememberSources(sources: TickResult['sources'] = new Map()): void {
    const { store, log, now } = this.#options;
    for (const [source, message] of sources) {
      const known = store.recall(`${CIRCUITS}${source}`) as Circuit | undefined;
      if (message === undefined && known === undefined) continue;
      const next = message === undefined ? undefined : afterFailure(known, message, now());
      store.remember({ [`${CIRCUITS}${source}`]: next });
      if (next === undefined) log('info', 'a source answers again', { source, failures: known?.failures });
      else log('error', 'a source could not be looked at', { source, ...next });
    }
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

type PackedRequest = Parameters<typeof unpackPartitions>[0];

/** What was asked for is done with, unless it was interrupted: then it is begun again. */
const forgetRequest =
  (kind: TickKind, name: string) =>
  ({ outcome }: TickResult): Readonly<Record<string, unknown>> =>
    outcome === 'interrupted' ? {} : { [requestKey(kind, name)]: undefined };
