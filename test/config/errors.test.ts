import { describe, expect, test } from 'vitest';
import { settings as assetSettings } from '../../assets/settings.ts';
import { isLakehouseError } from '../../framework/common/errors.ts';
import { resolveSettings } from '../../framework/config/resolve.ts';
import { failure, sourcesOf } from './support.ts';

const fail = (given: Parameters<typeof sourcesOf>[0]) =>
  failure(() => resolveSettings(sourcesOf(given), assetSettings));

test('all problems of all layers at once, each with its place and what to write', () => {
  const report = fail({
    config: `dataDir: 12
workflow:
  concurencyLimit: 4
  retryAttempts: many
  retryDelayMs: -1
  pools: { Binance: 2, rest: 0 }
engine:
  memoryLimit: 4 gigabytes
  threads: 1.5
s3: my-bucket
log: { level: inform }
concurrencyLimit: 4
exchanges:
  binance:
    archive:
      baseUrl: ftp://example.org
    markets: spot
    symbols: [BTCUSDT, ethusdt]
    intervals: [1m, 1hr]
    start: 2017-02-30
    enabled:
`,
    profile: 'p',
    profiles: { p: 'dataDir: [a]\nprofiles: {}\n' },
    dotenv: 'A=1\nexport PROCESSING_BATCH_SIZE="lots"\n',
    env: { WORKFLOW__RETRY_ATEMPTS: '3', LOG_LEVEL: 'warning', S3__ENDPOINT: 'minio' },
    sets: ['workflow.conc=3', 'dataDir.x=1', 'debug', '=3', 'debug=maybe', 'workflow.pools={a: x, b: 1}', 'state={'],
  });
  expect(report).toMatchInlineSnapshot(`
    "invalid-settings (usage) The settings are wrong:
      - lakehouse.yaml:1:10: dataDir: Expected a text, got 12
        Put it in quotes
      - lakehouse.yaml:3:3: workflow.concurencyLimit: Unknown setting
        Did you mean 'concurrencyLimit'?
      - lakehouse.yaml:4:18: workflow.retryAttempts: Expected a whole number, got "many"
      - lakehouse.yaml:5:17: workflow.retryDelayMs: Expected at least 0, got -1
      - lakehouse.yaml:6:12: workflow.pools.Binance: The name of a pool is lower case: letters, digits, _ and -
      - lakehouse.yaml:6:30: workflow.pools.rest: Expected more than 0, got 0
      - lakehouse.yaml:8:16: engine.memoryLimit: Write a share of memory (50%) or a size (4GB), got "4 gigabytes"
      - lakehouse.yaml:9:12: engine.threads: Expected a whole number, got 1.5
      - lakehouse.yaml:10:5: s3: Expected a section with keys, got a single value
      - lakehouse.yaml:11:15: log.level: Expected one of silent, error, warn, info, debug, trace, got "inform"
        Did you mean 'info'?
      - lakehouse.yaml:12:1: concurrencyLimit: Unknown setting
        Did you mean 'workflow.concurrencyLimit'?
      - lakehouse.yaml:16:16: exchanges.binance.archive.baseUrl: Expected an http or https URL, got "ftp://example.org"
      - lakehouse.yaml:17:14: exchanges.binance.markets: Expected a list, got "spot"
        Write a list: [spot]
      - lakehouse.yaml:18:24: exchanges.binance.symbols.1: A symbol is upper case, without spaces and slashes, got "ethusdt"
      - lakehouse.yaml:19:21: exchanges.binance.intervals.1: Expected one of 1s, 1m, 3m, 5m, 15m, 30m, 1h, 2h, 4h, 6h, 8h, 12h, 1d, 3d, 1w, 1mo, got "1hr"
        Did you mean '1h'?
      - lakehouse.yaml:20:12: exchanges.binance.start: Expected a date such as 2024-01-31, got "2017-02-30"
      - lakehouse.yaml:21:13: exchanges.binance.enabled: Expected true or false, got nothing
        Leave it out to keep the default
      - profiles/p.yaml:1:10: dataDir: Expected a text, got a list
      - profiles/p.yaml:2:1: profiles: Unknown setting
        Did you mean 'profile'?
      - .env:2: processing.batchSize: Expected a whole number, got "lots" (PROCESSING_BATCH_SIZE)
      - log.level: Expected one of silent, error, warn, info, debug, trace, got "warning" (environment variable LOG_LEVEL)
      - 'WORKFLOW__RETRY_ATEMPTS' names no setting (environment variable WORKFLOW__RETRY_ATEMPTS)
        Did you mean 'WORKFLOW__RETRY_ATTEMPTS'?
      - s3.endpoint: Expected an http or https URL, got "minio" (environment variable S3__ENDPOINT)
      - workflow.conc: Unknown setting (--set)
        Did you mean 'concurrencyLimit'?
      - dataDir.x: Unknown setting (--set)
        'dataDir' is a single value without further keys
      - 'debug' is no assignment (--set)
        Write --set a.b.c=value, e.g. --set workflow.concurrencyLimit=4
      - '' is no assignment (--set)
        Write --set a.b.c=value, e.g. --set workflow.concurrencyLimit=4
      - debug: Expected true or false, got "maybe" (--set)
      - workflow.pools.a: Expected a whole number, got "x" (--set)
      - state: Flow map must end with a } (--set)"
  `);
});

test('positions are data, too', () => {
  try {
    resolveSettings(sourcesOf({ config: 'log:\n  levle: info\n' }), {});
    expect.unreachable();
  } catch (error) {
    expect(isLakehouseError(error) && error.issues).toEqual([
      {
        code: 'unknown-setting',
        path: ['log', 'levle'],
        message: 'Unknown setting',
        hint: "Did you mean 'level'?",
        at: { file: 'lakehouse.yaml', line: 2, column: 3 },
      },
    ]);
  }
});

test('malformed YAML, at its place', () => {
  expect(fail({ config: 'debug: true\nlog: [\n' })).toMatchInlineSnapshot(`
    "invalid-settings (usage) The settings are wrong:
      - lakehouse.yaml:3:1: Flow sequence in block collection must be sufficiently indented and end with a ]"
  `);
  expect(fail({ config: 'log:\n\tlevel: info\n' })).toMatchInlineSnapshot(`
    "invalid-settings (usage) The settings are wrong:
      - lakehouse.yaml:2:1: Tabs are not allowed as indentation"
  `);
  expect(fail({ config: 'dataDir: "x\n' })).toMatchInlineSnapshot(`
    "invalid-settings (usage) The settings are wrong:
      - lakehouse.yaml:2:1: Missing closing "quote"
  `);
  expect(fail({ config: 'debug: true\n---\ndebug: false\n' })).toMatchInlineSnapshot(`
    "invalid-settings (usage) The settings are wrong:
      - lakehouse.yaml:2:1: A second document starts here"
  `);
  expect(fail({ config: '- debug\n' })).toMatchInlineSnapshot(`
    "invalid-settings (usage) The settings are wrong:
      - lakehouse.yaml:1:1: Expected a section with keys, got a list"
  `);
  expect(fail({ config: 'debug: !wat true\n' })).toMatchInlineSnapshot(`
    "invalid-settings (usage) The settings are wrong:
      - lakehouse.yaml:1:8: Unresolved tag"
  `);
  expect(fail({ config: 's3: *base\nother: *base\n' })).toMatchInlineSnapshot(`
    "invalid-settings (usage) The settings are wrong:
      - lakehouse.yaml:1:5: There is no anchor for this alias
        Put a value that starts with '*' in quotes: '*'
      - lakehouse.yaml:2:8: There is no anchor for this alias
        Put a value that starts with '*' in quotes: '*'"
  `);
  expect(fail({ config: 'profiles:\n  p: 3\n' })).toMatchInlineSnapshot(`
    "invalid-settings (usage) The settings are wrong:
      - lakehouse.yaml:2:6: Expected a section with keys, got a single value"
  `);
});

test('a symbol glob needs quotes in YAML', () => {
  expect(fail({ config: 'exchanges: { binance: { symbols: [BTCUSDT, *USDT] } }\n' })).toMatchInlineSnapshot(`
    "invalid-settings (usage) The settings are wrong:
      - lakehouse.yaml:1:44: There is no anchor for this alias
        Put a value that starts with '*' in quotes: '*'"
  `);
  expect(fail({ config: 'exchanges:\n  binance:\n    symbols: *\n' })).toMatchInlineSnapshot(`
    "invalid-settings (usage) The settings are wrong:
      - lakehouse.yaml:3:14: Alias cannot be an empty string
        Put a value that starts with '*' in quotes: '*'"
  `);
});

test('duplicate keys, beside what else is wrong', () => {
  expect(fail({ config: 'log:\n  level: info\n  level: debug\nlog: {}\ndebgu: true\n' })).toMatchInlineSnapshot(`
    "invalid-settings (usage) The settings are wrong:
      - lakehouse.yaml:3:3: Duplicate key
      - lakehouse.yaml:4:1: Duplicate key
      - lakehouse.yaml:5:1: debgu: Unknown setting
        Did you mean 'debug'?"
  `);
});

test('an alias of what it stands in ends', () => {
  expect(fail({ config: 'workflow: &w { pools: { a: *w } }\n' })).toMatchInlineSnapshot(`
    "invalid-settings (usage) The settings are wrong:
      - lakehouse.yaml:1:28: workflow.pools.a: Expected a whole number, got a section"
  `);
  expect(fail({ config: 'workflow: &w { pools: *w }\n' })).toMatchInlineSnapshot(`
    "invalid-settings (usage) The settings are wrong:
      - lakehouse.yaml:1:23: workflow.pools.pools: Expected a whole number, got a section"
  `);
});

test('a problem inside an alias is shown where the alias stands', () => {
  const config = 'workflow:\n  retryAttempts: &n 0\n  concurrencyLimit: *n\n';
  expect(fail({ config })).toMatchInlineSnapshot(`
    "invalid-settings (usage) The settings are wrong:
      - lakehouse.yaml:3:21: workflow.concurrencyLimit: Expected more than 0, got 0"
  `);
});

test('keys that JavaScript would take for its own are unknown like others', () => {
  expect(
    fail({
      config: '__proto__: { debug: true }\nworkflow: { constructor: 1, pools: { __proto__: 1 } }\n',
      sets: ['toString=1'],
    }),
  ).toMatchInlineSnapshot(`
    "invalid-settings (usage) The settings are wrong:
      - lakehouse.yaml:1:1: __proto__: Unknown setting
        Known: dataDir, definitions, profile, debug, state, engine, processing, workflow, daemon, schedules, s3, catalogue, … (18 in all)
      - lakehouse.yaml:2:13: workflow.constructor: Unknown setting
        Known: concurrencyLimit, retryAttempts, retryDelayMs, claimTtlMs, pools, rates
      - lakehouse.yaml:2:38: workflow.pools.__proto__: The name of a pool is lower case: letters, digits, _ and -
      - toString: Unknown setting (--set)
        Known: dataDir, definitions, profile, debug, state, engine, processing, workflow, daemon, schedules, s3, catalogue, … (18 in all)"
  `);
});

test('secrets are not shown by errors', () => {
  const report = fail({
    config: 'alerts: { webhookUrl: not-a-url-hunter2 }\ns3: { accessKeyId: [hunter2], secretAccessKey: 774411 }\n',
    profile: 'p',
    profiles: { p: 's3: { secretAccessKey: !hunter2, accessKeyId: *hunter2, sessionToken: "\\q\nhunter2" }\n}hunter2' },
    env: { ALERT_WEBHOOK_URL: 'hunter2', S3__SECRET_ACCES_KEY: 'hunter2' },
    sets: ['s3.sessionToken:hunter2', 's3.secretKey=hunter2', 'alerts.webhookUrl=hunter2'],
  });
  expect(report).not.toMatch(/hunter2|774411/);
  expect(report).toMatchInlineSnapshot(`
    "invalid-settings (usage) The settings are wrong:
      - lakehouse.yaml:1:23: alerts.webhookUrl: Expected an http or https URL
      - lakehouse.yaml:2:20: s3.accessKeyId: Expected a text, got a list
      - lakehouse.yaml:2:48: s3.secretAccessKey: Expected a text
        Put it in quotes
      - profiles/p.yaml:1:72: Invalid escape sequence
      - profiles/p.yaml:1:74: Missing closing "quote
      - profiles/p.yaml:2:1: Flow map in block collection must be sufficiently indented and end with a }
      - profiles/p.yaml:2:1: Implicit keys need to be on a single line
      - profiles/p.yaml:2:1: Implicit map keys need to be followed by map values
      - profiles/p.yaml:1:24: Unresolved tag
      - profiles/p.yaml:1:47: There is no anchor for this alias
        Put a value that starts with '*' in quotes: '*'
      - alerts.webhookUrl: Expected an http or https URL (environment variable ALERT_WEBHOOK_URL)
      - 'S3__SECRET_ACCES_KEY' names no setting (environment variable S3__SECRET_ACCES_KEY)
        Did you mean 'S3__SECRET_ACCESS_KEY'?
      - 's3.sessionToken' is no assignment (--set)
        Write --set a.b.c=value, e.g. --set workflow.concurrencyLimit=4
      - s3.secretKey: Unknown setting (--set)
        Known: bucket, prefix, region, endpoint, pathStyle, accessKeyId, secretAccessKey, sessionToken, encryption, checksums, conditionalWrites, multipart, … (19 in all)
      - alerts.webhookUrl: Expected an http or https URL (--set)"
  `);
});

describe('s3', () => {
  test('what does not go together is refused, with the key named', () => {
    const wrong = [
      's3: { bucket: s3://lake/a }',
      's3: { bucket: lake, prefix: /a }',
      's3: { bucket: lake, prefix: a/../b }',
      's3: { bucket: lake, prefix: "" }',
      's3: { bucket: lake, endpoint: "minio:9000" }',
      's3: { bucket: lake, accessKeyId: id }',
      's3: { bucket: lake, secretAccessKey: hunter2 }',
      's3: { bucket: lake, encryption: { kmsKeyId: alias/a } }',
      's3: { bucket: lake, multipart: { partMb: 4 } }',
    ];
    const said = wrong.map((config) => fail({ config }).split('\n').slice(1).join('\n'));
    expect(said.join('\n')).toMatchInlineSnapshot(`
      "  - lakehouse.yaml:1:15: s3.bucket: Write the name of the bucket alone; what is in front of the keys is s3.prefix, got "s3://lake/a"
        - lakehouse.yaml:1:29: s3.prefix: Names joined by '/', such as lakes/production: no '/' in front, no '.', '..' or empty name, no backslash, got "/a"
        - lakehouse.yaml:1:29: s3.prefix: Names joined by '/', such as lakes/production: no '/' in front, no '.', '..' or empty name, no backslash, got "a/../b"
        - lakehouse.yaml:1:29: s3.prefix: Names joined by '/', such as lakes/production: no '/' in front, no '.', '..' or empty name, no backslash, got ""
        - lakehouse.yaml:1:31: s3.endpoint: Expected an http or https URL, got "minio:9000"
        - s3.secretAccessKey: Needed beside accessKeyId: both, or neither for the default credentials
          Secrets may be given in the environment or .env: S3__SECRET_ACCESS_KEY
        - s3.accessKeyId: Needed beside secretAccessKey: both, or neither for the default credentials
          Secrets may be given in the environment or .env: S3__ACCESS_KEY_ID
        - lakehouse.yaml:1:35: s3.encryption.kmsKeyId: Only for type kms, and type is none
        - lakehouse.yaml:1:42: s3.multipart.partMb: Expected at least 5, got 4"
    `);
    expect(said.join('\n')).not.toContain('hunter2');
  });

  test('what does is not: a prefix of names, a pair of keys, and half a pair without a bucket', () => {
    const right = [
      's3: { bucket: lake, prefix: lakes/production/ }',
      's3: { bucket: lake, accessKeyId: id, secretAccessKey: hunter2 }',
      's3: { accessKeyId: id }',
      's3: { bucket: lake, encryption: { type: kms, kmsKeyId: alias/a } }',
    ];
    for (const config of right) expect(() => resolveSettings(sourcesOf({ config }), {})).not.toThrow();
  });
});
