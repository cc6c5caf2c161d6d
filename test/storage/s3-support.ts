import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type S3StoreOptions, s3Store } from '../../framework/storage/s3.ts';
import { type S3ConnectionOptions, s3Connection } from '../../framework/storage/s3-client.ts';
import type { S3Server } from '../support/s3.ts';
import type { StoreUnderTest } from './contract.ts';

let prefixes = 0;

/** Stores on a prefix of the server that no other test has, each with stages and a cache of the same directory. */
export interface S3StoreUnderTest extends StoreUnderTest {
  readonly directory: string;
  readonly prefix: string;
  open(options?: OpenOptions): ReturnType<typeof s3Store>;
}

export interface OpenOptions extends Partial<Omit<S3StoreOptions, 'connection'>> {
  readonly connection?: Partial<S3ConnectionOptions>;
}

export async function storeOn(server: S3Server): Promise<S3StoreUnderTest> {
  const directory = await mkdtemp(join(tmpdir(), 'lakehouse-s3-'));
  prefixes += 1;
  const prefix = `test-${prefixes}`;
  const open = (options: OpenOptions = {}) =>
    s3Store({
      prefix,
      encryption: { type: 'none' },
      conditionalWrites: 'auto',
      multipart: { thresholdMb: 5, partMb: 5 },
      parallel: 16,
      staging: join(directory, 'staging'),
      cache: { directory: join(directory, 'cache'), maxBytes: 100_000_000 },
      now: () => Date.now(),
      id: () => randomUUID(),
      ...options,
      connection: connectionTo(server, options.connection),
    });
  return {
    store: open(),
    open,
    directory,
    prefix,
    dispose: () => rm(directory, { recursive: true, force: true }),
  };
}

export function connectionTo(server: S3Server, options: Partial<S3ConnectionOptions> = {}) {
  return s3Connection({
    bucket: server.bucket,
    region: server.region,
    endpoint: server.endpoint,
    accessKeyId: server.accessKeyId,
    secretAccessKey: server.secretAccessKey,
    checksums: 'supported',
    maxAttempts: 3,
    timeouts: { connectMs: 2000, requestMs: 10_000 },
    parallel: 16,
    ...options,
  });
}
