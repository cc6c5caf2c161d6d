import { fileURLToPath } from 'node:url';
import { canonicalHash } from '../common/canonical.ts';
import { loadParser, type Node, type Parser, shapeOf, textOf } from './ast.ts';
import { readCache, writeCache } from './cache.ts';
import { openDisk } from './disk.ts';
import { type Module, type Modules, openModules } from './modules.ts';
import type { FunctionCode } from './result.ts';
import { analyse } from './scope.ts';
import { walk } from './walk.ts';

export type { FunctionCode } from './result.ts';

export interface CodeHasherOptions {
  /**
   * Names of imports whose calls declare something with a version of its own: `asset`, `source`, `daily`, … Code that uses
   * such a declaration depends on its name (the first argument, if it is a string literal) and on nothing else of it.
   */
  readonly declarers: ReadonlySet<string>;
  /** Packages whose version does not count as code, e.g. the framework itself. */
  readonly unversioned?: ReadonlySet<string>;
  /** Where `save` keeps the results. They are used as long as all that any of them depends on has the same content. */
  readonly cacheFile?: string | undefined;
}

export interface CodeHasher {
  /**
   * Hashes what a function does: its syntax and everything local it reaches (variables, functions and classes of its module
   * and of the local modules it imports, and statements that fill those variables), packages by version. Not seen: data files
   * read at run time, and code that changed on disk after it was loaded.
   * @param source `fn.toString()`
   * @param modules URL of the module that defines the function or imports it, undefined if unknown. Of several the first that
   * leads to the function counts: a factory's own module, then the one that gave it the function.
   */
  readonly hashFunction: (source: string, modules: string | readonly string[] | undefined) => FunctionCode;
  /** Keeps the results in `cacheFile` if any of them is new. */
  readonly save: () => void;
}

/** Every file is read once, so a hasher is for the definitions of one moment. */
export function createCodeHasher({ declarers, unversioned = new Set(), cacheFile }: CodeHasherOptions): CodeHasher {
  const settings = canonicalHash([process.version, [...declarers].sort(), [...unversioned].sort()]);
  const cache = cacheFile === undefined ? undefined : readCache(cacheFile, settings);
  const codes = new Map<string, FunctionCode>();
  const disk = openDisk();
  let tools: { readonly parser: Parser; readonly modules: Modules } | undefined;
  function compute(source: string, urls: readonly string[]): FunctionCode {
    if (!tools) {
      const parser = loadParser();
      tools = { parser, modules: openModules({ parser, disk, declarers, unversioned }) };
    }
    return hashFunction(source, urls, tools.parser, tools.modules);
  }
  return {
    hashFunction(source, modules = []) {
      const urls = typeof modules === 'string' ? [modules] : modules;
      const key = canonicalHash([source, urls]);
      const code = codes.get(key) ?? cache?.codes[key] ?? compute(source, urls);
      codes.set(key, code);
      return code;
    },
    save() {
      if (cacheFile === undefined || !tools) return;
      const observations = [...(cache?.observations ?? []), ...disk.observations()];
      writeCache(cacheFile, { settings, observations, codes: Object.fromEntries(codes) });
    },
  };
}

function hashFunction(source: string, urls: readonly string[], parser: Parser, modules: Modules): FunctionCode {
  const fn = parser.fn(source);
  if (!fn) return functionOnly(source, ['[native code]']);
  const text = textOf(fn);
  let places: [Module, Node][] = [];
  for (const url of urls) {
    const home = url.startsWith('file:') ? modules.load(fileURLToPath(url)) : undefined;
    if (home) places = findFunction(fn, text, home, modules);
    if (places.length > 0) break;
  }
  if (places.length === 0) return functionOnly(text, outerVariables(fn));
  // The same text may stand in several places; which one made this function is not known, so all count.
  const walks = places.map(([module, node]) => walk(module, node, modules));
  const hashes = [...new Set(walks.map((w) => canonicalHash(w.units)))];
  const [first = ''] = hashes;
  return {
    hash: hashes.length === 1 ? first : canonicalHash(hashes),
    scope: 'module',
    captures: [...new Set(walks.flatMap((w) => w.captures))].sort(),
    files: [...new Set(walks.flatMap((w) => w.files))].sort(),
  };
}

function functionOnly(text: string, captures: readonly string[]): FunctionCode {
  return {
    hash: canonicalHash([[canonicalHash(text), []]]),
    scope: 'function-only',
    captures: [...captures].sort(),
    files: [],
  };
}

/** The variables of a function that neither it nor the global object holds. */
function outerVariables(fn: Node): string[] {
  const program = { type: 'Program', start: fn.start, end: fn.end, body: [fn] };
  const { reach } = analyse(program, new Set());
  const outer = reach(program).filter(
    ({ name, binding }) => binding?.kind === 'given' || (!binding && !(name in globalThis)),
  );
  return [...new Set(outer.map(({ name }) => name))];
}

/** The places in the module, and in the local modules it loads, where a function with this text is written. */
function findFunction(fn: Node, text: string, home: Module, modules: Modules): [Module, Node][] {
  const found: [Module, Node][] = [];
  const reached = new Set([home]);
  const shape = shapeOf(fn);
  for (const module of reached) {
    for (const node of module.functions.get(shape) ?? []) {
      if (module.text(node) === text) found.push([module, node]);
    }
    for (const specifier of module.specifiers) {
      const path = modules.resolve(specifier, module);
      const next = path === undefined ? undefined : modules.load(path);
      if (next) reached.add(next);
    }
  }
  return found;
}
