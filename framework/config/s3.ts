import { z } from 'zod';
import { httpUrl } from './url.ts';

/** Parts of an upload are 5 MiB to 5 GiB. */
const partSize = () => z.int().min(5).max(5120);

const fields = z.object({
  bucket: z
    .string()
    .min(1)
    .regex(/^[^/]*$/, 'Write the name of the bucket alone; what is in front of the keys is s3.prefix')
    .optional()
    .meta({ description: 'The bucket of the lake. A directory holds the lake when absent.', env: ['S3_BUCKET'] }),
  prefix: z
    .string()
    .refine(
      isPrefix,
      "Names joined by '/', such as lakes/production: no '/' in front, no '.', '..' or empty name, no backslash",
    )
    .optional()
    .meta({ description: 'What is in front of all keys, e.g. one per environment; nothing outside it is looked at.' }),
  region: z
    .string()
    .min(1)
    .optional()
    .meta({
      description: 'The region of the bucket. When absent what the AWS profile says, or us-east-1 with an endpoint.',
      env: ['AWS_REGION', 'AWS_DEFAULT_REGION'],
    }),
  endpoint: httpUrl()
    .optional()
    .meta({
      description: 'The address of a store other than AWS.',
      env: ['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL'],
    }),
  pathStyle: z.boolean().optional().meta({
    description: 'Whether the bucket is in the path of URLs, not in the host; when absent: with an endpoint, it is.',
  }),
  accessKeyId: z
    .string()
    .min(1)
    .optional()
    .meta({
      description: 'The id of the access key. When absent credentials come from where the AWS tools look for them.',
      secret: true,
      env: ['AWS_ACCESS_KEY_ID'],
    }),
  secretAccessKey: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'The access key.', secret: true, env: ['AWS_SECRET_ACCESS_KEY'] }),
  sessionToken: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'The token of temporary credentials.', secret: true, env: ['AWS_SESSION_TOKEN'] }),
  encryption: z
    .object({
      type: z
        .enum(['none', 's3', 'kms'])
        .default('none')
        .meta({ description: "What is asked for: none (the bucket's default), s3 (SSE-S3) or kms (SSE-KMS)." }),
      kmsKeyId: z
        .string()
        .min(1)
        .optional()
        .meta({ description: "Of kms: id, alias or ARN of the key; the account's own for S3 when absent." }),
    })
    .meta({ description: 'Encryption of the objects by the store.' }),
  checksums: z.enum(['supported', 'required']).default('supported').meta({
    description:
      'When checksums go along: always where S3 knows them, or only where it insists, which some stores need.',
  }),
  conditionalWrites: z.enum(['auto', 'off']).default('auto').meta({
    description:
      'How an object is kept from being overwritten: by the store (If-None-Match), or by looking first (off).',
  }),
  multipart: z
    .object({
      thresholdMb: partSize().default(16).meta({ description: 'MiB from which on objects are uploaded in parts.' }),
      partMb: partSize().default(16).meta({ description: 'MiB of a part; an object has 10,000 at most.' }),
    })
    .meta({ description: 'Uploads in parts.' }),
  parallel: z.int().positive().max(1000).default(16).meta({ description: 'Objects transferred at once.' }),
  maxAttempts: z
    .int()
    .positive()
    .max(50)
    .default(5)
    .meta({ description: 'Attempts at a request, with growing pauses, fewer at once where the store asks for it.' }),
  timeouts: z
    .object({
      connectMs: z.int().positive().default(5000).meta({ description: 'Milliseconds to connect.' }),
      requestMs: z
        .int()
        .positive()
        .default(60_000)
        .meta({ description: 'Milliseconds that a connection may be silent in a request.' }),
    })
    .meta({ description: 'Limits to waiting.' }),
  cache: z
    .object({
      directory: z
        .string()
        .min(1)
        .default('<dataDir>/.lakehouse/cache')
        .meta({ description: 'Directory of the objects that were read, on a disk with hard links.', path: true }),
      maxBytes: z
        .int()
        .positive()
        .default(10_000_000_000)
        .meta({ description: 'Most bytes it keeps; what was not used for longest goes.' }),
    })
    .meta({ description: 'The local cache of what is read.' }),
  reads: z.enum(['auto', 'cache', 'httpfs']).default('auto').meta({
    description: "How tables are read: through the cache, or by DuckDB's httpfs; auto takes what there is.",
  }),
  httpfs: z.string().min(1).optional().meta({
    description:
      'File of the extension httpfs: it is loaded whoever has built it. When absent the one that is installed for this DuckDB.',
    path: true,
  }),
  graceMinutes: z.int().nonnegative().default(60).meta({
    description: 'Minutes that objects stay after others took their place, for queries that are reading them.',
  }),
});

/** A lake whose objects are in an S3 bucket. */
export const s3Section = fields
  .superRefine(({ bucket, accessKeyId, secretAccessKey, encryption }, { addIssue }) => {
    const wrong = (path: string[], message: string) => addIssue({ code: 'custom', path, message });
    // The keys alone may stand in the environment for other programs.
    if (bucket !== undefined && (accessKeyId === undefined) !== (secretAccessKey === undefined)) {
      const [missing, given] =
        accessKeyId === undefined ? ['accessKeyId', 'secretAccessKey'] : ['secretAccessKey', 'accessKeyId'];
      wrong([missing], `Needed beside ${given}: both, or neither for the default credentials`);
    }
    if (encryption.kmsKeyId !== undefined && encryption.type !== 'kms')
      wrong(['encryption', 'kmsKeyId'], `Only for type kms, and type is ${encryption.type}`);
  })
  .meta({ description: 'An S3 bucket for the lake: dataDir is then for log, stages and cache.' });

function isPrefix(prefix: string): boolean {
  const names = prefix.replace(/\/$/, '').split('/');
  return !/[\p{Cc}\\]/u.test(prefix) && !names.some((name) => name === '' || name === '.' || name === '..');
}
