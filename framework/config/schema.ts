import { z } from 'zod';
import { CATCH_UPS, OVERLAPS, SCHEDULE_ACTIONS, SCHEDULE_NAME } from '../common/schedule.ts';
import { TAG_KEY } from '../common/tags.ts';
import { alertsSection } from './alerts.ts';
import { catalogueSection } from './catalogue.ts';
import { s3Section } from './s3.ts';
import { httpUrl } from './url.ts';

const poolName = z.string().regex(/^[a-z][a-z0-9_-]*$/, 'The name of a pool is lower case: letters, digits, _ and -');

const tagKey = z.string().regex(TAG_KEY, 'A tag is a letter and then letters, digits, _ . / and -, 63 at most');

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
        .record(poolName, z.int().positive())
        .default({})
        .meta({ description: 'Named pools and how many batches may run in each at once.' }),
      rates: z
        .record(
          poolName,
          z.object({
            starts: z.int().positive().meta({
              description: 'Starts at most: attempts of a function at one partition, and statements of queries.',
            }),
            perSeconds: z
              .number()
              .positive()
              .max(86_400)
              .default(60)
              .meta({ description: 'Seconds, any so many in a row, that they are counted in.' }),
          }),
        )
        .default({})
        .meta({ description: 'How often work of a pool may begin, in one process with all its runs.' }),
    })
    .meta({ description: 'How a run is executed.' }),
  daemon: z
    .object({
      maxRuns: z.int().positive().default(1).meta({ description: 'Runs that the daemon carries out at once.' }),
      drainMs: z
        .int()
        .nonnegative()
        .default(60_000)
        .meta({ description: 'Milliseconds that running work has to finish when the daemon is told to stop.' }),
      automationSeconds: z
        .int()
        .positive()
        .default(30)
        .meta({ description: 'Seconds between two evaluations of the conditions of assets (automation).' }),
      leaseTtlMs: z
        .int()
        .min(1000)
        .default(30_000)
        .meta({ description: 'Milliseconds without a heartbeat after which another daemon takes over.' }),
      ticksKept: z.int().positive().default(1000).meta({ description: 'Ticks of each schedule that stay listed.' }),
    })
    .meta({ description: 'The daemon, which keeps the lake fresh unasked.' }),
  schedules: z
    .record(
      z.string().regex(SCHEDULE_NAME, 'The name of a schedule is lower case: letters, digits, _ and -'),
      z.object({
        description: z.string().optional().meta({ description: 'What it is for.' }),
        cron: z.string().optional().meta({ description: 'When it is due: five fields, or six with seconds first.' }),
        timezone: z.string().optional().meta({ description: 'Time zone the cron is read in; UTC when absent.' }),
        select: z.string().optional().meta({ description: 'Assets, as on the command line; all when absent.' }),
        partitions: z.string().optional().meta({ description: 'Only these partitions, as --partitions says them.' }),
        action: z.enum(SCHEDULE_ACTIONS).optional().meta({ description: 'What it does.' }),
        overlap: z.enum(OVERLAPS).optional().meta({ description: 'A tick while the one before is running.' }),
        catchUp: z.enum(CATCH_UPS).optional().meta({ description: 'Ticks that nobody was there to see.' }),
        jitterSeconds: z
          .number()
          .min(0)
          .max(86_400)
          .optional()
          .meta({ description: 'Seconds ticks are put off within.' }),
        timeoutMinutes: z.number().positive().optional().meta({ description: 'Minutes after which a run is stopped.' }),
        priority: z.int().optional().meta({ description: 'What waits with a greater one goes first; 0 when absent.' }),
        tags: z.record(tagKey, z.string().min(1).max(256)).optional().meta({ description: 'Tags of its runs.' }),
        enabled: z.boolean().optional().meta({ description: 'Whether it runs before anybody paused or resumed it.' }),
      }),
    )
    .default({})
    .meta({ description: 'Schedules by name: others than the definitions have, or what is to differ in theirs.' }),
  s3: s3Section,
  catalogue: catalogueSection,
  http: z
    .object({
      port: z.int().min(0).max(65_535).optional().meta({
        description:
          'Port of the address at which the daemon answers /metrics (Prometheus), /health and /ready; 0: any that is free. None when absent.',
      }),
      host: z
        .string()
        .min(1)
        .default('127.0.0.1')
        .meta({ description: 'Address it listens on. Nobody is asked who they are: 0.0.0.0 is for a closed network.' }),
    })
    .meta({ description: 'What the daemon tells over HTTP.' }),
  telemetry: z
    .object({
      surveySeconds: z
        .int()
        .positive()
        .default(60)
        .meta({ description: 'Seconds between two looks at the whole lake for its metrics.' }),
      storagePricePerGbMonth: z.number().nonnegative().default(0).meta({
        description: 'What a gigabyte (10^9 bytes) stored costs a month, in any currency; 0: nothing is said.',
      }),
      otlp: z
        .object({
          endpoint: httpUrl()
            .optional()
            .meta({
              description:
                'Address of an OpenTelemetry collector (OTLP over HTTP) for traces and metrics; none when absent.',
              env: ['OTEL_EXPORTER_OTLP_ENDPOINT'],
            }),
          headers: z
            .record(z.string(), z.string())
            .default({})
            .meta({ description: 'HTTP headers sent to it.', secret: true }),
          traces: z.boolean().default(true).meta({ description: 'Whether traces are sent.' }),
          statements: z
            .boolean()
            .default(true)
            .meta({ description: 'Whether traces show every statement, with its SQL.' }),
          sampleRatio: z.number().min(0).max(1).default(1).meta({ description: 'Share of the runs that are traced.' }),
          metrics: z.boolean().default(true).meta({ description: 'Whether metrics are sent.' }),
          metricsSeconds: z
            .int()
            .positive()
            .default(60)
            .meta({ description: 'Seconds between two sendings of metrics.' }),
        })
        .meta({ description: 'OpenTelemetry.' }),
      openLineage: z
        .object({
          url: httpUrl()
            .optional()
            .meta({ description: 'Address of an OpenLineage server; none when absent.', env: ['OPENLINEAGE_URL'] }),
          endpoint: z
            .string()
            .min(1)
            .default('api/v1/lineage')
            .meta({ description: 'Path of the events there.', env: ['OPENLINEAGE_ENDPOINT'] }),
          apiKey: z
            .string()
            .min(1)
            .optional()
            .meta({ description: 'Sent to it as bearer token.', secret: true, env: ['OPENLINEAGE_API_KEY'] }),
          file: z
            .string()
            .min(1)
            .optional()
            .meta({ description: 'File that events are appended to, one JSON a line; none when absent.', path: true }),
          namespace: z
            .string()
            .min(1)
            .default('crypto-lakehouse')
            .meta({ description: 'Namespace of jobs and datasets.', env: ['OPENLINEAGE_NAMESPACE'] }),
        })
        .meta({ description: 'OpenLineage events: which run read and wrote what.' }),
    })
    .meta({ description: 'What others may watch: OpenTelemetry and OpenLineage.' }),
  log: z
    .object({
      level: z
        .enum(['silent', 'error', 'warn', 'info', 'debug', 'trace'])
        .default('info')
        .meta({
          description: 'Least important level that the daemon logs.',
          env: ['LOG_LEVEL'],
        }),
    })
    .meta({ description: 'Logs.' }),
  alerts: alertsSection,
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
