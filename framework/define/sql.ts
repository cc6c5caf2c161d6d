/**
 * SQL as data. A template is a list of parts; the engine renders them for one partition or fused for many, so nothing
 * here knows where an input lives or which partition is meant.
 */
export type SqlPart =
  | { readonly type: 'text'; readonly text: string }
  /** An input's rows, those mapped to the partition computed. In a check, `rows` is the asset's own partition. */
  | { readonly type: 'relation'; readonly input: string }
  /** A column of an input, rendered as a quoted identifier. */
  | { readonly type: 'column'; readonly name: string }
  /** A value of the partition computed: a dimension's value (text; time dimensions as DATE or TIMESTAMP), or its `start` / `end` as TIMESTAMP. */
  | { readonly type: 'partition'; readonly name: string }
  | { readonly type: 'literal'; readonly value: SqlLiteral };

export type SqlLiteral = string | number | bigint | boolean | null | Date;

const SQL_BRAND: unique symbol = Symbol.for('crypto-lakehouse/sql') as never;

export interface SqlTemplate {
  readonly [SQL_BRAND]: 1;
  readonly parts: readonly SqlPart[];
}

/** A value that may stand in `${…}`: renders itself as one part. */
export interface SqlReference {
  readonly [SQL_PART]: SqlPart;
}
export const SQL_PART: unique symbol = Symbol.for('crypto-lakehouse/sql-part') as never;

/** A column of an input: `${trades.price}` renders `"price"`. */
export interface ColumnReference extends SqlReference {
  readonly name: string;
}

export type SqlValue = SqlTemplate | SqlReference | SqlLiteral;

export function isSqlTemplate(value: unknown): value is SqlTemplate {
  return typeof value === 'object' && value !== null && SQL_BRAND in value;
}

function isReference(value: unknown): value is SqlReference {
  return (typeof value === 'object' || typeof value === 'function') && value !== null && SQL_PART in value;
}

function template(parts: readonly SqlPart[]): SqlTemplate {
  const merged: SqlPart[] = [];
  for (const part of parts) {
    const last = merged.at(-1);
    if (part.type === 'text' && last?.type === 'text') merged[merged.length - 1] = { type: 'text', text: last.text + part.text };
    else if (part.type !== 'text' || part.text !== '') merged.push(part);
  }
  return { [SQL_BRAND]: 1, parts: merged };
}

function partsOf(value: SqlValue): readonly SqlPart[] {
  if (isSqlTemplate(value)) return value.parts;
  if (isReference(value)) return [value[SQL_PART]];
  if (value === null || ['string', 'number', 'bigint', 'boolean'].includes(typeof value) || value instanceof Date) {
    return [{ type: 'literal', value }];
  }
  throw new TypeError(`A ${typeof value} cannot stand in an sql template: use an input, a column, a partition value, a literal or another sql template`);
}

/**
 * Builds a query for ONE partition: `` sql`SELECT ${raw.close} FROM ${raw}` ``. Inputs render as relations, strings and
 * numbers as literals (never as text of the query), other templates are spliced in.
 */
export function sql(strings: TemplateStringsArray, ...values: readonly SqlValue[]): SqlTemplate {
  const parts: SqlPart[] = [];
  strings.forEach((text, i) => {
    parts.push({ type: 'text', text });
    if (i < values.length) parts.push(...partsOf(values[i] as SqlValue));
  });
  return template(parts);
}

/** Text taken into the query as it is. For generated fragments; never for outside input. */
sql.raw = (text: string): SqlTemplate => template([{ type: 'text', text }]);

/** A quoted identifier. */
sql.identifier = (name: string): SqlTemplate => template([{ type: 'text', text: quoteIdentifier(name) }]);

/** Templates joined by a separator. */
sql.join = (templates: readonly SqlValue[], separator = ', '): SqlTemplate =>
  template(templates.flatMap((t, i) => (i === 0 ? partsOf(t) : [{ type: 'text' as const, text: separator }, ...partsOf(t)])));

export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A literal as DuckDB reads it: dates as TIMESTAMP in UTC, doubles exactly. */
export function quoteLiteral(value: SqlLiteral): string {
  if (value === null) return 'NULL';
  if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`;
  if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE';
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Date) return `TIMESTAMP '${value.toISOString().slice(0, -1).replace('T', ' ')}'`;
  if (Number.isInteger(value) && !Object.is(value, -0) && Math.abs(value) <= Number.MAX_SAFE_INTEGER) return String(value);
  if (!Number.isFinite(value)) return `'${value}'::DOUBLE`;
  return `${value.toExponential()}::DOUBLE`;
}

/** The template as text with named placeholders, for code versions and for showing. */
export function sqlText(template: SqlTemplate): string {
  return template.parts
    .map((part) => {
      switch (part.type) {
        case 'text':
          return part.text;
        case 'relation':
          return `$input_${part.input}`;
        case 'column':
          return quoteIdentifier(part.name);
        case 'partition':
          return `$partition_${part.name}`;
        case 'literal':
          return quoteLiteral(part.value);
      }
    })
    .join('');
}
