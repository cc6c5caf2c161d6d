import { z } from 'zod';
import { type Issue, throwIfIssues } from '../common/errors.ts';
import { envName } from './env.ts';
import { readLayers, type SettingsSources } from './layers.ts';
import { type EffectiveSetting, merge } from './merge.ts';
import { issueAt } from './origin.ts';
import { frameworkShape, type NoExtension, type Settings, type SettingsExtension } from './schema.ts';
import { childOf, type Setting, settingTree } from './tree.ts';
import { inOurWords } from './words.ts';

export interface LoadedSettings<Extension extends SettingsExtension = NoExtension> {
  readonly settings: Settings<Extension>;
  /** One for each setting, in the order of declaration. */
  readonly effective: readonly EffectiveSetting[];
  /** All secret values that were written in any layer, for `redactText`. */
  readonly secrets: readonly string[];
  /** The config file as it is shown; undefined when there is none. */
  readonly configFile: string | undefined;
  /**
   * What is wrong with those who are told of alerts, say that a secret is missing: for whoever tells them (`refuseUntold`). The
   * settings are without them.
   */
  readonly untold: readonly Issue[];
}

/**
 * Merges the layers, lowest first: defaults, config file, profile (its section in the config file, then its own file),
 * `.env`, environment, `--set`. Sections are merged key by key, lists are replaced.
 *
 * Without an extension, top-level sections that the framework does not know are ignored, for the module that declares
 * them is not loaded yet; with one (`{}` when the module declares none) they are refused.
 *
 * @throws LakehouseError `invalid-settings` (usage) with every problem of every layer, also of values that a higher
 * layer overrides and of profiles in the config file that are not chosen; but not those of who is told of alerts.
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
  const untold = issues.filter(isUntold);
  if (untold.length < issues.length) throwIfIssues('invalid-settings', INVALID, issues);
  removeAll(input, untold);

  const schema = z.object(shape);
  let result = schema.safeParse(input, { error: inOurWords });
  const wrong = (result.error?.issues ?? []).map(({ path: at, message }) => {
    const path = at.map(String);
    const near =
      effective.find((setting) => setting.path.every((key, i) => i >= path.length || key === path[i])) ??
      effective.find((setting) => isUntold({ path }) && path.slice(0, -1).every((key, i) => key === setting.path[i]));
    const isMissingSecret = settingAt(root, path)?.secret && valueAt(input, path) === undefined;
    const hint = isMissingSecret ? `Secrets may be given in the environment or .env: ${envName(path)}` : undefined;
    return issueAt(near?.origin ?? { kind: 'default' }, { code: 'invalid-setting', path, message, hint });
  });
  untold.push(...wrong);
  if (!wrong.every(isUntold)) throwIfIssues('invalid-settings', INVALID, untold);
  if (wrong.length > 0) {
    removeAll(input, untold);
    result = schema.safeParse(input, { error: inOurWords });
  }
  const secrets = [...entries, ...effective].flatMap(({ secret, value }) => (secret ? textsIn(value) : []));
  return {
    settings: result.data as unknown as Settings<Extension>,
    effective: effective.map((setting) =>
      isUntold(setting) ? setting : { ...setting, value: valueAt(result.data, setting.path) },
    ),
    secrets: [...new Set(secrets)],
    configFile: sources.config?.file,
    untold,
  };
}

const INVALID = 'The settings are wrong:';

/** Whether a path is in the settings of those who are told of alerts. */
const isUntold = ({ path: [section, key] }: Pick<Issue, 'path'>): boolean =>
  section === 'alerts' && (key === 'destinations' || key === 'webhookUrl');

/** @throws LakehouseError `invalid-settings` (usage) where somebody cannot be told of alerts. */
export function refuseUntold({ untold }: Pick<LoadedSettings, 'untold'>): void {
  throwIfIssues('invalid-settings', INVALID, untold);
}

/** Takes those out of the input that something is wrong with. */
function removeAll(input: Record<string, unknown>, untold: readonly Issue[]): void {
  const alerts = input.alerts as { webhookUrl?: unknown; destinations?: Record<string, unknown> } | undefined;
  for (const {
    path: [, key, name],
  } of untold) {
    if (key === 'webhookUrl') delete alerts?.webhookUrl;
    else if (name !== undefined) delete alerts?.destinations?.[name];
  }
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
  throwIfIssues('invalid-settings', INVALID, needed);
  return String(input.definitions);
}

function refuseReservedNames(extension: SettingsExtension): void {
  const issues = Object.keys(extension)
    .filter((name) => Object.hasOwn(frameworkShape, name) || name === 'profiles' || name === 'lakehouse')
    .map((name) => ({ code: 'reserved-name', path: [name], message: 'This name belongs to the framework' }));
  throwIfIssues('invalid-settings-extension', 'The settings that the definitions module declares are wrong:', issues);
}

function settingAt(root: Setting, path: readonly string[]): Setting | undefined {
  return path.reduce((setting: Setting | undefined, key) => setting && childOf(setting, key), root);
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
