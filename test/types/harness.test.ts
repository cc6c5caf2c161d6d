import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

// A type test is worth nothing if a wrong one passes too. Here the project's own settings judge wrong ones.

const repository = join(import.meta.dirname, '../..');
const right = `
  expectTypeOf('a').toEqualTypeOf<string>();
  // @ts-expect-error a string is no number
  const wrong: number = 'a';
`;
const wrongType = `expectTypeOf('a').toEqualTypeOf<number>();`;
const unusedExpectError = `
  // @ts-expect-error nothing is wrong here
  const right: string = 'a';
`;

let project = '';

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'type-harness-'));
  await mkdir(join(project, 'test'));
  await symlink(join(repository, 'node_modules'), join(project, 'node_modules'));
  const settings = {
    extends: join(repository, 'tsconfig.json'),
    compilerOptions: { noUnusedLocals: false },
    include: ['test'],
  };
  await writeFile(join(project, 'package.json'), '{ "type": "module" }');
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify(settings));
  for (const [name, body] of Object.entries({ right, wrongType, unusedExpectError })) {
    const text = `import { expectTypeOf, test } from 'vitest';\ntest('${name}', () => {${body}});\n`;
    await writeFile(join(project, `test/${name}.test-d.ts`), text);
  }
});

afterAll(() => rm(project, { recursive: true, force: true }));

/** Runs a package's command in the fixture project; resolves whatever its exit code. */
async function run(script: string, args: readonly string[]): Promise<{ code: number; output: string }> {
  const command = [join(repository, 'node_modules', script), ...args];
  try {
    const { stdout } = await promisify(execFile)(process.execPath, command, { cwd: project });
    return { code: 0, output: stdout };
  } catch (error) {
    if (error instanceof Error && 'code' in error && typeof error.code === 'number' && 'stdout' in error) {
      return { code: error.code, output: String(error.stdout) };
    }
    throw error;
  }
}

test('vitest fails wrong type tests, and only those', async () => {
  const config = join(repository, 'vitest.config.ts');
  const reporter = ['--reporter', 'json', '--outputFile', 'report.json'];
  const { code } = await run('vitest/vitest.mjs', ['run', '--config', config, '--root', project, ...reporter]);
  const { testResults } = JSON.parse(await readFile(join(project, 'report.json'), 'utf8')) as {
    testResults: { assertionResults: { title: string; status: string; failureMessages: string[] }[] }[];
  };
  const results = testResults.flatMap((file) => file.assertionResults).sort((a, b) => (a.title < b.title ? -1 : 1));
  expect(code).toBe(1);
  expect(results.map(({ title, status }) => ({ title, status }))).toEqual([
    { title: 'right', status: 'passed' },
    { title: 'unusedExpectError', status: 'failed' },
    { title: 'wrongType', status: 'failed' },
  ]);
  expect(results[1]?.failureMessages.join()).toContain(`Unused '@ts-expect-error' directive`);
  expect(results[2]?.failureMessages.join()).toContain('does not satisfy the constraint');
});

test('tsc fails them too', async () => {
  const { code, output } = await run('typescript/bin/tsc', ['-p', 'tsconfig.json', '--pretty', 'false']);
  const errors = output
    .split('\n')
    .flatMap((line) => /^(\S+)\(\d+,\d+\): error (TS\d+)/.exec(line)?.slice(1, 3).join(' ') ?? []);
  expect(code).toBeGreaterThan(0);
  expect(errors).toEqual(['test/unusedExpectError.test-d.ts TS2578', 'test/wrongType.test-d.ts TS2344']);
});
