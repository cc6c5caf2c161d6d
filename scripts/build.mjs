// Builds dist/: JavaScript with esbuild, declarations with tsc.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
rmSync(`${root}/dist`, { recursive: true, force: true });

// One split build for all entries: built apart, the CLI and a user's assets would hold two copies of the framework
// and not recognise each other's values.
await build({
  absWorkingDir: root,
  entryPoints: {
    index: './framework/index.ts',
    testing: './framework/testing.ts',
    cli: './framework/cli/main.ts',
  },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22.18',
  jsx: 'automatic',
  packages: 'external',
  conditions: ['source'],
  logLevel: 'warning',
});

const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));
// The assets against those types, file by file and as they are: code versions are hashes of what the functions say.
for (const project of ['tsconfig.build.json', 'tsconfig.assets.json']) {
  const { status, error } = spawnSync(process.execPath, [tsc, '-p', project], { cwd: root, stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}
