import { ROOT } from '../catalogue/document.ts';
import type { GlueApi } from '../catalogue/glue/api.ts';
import { type Registered, registerTables } from '../catalogue/glue/register.ts';
import { readCatalogue, readWhole } from '../catalogue/read.ts';
import { behind, type CatalogueOptions, updateCatalogue } from '../catalogue/update.ts';
import { serializeError } from '../common/errors.ts';
import type { StateReader } from '../state/store.ts';
import { type Removal, removeSuperseded } from './commit.ts';
import type { Lake } from './lake.ts';
import { partlyLive } from './views.ts';

const ATTEMPTS = 3;

export interface Published extends Registered {
  /** Assets of which the catalogue was written anew; with `dryRun` those of which it would be. */
  readonly written: readonly string[];
}

export interface PublishOptions {
  /** Everything anew, whatever is there. */
  readonly rebuild?: boolean;
  /** Only say what would be done. */
  readonly dryRun?: boolean;
}

const NOTHING: Published = { written: [], changes: [], warnings: [] };

/**
 * Tells other engines what is in the lake: the catalogue, then Glue. To be done before superseded files are removed, for until then
 * they are in it. What cannot be registered in Glue is a warning: the next time does it.
 * @throws what the store throws; `catalogue-behind` (transient).
 */
export async function publish(
  lake: Lake,
  { rebuild = false, dryRun = false }: PublishOptions = {},
): Promise<Published> {
  const { settings, glue } = lake.publishing;
  // Without definitions nothing is known of any asset.
  if (lake.graph.order.length === 0) return NOTHING;
  if (!settings.enabled) {
    // Nobody is to go by one that is not kept up.
    if (!dryRun) await lake.store.delete(ROOT);
    return NOTHING;
  }
  const options = optionsOf(lake, rebuild);
  const id = lake.state.meta('id') ?? '';
  const written = new Set<string>();
  const changes: Registered['changes'][number][] = [];
  let warnings: readonly string[] = [];
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    let catalogue = await readCatalogue(lake.store, id);
    if (dryRun)
      for (const asset of behind(lake, options, rebuild ? undefined : await readWhole(lake.store, id)))
        written.add(asset);
    else {
      const update = await updateCatalogue(lake, { ...options, rebuild: rebuild && attempt === 1 });
      for (const asset of update.written) written.add(asset);
      catalogue = update.catalogue;
    }
    if (glue === undefined || catalogue === undefined) break;
    let connection: GlueApi | undefined;
    try {
      connection = await glue();
      const { tablePrefix } = settings.glue;
      const registration = { store: lake.store, root: lake.store.root, tablePrefix, dryRun, rebuild };
      const registered = await registerTables(connection, catalogue, registration);
      changes.push(...registered.changes);
      warnings = registered.warnings;
    } catch (error) {
      warnings = [serializeError(error).message];
    } finally {
      connection?.close();
    }
    // What another process wrote meanwhile may have been registered already, and replaced by this.
    const now = dryRun ? catalogue : await readCatalogue(lake.store, id);
    if (documents(now) === documents(catalogue)) break;
  }
  return { written: [...written].sort(), changes, warnings };
}

/** As {@link publish}, after work that is done: what goes wrong is told, and the next run does it again. */
export async function publishAfter(lake: Lake, warn: (message: string) => void): Promise<void> {
  try {
    for (const warning of (await publish(lake)).warnings) warn(warning);
  } catch (error) {
    warn(`The catalogue could not be written, the next run does so: ${serializeError(error).message}`);
  }
}

/**
 * Removes superseded files that need not stay, once those who go by the catalogue are told what took their place. What other processes
 * supersede meanwhile, of which they are not, stays for the next time.
 * @param now ms UTC.
 * @param warn is told what could not be registered in Glue.
 * @returns how many were removed.
 * @throws as {@link publish}; then nothing was removed.
 */
export async function publishThenRemove(
  lake: Lake,
  now: number,
  warn: (message: string) => void,
  removal: Removal = {},
): Promise<number> {
  const { head } = lake.state.refresh();
  for (const warning of (await publish(lake)).warnings) warn(warning);
  return removeSuperseded(lake, now, { ...removal, through: head });
}

const documents = (catalogue: Awaited<ReturnType<typeof readCatalogue>>): string =>
  Object.values(catalogue?.assets ?? {})
    .map(({ catalog }) => catalog)
    .join();

/** Assets of which the catalogue does not say what the log says. */
export async function behindTheLog(lake: Lake<StateReader>): Promise<string[]> {
  return behind(lake, lake.publishing.settings, await readWhole(lake.store, lake.state.meta('id') ?? ''));
}

function optionsOf(lake: Lake<StateReader>, rebuild: boolean): CatalogueOptions {
  const { settings, keepMs } = lake.publishing;
  return {
    originals: settings.originals,
    partitions: settings.partitions,
    keepMs,
    partly: (node, files) =>
      new Set(node.definition.storage.type === 'table' ? partlyLive(lake, node, files).map(({ file }) => file) : []),
    rebuild,
  };
}
