import { quoteIdentifier, quoteLiteral, type SqlPart, type SqlTemplate } from '../define/sql.ts';
import type { TypedColumn } from './duckdb.ts';

// Names that no column or alias of a user's query has.
export const TARGET = '"__target"';
export const PART = '"__part"';
export const START = '"__start"';
export const END = '"__end"';
const P = '"__p"';

export const TARGET_COLUMN: TypedColumn = { name: '__target', type: 'INTEGER' };
/** What identifies the part a row comes from, and the span it may have. */
export const CARRIED_COLUMNS: readonly TypedColumn[] = [
  { name: '__part', type: 'INTEGER' },
  { name: '__start', type: 'TIMESTAMP' },
  { name: '__end', type: 'TIMESTAMP' },
];

/** Where the parts of a template get their text from. */
export interface Rendering {
  readonly relation: (input: string) => string;
  readonly partition: (name: string) => string;
}

/** The text of a template for one way of running it. */
export function render(template: SqlTemplate, rendering: Rendering): string {
  const text = template.parts.map((part) => renderPart(part, rendering)).join('');
  return text.trim().replace(/;+$/, '');
}

export function renderPart(part: SqlPart, { relation, partition }: Rendering): string {
  switch (part.type) {
    case 'text':
      return part.text;
    case 'relation':
      return relation(part.input);
    case 'column':
      return quoteIdentifier(part.name);
    case 'partition':
      return partition(part.name);
    case 'literal':
      return quoteLiteral(part.value);
  }
}

/** The common table that holds an input's rows. */
export function inputTable(input: string): string {
  return quoteIdentifier(`__in_${input}`);
}

/**
 * The query of every target in `targets` at once. Each relation is what belongs to the target at hand, by equality of one
 * number, which is the correlation that DuckDB undoes best.
 */
export function renderFused(template: SqlTemplate, targets: string): string {
  const query = render(template, {
    relation: (input) => relationOf(input, `${P}.${TARGET}`),
    partition: (name) => `${P}.${partitionColumn(name)}`,
  });
  return `SELECT ${P}.${TARGET}, "__l".* FROM ${targets} ${P}, LATERAL (\n${query}\n) "__l"`;
}

/** How the query of one target is written. */
export function singleRendering(target: number, partition: Rendering['partition']): Rendering {
  return { relation: (input) => relationOf(input, String(target)), partition };
}

/** The query of one target, alone. */
export function renderSingle(template: SqlTemplate, target: number, partition: Rendering['partition']): string {
  const query = render(template, singleRendering(target, partition));
  return `SELECT CAST(${target} AS INTEGER) AS ${TARGET}, "__l".* FROM (\n${query}\n) "__l"`;
}

/** A query that may have a `WITH` of its own, where none can stand. */
export function nested(query: string): string {
  return `SELECT * FROM (\n${query}\n)`;
}

/** The query over plain tables, for looking at its syntax and for rowwise use. */
export function renderPlain(template: SqlTemplate, partition: Rendering['partition']): string {
  return render(template, { relation: inputTable, partition });
}

/** The column of the table of targets that holds a value of the partition. */
export function partitionColumn(name: string): string {
  return name === 'start' ? START : name === 'end' ? END : quoteIdentifier(name);
}

/** `WITH` in front of a query, one table per input. */
export function withInputs(inputs: ReadonlyMap<string, string>, query: string): string {
  if (inputs.size === 0) return query;
  const tables = [...inputs].map(([name, sql]) => `${inputTable(name)} AS (\n${sql}\n)`);
  return `WITH ${tables.join(',\n')}\n${query}`;
}

/** Names of the inputs a template reads and of the partition values it uses. */
export function references(template: SqlTemplate): { relations: Set<string>; partition: Set<string> } {
  const relations = new Set<string>();
  const partition = new Set<string>();
  for (const part of template.parts) {
    if (part.type === 'relation') relations.add(part.input);
    if (part.type === 'partition') partition.add(part.name);
  }
  return { relations, partition };
}

function relationOf(input: string, target: string): string {
  return `(SELECT * EXCLUDE (${TARGET}) FROM ${inputTable(input)} WHERE ${TARGET} = ${target})`;
}
