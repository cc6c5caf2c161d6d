import { readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

/** Modules that are loaded with one, and packages. */
function loadedWith(entry: string): { readonly files: string[]; readonly packages: string[] } {
  const seen = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string) => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(
      /^(?:import|export) (?!type)[^;]*?from '([^']+)'/gm,
    )) {
      if (name.startsWith('.')) visit(resolve(dirname(file), name));
      else if (!name.startsWith('node:')) packages.add(name);
    }
  };
  visit(join(root, entry));
  return { files: [...seen].map((file) => relative(root, file).replaceAll('\\', '/')), packages: [...packages] };
}

test('a module of assets that imports the framework loads nothing that opens lakes', () => {
  const { files, packages } = loadedWith('framework/index.ts');
  expect(files.filter((file) => file.startsWith('framework/sdk/'))).toEqual(['framework/sdk/open.ts']);
  const rooms = ['engine', 'materialize', 'storage', 'code', 'config', 'cli', 'tui'];
  expect(files.filter((file) => rooms.some((room) => file.startsWith(`framework/${room}/`)))).toEqual([]);
  expect(packages.sort()).toEqual(['graphology', 'graphology-dag', 'node-cron', 'zod']);
});
