import { resolve } from 'node:path';
import { z } from 'zod';
import type { Issue } from '../common/errors.ts';
import { envNames } from './env.ts';
import type { Origin } from './origin.ts';
import { frameworkShape } from './schema.ts';
import { type Entries, type Leaf, leavesOf, type Section } from './tree.ts';
import type { Entry } from './values.ts';

/** The value of one setting, where it comes from, and what there is to know of the setting. Values are not redacted. */
export interface EffectiveSetting {
  readonly path: readonly string[];
  readonly value: unknown;
  readonly origin: Origin;
  readonly secret: boolean;
  readonly description: string | undefined;
  /** As the schema writes it; undefined for an optional setting. */
  readonly default: unknown;
  /** The environment variables that set it, the strongest first. */
  readonly env: readonly string[];
}

type Tree = { [key: string]: unknown };

/** The highest value of each setting, as the input for the schema and as a list. Paths are absolute in both. */
export function merge(
  cwd: string,
  root: Section,
  entries: readonly Entry[],
  issues: Issue[],
): { input: Tree; effective: EffectiveSetting[] } {
  const highest = new Map(entries.map((entry) => [JSON.stringify(entry.path), entry]));
  const input: Tree = {};
  const effective: EffectiveSetting[] = [];
  const add = (setting: Leaf | Entries, rest: Pick<EffectiveSetting, 'path' | 'value' | 'origin' | 'default'>) => {
    effective.push({ ...rest, secret: setting.secret, description: setting.description, env: envNames(setting) });
  };
  const dataDir = resolve(cwd, String(highest.get('["dataDir"]')?.value ?? frameworkShape.dataDir.parse(undefined)));
  const absolute = (path: string) => resolve(cwd, path.replace(/^<dataDir>/, dataDir));

  for (const setting of leavesOf(root)) {
    const parsed = z.safeParse(setting.schema, undefined);
    const fallback = parsed.data;
    const given = [...highest.values()].filter((entry) => setting.path.every((key, i) => key === entry.path[i]));
    if (!parsed.success && given.length === 0) {
      issues.push({ code: 'missing-setting', path: setting.path, message: 'This setting must be given' });
    }
    if (setting.kind === 'leaf') {
      const entry = given[0];
      const raw = entry ? entry.value : fallback;
      const value = setting.isPath && typeof raw === 'string' ? absolute(raw) : raw;
      put(input, setting.path, value);
      add(setting, { path: setting.path, value, origin: entry?.origin ?? { kind: 'default' }, default: fallback });
    } else {
      const defaults = Object.entries(fallback ?? {});
      put(input, setting.path, Object.fromEntries(defaults));
      for (const entry of given) put(input, entry.path, entry.value);
      const untouched = defaults.filter(([key]) => !given.some((entry) => entry.path[setting.path.length] === key));
      for (const [key, value] of untouched) {
        add(setting, { path: [...setting.path, key], value, origin: { kind: 'default' }, default: value });
      }
      for (const { path, value, origin, secret } of given)
        add({ ...setting, secret }, { path, value, origin, default: undefined });
      if (defaults.length + given.length === 0) {
        add(setting, { path: setting.path, value: {}, origin: { kind: 'default' }, default: {} });
      }
    }
  }
  return { input, effective };
}

function put(tree: Tree, path: readonly string[], value: unknown): void {
  const [key = '', ...rest] = path;
  if (rest.length === 0) tree[key] = value;
  else {
    const next = tree[key];
    const child: Tree = typeof next === 'object' && next !== null ? { ...next } : {};
    tree[key] = child;
    put(child, rest, value);
  }
}
