import { readFile } from 'node:fs/promises';
import { createRequire, isBuiltin } from 'node:module';
import { dirname, resolve } from 'node:path';

/** An exported value and where it is had from. */
export interface Exported {
  readonly name: string;
  readonly value: unknown;
  /** Absolute path of a file of the project, or the name of a package's entry (`crypto-lakehouse/assets`). */
  readonly from: { readonly file: string } | { readonly entry: string };
}

/**
 * What is exported by name by the modules that a definitions module is made of: those it imports by relative path, and so on, and the
 * packages that these import. Its own exports are not among them: what it imports cannot import it. All of them are loaded already,
 * so that loading them again does nothing.
 * @param entry absolute path.
 */
export async function exportsBelow(
  entry: string,
  importModule: (file: string) => Promise<unknown>,
): Promise<readonly Exported[]> {
  const { parseSync } = await import('oxc-parser');
  const files = [entry];
  const packages = new Map<string, string>();
  for (const file of files) {
    const { module } = parseSync(file, await readFile(file, 'utf8'));
    const specifiers = [
      // Types alone are not loaded, and may be where nothing can be.
      ...module.staticImports
        .filter(({ entries }) => entries.length === 0 || entries.some((one) => !one.isType))
        .map((one) => one.moduleRequest.value),
      ...module.staticExports.flatMap(({ entries }) =>
        entries.flatMap((one) => (one.isType ? [] : (one.moduleRequest?.value ?? []))),
      ),
    ];
    for (const specifier of new Set(specifiers)) {
      if (specifier.startsWith('.')) {
        const target = resolve(dirname(file), specifier);
        if (!files.includes(target) && /\.[cm]?[jt]s$/.test(target)) files.push(target);
      } else if (!isBuiltin(specifier) && !packages.has(specifier)) {
        const target = resolved(specifier, file);
        if (target !== undefined) packages.set(specifier, target);
      }
    }
  }
  const exported: Exported[] = [];
  const add = async (path: string, from: Exported['from']) => {
    const values = (await importModule(path)) as Readonly<Record<string, unknown>>;
    for (const [name, value] of Object.entries(values)) if (name !== 'default') exported.push({ name, value, from });
  };
  for (const file of files.slice(1)) await add(file, { file });
  for (const [name, path] of packages) await add(path, { entry: name });
  return exported;
}

function resolved(specifier: string, file: string): string | undefined {
  try {
    return createRequire(file).resolve(specifier);
  } catch {
    // Nothing that could be imported from there by this name.
    return undefined;
  }
}
