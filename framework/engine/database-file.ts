import { quoteIdentifier, quoteLiteral } from '../define/sql.ts';
import type { Session } from './duckdb.ts';
import { viewName } from './partitions.ts';
import type { DatabaseFile, LakeView } from './port.ts';
import { createView } from './views.ts';

const FILE = 'lakehouse_export';
const ROWS = 'lakehouse_rows';

/** Fills a database file. Zones are schemas; what the views read is found by absolute paths and URLs. */
export async function writeDatabase(
  session: Session,
  { path, views, copies, about, comments }: DatabaseFile,
): Promise<void> {
  await session.run(`ATTACH ${quoteLiteral(path)} AS ${FILE}`);
  try {
    if (copies) await session.run(`ATTACH ':memory:' AS ${ROWS}`);
    // Views last: they read the others.
    for (const view of [...views].sort((a, b) => Number('template' in a) - Number('template' in b))) {
      const table = copies && !('template' in view);
      await session.run(`USE ${table ? ROWS : FILE}`);
      await createView(session, view);
      if (table) await copyRows(session, view);
      await comment(session, view, table ? 'TABLE' : 'VIEW', comments.get(view.definition.key));
    }
    await session.run(`USE ${FILE}`);
    const columns = Object.entries(about).map(([name, value]) => `${value} AS ${quoteIdentifier(name)}`);
    await session.run(`CREATE TABLE lakehouse_export AS SELECT ${columns.join(', ')}`);
  } finally {
    await session.run('USE memory');
    if (copies) await session.run(`DETACH DATABASE IF EXISTS ${ROWS}`);
    await session.run(`DETACH ${FILE}`);
  }
}

async function copyRows(session: Session, { definition }: LakeView): Promise<void> {
  const name = viewName(definition);
  const [schema] = name.split('.');
  await session.run(`USE ${FILE}`);
  await session.run(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
  await session.run(`CREATE TABLE ${name} AS FROM ${ROWS}.${name}`);
}

async function comment(
  session: Session,
  { definition }: LakeView,
  kind: 'TABLE' | 'VIEW',
  comments: { readonly text: string | undefined; readonly columns: ReadonlyMap<string, string> } | undefined,
): Promise<void> {
  const name = viewName(definition);
  if (comments?.text !== undefined) await session.run(`COMMENT ON ${kind} ${name} IS ${quoteLiteral(comments.text)}`);
  for (const [column, text] of comments?.columns ?? [])
    await session.run(`COMMENT ON COLUMN ${name}.${quoteIdentifier(column)} IS ${quoteLiteral(text)}`);
}
