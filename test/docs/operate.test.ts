import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as framework from 'crypto-lakehouse';
import { expect, onTestFinished, test } from 'vitest';
import * as automation from '../../framework/define/automation.ts';
import * as presets from '../../framework/define/presets.ts';
import { blocksOf, fileOf, isCode } from './markdown.ts';
import { root } from './package.ts';

const text = await readFile(join(root, 'docs/operate.md'), 'utf8');

test('docs/operate.md lists every part of conditions that there is, and no other', () => {
  const exported = Object.keys(framework).filter((name) => name in automation || name in presets);
  const lines = text.split('\n');
  const from = lines.findIndex((line) => line.startsWith('| `missing()`'));
  const rows = lines.slice(from, lines.indexOf('', from));
  const listed = rows.flatMap((row) =>
    [...(row.split(' | ')[0] ?? '').matchAll(/`(\w+)\(/g)].map(([, name = '']) => name),
  );
  // Those that change a condition stand before the table.
  const changing = ['replaced', 'without'];
  expect(changing.filter((name) => !text.includes(`\`${name}(`))).toEqual([]);
  expect([...listed, ...changing].sort()).toEqual(exported.sort());
});

test('the test of automation in docs/operate.md passes', async () => {
  const block = blocksOf(text).find((one) => isCode(one) && one.text.includes('automationTester'));
  if (!block) throw new Error('docs/operate.md has no such example');
  const { path, content } = fileOf(block);
  const directory = await mkdtemp(join(tmpdir(), 'lakehouse-docs-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  await mkdir(join(directory, 'node_modules'));
  await symlink(root, join(directory, 'node_modules/crypto-lakehouse'));
  await writeFile(join(directory, 'package.json'), '{ "type": "module" }');
  const run = async (code: string) => {
    await writeFile(join(directory, path), code);
    await promisify(execFile)(process.execPath, ['--conditions=source', path], { cwd: directory });
  };
  await run(content);
  await expect(run(content.replace("'2024-01-10T12:00Z'", "'2024-01-05T12:00Z'"))).rejects.toThrow('AssertionError');
});
