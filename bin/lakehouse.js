#!/usr/bin/env node
// Plain JavaScript in a syntax that old Nodes can parse, so that they get an answer instead of a syntax error.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const cli = new URL('../dist/cli.js', import.meta.url);
const bundledNode = fileURLToPath(
  new URL(`../node_modules/node/bin/node${process.platform === 'win32' ? '.exe' : ''}`, import.meta.url),
);
const [major, minor] = process.versions.node.split('.').map(Number);

/** @param {string} message */
function refuse(message) {
  process.stderr.write(`lakehouse: ${message}\n`);
  process.exitCode = 2;
}

function runUnderBundledNode() {
  const child = spawn(bundledNode, process.argv.slice(1), { stdio: 'inherit' });
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGQUIT']) process.on(signal, () => child.kill(signal));
  // A terminal sends Ctrl-C to the child as well, and a second SIGINT would mean: stop at once.
  const terminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  process.on('SIGINT', () => terminal || child.kill('SIGINT'));
  child.on('error', (error) => refuse(`${bundledNode} does not start: ${error.message}`));
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

if (!existsSync(cli)) {
  refuse(`${fileURLToPath(cli)} is missing: run npm run build`);
} else if (major > 22 || (major === 22 && minor >= 18)) {
  module.enableCompileCache();
  const { main } = await import(cli.href);
  process.exitCode = (await main(process.argv.slice(2))) ?? process.exitCode;
} else if (existsSync(bundledNode)) {
  runUnderBundledNode();
} else {
  refuse(`Node ${process.versions.node} is too old: install Node 22.18 or newer`);
}
