/** The imports of a module that is being written. */
export interface Imports {
  /** To be imported from elsewhere than the default module. */
  add(name: string, from: string): void;
  /** What to write for an imported name; one that is not there yet is imported from the default module. */
  use(name: string): string;
  /** What the names are written as. */
  names(): string[];
  /** The import statements, sorted as an editor would. */
  lines(): string[];
}

/**
 * @param given names and the modules that they come from.
 * @param fallback the module of all other names.
 * @param taken what means something else in this module: a name that is among it is imported as another one.
 */
export function imports(
  given: readonly { readonly name: string; readonly from: string }[],
  fallback?: string,
  taken: ReadonlySet<string> = new Set(),
): Imports {
  const modules = new Map<string, string>(given.map(({ name, from }) => [name, from]));
  const written = (name: string) => (taken.has(name) ? `${name}Column` : name);
  return {
    add: (name, from) => {
      modules.set(name, from);
    },
    use: (name) => {
      if (!modules.has(name) && fallback !== undefined) modules.set(name, fallback);
      return written(name);
    },
    names: () => [...modules.keys()],
    lines: () => {
      const all = [...modules].map(([name, from]) => ({ name, from }));
      return [...new Set(all.map(({ from }) => from))].sort(packagesFirst).map((from) => {
        const names = all.filter((one) => one.from === from).map(({ name }) => name);
        const items = names
          .sort((a, b) => a.localeCompare(b, 'en', { sensitivity: 'base' }))
          .map((name) => (written(name) === name ? name : `${name} as ${written(name)}`));
        const line = `import { ${items.join(', ')} } from '${from}';`;
        return line.length <= 120
          ? line
          : `import {\n${items.map((item) => `  ${item},`).join('\n')}\n} from '${from}';`;
      });
    },
  };
}

/** Packages, then `../…`, then `./…`. */
function packagesFirst(a: string, b: string): number {
  const rank = (from: string) => (from.startsWith('./') ? 2 : from.startsWith('.') ? 1 : 0);
  return rank(a) - rank(b) || (a < b ? -1 : 1);
}
