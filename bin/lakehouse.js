#!/usr/bin/env node
// Plain JavaScript in a syntax that old Nodes can parse, so that they get an answer instead of a syntax error.
import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import module from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const cli = new URL('../dist/cli.js', import.meta.url);
const [major, minor] = process.versions.node.split('.').map(Number);

/**
 * The Node of the package `node`, where that is installed: beside this package or in a project around it or the working directory.
 * @param {string} directory
 * @returns {string | undefined}
 */
function installedNode(directory) {
  const file = join(directory, 'node_modules/node/bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (existsSync(file)) return file;
  const above = dirname(directory);
  return above === directory ? undefined : installedNode(above);
}

/** @param {string} message */
function refuse(message) {
  process.stderr.write(`lakehouse: ${message}\n`);
  process.exitCode = 2;
}

/** @param {string} node */
function runUnder(node) {
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit' });
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGQUIT']) process.on(signal, () => child.kill(signal));
  // A terminal sends Ctrl-C to the child as well, and a second SIGINT would mean: stop at once.
  const terminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  process.on('SIGINT', () => terminal || child.kill('SIGINT'));
  child.on('error', (error) => refuse(`${node} does not start: ${error.message}`));
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

if (!existsSync(cli)) {
  refuse(`${fileURLToPath(cli)} is missing: run npm run build`);
} else if (major > 22 || (major === 22 && minor >= 18)) {
  module.enableCompileCache();
  const { main } = await import(cli.href);
  process.exitCode = (await main(process.argv.slice(2))) ?? process.exitCode;
} else {
  const node = installedNode(dirname(fileURLToPath(import.meta.url))) ?? installedNode(process.cwd());
  // Where what is installed is this very Node, it is as old.
  if (node && realpathSync(node) !== realpathSync(process.execPath)) runUnder(node);
  else
    refuse(
      `Node ${process.versions.node} is too old: install Node 22.18 or newer, or one for this project alone: npm install --save-dev node@24`,
    );
}
