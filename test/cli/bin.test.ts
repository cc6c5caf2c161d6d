import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };

// The built program in a package of its own, as it is installed: what only shows there is shown here.
const root = resolve(import.meta.dirname, '../..');
let home = '';
let bin = '';

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'lakehouse-built-'));
  bin = join(home, 'bin/lakehouse.js');
  cpSync(join(root, 'bin'), join(home, 'bin'), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(home, 'node_modules'));
  writeFileSync(
    join(home, 'package.json'),
    JSON.stringify({ name: 'crypto-lakehouse', type: 'module', exports: { '.': { default: './dist/index.js' } } }),
  );
  // As scripts/build.mjs does, without the types.
  await build({
    absWorkingDir: root,
    entryPoints: { index: './framework/index.ts', cli: './framework/cli/main.ts' },
    outdir: join(home, 'dist'),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22.18',
    packages: 'external',
    conditions: ['source'],
    logLevel: 'error',
  });
  mkdirSync(join(home, 'assets'));
  mkdirSync(join(home, 'in'));
  for (const day of ['01', '02', '03']) writeFileSync(join(home, `in/2020-01-${day}`), `${day}\n`);
  writeFileSync(
    join(home, 'assets/index.ts'),
    `import { readdir, readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { asset, bytes, columns, daily, defineLakehouse, integer, source, sql } from 'crypto-lakehouse';

const date = daily({ start: '2020-01-01', end: '2020-01-03' });
const files = source('files/days', {
  partitions: { date },
  observe: async function* () {
    for (const name of await readdir('in')) yield { partition: { date: name }, version: await readFile('in/' + name, 'utf8') };
  },
  read: async ({ partition, signal }) => {
    if (process.env.SLOW) await setTimeout(60_000, undefined, { signal });
    const content = await readFile('in/' + partition.values.date, 'utf8');
    return { bytes: Buffer.from(content), version: content };
  },
});
const raw = asset('raw/days', { partitions: { date }, inputs: { files }, format: bytes({ extension: '.txt' }), compute: ({ inputs }) => inputs.files.bytes() });
const days = asset('gold/days', {
  partitions: { date },
  inputs: { raw },
  columns: columns({ n: integer() }),
  sortBy: ['n'],
  compute: async ({ inputs }) => [{ n: Number(Buffer.from(await inputs.raw.bytes()).toString()) }],
});
const sums = asset('gold/sums', {
  partitions: { date },
  inputs: { days },
  columns: columns({ twice: integer() }),
  sortBy: ['twice'],
  query: ({ days }) => sql\`SELECT (2 * \${days.n})::INTEGER AS twice FROM \${days}\`,
});
export const lakehouse = defineLakehouse({ assets: [files, raw, days, sums] });
`,
  );
});

afterAll(() => rmSync(home, { recursive: true, force: true }));

function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...args], {
    cwd: home,
    encoding: 'utf8',
    env: { PATH: process.env.PATH },
  });
  return { code: status, out: stdout, err: stderr };
}

describe('the built program', () => {
  test('says its version, and warns of nothing', () => {
    expect(run('--version')).toEqual({ code: 0, out: `${manifest.version}\n`, err: '' });
  });

  test('computes, then finds nothing to do, and answers', () => {
    const first = run('materialize');
    expect({ code: first.code, err: first.err.replace(/ \([^)]*\)/g, '') }).toEqual({
      code: 0,
      err: 'files/days: 3 partitions seen, 3 new or changed\n9 partitions to compute, in 3 batches\nraw/days: computing 3 partitions\n✓ raw/days: 3 computed\ngold/days: computing 3 partitions\n✓ gold/days: 3 computed\ngold/sums: computing 3 partitions\n✓ gold/sums: 3 computed\n',
    });
    expect(run('materialize').out).toMatch(/^Nothing to do: everything selected is up to date \(.*\)\.\n$/);
    expect(run('query', 'SELECT sum(twice) AS all FROM gold.sums', '-f', 'csv')).toEqual({
      code: 0,
      out: 'all\r\n12\r\n',
      err: '',
    });
    expect(run('verify', '--deep', '-q').code).toBe(0);
  });

  test('survives a reader who leaves', () => {
    const command = `'${process.execPath}' '${bin}' query 'FROM range(10000000)' -f csv | head -n 2; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', command], { cwd: home, encoding: 'utf8' });
    expect({ stdout, stderr }).toEqual({ stdout: 'range\r\n0\r\n0\n', stderr: '' });
  });

  test.skipIf(!existsSync('/dev/full'))('tells of a full disk behind stdout (needs /dev/full)', () => {
    const { stdout, stderr } = spawnSync('bash', ['-c', `'${process.execPath}' '${bin}' assets > /dev/full; echo $?`], {
      cwd: home,
      encoding: 'utf8',
    });
    expect({ stdout, stderr }).toEqual({ stdout: '1\n', stderr: expect.stringContaining('no space left on device') });
  });

  test('stops at SIGINT and SIGTERM with their exit codes', async () => {
    rmSync(join(home, 'data'), { recursive: true, force: true });
    for (const [signal, times, code] of [
      ['SIGTERM', 1, 143],
      ['SIGINT', 2, 130],
    ] as const) {
      const child = spawn(process.execPath, [bin, 'materialize', '--force'], {
        cwd: home,
        env: { PATH: process.env.PATH, SLOW: '1' },
      });
      let sent = 0;
      child.stderr.on('data', (said) => {
        if (String(said).includes('raw/days: computing') || (String(said).includes('Stopping: ') && sent < times))
          setTimeout(() => child.kill(signal), 120 * sent++);
      });
      const [status, err] = await Promise.all([new Promise((done) => child.on('close', done)), text(child.stderr)]);
      expect({ signal, status, last: err.trim().split('\n').at(-1) }).toEqual({
        signal,
        status: code,
        last: 'Stopped. Nothing unfinished was kept; run it again to go on.',
      });
    }
  });
});

describe('definitions that cannot be loaded', () => {
  const load = (content: string) => {
    writeFileSync(join(home, 'assets/broken.ts'), content);
    const { code, out, err } = run('assets', '--set', 'definitions=assets/broken.ts');
    expect({ code, out }).toEqual({ code: 2, out: '' });
    return err;
  };

  test('for an error: with the line of the user’s file', () => {
    expect(
      load(
        "import { asset } from 'crypto-lakehouse';\n\nconst broken: number = (undefined as never as { x: number }).x;\nexport const lakehouse = asset;\n",
      ),
    ).toBe(
      "lakehouse: assets/broken.ts cannot be loaded: TypeError: Cannot read properties of undefined (reading 'x')\n  at assets/broken.ts:3:62\n",
    );
  });

  test('for an error in the framework: with the line that called it', () => {
    expect(
      load("import { inflateMember } from 'crypto-lakehouse';\nexport const a = inflateMember(undefined as never);\n"),
    ).toMatch(/^lakehouse: assets\/broken\.ts cannot be loaded: TypeError: .*\n {2}at assets\/broken\.ts:2:18\n$/);
  });

  test('for a syntax error', () => {
    expect(load('export const a = ;\n')).toMatch(
      /^lakehouse: assets\/broken\.ts cannot be loaded: SyntaxError.*\n(.*\n)*? {2}at assets\/broken\.ts:1\n/,
    );
  });

  test('for TypeScript that is more than types', () => {
    expect(load('export enum E { A }\n')).toContain(
      'Node removes types only: no enum, namespace or parameter properties.\n',
    );
  });

  test('for an import that is not there', () => {
    expect(load("import './gone.ts';\n")).toContain(
      'Relative imports need their extension (./x.ts); packages must be installed.\n',
    );
  });
});
