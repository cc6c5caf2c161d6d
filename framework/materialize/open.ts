import { totalmem } from 'node:os';
import { join } from 'node:path';
import { createCodeHasher } from '../code/functions.ts';
import { codeVersion, DECLARERS } from '../code/version.ts';
import { LakehouseError } from '../common/errors.ts';
import { globToRegExp } from '../common/glob.ts';
import type { Settings } from '../config/schema.ts';
import type { LakehouseDefinition } from '../define/lakehouse.ts';
import type { Engine } from '../engine/port.ts';
import { buildGraph } from '../graph/graph.ts';
import { openState } from '../state/sqlite.ts';
import type { StateWriter } from '../state/store.ts';
import { makeDirectory } from '../storage/directories.ts';
import { storageError } from '../storage/errors.ts';
import { localStore } from '../storage/local.ts';
import type { Lake } from './lake.ts';

export interface OpenOptions {
  readonly definition: LakehouseDefinition;
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
}

export interface OpenedLake extends Lake<StateWriter> {
  close(): Promise<void>;
}

/** Version written into new state files, for messages of older programs. */
export const PROGRAM_VERSION = '0.1.0';

/**
 * Opens the lake of a configuration: graph with code versions, state, store, and on demand the engine.
 * @throws LakehouseError `invalid-definitions` with all problems; `mixed-origins` when a directory of simulated data is opened for
 * real data or the reverse; what the state and the store throw.
 */
export async function openLake(options: OpenOptions): Promise<OpenedLake> {
  const { definition, settings, now } = options;
  const filters = definition.filters(settings);
  const hasher = createCodeHasher({
    declarers: DECLARERS,
    unversioned: new Set(['crypto-lakehouse']),
    cacheFile: join(settings.state.directory, 'code.json'),
  });
  const graph = buildGraph(definition.assets, {
    filters,
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
    isAlive: options.isAlive,
    writer: `crypto-lakehouse ${PROGRAM_VERSION}`,
  });
  if (options.mode === 'write') hasher.save();
  let engine: Promise<Engine> | undefined;
  let resources: Readonly<Record<string, unknown>> | undefined;
  let newest: Lake['newest'];
  try {
    newest = { definitions: state.index().definitions };
    checkOrigin(state, definition.simulated(settings) ? 'simulated' : 'real', settings.dataDir, options.mode);
  } catch (error) {
    state.close();
    throw error;
  }
  const patterns = new Map(
    Object.entries(filters).flatMap(([name, globs]) => (globs ? [[name, globs.map(globToRegExp)] as const] : [])),
  );
  return {
    definition,
    graph,
    state,
    store: localStore({ root: settings.dataDir }),
    engine: () => {
      engine ??= startEngine(settings).catch((error: unknown) => {
        // A process that lives on may try again.
        engine = undefined;
        throw error;
      });
      return engine;
    },
    resources: () => {
      resources ??= definition.resources(settings);
      return resources;
    },
    wants: (dimension, value) => patterns.get(dimension)?.some((p) => p.test(value)) ?? true,
    settings: {
      limits: { maxPartitions: settings.processing.batchSize, maxPacks: 32 },
      // Statements use all cores by themselves, so two at a time are enough; other pools wait for networks.
      pools: { default: 2, ...settings.workflow.pools },
      defaultPool: settings.workflow.concurrencyLimit,
      retryAttempts: settings.workflow.retryAttempts,
      retryDelayMs: settings.workflow.retryDelayMs,
      claimTtlMs: settings.workflow.claimTtlMs,
      checkpointEvery: settings.state.checkpointEvery,
    },
    newest,
    now,
    id: options.id,
    host: options.host,
    pid: options.pid,
    close: async () => {
      try {
        await (await engine)?.close();
      } finally {
        state.close();
      }
    },
  };
}

async function startEngine(settings: Settings): Promise<Engine> {
  const { openEngine } = await import('../engine/engine.ts');
  const { tempDirectory } = settings.engine;
  await made(tempDirectory);
  return openEngine({
    memoryLimit: memoryLimit(settings.engine.memoryLimit),
    ...(settings.engine.threads > 0 && { threads: settings.engine.threads }),
    tempDirectory,
  });
}

/** The directory, made if need be. */
async function made(directory: string): Promise<void> {
  await makeDirectory(directory).catch((error: unknown) => {
    throw storageError(error, 'write', directory);
  });
}

/** DuckDB wants a size; a share is of the memory this process may have (a container's limit counts). */
function memoryLimit(setting: string): string {
  if (!setting.endsWith('%')) return setting;
  const limit = process.constrainedMemory();
  const total = limit > 0 && limit < totalmem() ? limit : totalmem();
  return `${Math.max(Math.floor((total * Number(setting.slice(0, -1))) / 100 / 2 ** 20), 64)}MiB`;
}

/** Invented and real data never share a directory: the first run says which it is, for good. */
function checkOrigin(state: StateWriter, origin: string, dataDir: string, mode: OpenOptions['mode']): void {
  const known = mode === 'write' ? state.setMetaOnce('origin', origin) : (state.meta('origin') ?? origin);
  if (known === origin) return;
  throw new LakehouseError(
    'mixed-origins',
    `${dataDir} holds ${known} data, and the configuration reads ${origin} data`,
    {
      hint: `${known === 'simulated' ? 'Say --profile simulated to look at what is there, or choose' : 'Choose'} another directory: --set dataDir=./${origin === 'real' ? 'lake' : 'simulated'}`,
    },
  );
}
