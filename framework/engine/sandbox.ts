import { stat } from 'node:fs/promises';
import { LakehouseError } from '../common/errors.ts';
import { quoteIdentifier, quoteLiteral } from '../define/sql.ts';
import { type Database, openDatabase, type Session } from './duckdb.ts';
import type { EngineSettings } from './port.ts';
import { ambiguousTable, type Named, tableOf, zoneOf } from './query-errors.ts';
import { isRemote } from './remote.ts';
import type { Scratch } from './scratch.ts';
import { mayName } from './syntax.ts';

/** What a sandbox is made for. */
export interface SandboxFor {
  readonly sql: string;
  /** What is there by the name `zone.name`. */
  readonly relations: readonly Named[];
  /** Makes these; still able to open any file. */
  readonly fill: (session: Session) => Promise<void>;
  /** Files that may be opened; the directories among them with all that is in them. */
  readonly files: readonly string[];
  readonly allow: readonly string[];
}

export interface Sandbox {
  readonly session: Session;
  /** Ends it, and removes its scratch directory. */
  close(): Promise<void>;
}

/**
 * An instance of its own for one query, which sees its relations and can open no file but those allowed. Zones are schemas, all of
 * which are searched for a name without one.
 * @param scratch an empty directory for it alone, because DuckDB lets a query read what lies in its temporary directory.
 * @throws LakehouseError `no-such-path` (usage) for a path of `allow` that is not there.
 */
export async function openSandbox(
  settings: EngineSettings,
  scratch: Scratch,
  { sql, relations, fill, files, allow }: SandboxFor,
  signal: AbortSignal,
): Promise<Sandbox> {
  let database: Database | undefined;
  try {
    const outside = await kindsOf(allow);
    // What reaches a bucket is loaded only where some of it is to be read that way.
    const remote = files.some(isRemote) ? settings.remote : undefined;
    database = await openDatabase({ ...settings, tempDirectory: scratch.path, remote });
    const session = await database.open('query', signal);
    await fill(session);
    const decoys = await createDecoys(session, sql, relations);
    const zones = [...decoys, ...new Set(relations.map(zoneOf))];
    // One that nothing was filled into is named all the same.
    for (const zone of zones) await session.run(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(zone)}`);
    if (zones.length > 0) await session.run(`SET search_path = ${quoteLiteral(zones.join(','))}`);
    const paths = [...files, ...outside.files];
    if (paths.length > 0) await session.run(`SET allowed_paths = ${listOf(paths)}`);
    if (outside.directories.length > 0) await session.run(`SET allowed_directories = ${listOf(outside.directories)}`);
    await session.run('SET enable_external_access = false');
    await session.run('SET lock_configuration = true');
    const opened = database;
    let closed = false;
    return {
      session,
      close: async () => {
        if (closed) return;
        closed = true;
        session.close();
        opened.close();
        await scratch.remove();
      },
    };
  } catch (error) {
    closeQuietly(database);
    await scratch.remove();
    throw error;
  }
}

const listOf = (paths: readonly string[]): string => `[${paths.map((path) => quoteLiteral(path)).join(', ')}]`;

async function kindsOf(allow: readonly string[]): Promise<{ files: string[]; directories: string[] }> {
  const files: string[] = [];
  const directories: string[] = [];
  for (const path of allow) {
    const found = await stat(path).catch((cause: unknown) => {
      throw new LakehouseError('no-such-path', `${path}: there is no such file or directory to allow`, { cause });
    });
    (found.isDirectory() ? directories : files).push(path);
  }
  return { files, directories };
}

/**
 * One zone's table must not be taken for another's: a name that several zones have, without a zone, finds a view first that cannot
 * be read. Only for names that the query may have, because the catalogue lists these views as well. The schemas to search first.
 */
async function createDecoys(session: Session, sql: string, relations: readonly Named[]): Promise<readonly string[]> {
  const found = Map.groupBy(relations, tableOf);
  const several = [...found].filter(([table, assets]) => assets.length > 1 && mayName(sql, table));
  if (several.length === 0) return [];
  const schema = '__ambiguous';
  await session.run(`CREATE SCHEMA ${schema}`);
  for (const [table] of several) {
    const missing = `${schema}.${quoteIdentifier(ambiguousTable(table))}`;
    await session.run(`CREATE TABLE ${missing} (x INTEGER)`);
    await session.run(`CREATE VIEW ${schema}.${quoteIdentifier(table)} AS FROM ${missing}`);
    await session.run(`DROP TABLE ${missing}`);
  }
  return [schema];
}

function closeQuietly(database: Database | undefined): void {
  try {
    database?.close();
  } catch {
    // The error that led here says more.
  }
}
