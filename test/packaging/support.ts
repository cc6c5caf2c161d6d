import { cp, mkdir, readdir, rename, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buildPackage, root, run } from '../docs/package.ts';

/** What the package is made of besides what is built. */
const DATA = ['config', 'docs', 'templates', 'README.md', 'CHANGELOG.md', 'LICENSE'];

/** Builds these sources and packs them, as `npm pack` does in a clone. Returns the path of the tarball. */
export async function pack(directory: string): Promise<string> {
  const source = join(directory, 'source');
  await buildPackage(source);
  for (const name of DATA) await cp(join(root, name), join(source, name), { recursive: true });
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', directory];
  // Not the settings of whoever runs the tests.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
  const { stdout } = await run('npm', args, { cwd: source, env });
  const [packed] = Object.values(JSON.parse(stdout) as Record<string, { readonly filename: string }>);
  if (!packed) throw new Error(`npm pack said ${stdout}`);
  return join(directory, packed.filename);
}

/**
 * What `npm install` leaves of a tarball in a project, without the network: the package in node_modules, and beside it what is
 * installed here.
 */
export async function installPackage(project: string, tarball: string): Promise<void> {
  const modules = join(project, 'node_modules');
  await mkdir(join(modules, '.bin'), { recursive: true });
  await run('tar', ['xzf', tarball, '-C', modules]);
  await rename(join(modules, 'package'), join(modules, 'crypto-lakehouse'));
  for (const name of await readdir(join(root, 'node_modules'))) {
    if (!name.startsWith('.')) await symlink(join(root, 'node_modules', name), join(modules, name));
  }
  await symlink('../crypto-lakehouse/bin/lakehouse.js', join(modules, '.bin/lakehouse'));
  await symlink('../typescript/bin/tsc', join(modules, '.bin/tsc'));
}

/** Runs a program as npm would in a project. Resolves whatever its exit code. */
export async function inProject(
  project: string,
  program: string,
  ...args: readonly string[]
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const PATH = `${join(project, 'node_modules/.bin')}:${dirname(process.execPath)}:${process.env.PATH}`;
  // A test runner inside a test runner would take itself for a part of it.
  const env = { PATH, HOME: process.env.HOME };
  try {
    const { stdout, stderr } = await run(program, args, { cwd: project, env });
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as {
      readonly code: number;
      readonly stdout: string;
      readonly stderr: string;
    };
    return { code, out: stdout, err: stderr };
  }
}
