import { existsSync, readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { LakehouseError } from '../../common/errors.ts';

/** The package that this program is part of, as far as it is needed here. */
export interface OwnPackage {
  /** Absolute. */
  readonly directory: string;
  readonly name: string;
  readonly version: string;
  readonly engines: { readonly node: string };
  readonly devDependencies: Readonly<Record<string, string>>;
}

/** @throws LakehouseError `no-package` (internal): it is not where it should be. */
export function ownPackage(): OwnPackage {
  const file = findPackageJSON(import.meta.url);
  if (file === undefined)
    throw new LakehouseError('no-package', 'The package.json of this program is missing', { kind: 'internal' });
  return { ...JSON.parse(readFileSync(file, 'utf8')), directory: dirname(file) };
}

/** A path as npm writes it in `file:…`. */
const posix = (path: string) => path.replaceAll('\\', '/');

/**
 * What to write for this package into the dependencies of a project, so that it gets the one that runs: a version where it came
 * from a registry, `file:…` where it is a clone or came from a tarball.
 * @param project absolute
 */
export function dependencyOn({ directory, name, version }: OwnPackage, project: string): string {
  const local = (path: string) => {
    const short = relative(project, path);
    return `file:${posix(isAbsolute(short) ? short : short || '.')}`;
  };
  const modules = dirname(directory);
  if (basename(modules) !== 'node_modules') return local(directory);
  const from = resolvedFrom(join(modules, '.package-lock.json'), name);
  if (from === undefined) return `^${version}`;
  if (from.startsWith('file:')) return local(resolve(dirname(modules), from.slice('file:'.length)));
  return /^https?:/.test(from) ? `^${version}` : from;
}

/** Where npm had a package from, by the lock file that it leaves in node_modules. */
function resolvedFrom(lock: string, name: string): string | undefined {
  if (!existsSync(lock)) return undefined;
  const { packages } = JSON.parse(readFileSync(lock, 'utf8')) as {
    readonly packages?: Readonly<Record<string, { readonly resolved?: string }>>;
  };
  return packages?.[`node_modules/${name}`]?.resolved;
}
