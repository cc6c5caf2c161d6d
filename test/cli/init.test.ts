import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dependencyOn, type OwnPackage, ownPackage } from '../../framework/cli/scaffold/package.ts';
import { packageName, projectFiles } from '../../framework/cli/scaffold/project.ts';
import manifest from '../../package.json' with { type: 'json' };
import { Place } from './support.ts';

/** Files by relative path. */
async function filesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();
}

const minimal = [...(await projectFiles(ownPackage(), 'minimal', 'my-lake', '1.0.0')).keys()].sort();

describe('init', () => {
  test('writes a project into a new directory, and says what is next', async () => {
    const place = new Place();
    const { code, out, err } = await place.run(['init', 'some/My Lake', '--package', '0.1.0']);
    expect({ code, out, err }).toEqual({
      code: 0,
      out: `Made some/My Lake: ${minimal.length} files.\n\nNext:\n  cd 'some/My Lake'\n  npm install\n  npm test\n  npx lakehouse materialize\n  npx lakehouse query "FROM gold.daily"\n`,
      err: '',
    });
    expect(await readdir(join(place.cwd, 'some'))).toEqual(['My Lake']);
    const project = join(place.cwd, 'some/My Lake');
    expect(await filesIn(project)).toEqual(minimal);
    expect(JSON.parse(await readFile(join(project, 'package.json'), 'utf8'))).toEqual({
      name: 'my-lake',
      version: '0.0.0',
      private: true,
      type: 'module',
      engines: { node: manifest.engines.node },
      scripts: { start: 'lakehouse materialize', test: 'node --test "test/**/*.test.ts"', typecheck: 'tsc' },
      dependencies: { 'crypto-lakehouse': '0.1.0' },
      devDependencies: {
        '@types/node': manifest.devDependencies['@types/node'],
        typescript: manifest.devDependencies.typescript,
      },
    });
    expect(await readFile(join(project, 'README.md'), 'utf8')).toMatch(/^# my-lake\n/);
    expect(minimal).toContain('.gitignore');
  });

  test('as JSON, in this directory, where git was before', async () => {
    const place = new Place();
    await mkdir(join(place.cwd, '.git'));
    expect(await place.json(['init', '--template', 'crypto', '--package', '0.1.0'])).toEqual({
      directory: place.cwd,
      template: 'crypto',
      package: '0.1.0',
      written: (await filesIn(place.cwd)).sort(),
      kept: [],
      next: ['npm install', 'npm test', 'npm start'],
    });
    expect(existsSync(join(place.cwd, 'assets/gold/range.ts'))).toBe(true);
  });

  test('refuses a directory that is not empty, and leaves it as it is', async () => {
    const place = new Place();
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) await writeFile(join(place.cwd, name), name);
    expect(await place.run(['init'])).toEqual({
      code: 2,
      out: '',
      err: 'lakehouse: This directory is not empty: a, b, c, d, e and 2 more\n  Name a directory that is not there yet, or add what is missing with --force; nothing is overwritten.\n',
    });
    expect(await place.run(['init', 'a'])).toEqual({
      code: 2,
      out: '',
      err: 'lakehouse: a is there and is not a directory\n',
    });
    expect(await filesIn(place.cwd)).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
  });

  test('--force adds what is missing and overwrites nothing', async () => {
    const place = new Place();
    await mkdir(join(place.cwd, 'assets'));
    await writeFile(join(place.cwd, 'package.json'), '{}');
    await writeFile(join(place.cwd, 'assets/index.ts'), '// mine');
    const { code, out } = await place.run(['init', '--force', '--package', 'file:../x.tgz']);
    expect({ code, out }).toEqual({
      code: 0,
      out: `Made a lake here: ${minimal.length - 2} files.\nLeft as they were: assets/index.ts, package.json.\n\nNext:\n  npm install ../x.tgz\n  npm test\n  npx lakehouse materialize\n  npx lakehouse query "FROM gold.daily"\n`,
    });
    expect(await filesIn(place.cwd)).toEqual(minimal);
    expect(await readFile(join(place.cwd, 'package.json'), 'utf8')).toBe('{}');
    expect(await readFile(join(place.cwd, 'assets/index.ts'), 'utf8')).toBe('// mine');
  });

  test('leaves nothing half done when it fails', async () => {
    const place = new Place();
    await mkdir(join(place.cwd, 'lake'));
    // In the way of the directory `assets`, and met after other files.
    await writeFile(join(place.cwd, 'lake/assets'), 'a file');
    await symlink('/nowhere', join(place.cwd, 'lake/lakehouse.yaml'));
    const { code, err } = await place.run(['init', 'lake', '--force']);
    expect({ code, err }).toEqual({ code: 1, err: expect.stringMatching(/^lakehouse: Cannot write lake: ENOTDIR/) });
    expect((await readdir(join(place.cwd, 'lake'))).sort()).toEqual(['assets', 'lakehouse.yaml']);

    await rm(join(place.cwd, 'lake/assets'));
    await writeFile(join(place.cwd, 'lake/test'), 'a file');
    expect(await place.run(['init', 'lake', '--force'])).toMatchObject({ code: 1 });
    // Nor its directories; and a link to nowhere is nobody's to replace.
    expect((await readdir(join(place.cwd, 'lake'))).sort()).toEqual(['lakehouse.yaml', 'test']);
    await rm(join(place.cwd, 'lake/test'));
    expect((await place.run(['init', 'lake', '--force'])).out).toContain('Left as they were: lakehouse.yaml.');
    expect(await readlink(join(place.cwd, 'lake/lakehouse.yaml'))).toBe('/nowhere');
  });

  test('a template that there is not', async () => {
    const { code, err } = await new Place().run(['init', 'x', '--template', 'big']);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('Allowed choices are minimal, crypto') });
  });
});

test('names of packages', () => {
  const names = ['/x/my-lake', '/x/My Lake', '/x/.hidden', '/x/ä', '/x/a_b.c', '/'].map(packageName);
  expect(names).toEqual(['my-lake', 'my-lake', 'hidden', 'lake', 'a_b.c', 'lake']);
});

describe('where a project gets the package from', () => {
  const own = (directory: string): OwnPackage => ({ ...ownPackage(), directory, version: '1.2.3' });

  /** Of a package in node_modules that npm remembers to have had from there. */
  async function installed(resolved: string | undefined): Promise<string> {
    const { cwd } = new Place();
    await mkdir(join(cwd, 'npx/node_modules/crypto-lakehouse'), { recursive: true });
    const packages = { 'node_modules/crypto-lakehouse': { version: '1.2.3', ...(resolved && { resolved }) } };
    await writeFile(join(cwd, 'npx/node_modules/.package-lock.json'), JSON.stringify({ packages }));
    return dependencyOn(own(join(cwd, 'npx/node_modules/crypto-lakehouse')), join(cwd, 'my-lake'));
  }

  test('from where this one was had', async () => {
    expect(await installed('https://registry.example.org/crypto-lakehouse/-/crypto-lakehouse-1.2.3.tgz')).toBe(
      '^1.2.3',
    );
    expect(await installed(undefined)).toBe('^1.2.3');
    expect(await installed('file:../crypto-lakehouse-1.2.3.tgz')).toBe('file:../crypto-lakehouse-1.2.3.tgz');
    expect(await installed('git+ssh://git@example.org/x.git#abc')).toBe('git+ssh://git@example.org/x.git#abc');
  });

  test('from a clone, or without what npm remembers', () => {
    expect(dependencyOn(own('/home/me/crypto-lakehouse'), '/home/me/lakes/one')).toBe('file:../../crypto-lakehouse');
    expect(dependencyOn(own('/usr/lib/node_modules/crypto-lakehouse'), '/home/me/lake')).toBe('^1.2.3');
  });
});
