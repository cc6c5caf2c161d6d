import { join } from 'node:path';
import type { Settings } from '../config/schema.ts';
import { localStore } from '../storage/local.ts';
import type { StageOwner } from '../storage/owner.ts';
import { s3Store } from '../storage/s3.ts';
import { type S3Connection, s3Connection } from '../storage/s3-client.ts';
import type { ObjectStore } from '../storage/store.ts';

export interface StoreContext {
  readonly owner: StageOwner;
  readonly now: () => number;
  readonly id: () => string;
}

/** Where the settings say that the objects are: in a bucket, or below the data directory. Reads and writes nothing yet. */
export function createStore(settings: Pick<Settings, 'dataDir' | 's3'>, context: StoreContext): ObjectStore {
  const { dataDir, s3 } = settings;
  const connection = connectionOf(s3);
  if (connection === undefined) return localStore({ root: dataDir, owner: context.owner });
  return s3Store({ ...context, ...s3, connection, staging: join(dataDir, '.lakehouse', 'staging') });
}

/** The way to the bucket; undefined for a lake in a directory. */
export function connectionOf(s3: Settings['s3']): S3Connection | undefined {
  const { bucket } = s3;
  return bucket === undefined ? undefined : s3Connection({ ...s3, bucket });
}
