import { z } from 'zod';

const httpUrl = () => z.url({ protocol: /^https?$/, error: 'Expected an http or https URL' });

/**
 * The settings of the framework. Every setting has a description and either a default or is optional, so an empty
 * configuration is a valid one. `.meta()` carries what the layers need to know of a setting:
 * - `env`: conventional names of environment variables, the first one that is set wins. Any setting also has its
 *   systematic name (`WORKFLOW__CONCURRENCY_LIMIT`), which wins over these.
 * - `path`: a file system path, made absolute against the working directory; may start with `<dataDir>`.
 * - `secret`: never shown; also of a section or mapping, for all that is in it.
 */
export const frameworkShape = {
  dataDir: z
    .string()
    .min(1)
    .default('./data')
    .meta({ description: 'Directory that holds the lake.', path: true, env: ['CRYPTO_DATA_DIR'] }),
  definitions: z
    .string()
    .min(1)
    .default('./assets/index.ts')
    .meta({ description: 'Module that declares the assets.', path: true }),
  profile: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'Profile laid over the config file; the same as --profile.', env: ['ENVIRONMENT'] }),
  debug: z
    .boolean()
    .default(false)
    .meta({ description: 'Show stack traces with errors.', env: ['DEBUG'] }),
  state: z
    .object({
      directory: z
        .string()
        .min(1)
        .default('<dataDir>/.lakehouse')
        .meta({ description: 'Directory of the event log and its checkpoints.', path: true }),
      checkpointEvery: z
        .int()
        .positive()
        .default(1000)
        .meta({ description: 'Events in the log between two checkpoints of the index.' }),
      retentionDays: z
        .int()
        .positive()
        .default(30)
        .meta({ description: 'Days that events older than the last checkpoint are kept.' }),
    })
    .meta({ description: 'The event log.' }),
  engine: z
    .object({
      memoryLimit: z
        .string()
        .regex(
          /^(?:(?:100|[1-9]\d?)%|\d*[1-9]\d*(?:\.\d+)? ?[KMGT]i?B)$/,
          'Write a share of memory (50%) or a size (4GB)',
        )
        .default('50%')
        .meta({ description: "Memory that DuckDB may use: a share of the machine's (50%) or a size (4GB, 512MiB)." }),
      threads: z.int().nonnegative().default(0).meta({ description: 'Threads of DuckDB; 0 means one per core.' }),
      tempDirectory: z
        .string()
        .min(1)
        .default('<dataDir>/.lakehouse/tmp')
        .meta({ description: 'Directory for what does not fit into memory.', path: true }),
    })
    .meta({ description: 'The query engine, DuckDB.' }),
  processing: z
    .object({
      batchSize: z
        .int()
        .positive()
        .default(400)
        .meta({ description: 'Most partitions computed in one statement.', env: ['PROCESSING_BATCH_SIZE'] }),
    })
    .meta({ description: 'How partitions are computed.' }),
  workflow: z
    .object({
      concurrencyLimit: z
        .int()
        .positive()
        .default(8)
        .meta({ description: 'Most partitions fetched at once.', env: ['CRYPTO_NJOBS'] }),
      retryAttempts: z
        .int()
        .nonnegative()
        .default(3)
        .meta({ description: 'Times that a transient failure is tried again.' }),
      retryDelayMs: z
        .int()
        .nonnegative()
        .default(1000)
        .meta({ description: 'Milliseconds before the first retry; later ones wait longer.' }),
      claimTtlMs: z
        .int()
        .positive()
        .default(60_000)
        .meta({ description: 'Milliseconds without a heartbeat after which the work of a run may be taken over.' }),
      pools: z
        .record(
          z.string().regex(/^[a-z][a-z0-9_-]*$/, 'The name of a pool is lower case: letters, digits, _ and -'),
          z.int().positive(),
        )
        .default({})
        .meta({ description: 'Named pools and how many batches may run in each at once.' }),
    })
    .meta({ description: 'How a run is executed.' }),
  s3: z
    .object({
      bucket: z
        .string()
        .min(1)
        .optional()
        .meta({ description: 'Reserved: read by the S3 store. The bucket of the lake.', env: ['S3_BUCKET'] }),
      region: z
        .string()
        .min(1)
        .optional()
        .meta({
          description: 'Reserved: read by the S3 store. The region of the bucket.',
          env: ['AWS_REGION', 'AWS_DEFAULT_REGION'],
        }),
      endpoint: httpUrl()
        .optional()
        .meta({
          description: 'Reserved: read by the S3 store. The address of a store other than AWS.',
          env: ['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL'],
        }),
      accessKeyId: z
        .string()
        .min(1)
        .optional()
        .meta({
          description: 'Reserved: read by the S3 store. The id of the access key.',
          secret: true,
          env: ['AWS_ACCESS_KEY_ID'],
        }),
      secretAccessKey: z
        .string()
        .min(1)
        .optional()
        .meta({
          description: 'Reserved: read by the S3 store. The access key.',
          secret: true,
          env: ['AWS_SECRET_ACCESS_KEY'],
        }),
      sessionToken: z
        .string()
        .min(1)
        .optional()
        .meta({
          description: 'Reserved: read by the S3 store. The token of temporary credentials.',
          secret: true,
          env: ['AWS_SESSION_TOKEN'],
        }),
    })
    .meta({ description: 'An S3 bucket for the lake. Reserved: read by the S3 store.' }),
  log: z
    .object({
      level: z
        .enum(['silent', 'error', 'warn', 'info', 'debug', 'trace'])
        .default('info')
        .meta({
          description: 'Reserved: read by the daemon. Least important level that is logged.',
          env: ['LOG_LEVEL'],
        }),
    })
    .meta({ description: 'Logs.' }),
  alerts: z
    .object({
      webhookUrl: httpUrl()
        .optional()
        .meta({
          description: 'Reserved: read by the daemon. Address that alerts are posted to.',
          secret: true,
          env: ['ALERT_WEBHOOK_URL'],
        }),
    })
    .meta({ description: 'Alerts.' }),
};

export type FrameworkShape = typeof frameworkShape;

/** Further top-level settings, as the definitions module exports them: a zod shape. */
export type SettingsExtension = Readonly<Record<string, z.ZodType>>;

/** No further settings. */
export type NoExtension = Record<never, z.ZodType>;

/** The settings as values: the framework's and those of an extension. Paths are absolute. */
export type Settings<Extension extends SettingsExtension = NoExtension> = z.output<
  z.ZodObject<FrameworkShape & Extension>
>;
