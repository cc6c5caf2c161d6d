import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import { type Expression, type MemberExpression, type Node, parseSync, Visitor } from 'oxc-parser';

/** Top to bottom: a room imports from itself and from rooms below it, types included. */
export const ROOMS: readonly string[] = [
  'bin',
  'assets',
  'framework/testing.ts',
  'framework/index.ts',
  'framework/cli',
  'framework/tui',
  'framework/sdk',
  'framework/operate',
  'framework/report',
  'framework/materialize',
  'framework/catalogue',
  'framework/engine',
  'framework/storage',
  'framework/state',
  'framework/formats',
  'framework/code',
  'framework/plan',
  'framework/graph',
  'framework/define',
  'framework/partition',
  'framework/config',
  'framework/common',
];
/** Around the house: may import anything and read the clock; no room may import from them. */
const OUTSIDE: readonly string[] = ['test', 'bench', 'scripts'];
const PURE: readonly string[] = ['framework/plan', 'framework/graph', 'framework/partition', 'framework/define'];
const EDGE: readonly string[] = ['bin', 'framework/cli', 'framework/sdk'];
const PACKAGE = 'crypto-lakehouse';
const FACE = 'framework/index.ts';

const OWNED: readonly { readonly packages: RegExp; readonly room: string }[] = [
  { packages: /^@duckdb\//, room: 'framework/engine' },
  { packages: /^(ink|react)(-|$)/, room: 'framework/tui' },
];

interface Import {
  /** Undefined where the specifier is computed at run time. */
  readonly specifier: string | undefined;
  readonly at: number;
}

interface Module {
  readonly imports: readonly Import[];
  /** Uses of what must be passed in, e.g. `Date.now`. */
  readonly ambient: readonly { readonly name: string; readonly at: number }[];
  readonly syntaxErrors: readonly string[];
}

/**
 * Holds source files to the plan of the house: direction of imports on resolved paths, pure rooms, owned packages,
 * declared dependencies, ambient state, cycles.
 * @param files Text by path relative to the repository, with `/`. An import must resolve to one of them.
 * @param dependencies Names of the packages that are installed with this one.
 * @returns One line per violation, `file:line rule: message`, in the order of `files`, cycles last.
 */
export function checkBoundaries(files: ReadonlyMap<string, string>, dependencies: ReadonlySet<string>): string[] {
  const violations: string[] = [];
  const graph = new Map<string, string[]>();
  for (const [file, text] of files) {
    const module = readModule(file, text);
    const targets: string[] = [];
    const report = (at: number, message: string) => violations.push(`${file}:${lineOf(text, at)} ${message}`);
    for (const message of module.syntaxErrors) report(0, `syntax: ${message}`);
    for (const { specifier } of module.imports) {
      const target = specifier === undefined ? undefined : resolve(file, specifier);
      if (target !== undefined && files.has(target)) targets.push(target);
    }
    graph.set(file, targets);

    const room = roomOf(file);
    if (OUTSIDE.includes(room)) continue;
    if (!ROOMS.includes(room)) {
      report(0, `room: ${room} has no place in the house`);
      continue;
    }
    for (const { specifier, at } of module.imports) {
      const message = judgeImport(file, room, specifier, files, dependencies);
      if (message !== undefined) report(at, message);
    }
    for (const { name, at } of EDGE.includes(room) ? [] : module.ambient)
      report(at, `ambient: ${name} must be passed in`);
  }
  return [...violations, ...findCycles(graph).map((cycle) => `${cycle[0]}:1 cycle: ${cycle.join(' -> ')}`)];
}

function judgeImport(
  file: string,
  room: string,
  specifier: string | undefined,
  files: ReadonlyMap<string, string>,
  dependencies: ReadonlySet<string>,
): string | undefined {
  if (specifier === undefined) {
    return EDGE.includes(room)
      ? undefined
      : 'computed: only bin, framework/cli and framework/sdk import what is named at run time';
  }
  const target = resolve(file, specifier);
  if (target === undefined) return judgePackage(room, specifier, dependencies);
  if (target.endsWith('.json') || (room === 'bin' && target.startsWith('dist/'))) return undefined;
  if (!files.has(target)) return `unresolved: ${specifier} names no source file`;
  if (room === 'assets' && target.startsWith('framework/') && specifier !== PACKAGE) {
    return `direction: assets reach the framework as '${PACKAGE}', not as ${target}`;
  }
  const there = roomOf(target);
  if (!ROOMS.includes(there) || ROOMS.indexOf(there) < ROOMS.indexOf(room)) {
    return `direction: ${room} may not import ${target}`;
  }
  return undefined;
}

function judgePackage(room: string, specifier: string, dependencies: ReadonlySet<string>): string | undefined {
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  const owner = OWNED.find(({ packages }) => packages.test(name))?.room ?? room;
  if (owner !== room) return `owned: only ${owner} imports ${name}`;
  if (PURE.includes(room) && (isBuiltin(specifier) || /^@(aws-sdk|smithy)\//.test(name))) {
    return `pure: ${room} may not import ${specifier}`;
  }
  if (!isBuiltin(specifier) && !dependencies.has(name)) return `undeclared: ${name} is not among the dependencies`;
  return undefined;
}

function roomOf(path: string): string {
  const [first = '', second] = path.split('/');
  return first === 'framework' && second !== undefined ? `${first}/${second}` : first;
}

/** The path a specifier stands for, undefined for packages and built-ins. */
function resolve(file: string, specifier: string): string | undefined {
  if (specifier === PACKAGE) return FACE;
  return /^\.\.?(\/|$)/.test(specifier) ? posix.join(posix.dirname(file), specifier) : undefined;
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

function readModule(file: string, text: string): Module {
  const imports: Import[] = [];
  const ambient: { name: string; at: number }[] = [];
  const { program, errors } = parseSync(file, text);
  // JSX becomes an import of react that nobody wrote.
  if (/\.[jt]sx$/.test(file)) imports.push({ specifier: 'react/jsx-runtime', at: 0 });

  const addImport = ({ source, start }: { source: Expression | null; start: number }) => {
    if (source !== null) imports.push({ specifier: literalText(source), at: start });
  };
  const addMember = (object: string, member: string | undefined, at: number) => {
    const name = `${object}.${member}`;
    if (['Date.now', 'Math.random', 'process.env', 'process.exit'].includes(name)) ambient.push({ name, at });
  };
  new Visitor({
    ImportDeclaration(node) {
      addImport(node);
      if (!/^(node:)?process$/.test(node.source.value)) return;
      for (const specifier of node.specifiers) {
        if (specifier.type === 'ImportSpecifier') addMember('process', nameOf(specifier.imported), node.start);
      }
    },
    ExportNamedDeclaration: addImport,
    ExportAllDeclaration: addImport,
    ImportExpression: addImport,
    TSImportType: addImport,
    // biome-ignore lint/correctness/noComponentHookFactories: the name of a syntax node
    TSExternalModuleReference: (node) => addImport({ source: node.expression, start: node.start }),
    MemberExpression(node) {
      const object =
        nameOf(node.object) ?? (node.object.type === 'MemberExpression' ? memberName(node.object) : undefined);
      if (object !== undefined) addMember(object, memberName(node), node.start);
    },
    VariableDeclarator({ id, init, start }) {
      const object = init && nameOf(init);
      if (id.type !== 'ObjectPattern' || !object) return;
      for (const property of id.properties) {
        if (property.type === 'Property') addMember(object, nameOf(property.key), start);
      }
    },
    NewExpression({ callee, arguments: args, start }) {
      if (nameOf(callee) === 'Date' && args.length === 0) ambient.push({ name: 'new Date()', at: start });
    },
    CallExpression({ callee, start }) {
      if (nameOf(callee) === 'Date') ambient.push({ name: 'Date()', at: start });
    },
  }).visit(program);
  return { imports, ambient, syntaxErrors: errors.map((error) => error.message) };
}

function memberName(node: MemberExpression): string | undefined {
  return node.computed ? literalText(node.property) : nameOf(node.property);
}

function nameOf(node: Node): string | undefined {
  return node.type === 'Identifier' ? node.name : undefined;
}

function literalText(node: Node): string | undefined {
  if (node.type === 'Literal' && typeof node.value === 'string') return node.value;
  return node.type === 'TemplateLiteral' && node.expressions.length === 0
    ? (node.quasis[0]?.value.cooked ?? undefined)
    : undefined;
}

/** One cycle per edge that closes one, each as a path that ends where it began. */
function findCycles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const cycles: string[][] = [];
  const path: string[] = [];
  const done = new Set<string>();
  const visit = (file: string) => {
    if (done.has(file)) return;
    const opened = path.indexOf(file);
    if (opened >= 0) {
      cycles.push([...path.slice(opened), file]);
      return;
    }
    path.push(file);
    for (const target of new Set(graph.get(file))) visit(target);
    path.pop();
    done.add(file);
  };
  for (const file of graph.keys()) visit(file);
  return cycles;
}
