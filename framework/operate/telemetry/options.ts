import type { Settings } from '../../config/schema.ts';
import type { OpenedLake } from '../../materialize/open.ts';
import type { Log } from '../log.ts';

export interface TelemetryOptions {
  readonly settings: Pick<Settings, 'telemetry' | 'http' | 'state' | 'dataDir'>;
  readonly version: string;
  readonly host: string;
  readonly pid: number;
  /** ms UTC. */
  readonly now: () => number;
  readonly log: Log;
  /** Takes secrets out of what is sent. */
  readonly redact: (text: string) => string;
  /** Of the daemon alone: the lake as loaded now, which its metrics are about. */
  readonly lake?: (() => OpenedLake) | undefined;
  /** Whether to listen as `http` says. */
  readonly listen: boolean;
}
