import { canonicalHash } from '../common/canonical.ts';
import type { AssetDefinition } from '../define/model.ts';
import { sqlText } from '../define/sql.ts';
import type { MappingSpec } from '../partition/mapping.ts';
import type { CodeHasher } from './functions.ts';
import { normalizeSql } from './sql.ts';

/** Calls that declare something with a version of its own: code that uses the result depends on its name alone. */
export const DECLARERS: ReadonlySet<string> = new Set([
  'asset',
  'source',
  'hourly',
  'daily',
  'weekly',
  'monthly',
  'staticDimension',
  'dynamicDimension',
  'defineLakehouse',
]);

export interface CodeVersion {
  /** Hex, 16 digits: what is written to the log. */
  readonly version: string;
  /** Variables that functions use and the version cannot see; their values belong into `config`. */
  readonly captures: readonly string[];
}

/**
 * The version of what an asset *does*: its normalised SQL or its function with all local code that reaches, columns, mappings,
 * sort order, format and declared config. Comments, layout, descriptions, tags, owners, checks, retries and the values of its
 * dimensions are not part of it, for they do not change what a partition contains.
 */
export function codeVersion(definition: AssetDefinition, hasher: CodeHasher): CodeVersion {
  if (definition.codeVersion !== undefined) return { version: `v:${definition.codeVersion}`, captures: [] };
  const captures = new Set<string>();
  const code = (fn: (...args: never[]) => unknown): string => {
    const hashed = hasher.hashFunction(fn.toString(), definition.module);
    for (const name of hashed.captures) captures.add(name);
    return hashed.hash;
  };
  const mapping = ({ time, listed, self }: MappingSpec) => ({
    self: self ?? false,
    time:
      time.rule === 'custom'
        ? { rule: time.rule, id: time.id, upstream: code(time.upstream), downstream: code(time.downstream) }
        : time,
    listed: Object.fromEntries(
      Object.entries(listed).map(([name, rule]) => [
        name,
        rule.rule === 'custom' ? { rule: rule.rule, id: rule.id, upstream: code(rule.upstream) } : rule,
      ]),
    ),
  });
  const { compute, storage, columns, barMs } = definition;
  const bars = definition.inputs.some((i) =>
    i.alternatives.some(
      ({ mapping: m }) =>
        m.time.rule === 'window' && ('bars' in m.time.from || (m.time.to !== undefined && 'bars' in m.time.to)),
    ),
  );
  const hash = canonicalHash({
    compute:
      compute && (compute.type === 'sql' ? { sql: normalizeSql(sqlText(compute.template)) } : { fn: code(compute.fn) }),
    dimensions: definition.space.dimensions.map((d) => (d.type === 'time' ? [d.name, d.grain] : [d.name, d.type])),
    inputs: definition.inputs.map((i) => ({
      name: i.name,
      need: i.need,
      alternatives: i.alternatives.map((a) => ({ asset: a.asset?.key ?? 'self', mapping: mapping(a.mapping) })),
    })),
    columns: columns.map((c) => [c.name, c.type, c.nullable]),
    sortBy: definition.sortBy,
    timeColumn: definition.timeColumn,
    rowwise: definition.rowwise,
    format: storage.type === 'raw' ? storage.format : undefined,
    bar: bars && barMs ? code(barMs) : undefined,
    config: definition.config,
  });
  return { version: hash.slice(0, 16), captures: [...captures].sort() };
}
