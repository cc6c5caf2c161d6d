import { orAborted } from '../common/aborted.ts';
import { LakehouseError, serializeError } from '../common/errors.ts';
import type { ScheduleAction } from '../common/schedule.ts';
import type { Tags } from '../common/tags.ts';
import type { ScheduleDefinition } from '../define/schedule.ts';
import { checkPartitions } from '../materialize/check.ts';
import type { RunControl } from '../materialize/context.ts';
import type { RunEvent } from '../materialize/events.ts';
import type { Lake } from '../materialize/lake.ts';
import { lookAtSources } from '../materialize/look.ts';
import { materialize } from '../materialize/run.ts';
import { applyFilter, type PartitionFilter } from '../partition/filter.ts';
import type { PartitionSet } from '../partition/set.ts';
import { presentSet } from '../plan/universe.ts';
import { duration, plural } from '../report/format.ts';
import { filterOf } from './resolve.ts';
import type { ResolvedRequest } from './sensors.ts';
import type { TickEnd } from './store.ts';
import { createStory } from './story.ts';

/** What a tick came to, but for when. */
export interface TickResult extends Omit<TickEnd, 'at'> {
  /** Sources that were looked at, with what they failed with, if they did. */
  readonly sources?: ReadonlyMap<string, string | undefined>;
  /** Assets of which partitions failed in passing. */
  readonly shaky?: ReadonlySet<string>;
  /** Of what a sensor asked for: what failed. */
  readonly undone?: readonly ResolvedRequest[];
}

/** What is to be done about which partitions. */
export interface Work {
  readonly command: string;
  readonly action: ScheduleAction;
  readonly select: string;
  readonly filter?: PartitionFilter | undefined;
  /** Instead of what is selected: exactly these, without looking at the sources first. */
  readonly targets?: ReadonlyMap<string, PartitionSet> | undefined;
  /** Of the run. */
  readonly tags?: Tags | undefined;
  readonly priority?: number | undefined;
  /** Sources that are to be left alone, with why. */
  readonly avoid?: ReadonlyMap<string, string> | undefined;
}

const NONE: ReadonlyMap<string, string> = new Map();

/** Carries out one tick of a schedule. Never rejects: what goes wrong is the result. */
export function runSchedule(
  lake: Lake,
  schedule: ScheduleDefinition,
  due: number,
  control: RunControl,
  avoid: ReadonlyMap<string, string> = NONE,
): Promise<TickResult> {
  const { name, action, select, timeoutMs, tags, priority } = schedule;
  return contained(control, timeoutMs, async (bounded) => {
    if (typeof action === 'function') {
      const { signal } = bounded;
      signal.throwIfAborted();
      const said = await action({ due: new Date(due), resources: lake.resources(), signal, now: lake.now });
      return { outcome: 'succeeded', decision: said ?? 'its function was run' };
    }
    const filter = filterOf(schedule, new Date(due), lake.graph, lake.graph.select(select).keys);
    return work(
      lake,
      { command: `lakehouse daemon: schedule ${name}`, action, select, filter, avoid, tags, priority },
      bounded,
    );
  });
}

/** Carries out work that was decided elsewhere. Never rejects. */
export function runWork(lake: Lake, asked: Work, control: RunControl): Promise<TickResult> {
  return contained(control, undefined, (bounded) => work(lake, asked, bounded));
}

/** What does not heed its signal is waited for no longer than this; nothing of it commits any more. */
const GRACE_MS = 5_000;
/** Timers go no further. */
const LONGEST_MS = 2 ** 31 - 1;

async function contained(
  control: RunControl,
  timeoutMs: number | undefined,
  act: (control: RunControl) => Promise<TickResult>,
): Promise<TickResult> {
  const { stopping, signal } = control;
  let timeout: AbortSignal | undefined;
  try {
    if (timeoutMs !== undefined) timeout = AbortSignal.timeout(Math.min(Math.ceil(timeoutMs), LONGEST_MS));
    const bounded = timeout
      ? { ...control, signal: AbortSignal.any([signal, timeout]), stopping: AbortSignal.any([stopping, timeout]) }
      : control;
    return await orAborted(bounded.signal, () => act(bounded), GRACE_MS);
  } catch (thrown) {
    if (stopping.aborted) return { outcome: 'interrupted', decision: 'told to stop' };
    if (timeout?.aborted) {
      const error = new LakehouseError('run-timeout', `It was stopped after ${duration(timeoutMs ?? 0)}`, {
        kind: 'transient',
        hint: 'What had been committed stays, and the next tick goes on. See timeoutMinutes of the schedule.',
      });
      return { outcome: 'failed', decision: error.message, error: serializeError(error) };
    }
    const error = serializeError(thrown);
    return { outcome: 'failed', decision: error.message.split('\n', 1)[0] ?? '', error };
  }
}

async function work(lake: Lake, asked: Work, control: RunControl): Promise<TickResult> {
  const { command, action, select, filter, targets, avoid, tags, priority } = asked;
  const { keys } = targets ? { keys: [] } : lake.graph.select(select);
  if (action === 'observe') return observed(lake, asked, control);
  if (action === 'check') return checks(lake, asked, keys, control);
  const story = createStory(lake.graph.order);
  const shaky = new Set<string>();
  const answers = new Map<string, string | undefined>();
  const emit = (event: RunEvent) => {
    story.add(event);
    if (event.type === 'observed') answers.set(event.asset, undefined);
    if (event.type === 'partition-failed' && event.error.kind === 'transient') shaky.add(event.asset);
    control.emit(event);
  };
  const observe = targets ? false : 'tolerant';
  const request = { command, selection: select, filter, avoid, observe, tags, priority } as const;
  const { run, outcome, down } = await materialize(lake, targets ? { ...request, targets } : request, {
    ...control,
    emit,
  });
  const silent = down.length > 0 ? `; without ${down.map(({ asset }) => asset).join(', ')}` : '';
  for (const { asset, error } of down) if (error) answers.set(asset, error.message);
  return {
    outcome: outcome === 'cancelled' ? 'interrupted' : outcome,
    decision: `${story.text(outcome === 'cancelled')}${silent}`,
    run,
    sources: answers,
    shaky,
  };
}

/** Looks at sources; one that does not answer keeps no other from being looked at. */
async function observed(lake: Lake, { command, select, avoid, tags }: Work, control: RunControl): Promise<TickResult> {
  const answers = new Map<string, string | undefined>();
  let changed = 0;
  const emit = (event: RunEvent) => {
    if (event.type === 'observed') {
      answers.set(event.asset, undefined);
      changed += event.changed + event.withdrawn;
    }
    control.emit(event);
  };
  const down = await lookAtSources(
    lake,
    { command, selection: select, observe: 'tolerant', avoid, tags },
    { ...control, emit },
  );
  const news = changed === 0 ? 'nothing new' : `${plural(changed, 'partition')} new, changed or withdrawn`;
  const silent = down.length > 0 ? `; without ${down.map(({ asset }) => asset).join(', ')}` : '';
  const stopped = control.stopping.aborted;
  const looked = `${stopped ? 'told to stop; ' : ''}looked at ${plural(answers.size, 'source')}: ${news}${silent}`;
  for (const { asset, error } of down) if (error) answers.set(asset, error.message);
  const outcome = stopped ? 'interrupted' : down.length > 0 ? 'failed' : 'succeeded';
  return { outcome, decision: looked, sources: answers };
}

/** Makes the checks of what is there again, without computing it. */
async function checks(lake: Lake, asked: Work, keys: readonly string[], control: RunControl): Promise<TickResult> {
  const view = lake.state.refresh();
  const targets = new Map<string, PartitionSet>();
  for (const key of keys) {
    const node = lake.graph.node(key);
    if (node.definition.checks.length === 0) continue;
    const there = presentSet(node, view.asset(key));
    targets.set(key, asked.filter ? applyFilter(node.space, there, asked.filter) : there);
  }
  if (targets.size === 0) return { outcome: 'succeeded', decision: 'nothing that is selected has checks' };
  const request = { command: asked.command, selection: asked.select, targets, tags: asked.tags };
  const story = createStory(lake.graph.order);
  const emit = (event: RunEvent) => {
    story.add(event);
    control.emit(event);
  };
  const { run, checks: made } = await checkPartitions(lake, request, { ...control, emit });
  const bad = made.filter(({ failed }) => failed > 0);
  const what = `${plural(made.length, 'check')} made again`;
  return {
    outcome: bad.some(({ severity }) => severity === 'error') ? 'failed' : 'succeeded',
    decision: bad.length === 0 ? `${what}, all passed` : `${what}; ${story.checks()}`,
    run,
  };
}
