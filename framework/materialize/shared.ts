import type { Settings } from '../config/schema.ts';
import type { Engine } from '../engine/port.ts';
import { startEngine } from './engine.ts';
import { Pools, poolSettings } from './pools.ts';

/**
 * What the runs of one process share: one engine, whose memory limit is that of all of them together, and the pools. It may outlive
 * the lake it was made for: a daemon that reads its settings again has no second engine.
 */
export interface Shared {
  readonly pools: Pools;
  /** Takes what may change while work goes on: the pools, and the keys of the bucket. */
  readonly configure: (settings: Settings) => void;
  /** Started when it is first needed. */
  readonly engine: () => Promise<Engine>;
  readonly close: () => Promise<void>;
}

export function createShared(settings: Settings, mode: 'read' | 'write'): Shared {
  let engine: Promise<Engine> | undefined;
  let current = settings;
  const pools = new Pools(poolSettings(settings));
  return {
    pools,
    configure: (next) => {
      current = next;
      pools.configure(poolSettings(next));
    },
    engine: () => {
      engine ??= startEngine(settings, mode, () => current.s3).catch((error: unknown) => {
        // A process that lives on may try again.
        engine = undefined;
        throw error;
      });
      return engine;
    },
    close: async () => (await engine)?.close(),
  };
}
