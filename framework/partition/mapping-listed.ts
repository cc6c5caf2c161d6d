import type { Issue } from '../common/errors.ts';
import { didYouMean } from '../common/suggest.ts';
import type { ListedRule, MappingSpec } from './mapping-spec.ts';
import type { ListedDimension, PartitionSpace, SeriesValues } from './space.ts';
import { encodeValue } from './terms.ts';

/** The series half of a resolved mapping: a join between downstream and upstream series on a text. */
export interface ListedPart {
  joinDown(values: SeriesValues): readonly string[];
  joinUp(values: SeriesValues): string | undefined;
  /** Every series reads the series with the very same key. */
  readonly identity: boolean;
  /** Every dynamic dimension of the downstream has its value in the upstream, so that upstream series tell which downstream ones exist. */
  readonly determinesSeries: boolean;
}

/** Resolves the rule of every upstream dimension; all problems are returned, not only the first. */
export function resolveListed(spec: MappingSpec, down: PartitionSpace, up: PartitionSpace): ListedPart | Issue[] {
  const issues: Issue[] = [];
  const names = up.listed.map((dimension) => dimension.name);
  for (const name of Object.keys(spec.listed).filter((name) => !names.includes(name))) {
    const message = `The upstream has no listed dimension '${name}'`;
    issues.push({ code: 'unknown-dimension', path: ['listed', name], message, hint: didYouMean(name, names) });
  }
  const rules: { readonly name: string; readonly rule: ListedRule }[] = [];
  for (const dimension of up.listed) {
    const rule = spec.listed[dimension.name] ?? { rule: 'same' };
    const found = checkRule(rule, dimension.name in spec.listed, dimension, down);
    if (found) issues.push({ ...found, path: ['listed', dimension.name] });
    rules.push({ name: dimension.name, rule });
  }
  return issues.length > 0 ? issues : listedPart(rules, down, up);
}

type Problem = Pick<Issue, 'code' | 'message' | 'hint'>;

function checkRule(rule: ListedRule, said: boolean, up: ListedDimension, down: PartitionSpace): Problem | undefined {
  const { name } = up;
  const names = down.listed.map((dimension) => dimension.name);
  switch (rule.rule) {
    case 'all':
    case 'custom':
      return undefined;
    case 'from':
      if (names.includes(rule.dimension)) return undefined;
      return {
        code: 'unknown-dimension',
        message: `This asset has no listed dimension '${rule.dimension}' to take '${name}' from`,
        hint: didYouMean(rule.dimension, names),
      };
    case 'only': {
      if (rule.values.length === 0)
        return { code: 'bad-partition-value', message: `only() names no value of '${name}'` };
      const wrong = up.values && rule.values.find((value) => !up.values?.includes(value));
      if (wrong === undefined) return undefined;
      const hint = didYouMean(wrong, up.values ?? []);
      return { code: 'bad-partition-value', message: `'${name}' has no value '${wrong}'`, hint };
    }
    case 'same': {
      const mine = down.listed.find((dimension) => dimension.name === name);
      if (mine && (said || sameDefinition(mine, up))) return undefined;
      const example = up.values?.[0] ?? '…';
      const elsewhere =
        names.length > 0 && !mine ? `, or ${name}: dimension('${names[0]}') to take it from another dimension` : '';
      return {
        code: 'mapping-needed',
        message: mine
          ? `'${name}' is defined differently in this asset and in the upstream`
          : `The upstream has a dimension '${name}' that this asset does not have`,
        hint: `Write ${name}: all() to read every value, ${name}: only('${example}') for some${elsewhere}.`,
      };
    }
  }
}

/** The same static values in any order, or both dynamic (their filters may differ). */
function sameDefinition(a: ListedDimension, b: ListedDimension): boolean {
  if (a.type === 'dynamic' || b.type === 'dynamic') return a.type === b.type;
  const values = new Set(a.values);
  return values.size === new Set(b.values).size && (b.values ?? []).every((value) => values.has(value));
}

/** A dimension that takes part in the join: its name upstream, and the values a downstream series wants of it. */
interface JoinColumn {
  readonly name: string;
  readonly wanted: (values: SeriesValues) => readonly string[];
}

function listedPart(
  rules: readonly { readonly name: string; readonly rule: ListedRule }[],
  down: PartitionSpace,
  up: PartitionSpace,
): ListedPart {
  const columns: JoinColumn[] = [];
  const allowed = new Map<string, ReadonlySet<string>>();
  const taken = new Set<string>();
  for (const { name, rule } of rules) {
    if (rule.rule === 'all') continue;
    if (rule.rule === 'only') allowed.set(name, new Set(rule.values));
    else if (rule.rule === 'custom') {
      columns.push({ name, wanted: (values) => [...new Set(rule.upstream(values[name] ?? '', values))] });
    } else {
      const source = rule.rule === 'from' ? rule.dimension : name;
      taken.add(source);
      columns.push({ name, wanted: (values) => [values[source] ?? ''] });
    }
  }
  return {
    joinDown: (values) => {
      let keys = [''];
      for (const { name, wanted } of columns) {
        const texts = wanted(values).map((value) => joinText(name, value));
        keys = keys.flatMap((key) => texts.map((text) => (key === '' ? text : `${key}/${text}`)));
      }
      return keys;
    },
    joinUp: (values) => {
      for (const [name, accepted] of allowed) if (!accepted.has(values[name] ?? '')) return undefined;
      return columns.map(({ name }) => joinText(name, values[name] ?? '')).join('/');
    },
    identity:
      down.listed.length === up.listed.length &&
      rules.every(({ name, rule }, i) => rule.rule === 'same' && down.listed[i]?.name === name),
    determinesSeries: down.listed.every(({ type, name }) => type === 'static' || taken.has(name)),
  };
}

function joinText(name: string, value: string): string {
  return `${name}=${value === '' ? '' : encodeValue(value)}`;
}
