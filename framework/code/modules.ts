import { isBuiltin } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { canonicalHash } from '../common/canonical.ts';
import { isNode, type Node, nameOf, nodes, type Parser, shapeOf, stringValue, textOf } from './ast.ts';
import type { Disk } from './disk.ts';
import { memo } from './memo.ts';
import { analyse, type Scopes, type Source } from './scope.ts';

/** A local file that code is loaded from. */
export interface Module {
  readonly path: string;
  /** The whole file, without its imports. For a file that is no JavaScript (JSON, …) a literal of its text. */
  readonly program: Node;
  readonly scopes: Scopes;
  /** The text of a node. */
  readonly text: (node: Node) => string;
  /** A hash of the text, in which calls of a declarer are replaced by the name they declare. */
  readonly digest: (node: Node) => string;
  /** Its functions by shape. */
  readonly functions: ReadonlyMap<string, readonly Node[]>;
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

export interface ModuleOptions {
  readonly parser: Parser;
  readonly disk: Disk;
  readonly declarers: ReadonlySet<string>;
  readonly unversioned: ReadonlySet<string>;
}

export function openModules({ parser, disk, declarers, unversioned }: ModuleOptions): Modules {
  const resolve = memo((from: Module) =>
    memo((specifier: string) => {
      if (specifier.startsWith('#')) return disk.ask('resolve', specifier, from.path);
      const isLocal = /^(?:\.{0,2}\/|file:)/.test(specifier);
      return isLocal ? fileURLToPath(new URL(specifier, pathToFileURL(from.path))) : undefined;
    }),
  );
  return {
    load: memo((path) => {
      const text = disk.ask('text', path, '');
      return text === undefined ? undefined : readModule(path, text, parser, declarers);
    }),
    resolve: (specifier, from) => resolve(from)(specifier),
    external(specifier, from) {
      if (isBuiltin(specifier)) return specifier.startsWith('node:') ? specifier : `node:${specifier}`;
      const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
      const version = unversioned.has(name) ? undefined : disk.ask('version', name, from.path);
      return version === undefined ? specifier : `${specifier}@${version}`;
    },
  };
}

function readModule(path: string, text: string, parser: Parser, declarers: ReadonlySet<string>): Module | undefined {
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
    functions: Map.groupBy(scopes.functions, shapeOf),
    text: memo((node) => textOf(node)),
    digest: memo((node) => canonicalHash(textOf(node, scopes.declarations))),
    exports,
    stars,
    sideEffects,
    specifiers,
  };
}
