import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { LakehouseError } from '../common/errors.ts';
import type { SettingsSources, SourceText } from './layers.ts';
import { type LoadedSettings, resolveSettings } from './resolve.ts';
import type { NoExtension, SettingsExtension } from './schema.ts';

/** Where the config file is looked for, the first that is there. */
const CONFIG_FILES = ['lakehouse.yaml', 'config/lakehouse.yaml'];

/** What the command line and the process say about settings. */
export interface SettingsRequest {
  /** Working directory, absolute. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly argv: {
    /** `--config`, relative to `cwd`. */
    readonly configFile?: string | undefined;
    /** `--profile` */
    readonly profile?: string | undefined;
    /** `--set`, in order. */
    readonly sets: readonly string[];
  };
}

/**
 * Reads the files that settings may be written in: the one of `--config`, else `lakehouse.yaml`, else
 * `config/lakehouse.yaml`; the files of `profiles/` beside it; `.env`. All but the one of `--config` may be absent.
 *
 * @throws LakehouseError `config-not-found`, `config-unreadable` (usage).
 */
export function readSettingsSources({ cwd, env, argv }: SettingsRequest): SettingsSources {
  const read = (file: string): SourceText | undefined => {
    const text = readIfPresent(file, () => readFileSync(file, 'utf8'));
    return text === undefined ? undefined : { file: relative(cwd, file), text };
  };
  const candidates = argv.configFile === undefined ? CONFIG_FILES : [argv.configFile];
  let file = '';
  let config: SourceText | undefined;
  for (const candidate of candidates) {
    file = resolve(cwd, candidate);
    config = read(file);
    if (config) break;
  }
  if (argv.configFile !== undefined && !config) {
    throw new LakehouseError('config-not-found', `There is no config file ${argv.configFile}`, {
      hint: 'Relative to the working directory; without --config, lakehouse.yaml or config/lakehouse.yaml is read',
    });
  }
  const profilesOf = (config: string) => join(dirname(resolve(cwd, config)), 'profiles');
  const namesIn = (directory: string) =>
    (readIfPresent(directory, () => readdirSync(directory).sort()) ?? []).filter((name) => name.endsWith('.yaml'));
  const directory = profilesOf(file);
  const profiles = new Map<string, SourceText>();
  for (const name of namesIn(directory)) {
    const source = read(join(directory, name));
    if (source) profiles.set(name.slice(0, -'.yaml'.length), source);
  }
  const others = CONFIG_FILES.map(profilesOf).filter((other) => other !== directory);
  return {
    cwd,
    config,
    profiles,
    profilesDirectory: relative(cwd, directory),
    otherProfiles: others.flatMap((other) => namesIn(other).map((name) => relative(cwd, join(other, name)))),
    dotenv: read(join(cwd, '.env')),
    env,
    profile: argv.profile,
    sets: argv.sets,
  };
}

/** Reads and resolves in one step; see `resolveSettings`. */
export function loadSettings<Extension extends SettingsExtension = NoExtension>(
  request: SettingsRequest,
  extension?: Extension,
): LoadedSettings<Extension> {
  return resolveSettings(readSettingsSources(request), extension);
}

function readIfPresent<T>(path: string, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    const reason = error instanceof Error ? error.message : String(error);
    const what = code === 'EISDIR' ? 'it is a directory' : reason;
    throw new LakehouseError('config-unreadable', `Cannot read ${path}: ${what}`, { cause: error });
  }
}
