import { z } from 'zod';
import { throwIfIssues } from '../common/errors.ts';
import { readLayers, type SettingsSources } from './layers.ts';
import { type EffectiveSetting, merge } from './merge.ts';
import { issueAt } from './origin.ts';
import { frameworkShape, type NoExtension, type Settings, type SettingsExtension } from './schema.ts';
import { settingTree } from './tree.ts';
import { inOurWords } from './words.ts';

export interface LoadedSettings<Extension extends SettingsExtension = NoExtension> {
  readonly settings: Settings<Extension>;
  /** One for each setting, in the order of declaration. */
  readonly effective: readonly EffectiveSetting[];
  /** All secret values that were written in any layer, for `redactText`. */
  readonly secrets: readonly string[];
  /** The config file as it is shown; undefined when there is none. */
  readonly configFile: string | undefined;
}

/**
 * Merges the layers, lowest first: defaults, config file, profile (its section in the config file, then its own file),
 * `.env`, environment, `--set`. Sections are merged key by key, lists are replaced.
 *
 * Without an extension, top-level sections that the framework does not know are ignored, for the module that declares
 * them is not loaded yet; with one (`{}` when the module declares none) they are refused.
 *
 * @throws LakehouseError `invalid-settings` (usage) with every problem of every layer, also of values that a higher
 * layer overrides and of profiles in the config file that are not chosen.
 */
export function resolveSettings<Extension extends SettingsExtension = NoExtension>(
  sources: SettingsSources,
  extension?: Extension,
): LoadedSettings<Extension> {
  refuseReservedNames(extension ?? {});
  const shape = { ...frameworkShape, ...extension };
  const root = settingTree(shape, extension === undefined);
  const { entries, issues } = readLayers(sources, root);
  const { input, effective } = merge(sources.cwd, root, entries, issues);
  throwIfIssues('invalid-settings', 'The settings are wrong:', issues);

  const result = z.object(shape).safeParse(input, { error: inOurWords });
  const wrong = (result.error?.issues ?? []).map((issue) => {
    const path = issue.path.map(String);
    const near = effective.find((setting) => setting.path.every((key, i) => i >= path.length || key === path[i]));
    return issueAt(near?.origin ?? { kind: 'default' }, { code: 'invalid-setting', path, message: issue.message });
  });
  throwIfIssues('invalid-settings', 'The settings are wrong:', wrong);
  const secrets = [...entries, ...effective].flatMap(({ secret, value }) => (secret ? textsIn(value) : []));
  return {
    settings: result.data as unknown as Settings<Extension>,
    effective: effective.map((setting) => ({ ...setting, value: valueAt(result.data, setting.path) })),
    secrets: [...new Set(secrets)],
    configFile: sources.config?.file,
  };
}

/**
 * The module that declares the assets, absolute. It has to be known before the settings can be resolved with the
 * extension which that module declares, so other problems are left to `resolveSettings`, which then tells all at once.
 */
export function definitionsPath(sources: SettingsSources): string {
  const root = settingTree(frameworkShape, true);
  const { entries, issues } = readLayers(sources, root);
  const { input } = merge(sources.cwd, root, entries, issues);
  const needed = issues.filter(({ code, path }) =>
    path.length === 0 ? code === 'malformed-yaml' : ['definitions', 'dataDir', 'profile'].includes(String(path[0])),
  );
  throwIfIssues('invalid-settings', 'The settings are wrong:', needed);
  return String(input.definitions);
}

function refuseReservedNames(extension: SettingsExtension): void {
  const issues = Object.keys(extension)
    .filter((name) => Object.hasOwn(frameworkShape, name) || name === 'profiles' || name === 'lakehouse')
    .map((name) => ({ code: 'reserved-name', path: [name], message: 'This name belongs to the framework' }));
  throwIfIssues('invalid-settings-extension', 'The settings that the definitions module declares are wrong:', issues);
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(textsIn);
  return value === undefined || value === null || value === '' ? [] : [String(value)];
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce(
    (part: unknown, key) =>
      typeof part === 'object' && part !== null ? (part as Record<string, unknown>)[key] : undefined,
    value,
  );
}
