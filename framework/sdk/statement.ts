import { isLakehouseError, LakehouseError } from '../common/errors.ts';
import { isDefinition } from '../define/model.ts';
import { isSqlTemplate, quoteIdentifier, quoteLiteral, type SqlLiteral, type SqlTemplate } from '../define/sql.ts';
import { withParameters } from '../engine/parameters.ts';
import { viewName } from '../engine/partitions.ts';
import type { Question, Reading } from './query.ts';
import { knownRead } from './read.ts';
import type { Lakehouse, LakeSqlValue, QueryParameters, SqlParameter } from './types.ts';

/** What a relation in a statement is looked up in. */
export interface Relations {
  /** @throws LakehouseError `unknown-asset` (usage). */
  readonly require: (key: string) => void;
  readonly views: Lakehouse['definition']['views'];
  /** How the lake itself is read. */
  readonly reading: Reading;
}

/**
 * A statement: values become literals, never text of the query; assets, views and reads become relations.
 * @throws LakehouseError `unknown-asset`, `other-lake` (usage); TypeError for what cannot stand in a statement.
 */
export function statementOf(
  relations: Relations,
  strings: TemplateStringsArray,
  values: readonly LakeSqlValue[],
): Question {
  const sql = strings.map((text, i) => (i < values.length ? text + valueText(relations, values[i]) : text)).join('');
  const reads = values.flatMap((value) =>
    typeof value === 'object' && value !== null ? (knownRead(value) ?? []) : [],
  );
  return {
    sql,
    check: (lake) => {
      for (const { check } of reads) check(lake);
    },
  };
}

/**
 * A text with its parameters replaced by literals.
 * @throws LakehouseError `missing-parameter`, `unknown-parameter` (usage); TypeError for what is no value.
 */
export function withValues(text: string, given: QueryParameters): string {
  const entries = Array.isArray(given)
    ? (given as readonly SqlParameter[]).map((value, i) => [String(i + 1), value] as const)
    : Object.entries(given as Readonly<Record<string, SqlParameter>>);
  const parameters = new Map(entries.map(([name, value]) => [name.toLowerCase(), parameterText(value)]));
  try {
    return withParameters(text, parameters);
  } catch (error) {
    if (!isLakehouseError(error) || error.code !== 'missing-parameter') throw error;
    const hint = 'Give their values: lake.query(text, { name: value }), or a list of those of ?.';
    throw new LakehouseError(error.code, error.message, { hint });
  }
}

function parameterText(value: unknown): string {
  return Array.isArray(value) ? `[${(value as readonly unknown[]).map(literal).join(', ')}]` : literal(value);
}

function valueText(relations: Relations, value: LakeSqlValue | undefined): string {
  if (typeof value !== 'object' || value === null || value instanceof Date || Array.isArray(value))
    return parameterText(value);
  if (isSqlTemplate(value)) return templateText(value);
  if (isDefinition(value)) {
    relations.require(value.key);
    return viewName(value);
  }
  const read = knownRead(value);
  if (read) {
    if (read.reading !== relations.reading)
      throw new LakehouseError('other-lake', `The read of ${read.asset} is one of another lake`, {
        hint: 'A statement reads one lake: make the read with this one.',
      });
    return `(${(value as { readonly sql: string }).sql})`;
  }
  const view = relations.views.find((one) => one === value);
  if (view) return viewName(view);
  throw new TypeError('Only values, assets, views, reads and sql templates can stand in lake.sql');
}

/** Whoever passes on what came from outside has no types to rely on: nothing but values may become text of the statement. */
function literal(value: unknown): string {
  if (value === undefined) throw new TypeError('undefined cannot stand in a statement; write null for NULL');
  if (value instanceof Date && Number.isNaN(value.getTime()))
    throw new TypeError('An invalid Date cannot stand in a statement');
  if (typeof value === 'string' && !value.isWellFormed())
    throw new TypeError('Half a surrogate pair cannot stand in a statement');
  if (value !== null && !(value instanceof Date) && !VALUES.includes(typeof value))
    throw new TypeError(
      `${Array.isArray(value) ? 'A list in a list' : `A value of type ${typeof value}`} cannot stand in a statement`,
    );
  return quoteLiteral(value as SqlLiteral);
}
const VALUES: readonly string[] = ['string', 'number', 'bigint', 'boolean'];

function templateText({ parts }: SqlTemplate): string {
  return parts
    .map((part) => {
      if (part.type === 'text') return part.text;
      if (part.type === 'literal') return quoteLiteral(part.value);
      if (part.type === 'column') return quoteIdentifier(part.name);
      throw new LakehouseError(
        'bad-template',
        `'${part.type === 'relation' ? part.input : part.name}' stands for an input or a partition of an asset's query, which lake.sql has not`,
        {
          hint: 'Put the asset itself into lake.sql.',
        },
      );
    })
    .join('');
}
