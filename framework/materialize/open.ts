import { join } from 'node:path';
import { createCodeHasher } from '../code/functions.ts';
import { codeVersion, DECLARERS } from '../code/version.ts';
import { LakehouseError } from '../common/errors.ts';
import { globMatcher } from '../common/glob.ts';
import type { Settings } from '../config/schema.ts';
import { defineLakehouse, type LakehouseDefinition } from '../define/lakehouse.ts';
import { buildGraph } from '../graph/graph.ts';
import { openState } from '../state/sqlite.ts';
import type { StateWriter } from '../state/store.ts';
import { makeDirectory } from '../storage/directories.ts';
import { storageError } from '../storage/errors.ts';
import type { ObjectStore } from '../storage/store.ts';
import { historyMs } from './history.ts';
import { checkIdentity } from './identity.ts';
import type { Lake, Publishing } from './lake.ts';
import { createShared, type Shared } from './shared.ts';
import { createStore } from './store.ts';

export interface OpenOptions {
  /** Undefined where it cannot be loaded: files and log are there all the same, but no asset is known. */
  readonly definition: LakehouseDefinition | undefined;
  /** The framework's settings and the definition's own, as resolved. */
  readonly settings: Settings & Readonly<Record<string, unknown>>;
  /** `read` writes nothing and works on a lake that does not exist yet. */
  readonly mode: 'read' | 'write';
  readonly now: () => number;
  readonly id: () => string;
  readonly host: string;
  readonly pid: number;
  readonly isAlive: (pid: number) => boolean;
  readonly warn: (message: string) => void;
  /** Of a process that opens lakes one after the other, and closes it in the end. Default: the lake's own. */
  readonly shared?: Shared | undefined;
}

export interface OpenedLake extends Lake<StateWriter> {
  close(): Promise<void>;
}

/** Version written into new state files, for messages of older programs. */
export const PROGRAM_VERSION = '0.1.0';

/**
 * Opens the lake of a configuration: graph with code versions, state, store, and on demand the engine.
 * @throws LakehouseError `invalid-definitions` with all problems; `mixed-origins` when a directory of simulated data is opened for
 * real data or the reverse; those of {@link checkIdentity}; what the state and the store throw.
 */
export async function openLake(options: OpenOptions): Promise<OpenedLake> {
  const { settings, now, host, pid, isAlive } = options;
  const publishing = publishingOf(settings);
  const definition = options.definition ?? defineLakehouse({ assets: [] });
  const filters = definition.filters(settings);
  const hasher = createCodeHasher({
    declarers: DECLARERS,
    unversioned: new Set(['crypto-lakehouse']),
    cacheFile: join(settings.state.directory, 'code.json'),
  });
  let resources: Readonly<Record<string, unknown>> | undefined;
  const allResources = () => {
    resources ??= definition.resources(settings);
    return resources;
  };
  const graph = buildGraph(definition.assets, {
    filters,
    wanted: ({ source }) => source?.wanted?.(allResources()) ?? true,
    codes: (asset) => {
      const { version, captures } = codeVersion(asset, hasher);
      if (captures.length > 0 && asset.config === undefined) {
        options.warn(
          `${asset.key}: its code version cannot see ${captures.join(', ')}; declare their values as config`,
        );
      }
      return version;
    },
  });

  if (options.mode === 'write') await made(settings.state.directory);
  const state = openState(join(settings.state.directory, 'state.sqlite'), {
    readOnly: options.mode === 'read',
    now,
    isAlive,
    writer: `crypto-lakehouse ${PROGRAM_VERSION}`,
  });
  if (options.mode === 'write') hasher.save();
  const shared = options.shared ?? createShared(settings, options.mode);
  let newest: Lake['newest'];
  // The process tells itself by when it began from earlier ones with its pid.
  const owner = { host, pid, started: performance.timeOrigin, isAlive };
  const store = createStore(settings, { owner, now, id: options.id });
  try {
    newest = { definitions: state.index().definitions };
    await checkIdentity(state, store, { mode: options.mode, id: options.id, stateDirectory: settings.state.directory });
    if (options.definition)
      checkOrigin(state, definition.simulated(settings) ? 'simulated' : 'real', store, options.mode);
  } catch (error) {
    state.close();
    throw error;
  }
  const accepts = new Map(
    Object.entries(filters).flatMap(([name, globs]) => (globs ? [[name, globMatcher(globs)] as const] : [])),
  );
  return {
    definition,
    graph,
    state,
    store,
    engine: shared.engine,
    pools: shared.pools,
    resources: allResources,
    wants: (dimension, value) => accepts.get(dimension)?.(value) ?? true,
    settings: {
      limits: { maxPartitions: settings.processing.batchSize, maxPacks: 32 },
      defaultPool: settings.workflow.concurrencyLimit,
      retryAttempts: settings.workflow.retryAttempts,
      retryDelayMs: settings.workflow.retryDelayMs,
      claimTtlMs: settings.workflow.claimTtlMs,
      checkpointEvery: settings.state.checkpointEvery,
    },
    publishing,
    keepMs: (asset) => Math.max(publishing.keepMs, historyMs({ graph, state }, asset)),
    newest,
    now,
    id: options.id,
    host,
    pid,
    close: async () => {
      try {
        if (options.shared === undefined) await shared.close();
      } finally {
        state.close();
      }
    },
  };
}

/** @throws LakehouseError `glue-needs-s3` (usage): engines that go by Glue cannot reach a directory. */
function publishingOf(settings: Settings): Publishing {
  const { s3, catalogue } = settings;
  const { glue } = catalogue;
  const keepMs = storeGraceMs(settings);
  if (!catalogue.enabled || !glue.enabled) return { settings: catalogue, keepMs, glue: undefined };
  if (s3.bucket === undefined)
    throw new LakehouseError('glue-needs-s3', 'catalogue.glue.enabled is set, but the lake is in a directory', {
      hint: 'Only a lake on S3 can be registered in Glue: set s3.bucket, or catalogue.glue.enabled=false.',
    });
  const { accessKeyId, secretAccessKey, sessionToken } = s3;
  return {
    settings: catalogue,
    keepMs,
    glue: async () => {
      const { glueClient } = await import('../catalogue/glue/client.ts');
      return glueClient({
        ...glue,
        region: glue.region ?? s3.region,
        ...(accessKeyId !== undefined &&
          secretAccessKey !== undefined && {
            credentials: { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) },
          }),
      });
    },
  };
}

/** How long readers may still open what others took the place of, ms. In a directory an open file stays readable by itself. */
const storeGraceMs = ({ s3 }: Settings): number => (s3.bucket === undefined ? 0 : s3.graceMinutes * 60_000);

/** The directory, made if need be. */
async function made(directory: string): Promise<void> {
  await makeDirectory(directory).catch((error: unknown) => {
    throw storageError(error, 'write', directory);
  });
}

/** Invented and real data never share a directory or prefix: the first run says which it is, for good. */
function checkOrigin(state: StateWriter, origin: string, store: ObjectStore, mode: OpenOptions['mode']): void {
  const known = mode === 'write' ? state.setMetaOnce('origin', origin) : (state.meta('origin') ?? origin);
  if (known === origin) return;
  const name = origin === 'real' ? 'lake' : 'simulated';
  // The log is in the data directory, so another prefix alone would not do.
  const other =
    store.kind === 's3'
      ? `directory and prefix: --set dataDir=./${name} --set s3.prefix=${name}`
      : `directory: --set dataDir=./${name}`;
  throw new LakehouseError(
    'mixed-origins',
    `${store.root} holds ${known} data, and the configuration reads ${origin} data`,
    {
      hint: `${known === 'simulated' ? 'Say --profile simulated to look at what is there, or choose' : 'Choose'} another ${other}`,
    },
  );
}
