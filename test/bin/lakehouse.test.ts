import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, chmod, cp, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

// The real bin in a package of its own, with a small CLI in dist/. An old Node is this Node that says it is Node 20.
const cli = `
  export async function main(args) {
    if (args[0] === 'wait') {
      process.stdout.write('waiting');
      await new Promise(() => setInterval(() => {}, 1000));
    }
    if (args[0] === 'handle') {
      process.on('SIGINT', () => process.stdout.write('interrupted '));
      const timer = setInterval(() => {}, 1000);
      await new Promise((done) => process.once('SIGTERM', done).stdout.write('waiting '));
      clearInterval(timer);
      return 7;
    }
    if (args[0] === 'own-code') process.exitCode = 5;
    console.log(JSON.stringify({ args, wrapped: process.ppid !== Number(process.env.TEST_PID) }));
    return args[0] === 'three' ? 3 : undefined;
  }`;

let root = '';
let bin = '';

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'lakehouse-bin-'));
  bin = join(root, 'bin/lakehouse.js');
  await cp(join(import.meta.dirname, '../../bin'), join(root, 'bin'), { recursive: true });
  await writeFile(join(root, 'package.json'), '{ "type": "module" }');
  await mkdir(join(root, 'dist'));
  await writeFile(join(root, 'dist/cli.js'), cli);
  const say20 = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } });`;
  await writeFile(join(root, 'node-20.mjs'), say20);
});

afterEach(() => rm(root, { recursive: true, force: true }));

async function bundleNode(beside = root): Promise<void> {
  const node = join(beside, 'node_modules/node/bin/node');
  await mkdir(join(node, '..'), { recursive: true });
  await writeFile(node, `#!/bin/sh\nexec '${process.execPath}' "$@"\n`);
  await chmod(node, 0o755);
}

function start(args: readonly string[], old: boolean, cwd = root): ChildProcess {
  const flags = old ? ['--import', join(root, 'node-20.mjs')] : [];
  return spawn(process.execPath, [...flags, bin, ...args], {
    cwd,
    env: { ...process.env, TEST_PID: String(process.pid) },
  });
}

/** Sends the signal that answers each thing said. */
function answer(child: ChildProcess, signals: Readonly<Record<string, NodeJS.Signals>>): void {
  child.stdout?.on('data', (said) => child.kill(signals[String(said)]));
}

async function finish(child: ChildProcess) {
  if (child.stdout === null || child.stderr === null) throw new Error('no pipes');
  const [[code], out, err] = await Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)]);
  return { code, out, err };
}

const run = (args: readonly string[], { old = false, cwd = root } = {}) => finish(start(args, old, cwd));

/** Makes what is in `root` a package that is installed in a project. */
async function install(project: string): Promise<void> {
  const directory = join(project, 'node_modules/crypto-lakehouse');
  await mkdir(directory, { recursive: true });
  for (const name of ['bin', 'dist', 'package.json']) await rename(join(root, name), join(directory, name));
  bin = join(directory, 'bin/lakehouse.js');
}

describe('on a Node that is new enough', () => {
  test('runs main with the arguments, in the same process', async () => {
    expect(await run(['a', '--b c'])).toEqual({ code: 0, out: '{"args":["a","--b c"],"wrapped":false}\n', err: '' });
  });

  test('exits with the code that main returns, or else with the one it has set', async () => {
    expect((await run(['three'])).code).toBe(3);
    expect((await run(['own-code'])).code).toBe(5);
  });

  test('says how to build what is not built', async () => {
    await rm(join(root, 'dist'), { recursive: true });
    const err = `lakehouse: ${join(root, 'dist/cli.js')} is missing: run npm run build\n`;
    expect(await run([])).toEqual({ code: 2, out: '', err });
    expect(await run([], { old: true })).toEqual({ code: 2, out: '', err });
  });
});

describe('on an older Node', () => {
  test('runs the bundled Node with the same arguments and exits with its code', async () => {
    await bundleNode();
    const out = '{"args":["three","--b c"],"wrapped":true}\n';
    expect(await run(['three', '--b c'], { old: true })).toEqual({ code: 3, out, err: '' });
  });

  test('passes signals on and waits for the answer', async () => {
    await bundleNode();
    const child = start(['handle'], true);
    answer(child, { 'waiting ': 'SIGINT', 'interrupted ': 'SIGTERM' });
    expect(await finish(child)).toEqual({ code: 7, out: 'waiting interrupted ', err: '' });
  });

  test('on a terminal leaves SIGINT to the terminal, which has sent it to the child too', async () => {
    await bundleNode();
    const terminal = `process.stdin.isTTY = true; process.on('SIGINT', () => process.stdout.write('pressed '));`;
    await appendFile(join(root, 'node-20.mjs'), terminal);
    const child = start(['handle'], true);
    answer(child, { 'waiting ': 'SIGINT', 'pressed ': 'SIGTERM' });
    expect(await finish(child)).toEqual({ code: 7, out: 'waiting pressed ', err: '' });
  });

  test.each(['SIGTERM', 'SIGHUP', 'SIGQUIT'] as const)(
    'exits with 128 + %s when that ends the child',
    async (signal) => {
      await bundleNode();
      const child = start(['wait'], true);
      answer(child, { waiting: signal });
      expect(await finish(child)).toEqual({ code: 128 + constants.signals[signal], out: 'waiting', err: '' });
    },
  );

  const tooOld =
    'lakehouse: Node 20.20.2 is too old: install Node 22.18 or newer, or one for this project alone: npm install --save-dev node@24\n';

  test('without a bundled one says which Node to install', async () => {
    expect(await run([], { old: true })).toEqual({ code: 2, out: '', err: tooOld });
  });

  test('runs that of the project it is installed in', async () => {
    const project = join(root, 'project');
    await install(project);
    await bundleNode(project);
    const out = '{"args":["three"],"wrapped":true}\n';
    expect(await run(['three'], { old: true, cwd: tmpdir() })).toEqual({ code: 3, out, err: '' });
  });

  test('runs that of the project it is linked into', async () => {
    const project = join(root, 'elsewhere/project');
    await install(join(root, 'clone'));
    await bundleNode(project);
    await mkdir(join(project, 'assets'));
    const out = '{"args":["three"],"wrapped":true}\n';
    expect(await run(['three'], { old: true, cwd: join(project, 'assets') })).toEqual({ code: 3, out, err: '' });
  });

  test('does not run itself again and again when what is installed is as old', async () => {
    await mkdir(join(root, 'node_modules/node/bin'), { recursive: true });
    await symlink(process.execPath, join(root, 'node_modules/node/bin/node'));
    expect(await run([], { old: true })).toEqual({ code: 2, out: '', err: tooOld });
  });
});
