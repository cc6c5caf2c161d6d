import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { blocksOf, fileOf, isCode, steady } from './markdown.ts';
import { linkPackage, root, run } from './package.ts';

const document = join(root, 'docs/sdk.md');
const blocks = blocksOf(await readFile(document, 'utf8'));
const files = blocks.filter(isCode).map(fileOf);

let project = '';
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'lakehouse-sdk-docs-'));
  await linkPackage(project, root);
  await writeFile(join(project, 'package.json'), '{ "type": "module" }');
  for (const { path, content } of files) {
    await mkdir(dirname(join(project, path)), { recursive: true });
    await writeFile(join(project, path), content);
  }
});
afterAll(() => rm(project, { recursive: true, force: true }));

const compile = async (): Promise<string> => {
  const typeRoots = [join(root, 'node_modules/@types')];
  const tsconfig = { extends: join(root, 'tsconfig.json'), compilerOptions: { typeRoots }, include: ['**/*.ts'] };
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify(tsconfig));
  const tsc = [join(root, 'node_modules/typescript/bin/tsc'), '-p', '.'];
  return run(process.execPath, tsc, { cwd: project }).then(
    ({ stdout }) => stdout,
    (error: { readonly stdout: string }) => error.stdout,
  );
};

test('the examples of docs/sdk.md compile, and with a mistake in it one does not', { timeout: 60_000 }, async () => {
  const read = files.find(({ path }) => path === 'read.ts')?.content ?? '';
  await writeFile(join(project, 'wrong.ts'), read.replace("['symbol', 'high']", "['symbol', 'hihg']"));
  const errors = (await compile()).split('\n').filter((line) => /^[^.].*error TS/.test(line));
  expect(errors).toEqual([expect.stringMatching(/^wrong\.ts.*"hihg"/)]);
});

// With UPDATE_DOCS=1 what the examples print now is written to the document.
test('they run, and print what is shown', { timeout: 60_000 }, async () => {
  let output = '';
  let text = await readFile(document, 'utf8');
  let shown = 0;
  for (const block of blocks) {
    if (isCode(block)) {
      const { path } = fileOf(block);
      if (path.startsWith('assets/')) continue;
      const env = { PATH: process.env.PATH ?? '', NO_COLOR: '1' };
      const { stdout, stderr } = await run(process.execPath, ['--conditions=source', path], { cwd: project, env });
      expect(stderr, path).toBe('');
      output = stdout;
    } else if (block.language === 'text') {
      shown++;
      if (process.env.UPDATE_DOCS === '1')
        text = text.replace(
          `\n\`\`\`\n\n\`\`\`text\n${block.text.trimStart()}\`\`\``,
          () => `\n\`\`\`\n\n\`\`\`text\n${output}\`\`\``,
        );
      else expect(steady(output), `line ${block.line}`).toBe(steady(block.text));
    }
  }
  if (process.env.UPDATE_DOCS === '1') await writeFile(document, text);
  expect(shown).toBe(4);
});
