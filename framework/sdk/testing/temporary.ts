import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LakehouseError } from '../../common/errors.ts';
import { defineLakehouse, type LakehouseDefinition } from '../../define/lakehouse.ts';
import type { Asset } from '../../define/types.ts';
import { connect } from '../connect.ts';
import { processHost } from '../host.ts';
import type { Lakehouse, SettingValue } from '../types.ts';
import { type Clock, fixedClock } from './clock.ts';

export interface TemporaryLakeOptions {
  /** What is in the lake: assets and sources, */
  readonly assets?: readonly Asset[];
  /** or a whole definition. */
  readonly definition?: LakehouseDefinition;
  /** Clients for `context.resources`, of a lake of `assets`. */
  readonly resources?: Readonly<Record<string, unknown>>;
  /** An instant with its zone, or a clock that you hold. Which partitions exist depends on it. */
  readonly now: string | Date | Clock;
  /** By path: `{ 'processing.batchSize': 10 }`. Those of the environment and of configuration files do not count. */
  readonly settings?: Readonly<Record<string, SettingValue>>;
}

/** A lake in a directory of its own, which is removed when it is closed. */
export interface TemporaryLake extends Lakehouse {
  readonly clock: Clock;
}

/**
 * A real lake for one test: `await using lake = await temporaryLake({ assets: [silver], now: '2024-02-01T12:00Z' })`. The clock stands
 * still until it is put on: `lake.clock.advance({ days: 1 })`.
 * @throws LakehouseError `assets-or-definition`, `bad-instant`, and those of {@link openLakehouse} (usage).
 */
export async function temporaryLake(options: TemporaryLakeOptions): Promise<TemporaryLake> {
  const { assets = [], resources, now, settings } = options;
  if ((options.assets === undefined) === (options.definition === undefined))
    throw new LakehouseError('assets-or-definition', 'A temporary lake has either assets or a definition', {
      hint: "Give one of them: temporaryLake({ definition, now: '2024-02-01' }).",
    });
  const definition =
    options.definition ?? defineLakehouse({ assets, ...(resources && { resources: () => resources }) });
  const clock = typeof now === 'object' && 'advance' in now ? now : fixedClock(now);
  const cwd = await mkdtemp(join(tmpdir(), 'lakehouse-'));
  const remove = () => rm(cwd, { recursive: true, force: true });
  const set = { 'workflow.retryAttempts': 0, ...settings, dataDir: './data' };
  try {
    const host = { ...processHost(), now: clock.now };
    const lake = await connect({ cwd, env: {}, definition, set, onWarning: () => undefined }, host);
    const close = async () => {
      await lake.close();
      await remove();
    };
    return { ...lake, clock, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await remove();
    throw error;
  }
}
