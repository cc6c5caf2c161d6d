import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { describeSettings } from '../../framework/config/describe.ts';
import { loadSettings } from '../../framework/config/load.ts';
import { failure } from './support.ts';

let cwd = '';
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'settings-'));
});
afterEach(() => rm(cwd, { recursive: true, force: true }));

async function write(name: string, text: string): Promise<void> {
  await mkdir(dirname(join(cwd, name)), { recursive: true });
  await writeFile(join(cwd, name), text);
}

function bucketOf(argv: { configFile?: string; profile?: string } = {}, env: Record<string, string> = {}): string {
  const loaded = loadSettings({ cwd, env, argv: { sets: [], ...argv } }, {});
  const row = describeSettings(loaded).find(({ name }) => name === 's3.bucket');
  return `${row?.value} from ${row?.origin}, config ${loaded.configFile}`;
}

test('the config file is lakehouse.yaml, else config/lakehouse.yaml, or the one that is named', async () => {
  expect(bucketOf()).toBe('undefined from default, config undefined');
  await write('config/lakehouse.yaml', 's3: { bucket: two }');
  expect(bucketOf()).toBe('two from config/lakehouse.yaml:1, config config/lakehouse.yaml');
  await write('lakehouse.yaml', '\ns3: { bucket: one }');
  expect(bucketOf()).toBe('one from lakehouse.yaml:2, config lakehouse.yaml');
  await write('sub/mine.yaml', 's3: { bucket: three }');
  expect(bucketOf({ configFile: 'sub/mine.yaml' })).toBe('three from sub/mine.yaml:1, config sub/mine.yaml');
  expect(bucketOf({ configFile: join(cwd, 'sub/mine.yaml') })).toBe('three from sub/mine.yaml:1, config sub/mine.yaml');
  await write('lakehouse.yaml', '');
  expect(bucketOf()).toBe('undefined from default, config lakehouse.yaml');
});

test('profiles lie beside the config file', async () => {
  await write('config/lakehouse.yaml', 'debug: true');
  await write('config/profiles/p.yaml', 's3: { bucket: beside }');
  await write('profiles/p.yaml', 's3: { bucket: elsewhere }');
  const beside = 'beside from profile p (config/profiles/p.yaml:1), config config/lakehouse.yaml';
  expect(bucketOf({ profile: 'p' })).toBe(beside);
  expect(bucketOf({}, { ENVIRONMENT: 'p' })).toBe(beside);
  expect(failure(() => bucketOf({ profile: '../profiles/p' }))).toMatch(/^invalid-settings \(usage\)/);
  await rm(join(cwd, 'config/lakehouse.yaml'));
  expect(bucketOf({ profile: 'p' })).toBe('beside from profile p (config/profiles/p.yaml:1), config undefined');
});

test('.env lies in the working directory', async () => {
  await write('.env', 'S3_BUCKET=secret-lake\n');
  await write('config/.env', 'S3_BUCKET=other\n');
  expect(bucketOf()).toBe('secret-lake from .env S3_BUCKET, config undefined');
});

test('a config file that is named but absent, or cannot be read, is refused', async () => {
  expect(failure(() => bucketOf({ configFile: 'mine.yaml' }))).toBe(
    'config-not-found (usage) There is no config file mine.yaml',
  );
  await mkdir(join(cwd, 'lakehouse.yaml'));
  expect(failure(() => bucketOf())).toBe(
    `config-unreadable (usage) Cannot read ${join(cwd, 'lakehouse.yaml')}: it is a directory`,
  );
});
