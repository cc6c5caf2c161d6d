import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { blocksOf, fileOf, isCode, section, steady } from './markdown.ts';
import { buildPackage, linkPackage, root, run } from './package.ts';

const readme = await readFile(join(root, 'README.md'), 'utf8');
const guide = await readFile(join(root, 'docs/guide.md'), 'utf8');

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lakehouse-docs-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function writeBlocks(project: string, markdown: string): Promise<void> {
  for (const { path, content } of blocksOf(markdown).filter(isCode).map(fileOf)) {
    await mkdir(dirname(join(project, path)), { recursive: true });
    await writeFile(join(project, path), content);
  }
}

const compile = (project: string): Promise<string> =>
  run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', '.'], { cwd: project }).then(
    ({ stdout }) => stdout,
    (error: { readonly stdout: string }) => error.stdout,
  );

/** What it says about the small lake with the tsconfig.json of the guide and the packages that the guide says to install. */
async function typeErrorsAsTold(project: string): Promise<string> {
  const [config] = blocksOf(guide).filter(({ language }) => language === 'json');
  if (!config) throw new Error('the guide has no tsconfig.json');
  const { path, content } = fileOf(config);
  await writeFile(join(project, path), content);
  await mkdir(join(project, 'node_modules/@types'));
  await symlink(join(root, 'node_modules/@types/node'), join(project, 'node_modules/@types/node'));
  return compile(project);
}

/** What the compiler says about a project that is set up as this one; nothing when all is well. */
async function typeErrors(project: string): Promise<string> {
  const typeRoots = [join(root, 'node_modules/@types')];
  const tsconfig = { extends: join(root, 'tsconfig.json'), compilerOptions: { typeRoots }, include: ['assets'] };
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify(tsconfig));
  return compile(project);
}

describe('the code in the documents compiles', () => {
  test('README.md, beside the assets of this repository', async () => {
    const project = join(directory, 'readme');
    await mkdir(project);
    await cp(join(root, 'assets'), join(project, 'assets'), { recursive: true });
    // The package is its own project here, so that its assets find their packages and, by its own name, the framework.
    await symlink(join(root, 'node_modules'), join(project, 'node_modules'));
    for (const name of ['framework', 'package.json']) await symlink(join(root, name), join(project, name));
    await writeBlocks(project, readme);
    expect(await typeErrors(project)).toBe('');
  });

  test('docs/guide.md, as one project; and a mistake in it does not', async () => {
    const project = join(directory, 'guide');
    await linkPackage(project, root);
    await writeFile(join(project, 'package.json'), '{ "type": "module" }');
    await writeBlocks(project, guide);
    expect(await typeErrors(project)).toBe('');

    const silver = join(project, 'assets/silver.ts');
    await writeFile(silver, (await readFile(silver, 'utf8')).replace('raw.price', 'raw.prize'));
    expect(await typeErrors(project)).toContain("Property 'prize' does not exist");
  });
});

describe('docs/guide.md: the small lake, run by the built program from another directory', () => {
  const blocks = blocksOf(section(guide, 'A small lake')).filter(({ skipped }) => !skipped);

  // With UPDATE_DOCS=1 what the commands say now is written to the guide.
  test('every command says what is shown', { timeout: 300_000 }, async () => {
    const built = join(directory, 'package');
    const project = join(directory, 'prices');
    await buildPackage(built);
    await linkPackage(project, built);
    await writeFile(join(project, 'package.json'), '{ "private": true, "type": "module" }');

    let output = '';
    const shown: { readonly line: number; readonly text: string; readonly output: string }[] = [];
    for (const block of blocks) {
      if (isCode(block)) {
        const { path, content } = fileOf(block);
        await mkdir(dirname(join(project, path)), { recursive: true });
        await writeFile(join(project, path), content);
      } else if (block.language === 'bash') {
        const script = block.text.replaceAll('npx lakehouse', `"${process.execPath}" "${built}/bin/lakehouse.js"`);
        output = (await run('bash', ['-c', `set -euo pipefail\n${script}`], { cwd: project, env: clean() })).stdout;
      } else {
        shown.push({ line: block.line, text: block.text, output });
      }
    }
    expect(await typeErrorsAsTold(project)).toBe('');
    const changed = shown.filter((one) => steady(one.output) !== steady(one.text));
    if (process.env.UPDATE_DOCS === '1') {
      const fence = (text: string) => `\`\`\`text\n${text.replace(/ +$/gm, '')}\`\`\``;
      const updated = changed.reduce((text, one) => text.replace(fence(one.text), () => fence(one.output)), guide);
      await writeFile(join(root, 'docs/guide.md'), updated);
    } else {
      for (const { line, text, output } of changed) expect(steady(output), `line ${line} of it`).toBe(steady(text));
    }
    expect(shown.length).toBeGreaterThan(10);
  });
});

/** The environment without settings of whoever runs the tests. */
function clean(): Record<string, string> {
  const { PATH = '', HOME = '' } = process.env;
  return { PATH: `${dirname(process.execPath)}:${PATH}`, HOME, NO_COLOR: '1' };
}
