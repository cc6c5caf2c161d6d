import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type ParsedNode,
  parseDocument,
  visit,
} from 'yaml';
import { issueAt, type Origin } from './origin.ts';
import { childOf, type Entries, hintForKey, type Section, type Setting } from './tree.ts';
import { addValue, checkKey, type Layer } from './values.ts';

type Yaml = ParsedNode | null;

/** A YAML text with positions. `contents` is null when the text is empty, or so malformed that reading on would only mislead. */
export interface Reading {
  readonly contents: Yaml;
  readonly document: Document.Parsed;
  /** The origin of what stands at an offset in the text. */
  readonly originAt: (offset: number) => Origin;
}

/** Parses one YAML document. `originAt` turns a line and a column (from 1) into an origin. */
export function parseYaml(text: string, originAt: (line: number, column: number) => Origin, layer: Layer): Reading {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return originAt(line, col);
  };
  const report = (offset: number, message: string) => {
    const hint = /\balias\b/i.test(message) ? "Put a value that starts with '*' in quotes: '*'" : undefined;
    layer.issues.push(issueAt(at(offset), { code: 'malformed-yaml', path: [], message, hint }));
  };
  // What follows the colon is quoted from the text, which may hold secrets.
  const problems = [...document.errors, ...document.warnings];
  for (const { code, pos, message } of problems) {
    report(pos[0], MESSAGES[code] ?? message.replace(/: .*/s, ''));
  }
  const before = layer.issues.length;
  visit(document, {
    Alias: (_, alias) => {
      if (alias.source && !alias.resolve(document)) report(alias.range?.[0] ?? 0, 'There is no anchor for this alias');
    },
  });
  const readable = layer.issues.length === before && problems.every(({ code }) => code === 'DUPLICATE_KEY');
  return { contents: readable ? document.contents : null, document, originAt: at };
}

const MESSAGES: { readonly [code: string]: string } = {
  DUPLICATE_KEY: 'Duplicate key',
  BAD_DQ_ESCAPE: 'Invalid escape sequence',
  MULTIPLE_DOCS: 'A second document starts here',
};

/** A key of a mapping, what stands under it, and the offset of the key. */
export interface Pair {
  readonly key: string;
  readonly value: Yaml;
  readonly offset: number;
}

/** The pairs of a mapping with their keys as text; an issue and nothing when it is none. An empty node is an empty mapping. */
export function pairsOf(node: Yaml, reading: Reading, layer: Layer, path: readonly string[]): Pair[] {
  const target = resolve(node, reading);
  if (target === null || (isScalar(target) && target.value === null)) return [];
  if (!isMap(target)) {
    const message = `Expected a section with keys, got a ${isSeq(target) ? 'list' : 'single value'}`;
    layer.issues.push(issueAt(reading.originAt(offsetOf(node)), { code: 'invalid-setting', path, message }));
    return [];
  }
  return target.items.map((pair) => ({
    key: String(isScalar(pair.key) ? pair.key.value : pair.key),
    value: pair.value,
    offset: offsetOf(pair.key),
  }));
}

/** Reads a node as the value of a setting, section or mapping. `offset` is where its key stands. */
export function readNode(
  root: Section,
  setting: Setting,
  node: Yaml,
  offset: number,
  reading: Reading,
  layer: Layer,
): void {
  if (setting.kind === 'leaf') {
    const inside = (path: readonly PropertyKey[]) => reading.originAt(offsetOf(partOf(node, path, reading)) || offset);
    addValue(layer, setting, node?.toJS(reading.document) ?? null, inside, reading.originAt(offset));
    return;
  }
  for (const pair of pairsOf(node, reading, layer, setting.path)) readPair(root, setting, pair, reading, layer);
}

/** Reads one key of a section or mapping, with all that is under it. */
export function readPair(root: Section, parent: Section | Entries, pair: Pair, reading: Reading, layer: Layer): void {
  const origin = reading.originAt(pair.offset);
  if (parent.kind === 'entries' && !checkKey(layer, parent, pair.key, origin)) return;
  const child = childOf(parent, pair.key);
  if (child) readNode(root, child, pair.value, pair.offset, reading, layer);
  else if (parent.kind === 'section' && !parent.open) {
    const path = [...parent.path, pair.key];
    const hint = hintForKey(root, parent, pair.key);
    layer.issues.push(issueAt(origin, { code: 'unknown-setting', path, message: 'Unknown setting', hint }));
  }
}

function resolve(node: Yaml, reading: Reading): Yaml {
  return isAlias(node) ? ((node.resolve(reading.document) as ParsedNode | undefined) ?? null) : node;
}

/** The node that a path inside a value means, or the nearest one above it. */
function partOf(node: Yaml, path: readonly PropertyKey[], reading: Reading): Yaml {
  const [key, ...rest] = path;
  const target = resolve(node, reading);
  const child =
    typeof key !== 'symbol' && (isMap(target) || isSeq(target))
      ? ((target.get(key, true) as ParsedNode | undefined) ?? null)
      : null;
  return child ? partOf(child, rest, reading) : node;
}

function offsetOf(node: Yaml): number {
  return node?.range?.[0] ?? 0;
}
