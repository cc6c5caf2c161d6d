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
    if (part.type === 'text' && last?.type === 'text')
      merged[merged.length - 1] = { type: 'text', text: last.text + part.text };
    else if (part.type !== 'text' || part.text !== '') merged.push(part);
  }
  return { [SQL_BRAND]: 1, parts: merged };
}

function partsOf(value: SqlValue): readonly SqlPart[] {
  if (isSqlTemplate(value)) return value.parts;
  if (isReference(value)) return [value[SQL_PART]];
  if (value === null || ['string', 'number', 'bigint', 'boolean'].includes(typeof value) || value instanceof Date) {
    // A query is text: what cannot be written in it is refused where it is put in.
    if (value instanceof Date && Number.isNaN(value.getTime()))
      throw new TypeError('An invalid Date cannot stand in an sql template');
    if (typeof value === 'string' && !value.isWellFormed())
      throw new TypeError('Half a surrogate pair cannot stand in an sql template');
    return [{ type: 'literal', value }];
  }
  const what = value === undefined ? 'undefined' : typeof value === 'object' ? 'An object' : `A ${typeof value}`;
  throw new TypeError(
    `${what} cannot stand in an sql template: use an input, a column, a partition value, a literal or another sql template`,
  );
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
sql.identifier = (name: string): SqlTemplate => {
  if (name === '' || name.includes('\0') || !name.isWellFormed())
    throw new TypeError(`${JSON.stringify(name)} cannot be an identifier`);
  return template([{ type: 'text', text: quoteIdentifier(name) }]);
};

/** Templates joined by a separator. */
sql.join = (templates: readonly SqlValue[], separator = ', '): SqlTemplate =>
  template(
    templates.flatMap((t, i) => (i === 0 ? partsOf(t) : [{ type: 'text' as const, text: separator }, ...partsOf(t)])),
  );

export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/**
 * A literal as DuckDB reads it: dates as TIMESTAMP in UTC, doubles exactly. One expression wherever it stands: negative numbers
 * come in parentheses, for `--` begins a comment.
 */
export function quoteLiteral(value: SqlLiteral): string {
  if (value === null) return 'NULL';
  if (typeof value === 'string') return quoteString(value);
  if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE';
  if (value instanceof Date) {
    const text = value.toISOString();
    if (text.length > 24) return `make_timestamp(${BigInt(value.getTime()) * 1000n})`; // before year 0, after 9999
    return `TIMESTAMP '${text.slice(0, -1).replace('T', ' ')}'`;
  }
  const text = typeof value === 'bigint' ? String(value) : numberText(value);
  return text.startsWith('-') ? `(${text})` : text;
}

function numberText(value: number): string {
  if (Object.is(value, -0)) return '-0e+0::DOUBLE';
  if (Number.isSafeInteger(value)) return String(value);
  return Number.isFinite(value) ? `${value.toExponential()}::DOUBLE` : `'${value}'::DOUBLE`;
}

/** The text of a query ends at a NUL character, so that one is computed. */
function quoteString(value: string): string {
  const pieces = value.split('\0').map((piece) => `'${piece.replaceAll("'", "''")}'`);
  return pieces.length === 1 ? pieces.join('') : `(${pieces.join(' || chr(0) || ')})`;
}

/** The template as text with named placeholders, for code versions and for showing. */
export function sqlText({ parts }: SqlTemplate): string {
  return parts.map(partText).join('');
}

function partText(part: SqlPart): string {
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
}
