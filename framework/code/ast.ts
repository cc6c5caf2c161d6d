import { createRequire } from 'node:module';
import type { ParseResult } from 'oxc-parser';

/** A node of an ESTree AST. Offsets are in UTF-16 units of the parsed text. */
export interface Node {
  type: string;
  start: number;
  end: number;
  [key: string]: unknown;
}

/** The syntax of a program as it runs: no types, comments, layout, parentheses or spellings (quote style, shorthand). */
export interface Parser {
  /** A module or script; the dialect follows from the extension of `file`. Undefined if it is no valid program. */
  readonly program: (file: string, text: string) => Node | undefined;
  /** The function in a text made by `Function.prototype.toString`; undefined for native and bound ones. */
  readonly fn: (source: string) => Node | undefined;
}

/** How a function's text begins if it is none of a method; a guess, to parse it but once. */
const EXPRESSION = /^(?:async\b\s*)?(?:function\b|\(|[\w$]+\s*=>)|^class\b/;

/** Loads the parser, some milliseconds of work: only to be called when there is a function to hash. */
export function loadParser(): Parser {
  const { parseSync } = createRequire(import.meta.url)('oxc-parser') as typeof import('oxc-parser');
  const parse = (file: string, text: string) => parseSync(file, text, { astType: 'ts', preserveParens: false });
  return {
    program: (file, text) => valid(parse(file, text)),
    fn(source) {
      // A method's text is no expression by itself, and one that uses private names is nothing outside a class.
      const wrappers = [`(${source}\n)`, `({${source}\n})`, `(class {${source}\n})`];
      if (!EXPRESSION.test(source)) wrappers.push(...wrappers.splice(0, 1));
      for (const text of wrappers) {
        const found = theFunction(valid(parse('function.mjs', text)));
        if (found) return found;
      }
      return undefined;
    },
  };
}

function valid(parsed: ParseResult): Node | undefined {
  if (parsed.errors.some((error) => error.severity === 'Error')) return undefined;
  const program: unknown = parsed.program;
  return isNode(program) ? erase(program) : undefined;
}

function theFunction(program: Node | undefined): Node | undefined {
  let node = nodes(program?.body)[0]?.expression;
  if (isNode(node) && node.type === 'ObjectExpression') node = nodes(node.properties)[0]?.value;
  else if (isNode(node) && node.type === 'ClassExpression' && isNode(node.body)) node = nodes(node.body.body)[0]?.value;
  return isNode(node) && isFunction(node) ? node : undefined;
}

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

/** The nodes of a list; none if it is not a list. Holes (`[, a]`) are left out. */
export function nodes(value: unknown): Node[] {
  return Array.isArray(value) ? value.filter(isNode) : [];
}

/** The child nodes, in source order. */
export function children(node: Node): Node[] {
  const found: Node[] = [];
  for (const key in node) {
    const value = node[key];
    if (isNode(value)) found.push(value);
    else if (Array.isArray(value)) for (const item of value) if (isNode(item)) found.push(item);
  }
  return found;
}

export function isFunction({ type }: Node): boolean {
  return type === 'FunctionDeclaration' || type === 'FunctionExpression' || type === 'ArrowFunctionExpression';
}

/** What is quickly told of a function: those of different shape have different texts. */
export function shapeOf({ params, body, async, generator }: Node): string {
  return `${nodes(params).length} ${isNode(body) ? body.type + nodes(body.body).length : ''} ${async} ${generator}`;
}

/** The value of a string literal. */
export function stringValue(node: unknown): string | undefined {
  return isNode(node) && node.type === 'Literal' && typeof node.value === 'string' ? node.value : undefined;
}

/** The name in an import or export specifier, or after a dot. */
export function nameOf(node: unknown): string {
  return stringValue(node) ?? '';
}

/**
 * The node as text, equal for equal code. Nodes in `replaced` are written as their replacement. A declared function or class
 * is written as the expression of the same text.
 */
export function textOf(node: Node, replaced?: ReadonlyMap<Node, string>): string {
  const write = (value: unknown): string => {
    if (Array.isArray(value)) return `[${value.map(write).join()}]`;
    if (!isNode(value)) return JSON.stringify(value);
    const replacement = replaced?.get(value);
    if (replacement !== undefined) return replacement;
    let text = value === node ? node.type.replace(/^(Function|Class)Declaration$/, '$1Expression') : value.type;
    for (const key in value) {
      const member = value[key];
      if (key === 'type' || key === 'start' || key === 'end') continue;
      // What is false or missing is left out, except where it is a literal's value.
      if ((member !== null && member !== false) || key === 'value') text += ` ${key}:${write(member)}`;
    }
    return `(${text})`;
  };
  return write(node);
}

const ERASED_KEYS = new Set([
  ...['typeAnnotation', 'typeParameters', 'typeArguments', 'superTypeArguments', 'returnType', 'implements'],
  ...['accessibility', 'declare', 'definite', 'override', 'readonly', 'abstract', 'importKind', 'exportKind'],
  ...['raw', 'shorthand', 'directive', 'hashbang', 'sourceType'],
]);
const WRAPPERS = new Set([
  ...['TSAsExpression', 'TSSatisfiesExpression', 'TSNonNullExpression', 'TSTypeAssertion', 'TSInstantiationExpression'],
]);
const ERASED = new Set([
  ...['EmptyStatement', 'TSInterfaceDeclaration', 'TSTypeAliasDeclaration', 'TSDeclareFunction', 'TSIndexSignature'],
  ...['TSNamespaceExportDeclaration', 'TSEmptyBodyFunctionExpression', 'TSAbstractMethodDefinition'],
  ...['TSAbstractPropertyDefinition', 'TSAbstractAccessorProperty'],
]);
/** Where an identifier is a name, not a variable. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  MetaProperty: ['meta', 'property'],
  LabeledStatement: ['label'],
  BreakStatement: ['label'],
  ContinueStatement: ['label'],
  ImportSpecifier: ['imported'],
  ExportSpecifier: ['local', 'exported'],
  ExportAllDeclaration: ['exported'],
  TSEnumMember: ['id'],
  JSXAttribute: ['name'],
  JSXMemberExpression: ['property'],
};

/** The node reduced to what counts at run time; undefined if that is nothing. */
function erase(node: Node): Node | undefined {
  if (WRAPPERS.has(node.type)) return isNode(node.expression) ? erase(node.expression) : undefined;
  if (ERASED.has(node.type) || node.declare === true || node.importKind === 'type' || node.exportKind === 'type')
    return undefined;
  const { type, start, end } = node;
  if (type === 'Identifier') return { type, start, end, name: node.name };
  const kept: Node = { type, start, end };
  for (const key in node) {
    const value = node[key];
    if (ERASED_KEYS.has(key)) continue;
    if (isNode(value)) {
      const left = isName(node, key, value)
        ? { type: 'Literal', start: value.start, end: value.end, value: value.name }
        : erase(value);
      // What is left of an overload or of an exported type.
      if (!left && /^(?:MethodDefinition|Export.*Declaration)$/.test(type)) return undefined;
      kept[key] = left ?? null;
    } else if (Array.isArray(value)) {
      const list: unknown[] = [];
      for (const item of value) {
        const left = isNode(item) ? erase(item) : item;
        const isThisType = key === 'params' && isNode(left) && left.type === 'Identifier' && left.name === 'this';
        if (left !== undefined && !isThisType) list.push(left);
      }
      if (key !== 'decorators' || list.length > 0) kept[key] = list;
    } else if (key !== 'optional' || type === 'CallExpression' || type === 'MemberExpression') kept[key] = value;
  }
  // An import that names nothing but types.
  if (type === 'ImportDeclaration' && nodes(node.specifiers).length > 0 && nodes(kept.specifiers).length === 0)
    return undefined;
  if (type === 'Literal' && ('bigint' in node || 'regex' in node)) kept.value = null;
  return kept;
}

/** Whether an identifier is a name, not a variable. Those become literals, so that every `Identifier` left is a variable. */
function isName(node: Node, key: string, value: Node): boolean {
  if (value.type !== 'Identifier' && value.type !== 'JSXIdentifier') return false;
  if (key === 'key' || (key === 'property' && node.type === 'MemberExpression')) return !node.computed;
  return NAMES[node.type]?.includes(key) ?? false;
}
