import { createHash } from 'node:crypto';
import { paginateListObjectsV2 } from '@aws-sdk/client-s3';
import type { S3Server } from '../support/s3.ts';

/** Settings of a lake in the server's bucket, keys and all, that is read through the cache. */
export const onS3 = (server: S3Server, prefix: string, ...more: string[]): string[] => [
  ...server.settings(prefix),
  `s3.accessKeyId=${server.accessKeyId}`,
  `s3.secretAccessKey=${server.secretAccessKey}`,
  's3.reads=cache',
  ...more,
];

/** SHA-256 of what is in the bucket, by key below the prefix. */
export async function stored({ client, bucket }: S3Server, prefix: string): Promise<Map<string, string>> {
  const out = new Map<string, string>();
  for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: `${prefix}/` })) {
    for (const { Key = '' } of Contents) {
      const { Body } = await client.getObject({ Bucket: bucket, Key });
      const hash = createHash('sha256').update((await Body?.transformToByteArray()) ?? '');
      out.set(Key.slice(prefix.length + 1), hash.digest('hex'));
    }
  }
  return out;
}
