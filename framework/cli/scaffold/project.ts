import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Template } from '../catalog.ts';
import type { OwnPackage } from './package.ts';

/** Names that npm would not keep as they are. */
const RENAMED: Readonly<Record<string, string>> = { gitignore: '.gitignore' };

/** A name that npm accepts, made of a directory's. */
export function packageName(directory: string): string {
  const name = basename(directory)
    .toLowerCase()
    .replace(/[^a-z0-9._~-]+/g, '-')
    .replace(/^[._~-]+|-+$/g, '');
  return name === '' ? 'lake' : name;
}

/**
 * The files of a new project, by path relative to it.
 * @param dependency what its package.json says of this package, see `dependencyOn`.
 */
export async function projectFiles(
  own: OwnPackage,
  template: Template,
  name: string,
  dependency: string,
): Promise<Map<string, string>> {
  const { engines, devDependencies } = own;
  const manifest = {
    name,
    version: '0.0.0',
    private: true,
    type: 'module',
    engines: { node: engines.node },
    scripts: {
      start: `lakehouse materialize${template === 'crypto' ? ' --profile simulated' : ''}`,
      test: 'node --test "test/**/*.test.ts"',
      typecheck: 'tsc',
    },
    dependencies: { [own.name]: dependency },
    devDependencies: {
      '@types/node': devDependencies['@types/node'],
      typescript: devDependencies.typescript,
    },
  };
  const files = new Map([['package.json', `${JSON.stringify(manifest, undefined, 2)}\n`]]);
  const directory = join(own.directory, 'templates', template);
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((one) => one.isFile())) {
    const path = join(entry.parentPath, entry.name);
    const text = await readFile(path, 'utf8');
    const relative = path.slice(directory.length + 1).replaceAll('\\', '/');
    files.set(RENAMED[relative] ?? relative, relative === 'README.md' ? text.replaceAll('{{name}}', name) : text);
  }
  return files;
}
