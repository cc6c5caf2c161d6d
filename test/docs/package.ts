import { execFile } from 'node:child_process';
import { cp, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const root = join(import.meta.dirname, '../..');
export const run = promisify(execFile);
const TSCONFIGS = ['tsconfig.json', 'tsconfig.build.json', 'tsconfig.assets.json'];

/**
 * The package as it is built from these sources, in a directory of its own: other tests and people may use `dist/` at the
 * same time, and what is there may be older.
 */
export async function buildPackage(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const name of ['assets', 'bin', 'framework', 'scripts', 'package.json', ...TSCONFIGS]) {
    await cp(join(root, name), join(directory, name), { recursive: true });
  }
  await symlink(join(root, 'node_modules'), join(directory, 'node_modules'));
  await run(process.execPath, ['scripts/build.mjs'], { cwd: directory });
}

/** What `npm install <path>` leaves in a project: a link. */
export async function linkPackage(project: string, directory: string): Promise<void> {
  await mkdir(join(project, 'node_modules'), { recursive: true });
  await symlink(directory, join(project, 'node_modules/crypto-lakehouse'));
}
