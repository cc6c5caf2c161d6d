import type { RunEvent } from '../../materialize/events.ts';

/** How far one asset is. */
export interface AssetProgress {
  readonly asset: string;
  readonly phase: 'observing' | 'computing';
  readonly startedAt: number;
  readonly total: number;
  readonly done: number;
  readonly failed: number;
  /** Outcomes of checks of severity `error` that failed. The partitions are among those `done`. */
  readonly checksFailed: number;
}

/** Assets that are being worked on, in the order they began. A pure fold of a run's events. */
export type Progress = readonly AssetProgress[];

export function advance(progress: Progress, event: RunEvent, now: number): Progress {
  const change = (asset: string, by: (one: AssetProgress) => Partial<AssetProgress>) =>
    progress.map((one) => (one.asset === asset ? { ...one, ...by(one) } : one));
  const started = { startedAt: now, total: 0, done: 0, failed: 0, checksFailed: 0 };
  switch (event.type) {
    case 'observing':
      return [...progress, { ...started, asset: event.asset, phase: 'observing' }];
    case 'asset-started':
      return [...progress, { ...started, asset: event.asset, phase: 'computing', total: event.partitions }];
    case 'batch-finished':
      return change(event.asset, ({ done }) => ({ done: done + event.partitions }));
    case 'partition-failed':
      return change(event.asset, ({ failed }) => ({ failed: failed + 1 }));
    case 'check-failed':
      if (event.severity === 'warn') return progress;
      return change(event.asset, ({ checksFailed }) => ({ checksFailed: checksFailed + 1 }));
    case 'observed':
    case 'asset-finished':
      return progress.filter(({ asset }) => asset !== event.asset);
    case 'run-finished':
      return [];
    default:
      return progress;
  }
}
