import type { Settings } from '../config/schema.ts';
import type { Engine } from '../engine/port.ts';

/** How the tables of a lake on S3 are read. */
export type TableReads = { readonly by: 'httpfs' } | { readonly by: 'cache'; readonly why: string };

/**
 * Undefined of a lake in a directory. Starts the engine: only that knows what it can load.
 * @throws LakehouseError `httpfs-unavailable` (usage) where the settings insist on it.
 */
export async function tableReads({ s3 }: Settings, engine: () => Promise<Engine>): Promise<TableReads | undefined> {
  if (s3.bucket === undefined) return undefined;
  if (s3.reads === 'cache') return { by: 'cache', why: 's3.reads is cache' };
  const found = await (await engine()).remote();
  return found.scope !== undefined ? { by: 'httpfs' } : { by: 'cache', why: `httpfs cannot be loaded: ${found.why}` };
}

export const readsText = (reads: TableReads): string =>
  reads.by === 'httpfs'
    ? "Tables are read from S3 by DuckDB's httpfs, original files through the local cache."
    : `Tables and original files are read from S3 through the local cache (${reads.why}).`;
