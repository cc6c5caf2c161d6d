import { isLakehouseError } from '../../framework/common/errors.ts';
import type { SettingsSources } from '../../framework/config/layers.ts';

/** Sources with nothing in them but what is given; `config` is the text of `lakehouse.yaml`. */
export function sourcesOf(
  given: {
    config?: string;
    profiles?: Record<string, string>;
    dotenv?: string;
    env?: Record<string, string>;
    profile?: string;
    sets?: string[];
  } = {},
): SettingsSources {
  const profiles = Object.entries(given.profiles ?? {}).map(
    ([name, text]) => [name, { file: `profiles/${name}.yaml`, text }] as const,
  );
  return {
    cwd: '/home/me',
    config: given.config === undefined ? undefined : { file: 'lakehouse.yaml', text: given.config },
    profiles: new Map(profiles),
    profilesDirectory: 'profiles',
    dotenv: given.dotenv === undefined ? undefined : { file: '.env', text: given.dotenv },
    env: given.env ?? {},
    profile: given.profile,
    sets: given.sets ?? [],
  };
}

/** The message of the error that `action` throws, as a person reads it. */
export function failure(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (isLakehouseError(error)) return `${error.code} (${error.kind}) ${error.message}`;
    throw error;
  }
  throw new Error('Expected a failure');
}
