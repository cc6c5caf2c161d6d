import type { EffectiveSetting } from './merge.ts';
import { formatOrigin } from './origin.ts';
import { REDACTED } from './redact.ts';

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
