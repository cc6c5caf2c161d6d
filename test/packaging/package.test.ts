import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ownPackage } from '../../framework/cli/scaffold/package.ts';
import { projectFiles } from '../../framework/cli/scaffold/project.ts';
import { run } from '../docs/package.ts';
import { inProject, installPackage, pack } from './support.ts';

let directory = '';
let tarball = '';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lakehouse-package-'));
  tarball = await pack(directory);
}, 300_000);

afterAll(() => rm(directory, { recursive: true, force: true }));

describe('the package', () => {
  test('holds what is needed to use it, and nothing else', async () => {
    const { stdout } = await run('tar', ['tzf', tarball], { maxBuffer: 1 << 24 });
    const files = stdout
      .trim()
      .split('\n')
      .map((path) => path.replace(/^package\//, ''));
    const tops = new Set(files.map((path) => path.replace(/\/.*/, '')));
    expect([...tops].sort()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'bin',
      'config',
      'dist',
      'docs',
      'package.json',
      'templates',
    ]);
    const kinds = new Set(
      files.filter((path) => path.startsWith('dist/')).map((path) => /(\.d\.ts|\.[^.]+)$/.exec(path)?.[0]),
    );
    expect([...kinds].sort()).toEqual(['.d.ts', '.js']);
    const templates = [];
    for (const template of ['minimal', 'crypto'] as const) {
      for (const path of (await projectFiles(ownPackage(), template, 'x', '1')).keys())
        if (path !== 'package.json') templates.push(`templates/${template}/${path.replace('.gitignore', 'gitignore')}`);
    }
    expect(files.filter((path) => path.startsWith('templates/')).sort()).toEqual(templates.sort());
  });

  test('is small', async () => {
    const { size } = await stat(tarball);
    console.info(`The package has ${Math.round(size / 1000)} kB.`);
    expect(size).toBeLessThan(1_500_000);
  });

  test('publint finds nothing wrong with it', async () => {
    const bytes = await readFile(tarball);
    const data = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    expect((await publint({ pack: { tarball: data }, strict: true })).messages).toEqual([]);
  });

  test('its types are what it is, wherever ESM can be imported', async () => {
    const analysis = await checkPackage(createPackageFromTarballData(new Uint8Array(await readFile(tarball))));
    const problems = analysis.types === false ? ['no types'] : analysis.problems;
    // It is pure ESM: require() of it takes a Node that has require(esm), and resolution as of Node 10 knows no exports.
    const allowed = (entrypoint: string) => [
      { kind: 'NoResolution', entrypoint, resolutionKind: 'node10' },
      { kind: 'CJSResolvesToESM', entrypoint, resolutionKind: 'node16-cjs' },
    ];
    expect(problems).toEqual(['.', './testing', './assets'].flatMap(allowed));
  });
});

describe('a project that init made', { timeout: 300_000 }, () => {
  const fine = { code: 0, failed: '' };

  /** Made by the package as npx has it. */
  async function init(name: string, ...args: readonly string[]) {
    const npx = join(directory, 'npx');
    if (!existsSync(npx)) await installPackage(npx, tarball);
    const project = join(directory, name);
    expect((await inProject(npx, 'lakehouse', 'init', project, ...args)).code).toBe(0);
    await installPackage(project, tarball);
    const tell = async (program: string, ...words: readonly string[]) => {
      const { code, out, err } = await inProject(project, program, ...words);
      return { code, failed: code === 0 ? '' : out + err };
    };
    return {
      project,
      lakehouse: (...words: readonly string[]) => inProject(project, 'lakehouse', ...words),
      npm: (script: string) => tell('npm', 'run', '--silent', script),
      tests: (...keys: readonly string[]) =>
        tell(process.execPath, '--test', ...keys.map((key) => `test/${key}.test.ts`)),
    };
  }

  test('is tested, computed, and computed no second time; assets that are new in it compile and work', async () => {
    const { lakehouse, npm, tests } = await init('my-lake');
    expect(await npm('test')).toEqual(fine);
    const first = await lakehouse('materialize');
    expect({ code: first.code, out: first.out }).toEqual({
      code: 0,
      out: expect.stringMatching(/^Done: 24 partitions computed; 72 rows, /),
    });
    expect((await lakehouse('materialize')).out).toMatch(/^Nothing to do: everything selected is up to date/);
    expect(
      (await lakehouse('query', 'SELECT symbol, max(high) FROM gold.daily GROUP BY 1 ORDER BY 1', '-f', 'csv')).out,
    ).toBe('symbol,max(high)\r\nBTC-EUR,40131.00\r\nETH-EUR,2160.90\r\nSOL-EUR,94.67\r\n');

    for (const args of [
      ['gold/spread', '--from', 'silver/trades'],
      ['gold/ranking', '--from', 'gold/daily', '--partitions', 'date'],
      ['gold/counts', '--from', 'silver/trades', '--function', '--partitions', 'date'],
      ['bronze/copies', '--from', 'inbox/trades'],
      ['silver/texts', '--from', 'bronze/trades', '--function'],
    ]) {
      const made = await lakehouse('new', 'asset', ...args);
      expect({ args, code: made.code, err: made.err }).toEqual({ args, code: 0, err: '' });
    }
    expect((await lakehouse('new', 'asset', 'gold/spread', '--from', 'silver/trades')).err).toBe(
      'lakehouse: There is an asset gold/spread already\n',
    );
    expect(await npm('typecheck')).toEqual(fine);
    expect(await tests('gold/spread', 'gold/ranking', 'bronze/copies', 'silver/texts')).toEqual(fine);
    expect((await lakehouse('materialize')).out).toMatch(/^Done: 30 partitions computed;/);
    expect((await lakehouse('verify', '--deep')).code).toBe(0);
  });

  test('the same of the crypto lakehouse, offline', async () => {
    const { project, lakehouse, npm } = await init('coins', '--template', 'crypto');
    // Compiled, its assets are the same code: what was computed from a clone is not stale for the package.
    const versions = async (where: string, bin: string) => {
      const { out } = await inProject(where, process.execPath, bin, 'assets', '*', '--json');
      const list = JSON.parse(out) as readonly { readonly key: string; readonly codeVersion: string }[];
      return list.filter(({ key }) => key !== 'gold/range').map(({ key, codeVersion }) => `${key} ${codeVersion}`);
    };
    const compiled = await versions(project, 'node_modules/crypto-lakehouse/bin/lakehouse.js');
    expect(compiled.sort()).toEqual((await versions(join(directory, 'source'), 'bin/lakehouse.js')).sort());

    expect((await lakehouse('new', 'asset', 'gold/volume', '--from', 'silver/klines')).err).toBe('');
    expect(await npm('typecheck')).toEqual(fine);
    expect(await npm('test')).toEqual(fine);
    const days = ['-p', 'date=2024-01-01..2024-01-02', '--profile', 'simulated'];
    expect((await lakehouse('materialize', '+gold/range or gold/volume', ...days)).out).toMatch(/^Done: /);
    expect((await lakehouse('status', 'gold/range or gold/volume', ...days, '--json')).out).toContain('"fresh": 4');
  });
});
