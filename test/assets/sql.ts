import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { inflateMember, readSingleMember } from 'crypto-lakehouse';
import { afterAll, beforeAll } from 'vitest';
import { klineText } from '../../assets/klines.ts';
import { quoteIdentifier, quoteLiteral, type SqlTemplate } from '../../framework/define/sql.ts';

/** Real files, beside the project. */
export const archive = join(import.meta.dirname, '../../../shared/data/archive');
export const hasArchive = existsSync(archive);

export type Row = Record<string, unknown>;

export interface Database {
  run(sql: string): Promise<void>;
  /** Timestamps, decimals and 64-bit integers as text. */
  rows(sql: string): Promise<Row[]>;
  /** Makes a table of the text columns of a real zip. Returns its name. */
  load(table: string, ...paths: string[]): Promise<string>;
}

/** One database in memory for the tests of a file. */
export function database(): Database {
  let instance: DuckDBInstance;
  let connection: DuckDBConnection;
  let folder: string;
  beforeAll(async () => {
    instance = await DuckDBInstance.create(':memory:');
    connection = await instance.connect();
    folder = await mkdtemp(join(tmpdir(), 'lakehouse-assets-'));
  });
  afterAll(async () => {
    connection.closeSync();
    instance.closeSync();
    await rm(folder, { recursive: true });
  });
  const db: Database = {
    run: async (sql) => void (await connection.run(sql)),
    rows: async (sql) => (await connection.runAndReadAll(sql)).getRowObjectsJson() as Row[],
    load: async (table, ...paths) => {
      const selects: string[] = [];
      for (const path of paths) {
        const csv = inflateMember(readSingleMember(await readFile(join(archive, path)), path));
        const file = join(folder, `${basename(path, '.zip')}.csv`);
        await writeFile(file, csv);
        const hasHeader = (csv[0] ?? 0) > 0x39;
        const columns = klineText.map((name) => `${quoteIdentifier(name)}: 'VARCHAR'`).join(', ');
        selects.push(
          `SELECT * FROM read_csv('${file}', header = ${hasHeader}, auto_detect = false, columns = {${columns}})`,
        );
      }
      await db.run(`CREATE OR REPLACE TABLE ${table} AS ${selects.join(' UNION ALL ')}`);
      return table;
    },
  };
  return db;
}

/** A table of CSV lines as text columns. */
export function csvRows(...lines: readonly (readonly (string | null)[])[]): string {
  const values = lines.map(
    (line) => `(${line.map((text) => (text === null ? 'NULL' : quoteLiteral(text))).join(', ')})`,
  );
  return `(SELECT ${klineText.map((name, i) => `col${i}::VARCHAR AS ${quoteIdentifier(name)}`).join(', ')} FROM (VALUES ${values.join(', ')}))`;
}

/** Partition values as SQL, by name. */
export type Target = Readonly<Record<string, string>>;

/** What a partition's query is given: SQL of its values and of its inputs' rows. */
export interface Bound {
  readonly target: Target;
  readonly inputs: Readonly<Record<string, string>>;
}

function render(
  template: SqlTemplate,
  relation: (input: string) => string,
  partition: (name: string) => string,
): string {
  return template.parts
    .map((part) => {
      if (part.type === 'text') return part.text;
      if (part.type === 'literal') return quoteLiteral(part.value);
      if (part.type === 'column') return quoteIdentifier(part.name);
      return part.type === 'relation' ? relation(part.input) : partition(part.name);
    })
    .join('');
}

/** The query for one partition alone. */
export function alone(template: SqlTemplate, { target, inputs }: Bound): string {
  return render(
    template,
    (name) => inputs[name] ?? `"no input ${name}"`,
    (name) => target[name] ?? `"no value ${name}"`,
  );
}

/** The same query for many partitions in one statement; the ordinal of each in `__target`. */
export function fused(template: SqlTemplate, bounds: readonly Bound[]): string {
  const names = Object.keys(bounds[0]?.target ?? {});
  const targets = bounds.map(({ target }, i) => `(${[i, ...names.map((name) => target[name])].join(', ')})`);
  const relation = (input: string) => {
    const all = bounds.map(({ inputs }, i) => `SELECT ${i} AS __target, * FROM ${inputs[input]}`);
    return `(SELECT * EXCLUDE (__target) FROM (${all.join(' UNION ALL ')}) WHERE __target = p.__target)`;
  };
  const query = render(template, relation, (name) => `p.${quoteIdentifier(name)}`);
  const head = ['__target', ...names].map(quoteIdentifier).join(', ');
  return `SELECT p.__target, l.* FROM (VALUES ${targets.join(', ')}) p(${head}), LATERAL (${query}) l`;
}

/** A day's values for the assets of one series. */
export function dayTarget(day: string, more: Target): Target {
  return { start: `TIMESTAMP '${day}'`, end: `(TIMESTAMP '${day}' + INTERVAL 1 DAY)`, date: `DATE '${day}'`, ...more };
}
