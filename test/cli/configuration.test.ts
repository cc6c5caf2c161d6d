import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defineLakehouse } from 'crypto-lakehouse';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { place } from './support.ts';

describe('config', () => {
  test('shows values, origins, and no secrets', async () => {
    const here = await place();
    await writeFile(join(here.cwd, '.env'), 'S3_BUCKET=lake\n');
    const env = { CRYPTO_NJOBS: '3', AWS_ACCESS_KEY_ID: 'hunter1', AWS_SECRET_ACCESS_KEY: 'hunter2' };
    const { code, out } = await here.run(['config', '--set', 'engine.threads=1'], { io: { env } });
    expect(code).toBe(0);
    const rows = new Map(
      out
        .split('\n')
        .slice(3)
        .map((line) => line.split(/ {2,}/))
        .map(([name, ...rest]) => [name, rest]),
    );
    expect([
      rows.get('workflow.concurrencyLimit'),
      rows.get('workflow.retryAttempts'),
      rows.get('s3.bucket'),
      rows.get('s3.secretAccessKey'),
      rows.get('engine.threads'),
      rows.get('log.level'),
      rows.get('s3.region'),
    ]).toEqual([
      ['3', 'environment CRYPTO_NJOBS'],
      ['0', 'lakehouse.yaml:2'],
      ['lake', '.env S3_BUCKET'],
      ['***', 'environment AWS_SECRET_ACCESS_KEY'],
      ['1', '--set'],
      ['info', 'default'],
      ['-', 'default'],
    ]);
    const json = (await here.run(['config', '--json'], { io: { env } })).out;
    expect(json).not.toMatch(/hunter\d/);
    expect(JSON.parse(json)).toMatchObject({
      configFile: 'lakehouse.yaml',
      settings: expect.arrayContaining([
        {
          name: 'dataDir',
          value: join(here.cwd, 'data'),
          origin: 'default',
          description: 'Directory that holds the lake.',
          default: './data',
          env: ['LAKEHOUSE__DATA_DIR', 'CRYPTO_DATA_DIR'],
        },
      ]),
    });
    expect((await here.run(['config', '--verbose'])).out).toContain('dataDir = ');
  });

  test('has the settings of the definitions', async () => {
    const here = await place();
    const definition = defineLakehouse({
      assets: here.tiny().assets,
      settings: {
        feed: z.object({ url: z.string().default('x').meta({ description: 'Where.' }) }).meta({ description: 'Feed.' }),
      },
    });
    expect((await here.run(['config'], { definition })).out).toMatch(/\nfeed\.url +x +default\n/);
  });

  test('wrong settings are told with their place, and no secret with them', async () => {
    const here = await place();
    await writeFile(join(here.cwd, 'lakehouse.yaml'), 'workflow:\n  retryAttemps: 3\n');
    const { code, out, err } = await here.run([
      'plan',
      '--set',
      'engin.threads=1',
      '--set',
      's3.secretAccessKey=hunter2',
    ]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(
      "lakehouse.yaml:2:3: workflow.retryAttemps: Unknown setting\n    Did you mean 'retryAttempts'?",
    );
    expect(err).toContain("engin: Unknown setting (--set)\n    Did you mean 'engine'?");
    expect(err).not.toContain('hunter2');
    expect(JSON.parse((await here.run(['plan', '--json', '--set', 'engin.threads=1'])).out)).toMatchObject({
      error: { code: 'invalid-settings', kind: 'usage' },
    });
    expect((await here.run(['plan', '--config', 'none.yaml'])).err).toContain(
      'lakehouse: There is no config file none.yaml\n',
    );
    expect((await here.run(['plan', '--config', '.'])).err).toMatch(/^lakehouse: Cannot read .*: it is a directory\n$/);
    expect((await here.run(['plan', '--profile', 'prod'])).err).toContain("There is no profile 'prod'");
  });

  test('a secret given to --set stays out of the log', async () => {
    const here = await place();
    await here.run(['observe', '--set', 's3.secretAccessKey=hunter2']);
    expect((await here.run(['runs', '--json'])).out).toContain('lakehouse observe --set s3.secretAccessKey=***');
  });
});

describe('without definitions', () => {
  const missing =
    'warning: There is no definitions module assets/index.ts\n  Settings that the definitions declare are left out.\n';

  test('config shows the settings of the framework: one of them says where the definitions are', async () => {
    const here = await place();
    await rm(join(here.cwd, 'assets'), { recursive: true });
    const { code, out, err } = await here.run(['config', '--set', 'feed.url=x']);
    expect({ code, err }).toEqual({ code: 0, err: missing });
    expect(out).toMatch(/\ndefinitions +\S+\/assets\/index\.ts +default\n/);
    expect(await here.json(['config'])).toMatchObject({ configFile: 'lakehouse.yaml' });
    expect((await here.run(['config', '--set', 'workflow.retries=1'])).code).toBe(2);
  });

  test('so does it with definitions that cannot be loaded', async () => {
    const here = await place();
    const importModule = async () => {
      throw new TypeError('x is not a function');
    };
    const { code, out, err } = await here.run(['config'], { io: { importModule } });
    expect({ code, first: err.split('\n')[0] }).toEqual({
      code: 0,
      first: 'warning: assets/index.ts cannot be loaded: TypeError: x is not a function',
    });
    expect(out).toContain('workflow.retryAttempts');
  });

  test('runs are listed and shown', async () => {
    const here = await place();
    await here.run(['observe']);
    await rm(join(here.cwd, 'assets'), { recursive: true });
    expect(await here.json(['runs'])).toMatchObject([{ command: 'lakehouse observe', outcome: 'succeeded' }]);
    const { code, out, err } = await here.run(['runs', 'show', 'last']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain('observed files/days: 6 new or changed');
    expect((await here.run(['runs', '--set', 'workflow.retries=1'])).code).toBe(2);
    expect((await here.run(['status'])).code).toBe(2);
  });
});

describe('a definitions module', () => {
  const load = async (importModule: () => Promise<unknown>) => {
    const here = await place();
    const { code, out, err } = await here.run(['assets'], { io: { importModule } });
    expect({ code, out }).toEqual({ code: 2, out: '' });
    return err;
  };

  test('that is not there', async () => {
    const here = await place();
    await rm(join(here.cwd, 'assets'), { recursive: true });
    expect(await here.run(['assets'])).toEqual({
      code: 2,
      out: '',
      err: "lakehouse: There is no definitions module assets/index.ts\n  Say where it is: --set definitions=path/to/index.ts, or 'definitions:' in lakehouse.yaml (relative to the working directory).\n  It exports what the lake is: export const lakehouse = defineLakehouse({ assets: […] })\n",
    });
    await mkdir(join(here.cwd, 'other'));
    await writeFile(join(here.cwd, 'other/lake.ts'), '');
    expect((await here.run(['assets', '--set', 'definitions=other/lake.ts'])).code).toBe(0);
  });

  test('that exports no lakehouse', async () => {
    expect(await load(async () => ({ lake: 1, helper: 2 }))).toBe(
      "lakehouse: assets/index.ts exports only lake, helper, and no 'lakehouse'\n  It exports what the lake is: export const lakehouse = defineLakehouse({ assets: […] })\n",
    );
    expect(await load(async () => ({}))).toContain("assets/index.ts exports nothing, and no 'lakehouse'");
  });

  test('that was made by another copy of the framework', async () => {
    expect(await load(async () => ({ lakehouse: { assets: [] } }))).toContain(
      'lakehouse: assets/index.ts exports a lakehouse that this framework did not make: there are two copies of it\n',
    );
  });

  test('that exports it by default', async () => {
    const here = await place();
    expect((await here.run(['assets'], { io: { importModule: async () => ({ default: here.tiny() }) } })).code).toBe(0);
  });

  test('whose definitions are wrong: all problems at once', async () => {
    const here = await place();
    const [source] = here.tiny().assets;
    const definition = defineLakehouse({
      assets: [
        {
          ...(source as object),
          issues: [
            { code: 'x', path: ['files/days', 'a'], message: 'first' },
            { code: 'x', path: ['files/days', 'b'], message: 'second', hint: 'Do this' },
          ],
        } as never,
      ],
    });
    const { code, err } = await here.run(['assets'], { definition });
    expect({ code, err: err.replaceAll(/- .*support\.ts(:\d+)?: /g, '- ') }).toEqual({
      code: 2,
      err: 'lakehouse: 2 problems in the asset definitions:\n  - files/days.a: first\n  - files/days.b: second\n    Do this\n',
    });
  });
});

test('errors have a stack only for those who debug', async () => {
  const here = await place();
  const importModule = async () => {
    throw new TypeError('x is not a function');
  };
  const short = await here.run(['assets'], { io: { importModule } });
  expect(short.err).toMatch(
    /^lakehouse: assets\/index\.ts cannot be loaded: TypeError: x is not a function\n {2}at .*configuration\.test\.ts:\d+:\d+\n$/,
  );
  const long = await here.run(['assets', '--debug'], { io: { importModule } });
  expect(long.err).toContain('\nCaused by: TypeError: x is not a function\n    at ');
  const set = await here.run(['assets', '--set', 'debug=true'], { io: { importModule } });
  expect(set.err).toContain('\nCaused by: TypeError: x is not a function\n    at ');
});

test('a full disk behind stdout is an error, a reader who leaves is not', async () => {
  const here = await place();
  const closed = {
    write: () => undefined,
    isTTY: false,
    columns: undefined,
    rows: undefined,
    closed: true,
    failure: undefined as Error | undefined,
    drained: async () => undefined,
    onResize: () => () => undefined,
  };
  expect(await here.run(['assets'], { io: { stdout: closed } })).toEqual({ code: 0, out: '', err: '' });
  const full = { ...closed, failure: new Error('ENOSPC: no space left on device, write') };
  expect(await here.run(['assets'], { io: { stdout: full } })).toMatchObject({
    code: 1,
    err: expect.stringContaining('ENOSPC: no space left on device, write'),
  });
});
