import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { settings as assetSettings } from '../../assets/settings.ts';
import { describeSettings } from '../../framework/config/describe.ts';
import { readSettingsSources } from '../../framework/config/load.ts';
import { resolveSettings } from '../../framework/config/resolve.ts';
import { sourcesOf } from './support.ts';

const cwd = join(import.meta.dirname, '../..');
const configFile = 'config/lakehouse.yaml';

/** The config file of the project with a profile, without what a developer has in `.env`. */
function load(profile?: string) {
  const sources = readSettingsSources({ cwd, env: {}, argv: { configFile, profile, sets: [] } });
  return resolveSettings({ ...sources, dotenv: undefined }, assetSettings);
}

describe(configFile, () => {
  const text = readFileSync(join(cwd, configFile), 'utf8');
  const written = load();
  const defaults = resolveSettings({ ...sourcesOf(), cwd }, assetSettings);

  test('says exactly the defaults', () => {
    expect(written.settings).toEqual(defaults.settings);
  });

  test('says every setting: the optional ones as comments, with their name alone', () => {
    const rows = describeSettings(written);
    const isOptional = (row: { default: unknown }) => row.default === undefined;
    const silent = rows.filter((row) => !isOptional(row) && !row.origin.startsWith(configFile)).map((row) => row.name);
    expect(silent).toEqual([
      'workflow.pools',
      'workflow.rates',
      'schedules',
      'telemetry.otlp.headers',
      'alerts.destinations',
    ]);
    for (const name of silent) expect(text).toMatch(new RegExp(`^ *${name.split('.').at(-1)}: \\{\\}$`, 'm'));
    for (const row of rows.filter(isOptional))
      expect(text).toMatch(new RegExp(`^ *# ${row.name.split('.').at(-1)}: `, 'm'));
  });

  test('says every conventional environment variable', () => {
    const names = defaults.effective.flatMap((setting) => setting.env.slice(1));
    expect(names.length).toBeGreaterThan(10);
    for (const name of names) expect(text).toMatch(new RegExp(`[[ ]${name}[\\],]`));
  });
});

test('every setting has a description', () => {
  const rows = describeSettings(resolveSettings(sourcesOf(), assetSettings));
  expect(rows.filter((row) => !row.description?.endsWith('.')).map((row) => row.name)).toEqual([]);
});

describe('config/profiles', () => {
  const names = readdirSync(join(cwd, 'config/profiles')).map((name) => name.replace(/\.yaml$/, ''));

  test('are the three examples', () => {
    expect(names.sort()).toEqual(['development', 'production', 'simulated']);
  });

  test.each(names)('%s is valid and changes something', (profile) => {
    const loaded = load(profile);
    const changed = loaded.effective.filter((setting) => setting.origin.kind === 'profile');
    expect(changed.length).toBeGreaterThan(0);
  });

  test('simulated data says so, and no other profile is simulated', () => {
    const simulated = names.filter((profile) => {
      const loaded = load(profile);
      return loaded.settings.exchanges.binance.archive.simulated;
    });
    expect(simulated).toEqual(['simulated']);
  });
});
