import { readFileSync } from 'node:fs';
import { createRequire, findPackageJSON, isBuiltin } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isNode, type Node, nameOf, nodes, type Parser, stringValue, texts } from './ast.ts';
import { analyse, type Scopes, type Source } from './scope.ts';

/** A local file that code is loaded from. */
export interface Module {
  readonly path: string;
  /** The whole file, without its imports. For a file that is no JavaScript (JSON, …) a literal of its text. */
  readonly program: Node;
  readonly scopes: Scopes;
  /** The text of its code, with calls of a declarer replaced by the name they declare. */
  readonly text: (node: Node) => string;
  readonly fullText: (node: Node) => string;
  /** What each export is: a variable of the module, an expression, or an export of another module. */
  readonly exports: ReadonlyMap<string, string | Node | Source>;
  /** Specifiers of `export * from`. */
  readonly stars: readonly string[];
  /** Specifiers of `import 'x'`: loaded for what they do. */
  readonly sideEffects: readonly string[];
  /** Every specifier that is written in the file, whatever for. */
  readonly specifiers: readonly string[];
}

/** Reads and resolves modules, each file once. */
export interface Modules {
  /** Undefined if the file cannot be read or parsed. */
  readonly load: (path: string) => Module | undefined;
  /** The file that a specifier means: relative, `file:` or `#…`; undefined for packages and Node's own modules. */
  readonly resolve: (specifier: string, from: Module) => string | undefined;
  /** How a package or one of Node's modules is named in a hash: `node:fs`, `zod@4.6.7`. */
  readonly external: (specifier: string, from: Module) => string;
}

export function openModules(parser: Parser, declarers: ReadonlySet<string>, unversioned: ReadonlySet<string>): Modules {
  const loaded = memo((path: string) => readModule(path, parser, declarers));
  const version = memo((specifier: string, base: string) => packageVersion(specifier, base));
  return {
    load: loaded,
    resolve(specifier, from) {
      if (/^(?:\.{0,2}\/|file:)/.test(specifier)) return fileURLToPath(new URL(specifier, pathToFileURL(from.path)));
      if (!specifier.startsWith('#')) return undefined;
      try {
        return createRequire(from.path).resolve(specifier);
      } catch {
        return undefined;
      }
    },
    external(specifier, from) {
      if (isBuiltin(specifier)) return specifier.startsWith('node:') ? specifier : `node:${specifier}`;
      const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
      const found = unversioned.has(name) ? undefined : version(name, dirname(from.path));
      return found === undefined ? specifier : `${specifier}@${found}`;
    },
  };
}

function memo<A extends string[], R>(compute: (...args: A) => R): (...args: A) => R {
  const known = new Map<string, { readonly value: R }>();
  return (...args) => {
    const key = args.join('\0');
    const entry = known.get(key) ?? { value: compute(...args) };
    known.set(key, entry);
    return entry.value;
  };
}

function packageVersion(name: string, directory: string): string | undefined {
  try {
    const file = findPackageJSON(name, pathToFileURL(`${directory}/`));
    const manifest: unknown = file === undefined ? undefined : JSON.parse(readFileSync(file, 'utf8'));
    const version =
      typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : undefined;
    return typeof version === 'string' ? version : undefined;
  } catch {
    return undefined;
  }
}

function readModule(path: string, parser: Parser, declarers: ReadonlySet<string>): Module | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
  const isCode = /\.[cm]?[jt]sx?$/.test(path);
  const program: Node | undefined = isCode
    ? parser.program(path, text)
    : { type: 'Literal', start: 0, end: text.length, value: text };
  if (!program) return undefined;
  const scopes = analyse(program, declarers);
  const exports = new Map<string, string | Node | Source>();
  const stars: string[] = [];
  const sideEffects: string[] = [];
  const specifiers = [...scopes.loads];
  for (const statement of nodes(program.body)) {
    const specifier = stringValue(statement.source);
    if (specifier !== undefined) specifiers.push(specifier);
    if (statement.type === 'ImportDeclaration' && specifier !== undefined) {
      if (nodes(statement.specifiers).length === 0) sideEffects.push(specifier);
    } else if (statement.type === 'ExportAllDeclaration' && specifier !== undefined) {
      if (isNode(statement.exported)) exports.set(nameOf(statement.exported), { specifier, name: '*' });
      else stars.push(specifier);
    } else if (statement.type === 'ExportDefaultDeclaration' && isNode(statement.declaration)) {
      exports.set('default', statement.declaration);
    } else if (statement.type === 'ExportNamedDeclaration') {
      for (const { local, exported } of nodes(statement.specifiers)) {
        const name = nameOf(local);
        exports.set(nameOf(exported), specifier === undefined ? name : { specifier, name });
      }
      if (isNode(statement.declaration)) {
        for (const { name, at } of scopes.top.values()) {
          if (at >= statement.start && at < statement.end) exports.set(name, name);
        }
      }
    }
  }
  program.body = nodes(program.body).filter((statement) => statement.type !== 'ImportDeclaration');

  return {
    path,
    program,
    scopes,
    text: texts(scopes.declarations),
    fullText: texts(),
    exports,
    stars,
    sideEffects,
    specifiers,
  };
}
