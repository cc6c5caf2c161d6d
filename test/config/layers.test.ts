import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { settings as assetSettings } from '../../assets/settings.ts';
import { describeSettings } from '../../framework/config/describe.ts';
import { definitionsPath, resolveSettings } from '../../framework/config/resolve.ts';
import { failure, sourcesOf } from './support.ts';

function originsOf(sources: ReturnType<typeof sourcesOf>, ...names: string[]) {
  const rows = describeSettings(resolveSettings(sources, assetSettings));
  return Object.fromEntries(
    names.map((name) => {
      const row = rows.find((candidate) => candidate.name === name);
      return [name, `${JSON.stringify(row?.value)} from ${row?.origin}`];
    }),
  );
}

test('without any source, the defaults', () => {
  const { settings, configFile, secrets } = resolveSettings(sourcesOf(), assetSettings);
  expect({ settings, configFile, secrets }).toEqual({
    configFile: undefined,
    secrets: [],
    settings: {
      dataDir: '/home/me/data',
      definitions: '/home/me/assets/index.ts',
      debug: false,
      state: { directory: '/home/me/data/.lakehouse', checkpointEvery: 1000, retentionDays: 30 },
      engine: { memoryLimit: '50%', threads: 0, tempDirectory: '/home/me/data/.lakehouse/tmp' },
      processing: { batchSize: 400 },
      workflow: { concurrencyLimit: 8, retryAttempts: 3, retryDelayMs: 1000, claimTtlMs: 60_000, pools: {}, rates: {} },
      daemon: { maxRuns: 1, drainMs: 60_000, automationSeconds: 30, leaseTtlMs: 30_000, ticksKept: 1000 },
      schedules: {},
      s3: {
        encryption: { type: 'none' },
        checksums: 'supported',
        conditionalWrites: 'auto',
        multipart: { thresholdMb: 16, partMb: 16 },
        parallel: 16,
        maxAttempts: 5,
        timeouts: { connectMs: 5000, requestMs: 60_000 },
        cache: { directory: '/home/me/data/.lakehouse/cache', maxBytes: 10_000_000_000 },
        reads: 'auto',
        graceMinutes: 60,
      },
      catalogue: {
        enabled: true,
        originals: false,
        partitions: false,
        glue: { enabled: false, database: 'lakehouse', tablePrefix: '' },
      },
      http: { host: '127.0.0.1' },
      telemetry: {
        surveySeconds: 60,
        storagePricePerGbMonth: 0,
        otlp: { headers: {}, traces: true, statements: true, sampleRatio: 1, metrics: true, metricsSeconds: 60 },
        openLineage: { endpoint: 'api/v1/lineage', namespace: 'crypto-lakehouse' },
      },
      log: { level: 'info' },
      alerts: {
        rules: ['runs', 'failures', 'freshness', 'checks', 'retries', 'storage', 'restart', 'reload', 'circuit'],
        repeatedFailures: 3,
        storageWarnPercent: 90,
        groupSeconds: 60,
        maxLines: 20,
        repeatHours: 24,
        giveUpHours: 72,
        destinations: {},
      },
      exchanges: {
        binance: {
          enabled: true,
          archive: {
            baseUrl: 'https://data.binance.vision',
            listUrl: 'https://s3-ap-northeast-1.amazonaws.com/data.binance.vision',
            timeoutMs: 30_000,
            concurrency: 8,
            simulated: false,
          },
          rest: {
            enabled: false,
            days: 7,
            baseUrls: {
              spot: 'https://api.binance.com',
              um: 'https://fapi.binance.com',
              cm: 'https://dapi.binance.com',
            },
            timeoutMs: 30_000,
            concurrency: 4,
          },
          dataTypes: ['klines'],
          markets: ['spot'],
          symbols: ['BTCUSDT', 'ETHUSDT'],
          quoteAssets: [],
          contractTypes: ['perpetual', 'delivery'],
          excludeStablecoins: false,
          excludeLeveraged: false,
          intervals: ['1m', '1h'],
          start: '2017-08-01',
        },
        coinbase: {
          enabled: false,
          baseUrl: 'https://api.exchange.coinbase.com',
          symbols: ['BTC-USD', 'ETH-USD'],
          intervals: ['1h'],
          days: 7,
          timeoutMs: 30_000,
          requestsPerSecond: 5,
        },
        kraken: {
          enabled: false,
          baseUrl: 'https://api.kraken.com',
          symbols: ['XBTUSD', 'ETHUSD'],
          intervals: ['1h'],
          days: 7,
          timeoutMs: 30_000,
          requestsPerSecond: 1,
        },
      },
      gold: { intervals: [] },
    },
  });
});

describe('precedence', () => {
  // Every layer sets the value to its own number; each row takes the highest layer away.
  const layers = {
    config: 'workflow:\n  concurrencyLimit: 1\nprofiles:\n  p:\n    workflow: { concurrencyLimit: 2 }\n',
    profiles: { p: 'workflow:\n  concurrencyLimit: 3\n' },
    dotenv: '# comment\nCRYPTO_NJOBS=4\nWORKFLOW__CONCURRENCY_LIMIT=5\n',
    env: { CRYPTO_NJOBS: '6', WORKFLOW__CONCURRENCY_LIMIT: '7' },
    sets: ['workflow.concurrencyLimit=8', 'workflow.concurrencyLimit=9'],
    profile: 'p',
  };
  const { profile, ...noProfile } = layers;
  test.each([
    [layers, '9 from --set'],
    [{ ...layers, sets: [] }, '7 from environment WORKFLOW__CONCURRENCY_LIMIT'],
    [{ ...layers, sets: [], env: { CRYPTO_NJOBS: '6' } }, '6 from environment CRYPTO_NJOBS'],
    [{ ...layers, sets: [], env: {} }, '5 from .env WORKFLOW__CONCURRENCY_LIMIT'],
    [{ ...layers, sets: [], env: {}, dotenv: 'CRYPTO_NJOBS=4' }, '4 from .env CRYPTO_NJOBS'],
    [{ ...layers, sets: [], env: {}, dotenv: '' }, '3 from profile p (profiles/p.yaml:2)'],
    [{ ...layers, sets: [], env: {}, dotenv: '', profiles: {} }, '2 from profile p (lakehouse.yaml:5)'],
    [{ ...noProfile, sets: [], env: {}, dotenv: '', profiles: {} }, '1 from lakehouse.yaml:2'],
    [{ profile, profiles: { p: '' } }, '8 from default'],
  ])('%j: %s', (given, expected) => {
    expect(originsOf(sourcesOf(given), 'workflow.concurrencyLimit')).toEqual({ 'workflow.concurrencyLimit': expected });
  });

  test('sections are merged key by key, lists are replaced', () => {
    const sources = sourcesOf({
      config: 'workflow:\n  pools: { a: 1, b: 2 }\nexchanges:\n  binance:\n    symbols: [A, B]\n    intervals: [1d]\n',
      profile: 'p',
      profiles: { p: 'workflow: { pools: { b: 3, c: 4 } }\nexchanges: { binance: { symbols: [C] } }\n' },
    });
    const { settings } = resolveSettings(sources, assetSettings);
    expect(settings.workflow.pools).toEqual({ a: 1, b: 3, c: 4 });
    expect(settings.exchanges.binance.symbols).toEqual(['C']);
    expect(settings.exchanges.binance.intervals).toEqual(['1d']);
    expect(originsOf(sources, 'workflow.pools.a', 'workflow.pools.b')).toEqual({
      'workflow.pools.a': '1 from lakehouse.yaml:2',
      'workflow.pools.b': '3 from profile p (profiles/p.yaml:1)',
    });
  });

  test('an empty section is an empty mapping', () => {
    const config = 's3:\n  # bucket: x\nworkflow: {}\nprofiles:\n';
    expect(resolveSettings(sourcesOf({ config }), {})).toEqual({
      ...resolveSettings(sourcesOf(), {}),
      configFile: 'lakehouse.yaml',
    });
  });

  test('anchors and aliases stand for their value', () => {
    const config = 'workflow:\n  retryAttempts: &n 5\n  concurrencyLimit: *n\n';
    expect(resolveSettings(sourcesOf({ config }), {}).settings.workflow).toMatchObject({
      retryAttempts: 5,
      concurrencyLimit: 5,
    });
  });
});

describe('the profile', () => {
  const profiles = { one: 'debug: true', two: 'debug: false', production: 'debug: true' };
  const profileOf = (given: Parameters<typeof sourcesOf>[0]) =>
    originsOf(sourcesOf({ profiles, ...given }), 'profile').profile;

  test.each([
    [{}, 'undefined from default'],
    [{ config: 'profile: one' }, '"one" from lakehouse.yaml:1'],
    [{ config: 'profile: one', dotenv: 'ENVIRONMENT=two' }, '"two" from .env ENVIRONMENT'],
    [{ dotenv: 'ENVIRONMENT=one', env: { ENVIRONMENT: 'two' } }, '"two" from environment ENVIRONMENT'],
    [{ env: { ENVIRONMENT: 'two' }, sets: ['profile=one'] }, '"one" from --set'],
    [{ env: { ENVIRONMENT: 'two' }, sets: ['profile=two'], profile: 'one' }, '"one" from --profile'],
  ])('%j: %s', (given, expected) => {
    expect(profileOf(given)).toBe(expected);
    const { settings } = resolveSettings(sourcesOf({ profiles, ...given }), {});
    expect(settings.debug).toBe(settings.profile === 'one');
  });

  test.each(['development', 'staging', 'production', 'test'])('ENVIRONMENT=%s needs no such profile', (name) => {
    expect(resolveSettings(sourcesOf({ env: { ENVIRONMENT: name } }), {}).settings.profile).toBe(name);
  });

  test('any other unknown profile is refused', () => {
    const config = 'profiles:\n  simulated: { debug: true }\n';
    expect(
      failure(() => resolveSettings(sourcesOf({ config, profiles, env: { ENVIRONMENT: 'prod' } }), {})),
    ).toMatchInlineSnapshot(`
      "invalid-settings (usage) The settings are wrong:
        - profile: There is no profile 'prod' (environment variable ENVIRONMENT)
          Did you mean 'production'? Known: one, production, simulated, two. A profile is a file profiles/prod.yaml or a section under 'profiles:' in the config file, which is lakehouse.yaml."
    `);
    expect(failure(() => resolveSettings(sourcesOf({ profile: 'staging' }), {}))).toMatchInlineSnapshot(`
      "invalid-settings (usage) The settings are wrong:
        - profile: There is no profile 'staging' (--profile)
          A profile is a file profiles/staging.yaml or a section under 'profiles:' in the config file."
    `);
    expect(failure(() => resolveSettings(sourcesOf({ config: 'profile: simulate' }), {}))).toMatchInlineSnapshot(`
      "invalid-settings (usage) The settings are wrong:
        - lakehouse.yaml:1:1: profile: There is no profile 'simulate'
          A profile is a file profiles/simulate.yaml or a section under 'profiles:' in the config file, which is lakehouse.yaml."
    `);
  });

  test('what is wrong with a profile is said once, chosen or not', () => {
    const config = 'profiles:\n  p: { debug: 1 }\n';
    const report = failure(() => resolveSettings(sourcesOf({ config, profile: 'p' }), {}));
    expect(report).toBe(failure(() => resolveSettings(sourcesOf({ config }), {})));
    expect(report.match(/lakehouse.yaml:2:15: debug/g)).toHaveLength(1);
  });

  test('a profile cannot choose a profile', () => {
    expect(
      failure(() => resolveSettings(sourcesOf({ profile: 'a', profiles: { a: 'debug: true\nprofile: b\n' } }), {})),
    ).toMatchInlineSnapshot(`
      "invalid-settings (usage) The settings are wrong:
        - profiles/a.yaml:2:1: profile: A profile cannot choose a profile"
    `);
  });

  test('the profiles of the config file are checked even where not chosen, those of other files are not read', () => {
    const config = 'profiles:\n  p: { debgu: true }\n  q:\n    log: { level: loud }\n';
    expect(
      failure(() => resolveSettings(sourcesOf({ config, profiles: { r: 'debgu: true' } }), {})),
    ).toMatchInlineSnapshot(`
      "invalid-settings (usage) The settings are wrong:
        - lakehouse.yaml:2:8: debgu: Unknown setting
          Did you mean 'debug'?
        - lakehouse.yaml:4:19: log.level: Expected one of silent, error, warn, info, debug, trace, got "loud""
    `);
  });
});

describe('paths', () => {
  test('are relative to the working directory, wherever they are written, and may start with <dataDir>', () => {
    const sources = sourcesOf({
      config: 'dataDir: lake\nstate: { directory: <dataDir>/../state }\nengine: { tempDirectory: /tmp/x }\n',
      env: { LAKEHOUSE__DEFINITIONS: '../mine.ts' },
      sets: ['exchanges.binance.archive.directory=../shared/data/archive'],
    });
    const { settings } = resolveSettings(sources, assetSettings);
    expect([
      settings.dataDir,
      settings.state.directory,
      settings.engine.tempDirectory,
      settings.definitions,
      settings.exchanges.binance.archive.directory,
    ]).toEqual(['/home/me/lake', '/home/me/state', '/tmp/x', '/home/mine.ts', '/home/shared/data/archive']);
  });

  test('with ~ or another name in <> are refused', () => {
    expect(
      failure(() => resolveSettings(sourcesOf({ sets: ['dataDir=~/data', 'state.directory=<cwd>/x'] }), {})),
    ).toMatchInlineSnapshot(`
      "invalid-settings (usage) The settings are wrong:
        - dataDir: A path starts neither with '~' nor with a name in '<>' other than '<dataDir>', got "~/data" (--set)
          Write it in full, or relative to the working directory
        - state.directory: A path starts neither with '~' nor with a name in '<>' other than '<dataDir>', got "<cwd>/x" (--set)
          Write it in full, or relative to the working directory"
    `);
  });
});

describe('an extension', () => {
  const sources = sourcesOf({
    config: 'exchanges: { binance: { symbls: [A] } }\nother: 1\n',
    env: { EXCHANGES__BINANCE__X: '1', LAKEHOUSE__OTHER: '1' },
    sets: ['exchanges.x=1'],
  });

  test('until it is known, sections other than ours are ignored', () => {
    expect(resolveSettings(sources).settings).toEqual(resolveSettings(sourcesOf()).settings);
  });

  test('once it is known, they are refused', () => {
    expect(failure(() => resolveSettings(sources, assetSettings))).toMatchInlineSnapshot(`
      "invalid-settings (usage) The settings are wrong:
        - lakehouse.yaml:1:25: exchanges.binance.symbls: Unknown setting
          Did you mean 'symbols'?
        - lakehouse.yaml:2:1: other: Unknown setting
          Known: dataDir, definitions, profile, debug, state, engine, processing, workflow, daemon, schedules, s3, catalogue, … (18 in all)
        - 'EXCHANGES__BINANCE__X' names no setting (environment variable EXCHANGES__BINANCE__X)
          Known after EXCHANGES__BINANCE__: ENABLED, ARCHIVE__BASE_URL, ARCHIVE__LIST_URL, ARCHIVE__DIRECTORY, ARCHIVE__TIMEOUT_MS, ARCHIVE__CONCURRENCY, ARCHIVE__SIMULATED, REST__ENABLED, REST__DAYS, REST__BASE_URLS__SPOT, REST__BASE_URLS__UM, REST__BASE_URLS__CM, … (23 in all)
        - 'LAKEHOUSE__OTHER' names no setting (environment variable LAKEHOUSE__OTHER)
          Known after LAKEHOUSE__: DATA_DIR, DEFINITIONS, PROFILE, DEBUG
        - exchanges.x: Unknown setting (--set)
          Known: binance, coinbase, kraken"
    `);
    expect(failure(() => resolveSettings(sources, {}))).toMatchInlineSnapshot(`
      "invalid-settings (usage) The settings are wrong:
        - lakehouse.yaml:1:1: exchanges: Unknown setting
          Known: dataDir, definitions, profile, debug, state, engine, processing, workflow, daemon, schedules, s3, catalogue, … (16 in all)
        - lakehouse.yaml:2:1: other: Unknown setting
          Known: dataDir, definitions, profile, debug, state, engine, processing, workflow, daemon, schedules, s3, catalogue, … (16 in all)
        - 'LAKEHOUSE__OTHER' names no setting (environment variable LAKEHOUSE__OTHER)
          Known after LAKEHOUSE__: DATA_DIR, DEFINITIONS, PROFILE, DEBUG
        - exchanges: Unknown setting (--set)
          Known: dataDir, definitions, profile, debug, state, engine, processing, workflow, daemon, schedules, s3, catalogue, … (16 in all)"
    `);
  });

  test('may not take the names of the framework', () => {
    expect(
      failure(() => resolveSettings(sourcesOf(), { log: z.object({}), profiles: z.string() })),
    ).toMatchInlineSnapshot(`
      "invalid-settings-extension (usage) The settings that the definitions module declares are wrong:
        - log: This name belongs to the framework
        - profiles: This name belongs to the framework"
    `);
  });

  test('may have settings without a default, refinements and transformations', () => {
    const extension = {
      exchange: z
        .object({ key: z.string(), from: z.int(), to: z.int(), tags: z.string().transform((text) => text.split('+')) })
        .refine((it) => it.from <= it.to, { message: "'from' is after 'to'", path: ['from'] }),
      limits: z
        .record(z.string(), z.object({ rate: z.int(), burst: z.int().default(1) }))
        .default({ all: { rate: 1, burst: 2 } }),
    };
    const config = 'exchange:\n  key: k\n  from: 3\n  to: 4\n  tags: a+b\n';
    const { settings } = resolveSettings(
      sourcesOf({ config, env: { LIMITS__ALL__RATE: '7', LIMITS__SPOT__RATE: '8' } }),
      extension,
    );
    const tags: string[] = settings.exchange.tags;
    expect(tags).toEqual(['a', 'b']);
    expect(settings.limits).toEqual({ all: { rate: 7, burst: 2 }, spot: { rate: 8, burst: 1 } });
    expect(
      failure(() => resolveSettings(sourcesOf({ config, sets: ['exchange.from=5'] }), extension)),
    ).toMatchInlineSnapshot(`
      "invalid-settings (usage) The settings are wrong:
        - exchange.from: 'from' is after 'to' (--set)"
    `);
    expect(failure(() => resolveSettings(sourcesOf(), extension))).toMatchInlineSnapshot(`
      "invalid-settings (usage) The settings are wrong:
        - exchange.key: This setting must be given
        - exchange.from: This setting must be given
        - exchange.to: This setting must be given
        - exchange.tags: This setting must be given"
    `);
  });
});

describe('definitionsPath', () => {
  test('leaves other problems to the full check', () => {
    const config = 'debug: 7\nexchange: {}\n';
    expect(definitionsPath(sourcesOf({ config, sets: ['definitions=x.ts', 'nonsense'] }))).toBe('/home/me/x.ts');
  });

  test('is refused where it cannot be trusted', () => {
    expect(failure(() => definitionsPath(sourcesOf({ config: 'definitions: 7\ndebug: 7' })))).toMatchInlineSnapshot(`
      "invalid-settings (usage) The settings are wrong:
        - lakehouse.yaml:1:14: definitions: Expected a text, got 7
          Put it in quotes"
    `);
    expect(failure(() => definitionsPath(sourcesOf({ config: 'debug: [' })))).toMatchInlineSnapshot(`
      "invalid-settings (usage) The settings are wrong:
        - lakehouse.yaml:1:9: Flow sequence in block collection must be sufficiently indented and end with a ]"
    `);
    expect(failure(() => definitionsPath(sourcesOf({ profile: 'x' })))).toMatchInlineSnapshot(`
      "invalid-settings (usage) The settings are wrong:
        - profile: There is no profile 'x' (--profile)
          A profile is a file profiles/x.yaml or a section under 'profiles:' in the config file."
    `);
  });
});
