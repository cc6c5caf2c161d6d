import { serializeError } from '../common/errors.ts';
import type { Tags } from '../common/tags.ts';
import type { PartitionSet } from '../partition/set.ts';
import * as sets from '../partition/set.ts';
import type { RunControl } from './context.ts';
import { logDefinitions } from './definitions.ts';
import { depart } from './depart.ts';
import type { Lake } from './lake.ts';
import { observe } from './observe.ts';

export interface RecordedRun {
  /** The command line, for the record. */
  readonly command: string;
  readonly selection: string;
  /** For whoever looks for the run later. */
  readonly tags?: Tags | undefined;
}

/**
 * Work that is no materialization as a run of its own in the log, whatever becomes of it.
 * @param work gives the counts for the log, also of what was done when it fails: it may be asked at any time.
 */
export async function recorded<T>(
  { id, state }: Lake,
  { command, selection, tags }: RecordedRun,
  counts: () => Readonly<Record<string, number>>,
  signal: AbortSignal,
  work: (run: string) => Promise<T>,
): Promise<T> {
  const run = id();
  state.append({ kind: 'run-started', run, command, selection, ...(tags && { tags }) });
  const end = (outcome: 'succeeded' | 'failed' | 'cancelled', error?: unknown) =>
    state.append({
      kind: 'run-finished',
      run,
      outcome,
      counts: counts(),
      ...(error !== undefined && { error: serializeError(error) }),
    });
  let result: T;
  try {
    result = await work(run);
  } catch (error) {
    end(signal.aborted ? 'cancelled' : 'failed', error);
    throw error;
  }
  end('succeeded');
  return result;
}

/** What looking at a source found. */
export interface Observed {
  readonly asset: string;
  readonly seen: number;
  readonly changed: number;
  readonly withdrawn: number;
  /** Whether everything was listed, not only what is new. */
  readonly audit: boolean;
  readonly requests: number;
}

/**
 * Looks at sources, one after the other, and logs what is there: one run, so that it can be seen later who looked when. Those that the
 * settings do not want are left out.
 */
export async function observeSources(
  lake: Lake,
  sources: readonly string[],
  run: RecordedRun & { readonly audit?: boolean | undefined },
  { signal, stopping, emit }: RunControl,
): Promise<Observed[]> {
  const observed: Observed[] = [];
  const counts = () => ({ observed: observed.reduce((sum, { changed }) => sum + changed, 0) });
  await recorded(lake, run, counts, signal, async (id) => {
    for (const asset of sources) {
      if (stopping.aborted) return;
      if (!lake.graph.node(asset).wanted) continue;
      emit({ type: 'observing', asset });
      const started = performance.now();
      const { event, warning, ...found } = await observe(lake, lake.graph.node(asset), id, signal, run.audit);
      const { seen, changed, withdrawn } = found;
      lake.state.append(event);
      observed.push({ asset, ...found, audit: event.audit === true });
      emit({ type: 'observed', asset, seen, changed, withdrawn, ms: Math.round(performance.now() - started) });
      if (warning) emit({ type: 'warning', asset, ...warning });
    }
  });
  return observed;
}

/** Takes partitions of an asset out of the lake, as a run of its own. */
export function wipePartitions(
  lake: Lake,
  asset: string,
  set: PartitionSet,
  command: string,
  signal: AbortSignal,
): Promise<number> {
  const counts = () => ({ departed: sets.countOf(set) });
  return recorded(lake, { command, selection: asset }, counts, signal, async (run) => {
    logDefinitions(lake);
    return depart(lake, lake.graph.node(asset), { run, reason: 'wiped', set, now: lake.now(), signal });
  });
}
