import { describe, expect, test } from 'vitest';
import { settings as assetSettings } from '../../assets/settings.ts';
import { resolveSettings } from '../../framework/config/resolve.ts';
import { failure, sourcesOf } from './support.ts';

type Given = Parameters<typeof sourcesOf>[0];

/** What differs from the defaults, as `a.b.c` → value. */
function changes(given: Given): Record<string, unknown> {
  const effective = resolveSettings(sourcesOf(given), assetSettings).effective;
  const changed = effective.filter((setting) => setting.origin.kind !== 'default');
  return Object.fromEntries(changed.map((setting) => [setting.path.join('.'), setting.value]));
}

test.each([
  ['CRYPTO_DATA_DIR', 'lake', { dataDir: '/home/me/lake' }],
  ['S3_BUCKET', 'b', { 's3.bucket': 'b' }],
  ['AWS_REGION', 'eu', { 's3.region': 'eu' }],
  ['AWS_DEFAULT_REGION', 'eu', { 's3.region': 'eu' }],
  ['AWS_ENDPOINT_URL_S3', 'http://localhost:9000', { 's3.endpoint': 'http://localhost:9000' }],
  ['AWS_ENDPOINT_URL', 'http://localhost:9000', { 's3.endpoint': 'http://localhost:9000' }],
  ['AWS_ACCESS_KEY_ID', '0123', { 's3.accessKeyId': '0123' }],
  ['AWS_SECRET_ACCESS_KEY', '"a: [b', { 's3.secretAccessKey': '"a: [b' }],
  ['AWS_SESSION_TOKEN', '1e5', { 's3.sessionToken': '1e5' }],
  ['CRYPTO_NJOBS', '16', { 'workflow.concurrencyLimit': 16 }],
  ['PROCESSING_BATCH_SIZE', '1000', { 'processing.batchSize': 1000 }],
  ['LOG_LEVEL', 'DEBUG', { 'log.level': 'debug' }],
  ['ALERT_WEBHOOK_URL', 'https://example.org/x#y', { 'alerts.webhookUrl': 'https://example.org/x#y' }],
  ['ENVIRONMENT', 'production', { profile: 'production' }],
  ['DEBUG', '1', { debug: true }],
  ['DEBUG', 'no', { debug: false }],
  ['DEBUG', 'vite:*', {}],
  ['S3__REGION', 'eu', { 's3.region': 'eu' }],
  ['s3__region', 'eu', { 's3.region': 'eu' }],
  ['WORKFLOW__CONCURRENCY_LIMIT', '4', { 'workflow.concurrencyLimit': 4 }],
  ['Workflow__Retry_Attempts', '0', { 'workflow.retryAttempts': 0 }],
  ['WORKFLOW__POOLS__REST', '2', { 'workflow.pools.rest': 2 }],
  ['WORKFLOW__POOLS', '{ a: 1, b: 2 }', { 'workflow.pools.a': 1, 'workflow.pools.b': 2 }],
  ['EXCHANGES__BINANCE__ARCHIVE__DIRECTORY', '/a', { 'exchanges.binance.archive.directory': '/a' }],
  ['EXCHANGES__BINANCE__ENABLED', 'off', { 'exchanges.binance.enabled': false }],
  ['EXCHANGES__BINANCE__SYMBOLS', '*', { 'exchanges.binance.symbols': ['*'] }],
  ['EXCHANGES__BINANCE__SYMBOLS', 'BTC*, ETHUSDT', { 'exchanges.binance.symbols': ['BTC*', 'ETHUSDT'] }],
  ['EXCHANGES__BINANCE__MARKETS', '[spot, um]', { 'exchanges.binance.markets': ['spot', 'um'] }],
  ['EXCHANGES__BINANCE__START', '2020-01-01', { 'exchanges.binance.start': '2020-01-01' }],
  ['LAKEHOUSE__DATA_DIR', 'x', { dataDir: '/home/me/x' }],
  ['LAKEHOUSE__DEBUG', 'true', { debug: true }],
  ['S3__REGION', '', {}],
  ['AWS_REGION', '', {}],
  ['TERM__COLOR', '1', {}],
  ['DEBUG__X', '1', {}],
  ['__CF_USER_TEXT_ENCODING', '1', {}],
  ['crypto_njobs', '2', {}],
])('%s=%s', (name, value, expected) => {
  expect(changes({ env: { [name]: value } })).toEqual(expected);
});

test.each([
  [{ S3__REGION: 'a', AWS_REGION: 'b', AWS_DEFAULT_REGION: 'c' }, 'a'],
  [{ AWS_DEFAULT_REGION: 'c', AWS_REGION: 'b' }, 'b'],
  [{ AWS_DEFAULT_REGION: 'c', AWS_REGION: '' }, 'c'],
  [{ S3__REGION: 'a', s3__region: 'b' }, 'a'],
  [{ s3__region: 'b', S3__REGION: 'a' }, 'a'],
])('the more exact name wins: %j', (env, expected) => {
  expect(changes({ env })).toEqual({ 's3.region': expected });
});

test('every setting has its systematic name', () => {
  const { effective } = resolveSettings(sourcesOf(), assetSettings);
  const texts: Record<string, string> = {
    profile: 'test',
    's3.endpoint': 'http://localhost',
    's3.pathStyle': 'true',
    's3.encryption.type': 'kms',
    'catalogue.glue.endpoint': 'http://localhost',
    'catalogue.glue.tablePrefix': 'lake_',
    'http.port': '9464',
    'telemetry.otlp.endpoint': 'http://localhost',
    'telemetry.openLineage.url': 'http://localhost',
    'alerts.webhookUrl': 'http://localhost',
    'alerts.storageQuota': '1GB',
    'exchanges.binance.archive.directory': '/x',
    'exchanges.binance.quoteAssets': 'USDT',
    'gold.intervals': '4h',
  };
  const single = effective.filter(({ env: [name = ''] }) => !name.endsWith('<NAME>'));
  const env = single.map((setting) => [
    setting.env[0],
    texts[setting.path.join('.')] ?? String(setting.value ?? 'text'),
  ]);
  expect(Object.keys(changes({ env: Object.fromEntries(env) }))).toEqual(
    single.map((setting) => setting.path.join('.')),
  );
  const named = effective.filter((setting) => !single.includes(setting));
  expect(named.map(({ env }) => env)).toContainEqual(['WORKFLOW__POOLS__<NAME>']);
});

test('.env is read as Node reads it', () => {
  const dotenv = `# comment\nexport S3__REGION='quoted # text'\nAWS_SECRET_ACCESS_KEY="two\nlines"\nOTHER__THING=1\n`;
  expect(changes({ dotenv })).toEqual({ 's3.region': 'quoted # text', 's3.secretAccessKey': 'two\nlines' });
});

describe('--set', () => {
  test.each([
    ['workflow.concurrencyLimit=4', { 'workflow.concurrencyLimit': 4 }],
    ['s3.accessKeyId=0123', { 's3.accessKeyId': '0123' }],
    [`s3.bucket="a \\"b\\""`, { 's3.bucket': 'a "b"' }],
    ["s3.bucket='it''s'", { 's3.bucket': "it's" }],
    ['alerts.webhookUrl=https://example.org/?a=b', { 'alerts.webhookUrl': 'https://example.org/?a=b' }],
    ['workflow={retryAttempts: 1, pools: {a: 2}}', { 'workflow.retryAttempts': 1, 'workflow.pools.a': 2 }],
    ['workflow.pools.a=2', { 'workflow.pools.a': 2 }],
    ['exchanges.binance.symbols=[BTCUSDT, "*"]', { 'exchanges.binance.symbols': ['BTCUSDT', '*'] }],
    ['exchanges.binance.symbols=*USDT,BTCBUSD', { 'exchanges.binance.symbols': ['*USDT', 'BTCBUSD'] }],
    ['engine.memoryLimit=512MiB', { 'engine.memoryLimit': '512MiB' }],
    ['debug=yes', { debug: true }],
  ])('%s', (assignment, expected) => {
    expect(changes({ sets: [assignment] })).toEqual(expected);
  });

  test('nothing after = is no value', () => {
    const sets = ['workflow.retryAttempts=', 's3.bucket=', 'exchanges.binance.symbols='];
    expect(failure(() => changes({ sets }))).toMatchInlineSnapshot(`
      "invalid-settings (usage) The settings are wrong:
        - workflow.retryAttempts: Expected a whole number, got nothing (--set)
          Leave it out to keep the default
        - s3.bucket: Expected a text that is not empty, got "" (--set)
        - exchanges.binance.symbols.0: A symbol is upper case, without spaces and slashes, got "" (--set)"
    `);
  });
});

test('an unknown key of our sections names what was meant', () => {
  const env = {
    S3__REGOIN: 'eu',
    EXCHANGES__BINANCE__SYMBOL: 'X',
    LAKEHOUSE__DATADIR: 'x',
    LOG__: 'x',
    S3__REGION__X: 'y',
    WORKFLOW__POOLS__A__B: '1',
  };
  expect(failure(() => changes({ env }))).toMatchInlineSnapshot(`
    "invalid-settings (usage) The settings are wrong:
      - 'S3__REGOIN' names no setting (environment variable S3__REGOIN)
        Did you mean 'S3__REGION'?
      - 'EXCHANGES__BINANCE__SYMBOL' names no setting (environment variable EXCHANGES__BINANCE__SYMBOL)
        Did you mean 'EXCHANGES__BINANCE__SYMBOLS'?
      - 'LAKEHOUSE__DATADIR' names no setting (environment variable LAKEHOUSE__DATADIR)
        Did you mean 'LAKEHOUSE__DATA_DIR'?
      - 'LOG__' names no setting (environment variable LOG__)
        Did you mean 'LOG__LEVEL'?
      - 'S3__REGION__X' names no setting (environment variable S3__REGION__X)
        's3.region' is a single value without further keys
      - 'WORKFLOW__POOLS__A__B' names no setting (environment variable WORKFLOW__POOLS__A__B)
        'workflow.pools.a' is a single value without further keys"
  `);
});
