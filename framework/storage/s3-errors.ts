import { type ErrorKind, isLakehouseError, LakehouseError } from '../common/errors.ts';
import type { StorageAction } from './errors.ts';

/** What was asked of which bucket when it failed. */
export interface S3Request {
  readonly action: StorageAction;
  readonly bucket: string;
  /** The whole key, or the prefix of keys. */
  readonly key: string;
  /** What IAM calls the right to do so, e.g. `s3:PutObject`. */
  readonly permission: string;
  /** The address of the store, for people. */
  readonly endpoint: string;
}

interface Meaning {
  readonly code: string;
  readonly kind: ErrorKind;
  readonly what: string;
  readonly hint: string;
}

type Say = (request: S3Request, told: Told) => Meaning;

/** What the SDK, the store or the connection said, without what must not be kept: responses hold headers. */
interface Told {
  /** e.g. `SlowDown`, `ECONNREFUSED`. */
  readonly name: string;
  readonly message: string;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  /** Where the bucket is, if it said so. */
  readonly region: string | undefined;
}

const bucketMissing: Say = ({ bucket, endpoint }) => ({
  code: 'no-such-bucket',
  kind: 'usage',
  what: `there is no bucket '${bucket}' at ${endpoint}`,
  hint: 'Correct s3.bucket (and s3.endpoint), or create the bucket.',
});
const denied: Say = ({ bucket, permission, key }, { message }) => ({
  code: 'access-denied',
  kind: 'usage',
  what: 'access denied',
  hint: /kms/i.test(message)
    ? 'Allow these credentials to use the key: kms:GenerateDataKey to write, kms:Decrypt to read.'
    : `Allow these credentials ${permission} on arn:aws:s3:::${bucket}${permission.startsWith('s3:List') ? '' : `/${key}`}; docs/s3.md has a whole policy.`,
});
const expired: Say = () => ({
  code: 'credentials-expired',
  kind: 'usage',
  what: 'the credentials have expired',
  hint: 'Renew them (aws sso login, a new session token) and run again. Nothing that was committed is harmed.',
});
const refused: Say = () => ({
  code: 'credentials-refused',
  kind: 'usage',
  what: 'the store does not accept the credentials',
  hint: 'Correct s3.accessKeyId and s3.secretAccessKey, or the AWS profile, or what the environment says of them.',
});
const noCredentials: Say = () => ({
  code: 'no-credentials',
  kind: 'usage',
  what: 'no credentials were found',
  hint: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give the machine a role.',
});
const noRegion: Say = () => ({
  code: 'no-region',
  kind: 'usage',
  what: 'nothing says in which region the bucket is',
  hint: 'Set s3.region, or AWS_REGION.',
});
const elsewhere: Say = (_, { region }) => ({
  code: 'wrong-region',
  kind: 'usage',
  what: region === undefined ? 'the bucket is in another region' : `the bucket is in the region ${region}`,
  hint: `Set s3.region${region === undefined ? " to the bucket's region" : `=${region}`}; with a store other than AWS also look at s3.endpoint.`,
});
const skewed: Say = () => ({
  code: 'clock-skew',
  kind: 'usage',
  what: "this machine's clock differs too much from that of the store",
  hint: 'Set the clock (NTP) and run again.',
});
const busy: Say = () => ({
  code: 'store-busy',
  kind: 'transient',
  what: 'the store asks to slow down, after all attempts',
  hint: 'Run again later; where it happens often, lower s3.parallel or raise s3.maxAttempts.',
});
const failed: Say = () => ({
  code: 'store-failed',
  kind: 'transient',
  what: 'the store reported an error of its own',
  hint: 'Run again. If it stays, ask who runs the store, with the id of the request.',
});
const unreachable: Say = ({ endpoint }) => ({
  code: 'store-unreachable',
  kind: 'transient',
  what: `${endpoint} cannot be reached`,
  hint: 'Is the store running, the network up, and s3.endpoint right?',
});
const lost: Say = ({ endpoint }) => ({
  code: 'connection-lost',
  kind: 'transient',
  what: `the connection to ${endpoint} broke off`,
  hint: 'Run again.',
});
const ended: Say = () => ({
  code: 'stage-missing',
  kind: 'transient',
  what: 'something else ended the upload in parts',
  hint: 'Run again. gc with too short a --grace does that, and rules of the bucket.',
});
const damaged: Say = () => ({
  code: 'object-corrupt',
  kind: 'data',
  what: 'the bytes do not have the checksum that the store has of them',
  hint: "They were damaged on the way or in the store. 'lakehouse verify --deep' finds all such objects.",
});
const slow: Say = ({ endpoint }) => ({
  code: 'store-timeout',
  kind: 'transient',
  what: `${endpoint} did not answer in time`,
  hint: 'Run again; on a slow line raise s3.timeouts.',
});
const untrusted: Say = ({ endpoint }) => ({
  code: 'tls-failed',
  kind: 'usage',
  what: `no secure connection to ${endpoint} can be made`,
  hint: 'For a certificate of your own set NODE_EXTRA_CA_CERTS; for a store without TLS write http:// in s3.endpoint.',
});
const full: Say = () => ({
  code: 'store-full',
  kind: 'transient',
  what: 'the store has no space left, or a quota is used up',
  hint: 'Free some space there and run again. Nothing that was committed is harmed.',
});
const undecryptable: Say = () => ({
  code: 'encryption-refused',
  kind: 'usage',
  what: 'the store cannot encrypt or decrypt with that key',
  hint: 'Look at s3.encryption, and whether the key exists, is enabled and is in the region of the bucket.',
});
const unsupported: Say = () => ({
  code: 'store-refused',
  kind: 'usage',
  what: 'the store does not know how to do that',
  hint: 'Try s3.checksums=required and s3.conditionalWrites=off, which stores other than S3 may need; see docs/s3.md.',
});
const archived: Say = () => ({
  code: 'object-archived',
  kind: 'usage',
  what: 'the object is in an archive class (Glacier)',
  hint: 'Restore it, and take the lake out of the rules that move objects there.',
});
const other: Say = () => ({
  code: 'store-refused',
  kind: 'usage',
  what: 'the store refuses the request',
  hint: 'Its own words are below; docs/s3.md says what is asked of a store.',
});

const EXPIRED = /^ExpiredToken|^TokenRefreshRequired$/;

const BY_NAME: readonly (readonly [RegExp, Say])[] = [
  [/^NoSuchBucket$|^InvalidBucketName$/, bucketMissing],
  [EXPIRED, expired],
  [
    /^(?:InvalidAccessKeyId|SignatureDoesNotMatch|InvalidToken|InvalidSecurity|NotSignedUp|InvalidClientTokenId)$/,
    refused,
  ],
  [/^(?:CredentialsProviderError|TokenProviderError)$/, noCredentials],
  [
    /^(?:PermanentRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraintException|IncorrectEndpoint)$/,
    elsewhere,
  ],
  [/^(?:RequestTimeTooSkewed|RequestExpired|RequestInTheFuture)$/, skewed],
  [
    /^(?:SlowDown|SlowDownRead|SlowDownWrite|Throttling.*|TooManyRequests.*|RequestLimitExceeded|BandwidthLimitExceeded|ServiceUnavailable|Busy)$/,
    busy,
  ],
  [/^(?:AccessDenied.*|AllAccessDisabled|AccountProblem|Forbidden|UnauthorizedAccess|InvalidPayer)$/, denied],
  [/^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN)$/, unreachable],
  [
    /^(?:ECONNRESET|EPIPE|ECONNABORTED|ERR_STREAM_PREMATURE_CLOSE|IncompleteBody|BadDigest|XAmzContentSHA256Mismatch)$/,
    lost,
  ],
  [/^(?:TimeoutError|ETIMEDOUT|ESOCKETTIMEDOUT|RequestTimeout)$/, slow],
  [/^(?:CERT_|ERR_TLS|ERR_SSL|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|EPROTO)/, untrusted],
  [/^(?:XMinioStorageFull|QuotaExceeded.*|XMinioAdminBucketQuotaExceeded|InsufficientStorage|XRateLimited)$/, full],
  [/^KMS|^XKms|^XMinioKMS|^(?:KeyUnavailable|ServerSideEncryptionConfigurationNotFoundError)$/i, undecryptable],
  [/^(?:NotImplemented|MethodNotAllowed|XNotImplemented|NotSupported)$/, unsupported],
  [/^InvalidObjectState$/, archived],
  [/^NoSuchUpload$/, ended],
];

/** An answer to HEAD has no words, only a status. */
const BY_STATUS: Readonly<Record<number, Say>> = {
  301: elsewhere,
  307: elsewhere,
  401: refused,
  403: denied,
  408: slow,
  429: busy,
  501: unsupported,
  503: busy,
  507: full,
};

/**
 * A failed request as a `LakehouseError` that says bucket, key, action and what to do. Neither it nor its cause holds anything that
 * the SDK's error does beside its name, message, status and id of the request. `usage` is what the configuration must change:
 * `no-such-bucket`, `access-denied`, `credentials-expired`, `credentials-refused`, `no-credentials`, `no-region`, `wrong-region`,
 * `clock-skew`, `tls-failed`, `encryption-refused`, `object-archived`, `store-refused`; `transient` what may pass: `store-busy`,
 * `store-failed`, `store-unreachable`, `store-timeout`, `store-full`, `connection-lost`, `stage-missing`; `data`: `object-corrupt`. One that is a LakehouseError already is
 * returned as it is.
 * @param redact Takes out of a text what must not be shown.
 */
export function s3Error(error: unknown, request: S3Request, redact: (text: string) => string): LakehouseError {
  if (isLakehouseError(error)) return error;
  const told = toldBy(error);
  const { code, kind, what, hint } = meaningOf(told)(request, told);
  const message = redact(told.message);
  const { action, bucket, key } = request;
  return new LakehouseError(code, `Cannot ${action} s3://${bucket}/${key}: ${what} (${told.name})`, {
    kind,
    hint,
    cause: Object.assign(new Error(message), { name: told.name }),
    details: { bucket, key, action, error: told.name, status: told.status, requestId: told.requestId },
  });
}

/** What the store calls the error, told already or not, e.g. `PreconditionFailed`; the status where it has no name for it. */
export function s3ErrorName(error: unknown): string {
  const told = isLakehouseError(error) ? error.details?.error : undefined;
  return typeof told === 'string' ? told : toldBy(error).name;
}

/** The HTTP status of the answer, if there was one. */
export function s3Status(error: unknown): number | undefined {
  return toldBy(error).status;
}

/** Whether the credentials of the request have ended. */
export function isExpired(error: unknown): boolean {
  return EXPIRED.test(s3ErrorName(error));
}

/** Whether bytes may come whole next time. */
export function mayComeWhole(error: unknown): boolean {
  return isLakehouseError(error) && ['connection-lost', 'store-timeout', 'object-corrupt'].includes(error.code);
}

function meaningOf({ name, message, status }: Told): Say {
  const named = BY_NAME.find(([names]) => names.test(name));
  if (named !== undefined) return named[1];
  if (/region is missing/i.test(message)) return noRegion;
  if (/^Checksum mismatch/i.test(message)) return damaged;
  if (message === 'aborted') return lost;
  if (status === undefined) return failed;
  return BY_STATUS[status] ?? (status >= 500 ? failed : other);
}

function toldBy(error: unknown): Told {
  if (!(error instanceof Error))
    return { name: 'Error', message: '', status: undefined, requestId: undefined, region: undefined };
  const { code, $metadata, Region } = error as { code?: unknown; $metadata?: unknown; Region?: unknown };
  const { httpStatusCode, requestId } = ($metadata ?? {}) as { httpStatusCode?: unknown; requestId?: unknown };
  const status = typeof httpStatusCode === 'number' ? httpStatusCode : undefined;
  // The SDK calls every broken connection a timeout.
  const isNameless =
    (error.name === 'TimeoutError' && code !== undefined) ||
    ['Error', 'UnknownError', 'Unknown', 'AggregateError'].includes(error.name) ||
    /^\d+$/.test(error.name);
  const name = isNameless
    ? typeof code === 'string'
      ? code
      : status === undefined
        ? error.name
        : String(status)
    : error.name;
  const region = typeof Region === 'string' ? Region : /expecting '([\w-]+)'/.exec(error.message)?.[1];
  return {
    name,
    message: error.message,
    status,
    requestId: typeof requestId === 'string' ? requestId : undefined,
    region,
  };
}
