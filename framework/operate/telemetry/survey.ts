import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { OpenedLake } from '../../materialize/open.ts';
import type { FreshnessStatus } from '../../plan/freshness.ts';
import { statusCounts } from '../../plan/plan.ts';
import { freshnessNow } from '../../report/freshness.ts';
import { takeSnapshot } from '../../report/snapshot.ts';
import type { FilesTaken } from '../../state/store.ts';

/** What the whole lake is like, as numbers. */
export interface LakeSurvey {
  readonly assets: readonly {
    readonly asset: string;
    readonly partitions: Readonly<Record<string, number>>;
    /** Of an asset with a policy. */
    readonly freshness?: {
      /** Of its worst series; undefined when unknown. */
      readonly lagMs: number | undefined;
      readonly limitMs: number | undefined;
      readonly series: Readonly<Record<FreshnessStatus, number>>;
    };
  }[];
  readonly storage: readonly FilesTaken[];
  /** Of the event log on disk. */
  readonly stateBytes: number;
  readonly revision: number;
}

/** Looks at all of a lake, some series at a time. */
export async function surveyLake(lake: OpenedLake, stateDirectory: string, signal: AbortSignal): Promise<LakeSurvey> {
  const snapshot = await takeSnapshot(lake, signal);
  const late = freshnessNow(lake, snapshot);
  const assets = [...snapshot.evaluations].map(([asset, evaluation]) => {
    const isSource = evaluation.node.definition.kind === 'source';
    const freshness = late.get(asset);
    return {
      asset,
      partitions: statusCounts(evaluation, isSource ? evaluation.universe.all : undefined),
      ...(freshness && {
        freshness: {
          lagMs: freshness.worst?.lagMs,
          limitMs: freshness.worst?.limitMs ?? freshness.policies[0]?.limitMs,
          series: freshness.counts,
        },
      }),
    };
  });
  const { state } = lake;
  return {
    assets,
    storage: state.filesTaken(),
    stateBytes: await bytesOfLog(stateDirectory),
    revision: snapshot.view.head,
  };
}

async function bytesOfLog(directory: string): Promise<number> {
  const names = (await readdir(directory)).filter((name) => name.startsWith('state.sqlite'));
  // The files beside the database come and go.
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(directory, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** A survey and when it was made. */
export interface Surveyed {
  readonly survey: LakeSurvey;
  /** ms UTC. */
  readonly at: number;
  /** How long it took. */
  readonly ms: number;
}

/** Of the time that passes, what surveys may take: one that took a second is not repeated for twenty. */
const SHARE = 1 / 20;
/** Whoever asks waits no longer than this, and gets the survey before. */
const LONGEST_WAIT_MS = 5_000;

export interface Surveyor {
  /** Not older than it may be, if that can be had soon. */
  readonly latest: () => Promise<Surveyed | undefined>;
  /** What is known without looking. */
  readonly known: () => Surveyed | undefined;
  readonly close: () => Promise<void>;
}

/** Surveys on demand, one at a time, and not more often than every `everyMs`. */
export function createSurveyor(options: {
  readonly survey: (signal: AbortSignal) => Promise<LakeSurvey>;
  readonly everyMs: number;
  readonly now: () => number;
  readonly failed: (error: unknown) => void;
}): Surveyor {
  const closing = new AbortController();
  let known: Surveyed | undefined;
  let running: Promise<void> | undefined;
  const make = async (): Promise<void> => {
    const at = options.now();
    const started = performance.now();
    try {
      const survey = await options.survey(closing.signal);
      known = { survey, at, ms: performance.now() - started };
    } catch (error) {
      if (!closing.signal.aborted) options.failed(error);
    } finally {
      running = undefined;
    }
  };
  return {
    latest: async () => {
      const age = known ? options.now() - known.at : Number.POSITIVE_INFINITY;
      // A clock that was put back makes it negative.
      const fresh = known && age >= 0 && age < Math.max(options.everyMs, known.ms / SHARE);
      if (!fresh && !closing.signal.aborted) {
        running ??= make();
        let timer: NodeJS.Timeout | undefined;
        const patience = new Promise<void>((resolve) => {
          timer = setTimeout(resolve, LONGEST_WAIT_MS);
        });
        await Promise.race([running, patience]);
        clearTimeout(timer);
      }
      return known;
    },
    known: () => known,
    close: async () => {
      closing.abort();
      await running;
    },
  };
}
