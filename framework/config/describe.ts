import { z } from 'zod';
import { envNames } from './env.ts';
import type { EffectiveSetting } from './merge.ts';
import { formatOrigin } from './origin.ts';
import { REDACTED } from './redact.ts';
import { frameworkShape } from './schema.ts';
import { childOf, leavesOf, settingTree } from './tree.ts';

/** One setting as `lakehouse config` shows it. */
export interface DescribedSetting {
  /** `workflow.concurrencyLimit` */
  readonly name: string;
  /** `***` for a secret that is set; undefined for an optional setting that is not. */
  readonly value: unknown;
  /** `default`, `config/lakehouse.yaml:12`, `environment S3_BUCKET`, … */
  readonly origin: string;
  readonly description: string | undefined;
  readonly default: unknown;
  readonly env: readonly string[];
}

/** The effective settings with their origins, in the order of declaration, secrets redacted. */
export function describeSettings(loaded: { readonly effective: readonly EffectiveSetting[] }): DescribedSetting[] {
  const shown = (value: unknown, secret: boolean) => (secret && value !== undefined ? REDACTED : value);
  return loaded.effective.map(({ path, value, origin, secret, description, default: fallback, env }) => ({
    name: path.join('.'),
    value: shown(value, secret),
    origin: formatOrigin(origin),
    description,
    default: shown(fallback, secret),
    env,
  }));
}

/** A setting below a name that the user chooses. */
export interface ChosenSetting extends Pick<DescribedSetting, 'description' | 'default' | 'env'> {
  /** `alerts.destinations.<name>.url` */
  readonly name: string;
  /** The values there are, where these are few. */
  readonly choices: readonly string[];
}

/** What may be said of everything that bears a name which the user chooses, in the order of declaration. */
export function describeChosen(extension: Readonly<Record<string, z.core.$ZodType>> = {}): ChosenSetting[] {
  return [...leavesOf(settingTree({ ...frameworkShape, ...extension }, false))].flatMap((named) => {
    const below = named.kind === 'entries' ? childOf(named, '<name>') : undefined;
    // What is but a value under a name is said of the mapping.
    if (below?.kind !== 'section') return [];
    return [...leavesOf(below)].map((setting): ChosenSetting => {
      const { path, description, schema } = setting;
      const def = setting.kind === 'leaf' ? setting.core._zod.def : undefined;
      return {
        name: path.join('.'),
        description,
        default: z.safeParse(schema, undefined).data,
        env: envNames(setting),
        choices: def?.type === 'enum' ? Object.keys(def.entries) : [],
      };
    });
  });
}
