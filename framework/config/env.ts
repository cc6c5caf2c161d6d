import { isScalar, parseDocument } from 'yaml';
import type { z } from 'zod';
import type { Issue } from '../common/errors.ts';
import { didYouMean } from '../common/suggest.ts';
import { issueAt, type Origin } from './origin.ts';
import { childOf, type Entries, hintForKey, type Leaf, leavesOf, type Section, type Setting, unwrap } from './tree.ts';
import { addValue, checkKey, emptyLayer, type Layer } from './values.ts';
import { parseYaml, readNode } from './yaml.ts';

/** The section name for settings that stand at the top: `LAKEHOUSE__DATA_DIR`. */
const TOP = 'lakehouse';

/** `concurrencyLimit` → `concurrency_limit`. */
function snake(key: string): string {
  return key.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
}

/** The systematic environment variable of a setting: `WORKFLOW__CONCURRENCY_LIMIT`, `LAKEHOUSE__DATA_DIR`. */
export function envName(path: readonly string[]): string {
  const parts = path.length === 1 ? [TOP, ...path] : path;
  return parts.map((part) => snake(part).toUpperCase()).join('__');
}

/** All environment variables that set a setting, the strongest first. */
export function envNames(setting: Leaf | Entries): string[] {
  return setting.kind === 'leaf' ? [envName(setting.path), ...setting.env] : [envName([...setting.path, '<name>'])];
}

/**
 * Reads variables into a layer: the conventional names first, then `SECTION__KEY`, which is stronger. An empty variable
 * counts as not set. Variables whose section is not ours belong to someone else and are ignored. Of two spellings of
 * one name the capitals win.
 */
export function readVariables(
  root: Section,
  variables: Readonly<Record<string, string | undefined>>,
  originOf: (name: string) => Origin,
  layer: Layer,
): void {
  for (const leaf of leavesOf(root)) {
    const name = leaf.kind === 'leaf' && leaf.env.find((candidate) => variables[candidate]);
    const text = name ? variables[name] : undefined;
    if (!name || !text) continue;
    // DEBUG is shared with the 'debug' package, whose values are namespaces: those are not addressed to us.
    if (name === 'DEBUG' && booleanWord(text) === undefined) continue;
    readText(root, leaf, text, originOf(name), false, layer);
  }
  for (const [name, text] of Object.entries(variables)) {
    const capitals = name.toUpperCase();
    if (text && name.includes('__') && (name === capitals || !variables[capitals])) {
      readSystematic(root, name, text, originOf(name), layer);
    }
  }
}

function readSystematic(root: Section, name: string, text: string, origin: Origin, layer: Layer): void {
  const [first = '', ...keys] = name.toLowerCase().split('__');
  const children = [...root.children];
  const top: Section = { ...root, children: new Map(children.filter(([, child]) => child.kind === 'leaf')) };
  const start =
    first === TOP ? top : children.find(([key, child]) => child.kind !== 'leaf' && snake(key) === first)?.[1];
  if (!start) return;
  const spelling = (parent: Setting, key: string) =>
    (parent.kind === 'section' && [...parent.children.keys()].find((known) => snake(known) === key)) || key;
  const unknown = (parent: Setting, depth: number): Issue => {
    const prefix = [first, ...keys.slice(0, depth), ''].join('__').toUpperCase();
    const names = [...leavesOf(parent)].map((leaf) => envName(leaf.path).slice(prefix.length));
    const hint = didYouMean(keys.slice(depth).join('__'), names)
      ?.replace('Known:', `Known after ${prefix}:`)
      .replace(/'(\w+)'/g, `'${prefix}$1'`);
    const message = `'${name}' names no setting`;
    return { code: 'unknown-setting', path: [], message, hint: parent.kind === 'leaf' ? hintBeyond(parent) : hint };
  };
  const setting = settingAt(start, keys, spelling, unknown, origin, layer);
  if (setting) readText(root, setting, text, origin, false, layer);
}

/** Reads `a.b.c=value` of `--set` into a layer. The value is a YAML scalar or flow collection; a text needs no quotes. */
export function readAssignment(root: Section, assignment: string, layer: Layer): void {
  const origin: Origin = { kind: 'argument', name: '--set' };
  const equals = assignment.indexOf('=');
  const path = assignment.slice(0, Math.max(equals, 0)).trim();
  const keys = path.split('.');
  if (keys.includes('')) {
    // What follows the name may be a secret.
    const message = `'${/^[\w.-]*/.exec(assignment)?.[0]}' is no assignment`;
    const hint = 'Write --set a.b.c=value, e.g. --set workflow.concurrencyLimit=4';
    layer.issues.push(issueAt(origin, { code: 'invalid-set', path: [], message, hint }));
    return;
  }
  const unknown = (parent: Setting, depth: number): Issue => ({
    code: 'unknown-setting',
    path: keys.slice(0, depth + 1),
    message: 'Unknown setting',
    hint: parent.kind === 'section' ? hintForKey(root, parent, keys[depth] ?? '') : hintBeyond(parent),
  });
  const setting = settingAt(root, keys, (_, key) => key, unknown, origin, layer);
  if (setting) readText(root, setting, assignment.slice(equals + 1), origin, true, layer);
}

function hintBeyond({ path }: Setting): string {
  return `'${path.join('.')}' is a single value without further keys`;
}

/** Follows keys down the tree; undefined, after an issue, where they lead nowhere. */
function settingAt(
  start: Setting,
  keys: readonly string[],
  spelling: (parent: Setting, key: string) => string,
  unknown: (parent: Setting, depth: number) => Issue,
  origin: Origin,
  layer: Layer,
): Setting | undefined {
  let setting = start;
  for (const [depth, written] of keys.entries()) {
    const key = spelling(setting, written);
    if (setting.kind === 'entries' && !checkKey(layer, setting, key, origin)) return undefined;
    const child = childOf(setting, key);
    if (!child) {
      const ignored = setting.kind === 'section' && setting.open;
      if (!ignored) layer.issues.push(issueAt(origin, unknown(setting, depth)));
      return undefined;
    }
    setting = child;
  }
  return setting;
}

/** Reads a text as the value of a setting: what the setting is decides how, so that an access key of digits stays a text. */
function readText(root: Section, setting: Setting, text: string, origin: Origin, quotes: boolean, layer: Layer): void {
  const value = setting.kind === 'leaf' ? meaningOf(setting.core, text, quotes) : undefined;
  if (setting.kind === 'leaf' && value !== undefined) {
    addValue(layer, setting, value, () => origin, origin);
    return;
  }
  const parsed = emptyLayer();
  const reading = parseYaml(text, () => origin, parsed);
  layer.issues.push(...parsed.issues.map((issue) => ({ ...issue, path: setting.path })));
  if (parsed.issues.length === 0) readNode(root, setting, reading.contents, 0, reading, layer);
}

/** The value that a text means for a kind of schema; undefined when it is to be read as YAML. */
function meaningOf(core: z.core.$ZodTypes, text: string, quotes: boolean): unknown {
  const def = core._zod.def;
  const trimmed = text.trim();
  switch (def.type) {
    case 'string':
      return (quotes ? quoted(trimmed) : undefined) ?? text;
    case 'enum':
      return (
        Object.values(def.entries).find((entry) => String(entry).toLowerCase() === trimmed.toLowerCase()) ?? trimmed
      );
    case 'boolean':
      return booleanWord(trimmed);
    case 'array':
      if (trimmed.startsWith('[')) return undefined;
      return trimmed.split(',').map((part) => {
        const item = meaningOf(unwrap(def.element).core, part.trim(), quotes);
        return item === undefined ? parseDocument(part).toJS() : item;
      });
    default:
      return undefined;
  }
}

/** The content of a text in quotes; undefined when it is in none. */
function quoted(text: string): string | undefined {
  const { contents, errors } = parseDocument(text);
  const isQuoted = isScalar(contents) && (contents.type === 'QUOTE_DOUBLE' || contents.type === 'QUOTE_SINGLE');
  return isQuoted && errors.length === 0 ? String(contents.value) : undefined;
}

function booleanWord(text: string): boolean | undefined {
  if (/^(?:1|true|yes|on)$/i.test(text)) return true;
  return /^(?:0|false|no|off)$/i.test(text) ? false : undefined;
}
