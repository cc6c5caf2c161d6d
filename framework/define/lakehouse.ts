import type { z } from 'zod';
import type { CommandDefinition } from './command.ts';
import type { ScheduleDefinition } from './schedule.ts';
import type { SensorDefinition } from './sensor.ts';
import type { Asset } from './types.ts';
import { checkViews, type ViewDefinition } from './view.ts';

const LAKEHOUSE_BRAND: unique symbol = Symbol.for('crypto-lakehouse/lakehouse') as never;

export type SettingsShape = Readonly<Record<string, z.ZodType>>;
export type SettingsOf<TShape extends SettingsShape> = { readonly [K in keyof TShape]: z.output<TShape[K]> };

export interface LakehouseOptions<TShape extends SettingsShape> {
  /** Every asset and source; upstream ones need not be listed, but what is not reachable and not listed is not part of the lake. */
  readonly assets: readonly Asset[];
  /** Named queries over assets, which queries can read like assets. */
  readonly views?: readonly ViewDefinition[];
  /** What the daemon does at certain times. The setting `schedules` adds others and alters these. */
  readonly schedules?: readonly ScheduleDefinition[];
  /** What the daemon looks at from time to time. */
  readonly sensors?: readonly SensorDefinition[];
  /** Commands in the words of this lake's field; each stands for a command line. */
  readonly commands?: readonly CommandDefinition[];
  /** Sections of the configuration file that these assets add, as zod schemas. */
  readonly settings?: TShape;
  /**
   * Which values of a listed dimension this lake wants, by dimension name, as globs, of which those that begin with `!` exclude; a
   * dimension left out wants all. What a
   * filter no longer wants departs: it stays on disk, but nothing reads it.
   */
  readonly filters?: (settings: SettingsOf<TShape>) => Readonly<Record<string, readonly string[] | undefined>>;
  /** Clients and the like for `context.resources`, made once per process and only when something is observed or computed. */
  readonly resources?: (settings: SettingsOf<TShape>) => Readonly<Record<string, unknown>>;
  /** Whether this configuration reads invented data. Real and simulated data never share a data directory. */
  readonly simulated?: (settings: SettingsOf<TShape>) => boolean;
}

export interface LakehouseDefinition {
  readonly [LAKEHOUSE_BRAND]: 1;
  readonly assets: readonly Asset[];
  readonly views: readonly ViewDefinition[];
  readonly schedules: readonly ScheduleDefinition[];
  readonly sensors: readonly SensorDefinition[];
  readonly commands: readonly CommandDefinition[];
  readonly settings: SettingsShape;
  readonly filters: (
    settings: Readonly<Record<string, unknown>>,
  ) => Readonly<Record<string, readonly string[] | undefined>>;
  readonly resources: (settings: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;
  readonly simulated: (settings: Readonly<Record<string, unknown>>) => boolean;
}

/** The whole lake as declared: what `assets/index.ts` exports as `lakehouse`. @throws LakehouseError `bad-view` (usage). */
export function defineLakehouse<const TShape extends SettingsShape = Record<never, never>>(
  options: LakehouseOptions<TShape>,
): LakehouseDefinition {
  const { assets, views = [] } = options;
  checkViews(views, assets);
  return {
    [LAKEHOUSE_BRAND]: 1,
    assets,
    views,
    schedules: options.schedules ?? [],
    sensors: options.sensors ?? [],
    commands: options.commands ?? [],
    settings: options.settings ?? {},
    filters: (settings) => options.filters?.(settings as SettingsOf<TShape>) ?? {},
    resources: (settings) => options.resources?.(settings as SettingsOf<TShape>) ?? {},
    simulated: (settings) => options.simulated?.(settings as SettingsOf<TShape>) ?? false,
  };
}

export function isLakehouse(value: unknown): value is LakehouseDefinition {
  return typeof value === 'object' && value !== null && LAKEHOUSE_BRAND in value;
}
