import type { S3 } from '@aws-sdk/client-s3';
import type { StorageAction } from './errors.ts';
import { ignore } from './files.ts';
import { isExpired, s3Error, s3Status } from './s3-errors.ts';

export interface S3ConnectionOptions {
  readonly bucket: string;
  /** Undefined: what the AWS profile says, or `us-east-1` with an endpoint. */
  readonly region?: string | undefined;
  /** Of a store other than AWS: `http://127.0.0.1:9000`. */
  readonly endpoint?: string | undefined;
  /** Whether the bucket is in the path, not in the host. Undefined: with an endpoint, it is. */
  readonly pathStyle?: boolean | undefined;
  /** Both or neither; neither: the default chain (environment, profile, web identity, role). */
  readonly accessKeyId?: string | undefined;
  readonly secretAccessKey?: string | undefined;
  readonly sessionToken?: string | undefined;
  readonly checksums: 'supported' | 'required';
  readonly maxAttempts: number;
  readonly timeouts: { readonly connectMs: number; readonly requestMs: number };
  /** Objects transferred at once, for the number of connections. */
  readonly parallel: number;
}

/** What signs requests. `expiration` is absent for those that last. */
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  readonly expiration?: Date | undefined;
}

/** A bucket, and the way to it. Nothing is loaded or asked before it is used. */
export interface S3Connection {
  readonly bucket: string;
  /** The address of the store, for people. */
  readonly endpoint: string;
  /** Does requests, whose errors are told as {@link s3Error} says them. `key` is the whole key or prefix. */
  call<T>(
    what: { readonly action: StorageAction; readonly key: string; readonly permission: string },
    request: (s3: S3) => Promise<T>,
  ): Promise<T>;
  /** Those that the next request would be signed with, renewed when they are about to expire. @throws `no-credentials` (usage) … */
  credentials(): Promise<S3Credentials>;
  /** @throws `no-region` (usage). */
  region(): Promise<string>;
}

/** A request may need several connections: parts, and bodies that are still read. */
const SOCKETS_EACH = 4;

/** What a store might send back of a signed request. */
const SIGNED =
  /\b(?:A[KS]IA[A-Z0-9]{12,}|(?:Credential|Signature|X-Amz-(?:Signature|Credential|Security-Token))=[^\s,&<"]+)/g;

const SILENT = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/** Opens nothing yet. */
export function s3Connection(options: S3ConnectionOptions): S3Connection {
  const { bucket } = options;
  const endpoint = options.endpoint === undefined ? 'S3' : new URL(options.endpoint).origin;
  let opened: Promise<S3> | undefined;
  const client = () => {
    opened ??= open(options);
    return opened;
  };
  const secrets = new Set<string | undefined>();
  const remember = (known: Pick<S3ConnectionOptions, 'accessKeyId' | 'secretAccessKey' | 'sessionToken'>) => {
    for (const secret of [known.accessKeyId, known.secretAccessKey, known.sessionToken]) secrets.add(secret);
  };
  remember(options);
  const signer = async (s3: S3): Promise<S3Credentials> => {
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = await s3.config.credentials();
    remember({ accessKeyId, secretAccessKey, sessionToken });
    return { accessKeyId, secretAccessKey, sessionToken, expiration };
  };

  const redact = (text: string) =>
    [...secrets]
      .reduce((shown: string, secret) => (secret ? shown.replaceAll(secret, '***') : shown), text)
      .replace(SIGNED, '***');

  const connection: S3Connection = {
    bucket,
    endpoint,

    async call({ action, key, permission }, request) {
      try {
        const used = client();
        try {
          return await request(await used);
        } catch (error) {
          if (options.accessKeyId !== undefined || !isExpired(error)) throw error;
          // The client keeps credentials that do not say when they end; others may have been put in their place.
          if (opened === used) opened = undefined;
          return await request(await client());
        }
      } catch (error) {
        // What was answered was signed, so the credentials are at hand; unless it was those who give them that answered.
        if (s3Status(error) !== undefined) await client().then(signer).catch(ignore);
        throw s3Error(error, { action, bucket, key, permission, endpoint }, redact);
      }
    },

    credentials: () => connection.call({ action: 'read', key: '', permission: 's3:GetObject' }, signer),

    region: () => connection.call({ action: 'read', key: '', permission: 's3:GetObject' }, (s3) => s3.config.region()),
  };
  return connection;
}

/** Files of AWS are read anew for every client: a person may have renewed what is in them. */
const FRESH = { ignoreCache: true };

async function open(options: S3ConnectionOptions): Promise<S3> {
  const { accessKeyId, secretAccessKey, sessionToken, endpoint, timeouts, checksums } = options;
  const { S3 } = await import('@aws-sdk/client-s3');
  const region = options.region ?? (endpoint === undefined ? undefined : 'us-east-1');
  const maxSockets = options.parallel * SOCKETS_EACH;
  const when = checksums === 'supported' ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED';
  return new S3({
    ...FRESH,
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    forcePathStyle: options.pathStyle ?? endpoint !== undefined,
    ...(accessKeyId !== undefined &&
      secretAccessKey !== undefined && {
        credentials: { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) },
      }),
    maxAttempts: options.maxAttempts,
    retryMode: 'adaptive',
    requestChecksumCalculation: when,
    responseChecksumValidation: when,
    requestHandler: {
      connectionTimeout: timeouts.connectMs,
      // Of silence, not in all: how long a transfer may take depends on its size.
      socketTimeout: timeouts.requestMs,
      httpAgent: { maxSockets },
      httpsAgent: { maxSockets },
      // Requests that wait for a connection are nothing to write to the terminal about.
      logger: SILENT,
    },
  });
}
