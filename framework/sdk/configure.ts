import type { SettingsSources } from '../config/layers.ts';
import type { LoadedSettings } from '../config/resolve.ts';
import type { LakehouseDefinition } from '../define/lakehouse.ts';
import type { OpenedLake } from '../materialize/open.ts';
import type { Shared } from '../materialize/shared.ts';
import type { Host } from './host.ts';
import { idGenerator } from './ids.ts';

/** Settings and definitions. */
export interface Configuration {
  readonly definition: LakehouseDefinition;
  readonly loaded: LoadedSettings;
}

/** Resolves settings, with the sections that definitions declare where these are known. */
export type ResolveSettings = (extension?: LakehouseDefinition['settings']) => Promise<LoadedSettings>;

/** The definitions that the settings name, and the settings with what these declare. Throws as `loadDefinition` and `resolveSettings` do. */
export async function loadConfiguration(
  sources: SettingsSources,
  resolve: ResolveSettings,
  host: Pick<Host, 'importModule' | 'cwd'>,
): Promise<Configuration> {
  const [{ definitionsPath }, { loadDefinition }] = await Promise.all([
    import('../config/resolve.ts'),
    import('./definitions.ts'),
  ]);
  const definition = await loadDefinition(definitionsPath(sources), host).catch(async (error: unknown) => {
    // What they failed with may quote secrets.
    await resolve().catch(() => undefined);
    throw error;
  });
  return { definition, loaded: await resolve(definition.settings) };
}

/** Opens the lake of a configuration; whoever does so closes it, and what it shares with others, if anything. */
export async function openConfigured(
  { definition, loaded }: Configuration,
  mode: 'read' | 'write',
  { now, random, host, pid, isAlive }: Host,
  warn: (message: string) => void,
  shared?: Shared,
): Promise<OpenedLake> {
  const { openLake } = await import('../materialize/open.ts');
  const { settings } = loaded;
  const id = idGenerator(now, random);
  const lake = await openLake({ definition, settings, mode, now, id, host, pid, isAlive, warn, shared });
  for (const damage of lake.state.damage()) warn(`${damage}. The state was restored without it.`);
  return lake;
}
