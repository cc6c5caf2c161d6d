import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');

test('docs/reference.md is what the command tree and the settings schema say (node scripts/docs.mjs)', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['scripts/docs.mjs', '--print'], { cwd: root });
  expect(await readFile(join(root, 'docs/reference.md'), 'utf8')).toBe(stdout);
});
