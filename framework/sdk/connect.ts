import { LakehouseError } from '../common/errors.ts';
import { readSettingsSources } from '../config/load.ts';
import { type LoadedSettings, resolveSettings } from '../config/resolve.ts';
import { type AssetDefinition, isDefinition } from '../define/model.ts';
import type { RunEvent } from '../materialize/events.ts';
import type { OpenedLake } from '../materialize/open.ts';
import { createShared, type Shared } from '../materialize/shared.ts';
import { type Configuration, loadConfiguration, openConfigured } from './configure.ts';
import { follow, requireFollowable } from './events.ts';
import { explainPartition } from './explain.ts';
import type { Host } from './host.ts';
import { planLake } from './plan.ts';
import { lakeQuery, type Reading } from './query.ts';
import { readAsset } from './read.ts';
import { type Redact, redactor } from './redact.ts';
import { findAsset, selectAssets } from './select.ts';
import { selectionText } from './selection.ts';
import { statementOf, withValues } from './statement.ts';
import type { AnyPartitions, Lakehouse, OpenLakehouseOptions, ReadOptions } from './types.ts';
import { lakeStatus, materializeLake, observeLake, requestOf } from './work.ts';

/** How often the log is asked for news. */
const FOLLOW_MS = 200;

/** Finds the settings and definitions of a lake, and opens it. See {@link openLakehouse}. */
export async function connect(options: OpenLakehouseOptions, process: Host): Promise<Lakehouse> {
  const { mode = 'write', onWarning = warn } = options;
  const host = { ...process, cwd: options.cwd ?? process.cwd, env: options.env ?? process.env };
  let secrets: readonly string[] = [];
  const redact = redactor(() => secrets);
  const known = (loaded: LoadedSettings): LoadedSettings => {
    secrets = loaded.secrets;
    return loaded;
  };
  try {
    return await createLakehouse(await configurationOf(options, host, known), host, mode, onWarning, redact);
  } catch (error) {
    throw redact(error);
  }
}

const warn = (message: string): void => process.emitWarning(message, 'LakehouseWarning');

async function configurationOf(
  { config, profile, set, definition }: OpenLakehouseOptions,
  host: Host,
  known: (loaded: LoadedSettings) => LoadedSettings,
): Promise<Configuration> {
  const argv = { configFile: config, profile, sets: assignments(set) };
  const sources = readSettingsSources({ cwd: host.cwd, env: host.env, argv });
  if (definition) return { definition, loaded: known(resolveSettings(sources, definition.settings)) };
  return loadConfiguration(sources, async (extension) => known(resolveSettings(sources, extension)), host);
}

/** As `--set` has them; what is no list of texts is said as JSON, which is YAML. */
function assignments(set: OpenLakehouseOptions['set']): readonly string[] {
  if (set === undefined || Array.isArray(set)) return set ?? [];
  return Object.entries(set).map(
    ([path, value]) => `${path}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
}

async function createLakehouse(
  configuration: Configuration,
  host: Host,
  mode: 'read' | 'write',
  onWarning: (message: string) => void,
  redact: Redact,
): Promise<Lakehouse> {
  const { definition, loaded } = configuration;
  const closing = new AbortController();
  const opened: OpenedLake[] = [];
  const going = new Set<Promise<unknown>>();
  const told = new Set<string>();
  // Whoever opens it for each run would say the same each time.
  const tell = (message: string) => {
    if (!told.has(message)) onWarning(redact(message));
    told.add(message);
  };
  let writing: Shared | undefined;

  const open = async (): Promise<OpenedLake> => {
    const lake = await openConfigured(configuration, 'read', host, tell);
    opened.push(lake);
    return lake;
  };
  const requireOpen = () => {
    if (closing.signal.aborted)
      throw new LakehouseError('lake-closed', 'The lake has been closed', { hint: 'Open it again.' });
  };
  const first = await open();
  const { graph } = first;
  let current: OpenedLake | Promise<OpenedLake> = first;
  let absent = first.state.index().head === 0;
  const lake = async (): Promise<OpenedLake> => {
    requireOpen();
    // What was opened before there was a lake has not been compared with it.
    if (absent && first.state.refresh().head > 0) {
      absent = false;
      current = open();
    }
    return current;
  };
  const during = async <T>(signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    requireOpen();
    const ending = signal ? AbortSignal.any([closing.signal, signal]) : closing.signal;
    const working = (async () => {
      ending.throwIfAborted();
      return work(ending);
    })();
    going.add(working);
    try {
      return await working;
    } catch (error) {
      throw redact(error);
    } finally {
      going.delete(working);
    }
  };
  const tellOf = async <T>(work: (lake: OpenedLake) => T | Promise<T>): Promise<T> => {
    try {
      return redact(await work(await lake()));
    } catch (error) {
      throw redact(error);
    }
  };
  const reading: Reading = { lake, during };
  const write = <T>(
    signal: AbortSignal | undefined,
    work: (lake: OpenedLake, signal: AbortSignal) => Promise<T>,
  ): Promise<T> =>
    during(signal, async (ending) => {
      if (mode === 'read')
        throw new LakehouseError('read-only', 'The lake was opened to be read only', {
          hint: "Open it with mode 'write'.",
        });
      // One engine and one set of pools, however many runs go on.
      writing ??= createShared(loaded.settings, 'write');
      const lake = await openConfigured(configuration, 'write', host, tell, writing);
      try {
        return await work(lake, ending);
      } finally {
        await lake.close();
      }
    });

  const ownDefinition = (asset: AssetDefinition): AssetDefinition => {
    if (!isDefinition(asset))
      throw new TypeError('An asset is expected, as the definitions export it; for a text use lake.query');
    return findAsset(graph, asset.key).definition;
  };
  const relations = { require: (key: string) => void findAsset(graph, key), views: definition.views, reading };
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    closing.abort(new LakehouseError('lake-closed', 'The lake was closed'));
    await Promise.allSettled(going);
    await writing?.close();
    for (const one of opened) await one.close();
  };

  const lakehouse = {
    definition,
    root: first.store.root,
    directory: loaded.settings.dataDir,
    read: (asset: AssetDefinition, partitions?: Exclude<AnyPartitions, string>, options: ReadOptions = {}) =>
      readAsset(reading, ownDefinition(asset), partitions, options),
    sql: (
      strings: TemplateStringsArray,
      ...values: Parameters<Lakehouse['sql']> extends [unknown, ...infer V] ? V : never
    ) => {
      const question = statementOf(relations, strings, values);
      return lakeQuery(reading, () => question);
    },
    query: (text, parameters = {}, { asOf } = {}) => {
      const sql = withValues(text, parameters);
      return lakeQuery(reading, () => ({ sql, asOf }));
    },
    status: (selection, options = {}) => tellOf((lake) => lakeStatus(lake, selection, options)),
    plan: (selection, options = {}) =>
      tellOf((opened) => {
        const { observe = true, signal } = options;
        const request = requestOf(opened, selection, options);
        return during(signal, async (ending) => {
          const { report } = await planLake(opened, configuration, request, { observe, signal: ending });
          return report;
        });
      }),
    materialize: async (selection, options = {}) =>
      redact(
        await write(options.signal, (lake, signal) =>
          materializeLake(lake, selection, telling(redact, options), signal),
        ),
      ),
    observe: async (selection, options = {}) =>
      redact(
        await write(options.signal, (lake, signal) => observeLake(lake, selection, telling(redact, options), signal)),
      ),
    explain: (asset, partition) =>
      tellOf((lake) => explainPartition(lake, typeof asset === 'string' ? asset : asset.key, partition)),
    subscribe: ({ assets, after, everyMs = FOLLOW_MS, signal } = {}) => {
      requireOpen();
      const keys = assets === undefined ? undefined : new Set(selectAssets(graph, selectionText(assets)));
      const ending = signal ? AbortSignal.any([closing.signal, signal]) : closing.signal;
      const { head } = first.state.refresh();
      const options = { after: after ?? head, everyMs };
      requireFollowable(options, head);
      return follow(first, { ...options, assets: keys, signal: ending }, redact);
    },
    close: () => {
      closed ??= close();
      return closed;
    },
    [Symbol.asyncDispose]: () => lakehouse.close(),
  } as Lakehouse;
  return lakehouse;
}

/** With a listener that hears no secrets. */
const telling = <T extends { readonly onEvent?: (event: RunEvent) => void }>(redact: Redact, options: T): T => {
  const { onEvent } = options;
  return onEvent ? { ...options, onEvent: (event: RunEvent) => onEvent(redact(event)) } : options;
};
