import { isAbsolute, join, relative } from 'node:path';
import { isLakehouseError, type LakehouseError } from '../common/errors.ts';
import type { SettingsSources } from '../config/layers.ts';
import { redactText } from '../config/redact.ts';
import type { LoadedSettings } from '../config/resolve.ts';
import type { LakehouseDefinition } from '../define/lakehouse.ts';
import type { OpenedLake } from '../materialize/open.ts';
import type { Shared } from '../materialize/shared.ts';
import type { Configuration } from '../sdk/configure.ts';
import type { StateReader } from '../state/store.ts';
import { type Console, createConsole, type Globals } from './console.ts';
import { type Interrupts, listenToInterrupts } from './interrupts.ts';
import type { Io } from './io.ts';

/** What a command works with. Rooms below are loaded when they are first needed: `--help` must not wait for them. */
export interface Context {
  readonly io: Io;
  readonly globals: Globals;
  readonly console: Console;
  /** The command line, secrets redacted as far as settings are known. */
  readonly commandLine: () => string;
  /** The same program on the same lake: `lakehouse status --profile x`. */
  readonly again: (...words: string[]) => string;
  readonly sources: () => Promise<SettingsSources>;
  readonly configuration: () => Promise<Configuration>;
  /** For what needs no definitions: the settings without those that definitions declare where these cannot be loaded, and why. */
  readonly settings: () => Promise<{ readonly loaded: LoadedSettings; readonly missing?: LakehouseError }>;
  /** Opens the log for reading, and closes it whatever happens. Needs no definitions. */
  readonly withLog: <T>(use: (state: StateReader) => Promise<T>) => Promise<T>;
  /** Opens the lake; whoever does so closes it, and what it shares with others, if anything. `read` writes nothing. */
  readonly openLake: (mode: 'read' | 'write', shared?: Shared) => Promise<OpenedLake>;
  /** Opens the lake, and closes it whatever happens. */
  readonly withLake: <T>(mode: 'read' | 'write', use: (lake: OpenedLake) => Promise<T>) => Promise<T>;
  /** From now on interrupts are heard; see {@link listenToInterrupts}. Once per command. */
  readonly interrupts: (options?: { readonly graceful?: boolean; readonly say?: (text: string) => void }) => Interrupts;
  /** The exit code of an interrupt, if there was one. */
  readonly interrupted: () => number | undefined;
  /** Of the same command line, with files and definitions read again; `generation` rises each time. */
  readonly anew: (generation: number) => Context;
  readonly redact: (text: string) => string;
  /** Values of secret settings, as far as they are known. */
  readonly secrets: () => readonly string[];
  readonly debug: () => boolean;
  readonly dispose: () => void;
}

/** Errors of a definitions module that cannot be had. */
const WITHOUT_DEFINITIONS = ['no-definitions', 'definitions-failed', 'no-lakehouse', 'two-frameworks'];

/** A word as it is written for a shell. */
export const quoteWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

export function createContext(io: Io, globals: Globals, args: readonly string[]): Context {
  const console = createConsole(io, globals);
  let listening: Interrupts | undefined;
  let secrets: readonly string[] = [];
  let sources: SettingsSources | undefined;
  let configuration: Promise<Configuration> | undefined;
  let debug = globals.debug;
  const redact = (text: string) => redactText(text, { secrets });

  const readSources = async (): Promise<SettingsSources> => {
    const { readSettingsSources } = await import('../config/load.ts');
    const { config, profile, set } = globals;
    sources ??= readSettingsSources({ cwd: io.cwd, env: io.env, argv: { configFile: config, profile, sets: set } });
    return sources;
  };
  const resolveWith = async (extension?: LakehouseDefinition['settings']): Promise<LoadedSettings> => {
    const { resolveSettings } = await import('../config/resolve.ts');
    const loaded: LoadedSettings = resolveSettings(await readSources(), extension);
    secrets = loaded.secrets;
    debug ||= loaded.settings.debug;
    return loaded;
  };
  const configure = async (): Promise<Configuration> => {
    const { loadConfiguration } = await import('../sdk/configure.ts');
    return loadConfiguration(await readSources(), resolveWith, io);
  };

  const context: Context = {
    io,
    globals,
    console,
    commandLine: () => redact(['lakehouse', ...args].map(quoteWord).join(' ')),
    again: (...words) => {
      const program = io.env.npm_command === undefined ? 'lakehouse' : 'npx lakehouse';
      const { config, profile, set } = globals;
      const options = [
        ...(config === undefined ? [] : ['--config', config]),
        ...(profile === undefined ? [] : ['--profile', profile]),
        ...set.flatMap((one) => ['--set', one]),
      ];
      return redact([program, ...[...words, ...options].map(quoteWord)].join(' '));
    },
    sources: readSources,
    configuration: () => {
      configuration ??= configure();
      return configuration;
    },
    settings: async () => {
      try {
        return await context.configuration();
      } catch (error) {
        if (!isLakehouseError(error) || !WITHOUT_DEFINITIONS.includes(error.code)) throw error;
        return { loaded: await resolveWith(), missing: error };
      }
    },
    withLog: async (use) => {
      const { settings } = (await context.settings()).loaded;
      const { openState } = await import('../state/sqlite.ts');
      const { now, isAlive } = io;
      const state = openState(join(settings.state.directory, 'state.sqlite'), { readOnly: true, now, isAlive });
      try {
        for (const damage of state.damage()) console.warn(`${damage}. The state was restored without it.`);
        return await use(state);
      } finally {
        state.close();
      }
    },
    openLake: async (mode, shared) => {
      const { openConfigured } = await import('../sdk/configure.ts');
      return openConfigured(await context.configuration(), mode, io, console.warn, shared);
    },
    withLake: async (mode, use) => {
      const lake = await context.openLake(mode);
      try {
        return await use(lake);
      } finally {
        await lake.close();
      }
    },
    interrupts: ({ graceful = false, say = console.note } = {}) => {
      listening ??= listenToInterrupts(io, graceful, say);
      return listening;
    },
    interrupted: () => listening?.code,
    anew: (generation) =>
      createContext({ ...io, importModule: (file) => io.importModule(file, generation) }, globals, args),
    redact,
    secrets: () => secrets,
    debug: () => debug,
    dispose: () => listening?.dispose(),
  };
  return context;
}

/** A path as people write it: relative where that is shorter to read. */
export function shownPath(cwd: string, path: string): string {
  const short = relative(cwd, path);
  return short === '' ? '.' : short.startsWith('..') || isAbsolute(short) ? path : short;
}
