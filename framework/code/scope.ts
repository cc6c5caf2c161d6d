import { children, isNode, type Node, nameOf, nodes, stringValue } from './ast.ts';
import { memo } from './memo.ts';

/** A variable: where it is declared and what has to be read to know what it holds. */
export interface Binding {
  readonly name: string;
  /**
   * `declared`: its value follows from `node`. `given`: it comes from a caller or an iteration (a parameter, a loop variable,
   * `this`), `node` tells no more than its default. `imported`: see `from`.
   */
  readonly kind: 'declared' | 'given' | 'imported';
  /** Offset of the name; -1 if it is declared nowhere (`import()`). */
  readonly at: number;
  /** Undefined if there is nothing to read: `this`, `arguments`, `import()`. */
  readonly node: Node | undefined;
  readonly from?: Source | undefined;
  /** What else declares it. */
  readonly redeclared: Node[];
  /** The statements of its scope that do things. */
  readonly beside: readonly Node[];
}

/** An export of a module; `*` is all of them. */
export interface Source {
  readonly specifier: string;
  readonly name: string;
}

/** A use of a variable; no binding means a global. `import('x')` and `require('x')` count as uses of what they load. */
export interface Reference {
  readonly name: string;
  readonly at: number;
  readonly binding: Binding | undefined;
}

/** What there is to know about the variables of one program. */
export interface Scopes {
  readonly top: ReadonlyMap<string, Binding>;
  readonly functions: readonly Node[];
  /** What `import()` and `require()` load, as far as it is written literally. */
  readonly loads: readonly string[];
  /** The calls of a declarer, with what stands for them in the text of the code around them. */
  readonly declarations: ReadonlyMap<Node, string>;
  /** The variables used within the node and declared outside it, in source order, save in calls of a declarer. */
  readonly reach: (node: Node) => readonly Reference[];
  /** Other statements of its scope that declare or mention a variable, and so may fill it: `table.set(…)`. */
  readonly effects: (binding: Binding) => readonly Node[];
}

interface Scope {
  readonly parent: Scope | undefined;
  /** The scope to which `var` is hoisted from here. */
  readonly closure: Scope | undefined;
  readonly names: Map<string, Binding>;
  readonly effects: Node[];
}

const EFFECTS = /^(?:Expression|For|ForIn|ForOf|While|DoWhile|If|Switch|Try|Block|Labeled)Statement$/;

/**
 * Resolves the variables of a program by JavaScript's scoping rules (those of modules: strict). `declarers` are names of
 * imports whose calls declare something that has a version of its own (`asset`).
 */
export function analyse(program: Node, declarers: ReadonlySet<string>): Scopes {
  const pending: { name: string; at: number; scope: Scope }[] = [];
  const references: Reference[] = [];
  const functions: Node[] = [];
  const loads: string[] = [];
  const calls: { call: Node; scope: Scope }[] = [];

  function open(parent: Scope | undefined, closure: boolean): Scope {
    return { parent, closure: closure ? undefined : (parent?.closure ?? parent), names: new Map(), effects: [] };
  }

  /** A scope with its own `this`. */
  function openClosure(parent: Scope, node: Node): Scope {
    const scope = open(parent, true);
    for (const name of ['this', 'arguments']) declare(scope, name, { kind: 'given', at: node.start, node: undefined });
    return scope;
  }

  function declare(scope: Scope, name: unknown, binding: Omit<Binding, 'name' | 'redeclared' | 'beside'>): void {
    if (typeof name !== 'string') return;
    const known = scope.names.get(name);
    if (!known) scope.names.set(name, { ...binding, name, redeclared: [], beside: scope.effects });
    else if (binding.node) known.redeclared.push(binding.node);
  }

  function declareId(scope: Scope, id: unknown, kind: Binding['kind'], node: Node, from?: Binding['from']): void {
    if (isNode(id)) declare(scope, id.name, { kind, at: id.start, node, ...(from && { from }) });
  }

  /** Declares the names of a pattern in `target`; its defaults and computed keys are read in `scope`. */
  function pattern(node: unknown, target: Scope, scope: Scope, kind: Binding['kind'], whole: Node): void {
    if (!isNode(node)) return;
    const inner = (child: unknown) => pattern(child, target, scope, kind, whole);
    if (node.type === 'Identifier') declareId(target, node, kind, whole);
    else if (node.type === 'AssignmentPattern') {
      inner(node.left);
      if (isNode(node.right)) visit(node.right, scope);
    } else if (node.type === 'Property') {
      if (isNode(node.key)) visit(node.key, scope);
      inner(node.value);
    } else if (node.type === 'RestElement') inner(node.argument);
    else if (node.type === 'TSParameterProperty') inner(node.parameter);
    else for (const child of [...nodes(node.elements), ...nodes(node.properties)]) inner(child);
  }

  function load(name: string, at: number, source: Node | undefined): void {
    const specifier = stringValue(source);
    if (specifier !== undefined) loads.push(specifier);
    const from = specifier === undefined ? undefined : { specifier, name: '*' };
    const binding: Binding = {
      name,
      kind: from ? 'imported' : 'given',
      at: -1,
      node: undefined,
      from,
      redeclared: [],
      beside: [],
    };
    references.push({ name, at, binding });
  }

  function visitFunction(node: Node, outer: Scope): void {
    functions.push(node);
    const scope = node.type === 'ArrowFunctionExpression' ? open(outer, true) : openClosure(outer, node);
    if (node.type === 'FunctionExpression') declareId(scope, node.id, 'declared', node);
    for (const param of nodes(node.params)) pattern(param, scope, scope, 'given', param);
    if (isNode(node.body) && node.body.type === 'BlockStatement') visitList(node.body.body, scope);
    else if (isNode(node.body)) visit(node.body, scope);
  }

  function visitList(list: unknown, scope: Scope): void {
    for (const node of nodes(list)) {
      if (EFFECTS.test(node.type)) scope.effects.push(node);
      visit(node, scope);
    }
  }

  function variables(node: Node, scope: Scope, kind: Binding['kind'], loop?: Node): void {
    const target = node.kind === 'var' ? (scope.closure ?? scope) : scope;
    for (const declarator of nodes(node.declarations)) {
      pattern(declarator.id, target, scope, kind, loop ?? declarator);
      if (isNode(declarator.init)) visit(declarator.init, scope);
    }
  }

  function visit(node: Node, scope: Scope): void {
    switch (node.type) {
      case 'Identifier':
      case 'JSXIdentifier':
        pending.push({ name: String(node.name), at: node.start, scope });
        return;
      case 'ThisExpression':
      case 'Super':
        pending.push({ name: 'this', at: node.start, scope });
        return;
      case 'FunctionDeclaration':
        declareId(scope, node.id, 'declared', node);
        visitFunction(node, scope);
        return;
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
        visitFunction(node, scope);
        return;
      case 'ClassDeclaration':
      case 'ClassExpression': {
        if (node.type === 'ClassDeclaration') declareId(scope, node.id, 'declared', node);
        const inner = open(scope, false);
        declareId(inner, node.id, 'declared', node);
        for (const child of children({ ...node, id: null })) visit(child, inner);
        return;
      }
      case 'PropertyDefinition':
      case 'AccessorProperty':
        if (isNode(node.key)) visit(node.key, scope);
        if (isNode(node.value)) visit(node.value, openClosure(scope, node));
        return;
      case 'StaticBlock':
        visitList(node.body, openClosure(scope, node));
        return;
      case 'VariableDeclaration':
        variables(node, scope, 'declared');
        return;
      case 'BlockStatement':
      case 'TSModuleBlock':
        visitList(node.body, open(scope, false));
        return;
      case 'SwitchStatement':
      case 'ForStatement':
      case 'ForInStatement':
      case 'ForOfStatement': {
        const inner = open(scope, false);
        for (const child of children(node)) {
          if (child.type === 'VariableDeclaration') variables(child, inner, 'given', node);
          else visit(child, inner);
        }
        return;
      }
      case 'SwitchCase':
        if (isNode(node.test)) visit(node.test, scope);
        visitList(node.consequent, scope);
        return;
      case 'CatchClause': {
        const inner = open(scope, false);
        pattern(node.param, inner, inner, 'given', node);
        if (isNode(node.body)) visitList(node.body.body, inner);
        return;
      }
      case 'TSEnumDeclaration':
      case 'TSModuleDeclaration':
        declareId(scope, node.id, 'declared', node);
        for (const child of children({ ...node, id: null })) visit(child, scope);
        return;
      case 'ImportDeclaration':
        for (const s of nodes(node.specifiers)) {
          const name =
            s.type === 'ImportSpecifier' ? nameOf(s.imported) : s.type === 'ImportDefaultSpecifier' ? 'default' : '*';
          declareId(scope, s.local, 'imported', s, { specifier: stringValue(node.source) ?? '', name });
        }
        return;
      case 'ExportNamedDeclaration':
      case 'ExportDefaultDeclaration':
        if (isNode(node.declaration)) visit(node.declaration, scope);
        return;
      case 'ImportExpression':
        load('import()', node.start, isNode(node.source) ? node.source : undefined);
        break;
      case 'CallExpression':
        calls.push({ call: node, scope });
        if (isNode(node.callee) && node.callee.name === 'require')
          load('require()', node.start, nodes(node.arguments)[0]);
        break;
    }
    for (const child of children(node)) visit(child, scope);
  }

  const top = open(undefined, true);
  visitList(program.body, top);

  for (const { name, at, scope } of pending) references.push({ name, at, binding: lookUp(name, scope) });
  references.sort((a, b) => a.at - b.at);
  const declarations = new Map<Node, string>();
  for (const { call, scope } of calls) {
    const declarer = importedCallee(call, scope);
    if (declarer && declarers.has(declarer))
      declarations.set(call, JSON.stringify([declarer, stringValue(nodes(call.arguments)[0]) ?? null]));
  }
  const hidden = [...declarations.keys()].map((call) => ({ at: call.start, call }));
  hidden.sort((a, b) => a.at - b.at);

  const reach = memo((node: Node) => {
    const calls = within(hidden, node);
    return within(references, node).filter(
      ({ at, binding }) =>
        !(binding && binding.at >= node.start && binding.at < node.end) &&
        !calls.some(({ call }) => at >= call.start && at < call.end),
    );
  });

  const effects = memo((binding: Binding) => [
    ...binding.redeclared,
    ...binding.beside.filter((statement) => reach(statement).some((use) => use.binding === binding)),
  ]);
  return { top: top.names, functions, loads, declarations, reach, effects };
}

function lookUp(name: string, scope: Scope | undefined): Binding | undefined {
  return scope && (scope.names.get(name) ?? lookUp(name, scope.parent));
}

/** The name under which a module exports what is called, if it is an import: `asset(…)`, `lakehouse.asset(…)`. */
function importedCallee(call: Node, scope: Scope): string | undefined {
  const { callee } = call;
  if (!isNode(callee)) return undefined;
  const variable = callee.type === 'MemberExpression' ? callee.object : callee;
  if (!isNode(variable) || variable.type !== 'Identifier') return undefined;
  const name = lookUp(String(variable.name), scope)?.from?.name;
  return name === '*' && variable !== callee ? nameOf(callee.property) : variable === callee ? name : undefined;
}

/** The items that lie within the node, of a list sorted by `at`. */
function within<T extends { readonly at: number }>(sorted: readonly T[], node: Node): T[] {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle]?.at ?? 0) < node.start) low = middle + 1;
    else high = middle;
  }
  let end = low;
  while ((sorted[end]?.at ?? Number.POSITIVE_INFINITY) < node.end) end++;
  return sorted.slice(low, end);
}
