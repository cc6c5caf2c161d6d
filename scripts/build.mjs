// Builds dist/: JavaScript with esbuild, declarations with tsc.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
rmSync(`${root}/dist`, { recursive: true, force: true });

// One split build for both entries: built apart, the CLI and a user's assets would hold two copies of the framework
// and not recognise each other's values.
await build({
  absWorkingDir: root,
  entryPoints: { index: './framework/index.ts', cli: './framework/cli/main.ts' },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22.18',
  jsx: 'automatic',
  packages: 'external',
  conditions: ['source'],
  sourcemap: true,
  logLevel: 'warning',
});

const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));
const { status, error } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
});
if (error) throw error;
process.exitCode = status ?? 1;
