import { z } from 'zod';
import { didYouMean } from '../common/suggest.ts';

interface Common {
  /** The names from the top, e.g. `['s3', 'region']`; empty for the root. */
  readonly path: readonly string[];
  readonly description: string | undefined;
  /** Whether it, or what it stands in, is marked as secret. */
  readonly secret: boolean;
}

/** A mapping whose keys are settings or sections. An open one ignores keys that it does not know. */
export interface Section extends Common {
  readonly kind: 'section';
  readonly open: boolean;
  readonly children: ReadonlyMap<string, Setting>;
}

/** A mapping whose keys the user chooses. */
export interface Entries extends Common {
  readonly kind: 'entries';
  readonly schema: z.core.$ZodType;
  readonly key: z.core.$ZodType;
  readonly value: z.core.$ZodType;
}

/** One value. */
export interface Leaf extends Common {
  readonly kind: 'leaf';
  readonly schema: z.core.$ZodType;
  /** The schema without `optional`, `default` and the like. */
  readonly core: z.core.$ZodTypes;
  readonly isPath: boolean;
  /** Conventional names of environment variables, the first that is set wins. */
  readonly env: readonly string[];
}

/** What may be set, as a tree read off the zod schema: the names, and at the leaves what validates a value. */
export type Setting = Section | Entries | Leaf;

/** The tree of a shape. `open` when the top level may hold sections that are not known yet. */
export function settingTree(shape: Readonly<Record<string, z.core.$ZodType>>, open: boolean): Section {
  return {
    kind: 'section',
    path: [],
    description: undefined,
    secret: false,
    open,
    children: childrenOf(shape, [], false),
  };
}

/** What `key` names in a section or a mapping; undefined when nothing. The keys of `Entries` are not validated here. */
export function childOf(setting: Setting, key: string): Setting | undefined {
  if (setting.kind === 'section') return setting.children.get(key);
  return setting.kind === 'entries' ? settingOf(setting.value, [...setting.path, key], setting.secret) : undefined;
}

/** Every leaf, and every mapping of chosen keys, in the order of declaration. */
export function* leavesOf(setting: Setting): Generator<Leaf | Entries> {
  if (setting.kind !== 'section') yield setting;
  else for (const child of setting.children.values()) yield* leavesOf(child);
}

/** A hint for a key that `parent` does not know: a near one in the same section, or the same name elsewhere. */
export function hintForKey(root: Section, parent: Section, key: string): string | undefined {
  const hint = didYouMean(key, parent.children.keys());
  if (hint?.startsWith('Did you mean')) return hint;
  const elsewhere = [...leavesOf(root)].find((leaf) => leaf.path.at(-1)?.toLowerCase() === key.toLowerCase());
  return elsewhere ? `Did you mean '${elsewhere.path.join('.')}'?` : hint;
}

/** A schema without what wraps it, and the metadata of all layers, the outermost winning. */
export function unwrap(schema: z.core.$ZodType): { core: z.core.$ZodTypes; meta: z.core.GlobalMeta } {
  const core = schema as z.core.$ZodTypes;
  const def = core._zod.def;
  const meta = z.globalRegistry.get(schema) ?? {};
  switch (def.type) {
    case 'optional':
    case 'nullable':
    case 'nonoptional':
    case 'default':
    case 'prefault':
    case 'catch':
    case 'readonly': {
      const inner = unwrap(def.innerType);
      return { core: inner.core, meta: { ...inner.meta, ...meta } };
    }
    case 'pipe': {
      const inner = unwrap(def.in);
      return { core: inner.core, meta: { ...inner.meta, ...meta } };
    }
    default:
      return { core, meta };
  }
}

function childrenOf(
  shape: Readonly<Record<string, z.core.$ZodType>>,
  path: readonly string[],
  secret: boolean,
): Map<string, Setting> {
  return new Map(Object.entries(shape).map(([key, schema]) => [key, settingOf(schema, [...path, key], secret)]));
}

function settingOf(schema: z.core.$ZodType, path: readonly string[], isWithinSecret: boolean): Setting {
  const { core, meta } = unwrap(schema);
  const def = core._zod.def;
  const secret = isWithinSecret || meta.secret === true;
  const common = { path, description: meta.description, secret };
  if (def.type === 'object') {
    return { ...common, kind: 'section', open: false, children: childrenOf(def.shape, path, secret) };
  }
  if (def.type === 'record') return { ...common, kind: 'entries', schema, key: def.keyType, value: def.valueType };
  const env = Array.isArray(meta.env) ? meta.env.filter((name) => typeof name === 'string') : [];
  return { ...common, kind: 'leaf', schema, core, isPath: meta.path === true, env };
}
