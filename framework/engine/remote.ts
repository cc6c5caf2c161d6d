import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { LakehouseError } from '../common/errors.ts';
import { quoteLiteral } from '../define/sql.ts';
import { driverMessage } from './errors.ts';
import type { RemoteAccess, RemoteSettings } from './port.ts';

// DuckDB reads a bucket by its extension httpfs and a secret. Neither is anything that a user's statement could have asked for, so
// these statements go past the sessions: they show in no trace, and no error of theirs is handed on.

/** What an instance that is to read a bucket must be started with. */
export function remoteConfig({ extension }: RemoteSettings): Record<string, string> {
  return {
    // Secrets that lie about on the machine would be other accounts'.
    allow_persistent_secrets: 'false',
    // Whoever names the file vouches for it: it may have been built by somebody else, or for a neighbouring version.
    ...(extension !== undefined && { allow_unsigned_extensions: 'true', allow_extensions_metadata_mismatch: 'true' }),
  };
}

const SETTINGS = [
  // The extension takes keys out of the environment, and shows them to whoever asks for the settings.
  ...['s3_access_key_id', 's3_secret_access_key', 's3_session_token'].map((name) => `RESET GLOBAL ${name}`),
  // Objects have fresh names, so nothing that was fetched of one has to be asked for again.
  'SET GLOBAL enable_http_metadata_cache = true',
  "SET GLOBAL validate_external_file_cache = 'NO_VALIDATION'",
  'SET GLOBAL http_retries = 3',
  'SET GLOBAL http_timeout = 60',
];

/** Gives the instance the extension; why not, where it cannot be had. It is never installed: that would be a download behind the user's back. */
export async function loadRemote(instance: DuckDBInstance, { extension }: RemoteSettings): Promise<string | undefined> {
  const connection = await instance.connect();
  try {
    await connection.run(`LOAD ${extension === undefined ? 'httpfs' : quoteLiteral(extension)}`);
    for (const sql of SETTINGS) await connection.run(sql);
    return undefined;
  } catch (error) {
    return driverMessage(error).split('\n')[0];
  } finally {
    connection.closeSync();
  }
}

/** Gives an instance the credentials, and new ones as soon as there are some: whoever gives them renews them in time. */
export function keepSecret(settings: RemoteSettings): (connection: DuckDBConnection) => Promise<void> {
  let known = '';
  const renew = async (connection: DuckDBConnection): Promise<void> => {
    const statement = secretOf(settings, await settings.access());
    if (statement === known) return;
    try {
      await connection.run(statement);
    } catch {
      // DuckDB's message may show the statement.
      throw new LakehouseError('remote-secret', `DuckDB did not take the credentials for ${settings.scope}`, {
        kind: 'internal',
        hint: 'Read through the local cache instead: --set s3.reads=cache',
      });
    }
    known = statement;
  };
  // One after the other: DuckDB refuses two statements that replace the same secret at once.
  let last = Promise.resolve();
  return (connection) => {
    const mine = last.then(() => renew(connection));
    last = mine.catch(() => undefined);
    return mine;
  };
}

function secretOf({ scope, endpoint, pathStyle }: RemoteSettings, access: RemoteAccess): string {
  const { host, pathname, protocol } = new URL(endpoint ?? 'https://s3.amazonaws.com');
  const parts = {
    SCOPE: scope,
    REGION: access.region,
    KEY_ID: access.accessKeyId,
    SECRET: access.secretAccessKey,
    ...(access.sessionToken !== undefined && { SESSION_TOKEN: access.sessionToken }),
    ...(endpoint !== undefined && { ENDPOINT: `${host}${pathname.replace(/\/$/, '')}` }),
    URL_STYLE: pathStyle ? 'path' : 'vhost',
  };
  const list = Object.entries(parts).map(([name, value]) => `${name} ${quoteLiteral(value)}`);
  return `CREATE OR REPLACE TEMPORARY SECRET lakehouse (TYPE s3, PROVIDER config, ${list.join(', ')}, USE_SSL ${protocol === 'https:'})`;
}

/** Whether a path is none of this machine's files. */
export const isRemote = (path: string): boolean => path.startsWith('s3://');

/** Where somebody insists on it. */
export function remoteLacking({ extension }: RemoteSettings, why: string): LakehouseError {
  return new LakehouseError('httpfs-unavailable', `DuckDB's extension httpfs cannot be loaded: ${why}`, {
    hint:
      extension === undefined
        ? 'Install it for this version of DuckDB (in any DuckDB of it: INSTALL httpfs), name its file by s3.httpfs, or say --set s3.reads=cache.'
        : 'Look at the setting s3.httpfs, or say --set s3.reads=cache.',
  });
}
