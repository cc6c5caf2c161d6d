import { tmpdir, totalmem } from 'node:os';
import { LakehouseError } from '../common/errors.ts';
import type { Settings } from '../config/schema.ts';
import type { Engine, RemoteAccess, RemoteSettings } from '../engine/port.ts';
import { makeDirectory } from '../storage/directories.ts';
import { storageError } from '../storage/errors.ts';
import type { S3Connection } from '../storage/s3-client.ts';
import { connectionOf } from './store.ts';

/**
 * DuckDB as the settings say. To `read`, nothing is made in the lake's own directories, which may be read-only: where there is no
 * temporary directory to be used, one of the system's serves.
 * @param current the bucket's settings as they are now: its keys may become others while the engine lives.
 */
export async function startEngine(
  { engine, s3 }: Settings,
  mode: 'read' | 'write',
  current: () => Settings['s3'] = () => s3,
): Promise<Engine> {
  const { openEngine } = await import('../engine/engine.ts');
  const { tempDirectory, memoryLimit, threads } = engine;
  if (mode === 'write')
    await makeDirectory(tempDirectory).catch((error: unknown) => {
      throw storageError(error, 'write', tempDirectory);
    });
  return openEngine({
    memoryLimit: sizeOf(memoryLimit),
    ...(threads > 0 && { threads }),
    tempDirectory,
    ...(mode === 'read' && { fallbackDirectory: tmpdir() }),
    remote: remoteOf(s3, current),
  });
}

/** How DuckDB may read the bucket by itself; undefined where it is not to. */
function remoteOf(s3: Settings['s3'], current: () => Settings['s3']): RemoteSettings | undefined {
  const { bucket, prefix = '', endpoint, pathStyle = endpoint !== undefined, httpfs: extension, reads } = s3;
  if (bucket === undefined || reads === 'cache') return undefined;
  let known: { readonly of: Settings['s3']; readonly connection: S3Connection | undefined } | undefined;
  const access = async (): Promise<RemoteAccess> => {
    const of = current();
    if (known?.of !== of) known = { of, connection: connectionOf(of) };
    const { connection } = known;
    if (connection === undefined) throw new LakehouseError('no-bucket', 'The lake is no longer in a bucket');
    return { ...(await connection.credentials()), region: await connection.region() };
  };
  return {
    scope: `s3://${bucket}/${prefix === '' ? '' : `${prefix.replace(/\/$/, '')}/`}`,
    endpoint,
    pathStyle,
    extension,
    required: reads === 'httpfs',
    access,
  };
}

/** DuckDB wants a size; a share is of the memory this process may have (a container's limit counts). */
function sizeOf(setting: string): string {
  if (!setting.endsWith('%')) return setting;
  const limit = process.constrainedMemory();
  const total = limit > 0 && limit < totalmem() ? limit : totalmem();
  return `${Math.max(Math.floor((total * Number(setting.slice(0, -1))) / 100 / 2 ** 20), 64)}MiB`;
}
