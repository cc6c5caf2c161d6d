import type { DuckDBConnection, DuckDBDataChunk, DuckDBType, DuckDBValue } from '@duckdb/node-api';
import { traced } from '../common/trace.ts';
import { engineError } from './errors.ts';
import type { EngineSettings } from './port.ts';
import { keepSecret, loadRemote, remoteConfig } from './remote.ts';
import { type PreparedSelect, prepareSelect } from './select.ts';

export type Driver = typeof import('@duckdb/node-api');
export type Row = Readonly<Record<string, DuckDBValue>>;

/** A column as DuckDB names it and its type. */
export interface TypedColumn {
  readonly name: string;
  readonly type: string;
}

/** One connection, used by one batch or one reader; its temporary tables go with it. */
export interface Session {
  readonly driver: Driver;
  /** Runs a statement; the number of rows it changed or copied. */
  run(sql: string): Promise<number>;
  rows(sql: string): Promise<Row[]>;
  /** One statement that only reads. Throws `query-not-select`. */
  prepareSelect(sql: string): Promise<PreparedSelect>;
  /** All of a query's rows, chunk by chunk, as they lie in DuckDB. */
  chunks(sql: string): Promise<{ readonly names: readonly string[]; readonly chunks: readonly DuckDBDataChunk[] }>;
  /** Anything else that waits for the connection and must end when the signal does. */
  interruptible<T>(sql: string, work: () => Promise<T>): Promise<T>;
  /** Columns of a query, without running it. */
  describe(sql: string): Promise<TypedColumn[]>;
  /** Creates a temporary table from columns of equal length; `types` are SQL types. */
  table(name: string, columns: readonly (TypedColumn & { readonly values: readonly DuckDBValue[] })[]): Promise<void>;
  /** Appends chunks of a table's types. */
  appendChunks(table: string, chunks: readonly DuckDBDataChunk[]): Promise<void>;
  /** The driver's types of a query's columns. */
  types(sql: string): Promise<readonly DuckDBType[]>;
}

export interface Database {
  readonly driver: Driver;
  /** Why URLs of the bucket cannot be read; undefined when they can be. */
  readonly lacking: string | undefined;
  /** A session; whoever opens it closes it. `where` begins the messages of its errors. */
  open(where: string, signal: AbortSignal): Promise<Session & { close(): void }>;
  session<T>(where: string, signal: AbortSignal, use: (session: Session) => Promise<T>): Promise<T>;
  close(): void;
}

/** Rows per chunk of the appender: DuckDB's vector size. */
export const VECTOR = 2048;

/** An in-memory instance. The driver is loaded here, because loading it takes longer than most commands. */
export async function openDatabase(
  settings: EngineSettings,
  extra: Readonly<Record<string, string>> = {},
): Promise<Database> {
  const driver: Driver = await import('@duckdb/node-api');
  const where = 'starting DuckDB';
  const instance = await driver.DuckDBInstance.create(':memory:', {
    // Nothing is fetched behind the user's back: what is needed is built in.
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    temp_directory: settings.tempDirectory,
    ...(settings.memoryLimit !== undefined && { memory_limit: settings.memoryLimit }),
    ...(settings.threads !== undefined && { threads: String(settings.threads) }),
    ...(settings.remote && remoteConfig(settings.remote)),
    ...extra,
  }).catch((cause: unknown) => {
    throw engineError(cause, where);
  });

  const { remote } = settings;
  const lacking = remote ? await loadRemote(instance, remote) : 'no bucket is to be read this way';
  const renew = remote && lacking === undefined ? keepSecret(remote) : undefined;

  const open: Database['open'] = async (what, signal) => {
    signal.throwIfAborted();
    const connection = await instance.connect();
    await renew?.(connection).catch((error: unknown) => {
      connection.closeSync();
      throw error;
    });
    const session = createSession(driver, connection, what, signal);
    // Naive and zoned timestamps meet in UTC on every machine.
    await session.run("SET TimeZone = 'UTC'");
    return { ...session, close: () => connection.closeSync() };
  };
  return {
    driver,
    lacking,
    open,
    session: async (what, signal, use) => {
      const session = await open(what, signal);
      try {
        return await use(session);
      } finally {
        session.close();
      }
    },
    close: () => instance.closeSync(),
  };
}

function createSession(driver: Driver, connection: DuckDBConnection, where: string, signal: AbortSignal): Session {
  const interruptible = <T>(sql: string, work: () => Promise<T>): Promise<T> =>
    traced({ type: 'statement', where, sql }, () => interrupted(sql, work));
  const interrupted = async <T>(sql: string, work: () => Promise<T>): Promise<T> => {
    signal.throwIfAborted();
    let timer: NodeJS.Timeout | undefined;
    // Again and again, because an interrupt that comes before the statement has begun is forgotten.
    const interrupt = () => {
      connection.interrupt();
      timer = setInterval(() => connection.interrupt(), 20);
    };
    signal.addEventListener('abort', interrupt, { once: true });
    try {
      return await work();
    } catch (cause) {
      signal.throwIfAborted();
      throw engineError(cause, where, sql);
    } finally {
      clearInterval(timer);
      signal.removeEventListener('abort', interrupt);
    }
  };
  const rows = (sql: string): Promise<Row[]> =>
    interruptible(sql, async () => (await connection.runAndReadAll(sql)).getRowObjects());
  const run = (sql: string): Promise<number> => interruptible(sql, async () => (await connection.run(sql)).rowsChanged);
  const append = async (
    table: string,
    chunks: (types: readonly DuckDBType[]) => Iterable<DuckDBDataChunk>,
    width: number,
  ): Promise<void> => {
    const appender = await connection.createAppender(table);
    try {
      const types = Array.from({ length: width }, (_, i) => appender.columnType(i));
      for (const chunk of chunks(types)) appender.appendDataChunk(chunk);
      appender.flushSync();
    } catch (cause) {
      throw engineError(cause, where);
    } finally {
      appender.closeSync();
    }
  };
  return {
    driver,
    run,
    rows,
    appendChunks: (table, chunks) => append(table, () => chunks, 0),
    types: (sql) => interruptible(sql, async () => (await connection.run(sql)).columnTypes()),
    interruptible,
    chunks: (sql) =>
      interruptible(sql, async () => {
        const result = await connection.run(sql);
        return { names: result.columnNames(), chunks: await result.fetchAllChunks() };
      }),
    prepareSelect: (sql) => interruptible(sql, () => prepareSelect(driver.StatementType, connection, sql)),
    describe: async (sql) =>
      (await rows(`DESCRIBE ${sql}`)).map((row) => ({ name: String(row.column_name), type: String(row.column_type) })),
    table: async (name, columns) => {
      const list = columns.map((column) => `"${column.name}" ${column.type}`).join(', ');
      await run(`CREATE TEMP TABLE "${name}" (${list})`);
      const count = columns[0]?.values.length ?? 0;
      const chunks = function* (types: readonly DuckDBType[]) {
        for (let from = 0; from < count; from += VECTOR) {
          const chunk = driver.DuckDBDataChunk.create(types, Math.min(VECTOR, count - from));
          chunk.setColumns(columns.map(({ values }) => values.slice(from, from + VECTOR)));
          yield chunk;
        }
      };
      await append(name, chunks, columns.length);
    },
  };
}
