import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCodeHasher, type FunctionCode } from '../../framework/code/functions.ts';

type Files = Readonly<Record<string, string>>;

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'code-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** Node's own loader: vitest's would transform the module and with it the text of its functions. */
const load = createRequire(import.meta.url);

const FRAMEWORK: Files = {
  'node_modules/lake/package.json': '{ "name": "lake", "version": "1.0.0", "type": "module", "exports": "./index.js" }',
  'node_modules/lake/index.js':
    'export const asset = (key, options) => ({ key, ...options }); export const daily = asset;',
  'node_modules/csv/package.json':
    '{ "name": "csv", "version": "1.2.3", "type": "module", "exports": { ".": "./index.js", "./fast": "./index.js" } }',
  'node_modules/csv/index.js': 'export const parse = (t) => t; export const print = parse;',
};

/** Writes the files to a new directory and returns it. */
async function write(files: Files): Promise<string> {
  const directory = await mkdtemp(join(root, 'lake-'));
  for (const [name, text] of Object.entries({ 'package.json': '{ "type": "module" }', ...FRAMEWORK, ...files })) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), text);
  }
  return directory;
}

const OPTIONS = { declarers: new Set(['asset', 'daily']), unversioned: new Set(['lake']) };

function hashOne(source: string, module: string | readonly string[] | undefined): FunctionCode {
  return createCodeHasher(OPTIONS).hashFunction(source, module);
}

/** Loads the module as a user's Node would, and hashes the function that it exports as `compute`. */
async function hash(files: Files, module = 'main.ts', pick = 'compute'): Promise<FunctionCode> {
  const directory = await write(files);
  const url = pathToFileURL(join(directory, module)).href;
  let fn: unknown = load(join(directory, module));
  for (const name of pick.split('.')) fn = Object(fn)[name];
  const code = hashOne(String(fn), url);
  return { ...code, files: code.files.map((file) => relative(directory, file)) };
}

const LAKE: Files = {
  'main.ts': `
import { readFileSync } from 'node:fs';
import { parse } from 'csv';
import { asset, daily } from 'lake';
import defaults from './lib/defaults.ts';
import { average as mean, type Options } from './lib/index.ts';
import { Book } from './lib/book.ts';
import * as text from './lib/text.ts';
import { upstream } from './upstream.ts';
import table from './table.json' with { type: 'json' };
import './lib/setup.ts';

interface Row { readonly price: number; readonly name?: string }
const LIMIT: number = 10;
const UNUSED = 1;
let offset = 0;
offset += 5;
const rates = new Map<string, number>();
for (const name of ['usd', 'eur']) rates.set(name, 1);
const date = daily({ start: '2020-01-01' });
const { low, high: { top } } = { low: 1, high: { top: 2 } };

function clip<T extends number>(this: void, value: T, { min = low, max = top } = {}): number {
  return Math.max(min, Math.min(max, value));
}
function unused() { return 'nothing'; }
class Scaler { private factor = LIMIT; scale(x: number): number { return x * this.factor; } }

export const compute = async ({ rows }: { rows: readonly Row[] }, options?: Options): Promise<Row[]> => {
  // one row out for each row in
  const book = new Book(rows as Row[]);
  const scaler = new Scaler();
  return rows
    .filter((row) => row.price! > offset && rates.has(row.name ?? 'usd'))
    .map((row, i) => ({ ...row, price: clip(scaler.scale(mean([row.price, i], options))), key: [upstream, date, table.size] }))
    .concat(parse(readFileSync(defaults.path, "utf8")), book.rest(), text.shout((await import('./lib/lazy.ts')).name)) satisfies Row[];
};

export const definition = asset('gold/main', { description: 'The main thing', tags: ['x'], inputs: { upstream }, compute });
`,
  'upstream.ts': `
import { asset } from 'lake';
import { helper } from './lib/helper.ts';
export const upstream = asset('silver/upstream', { description: 'What comes before', compute: () => helper(1) });
`,
  'table.json': '{ "size": 3 }',
  'lib/index.ts': `
export * from './empty.ts';
export * from './math.ts';
export type { Options } from './types.ts';
`,
  'lib/empty.ts': `export const nothing = 0;`,
  'lib/types.ts': `export interface Options { readonly digits: number }`,
  'lib/math.ts': `
import type { Options } from './types.ts';
import { even } from './parity.ts';
const digits = 3;
export function average(values: number[], options?: Options): number {
  return Number((sum(values) / values.length).toFixed(options?.digits ?? digits));
}
const sum = (values: number[]): number => values.reduce((a, b) => a + b, even(values.length) ? 0 : 0.0);
export const median = (values: number[]) => values[values.length >> 1];
`,
  'lib/parity.ts': `
import { odd } from './odd.ts';
export function even(n: number): boolean { return n === 0 || odd(n - 1); }
`,
  'lib/odd.ts': `
import { even } from './parity.ts';
export function odd(n: number): boolean { return n !== 0 && even(n - 1); }
`,
  'lib/book.ts': `
import { helper } from './helper.ts';
abstract class Shelf<T> { items: T[] = []; declare kind: string; }
export class Book<T> extends Shelf<T> {
  static #pages = 3;
  constructor(items: T[]) { super(); this.items = items; }
  rest(): T[] { return this.items.slice(helper(Book.#pages)); }
}
`,
  'lib/helper.ts': 'export const helper = (n: number): number => n + 1;\nexport const other = 1;',
  'lib/defaults.ts': `const path = import.meta.filename;\nexport default { path };`,
  'lib/text.ts': `export const shout = (s: string) => s.toUpperCase();\nexport const mark = '!';`,
  'lib/lazy.ts': `export const name = 'lazy';`,
  'lib/setup.ts': `globalThis.process ??= process;`,
};

/** Replaces text in one file of LAKE; it must be there. */
function edit(file: string, from: string, to: string): Files {
  const text = LAKE[file] ?? '';
  if (!text.includes(from)) throw new Error(`${file} has no '${from}'`);
  return { ...LAKE, [file]: text.replace(from, to) };
}

describe('the code of a function in its module', () => {
  let base: FunctionCode;
  beforeAll(async () => {
    base = await hash(LAKE);
  });

  test('is found with all it reaches', () => {
    expect({ ...base, hash: base.hash.length }).toEqual({
      hash: 64,
      scope: 'module',
      captures: [],
      files: [
        ...['book', 'defaults', 'helper', 'lazy', 'math', 'odd', 'parity', 'setup', 'text'].map((f) => `lib/${f}.ts`),
        ...['main.ts', 'table.json', 'upstream.ts'],
      ],
    });
  });

  test('keeps its version: a change here makes every function of every lake stale (and needs another FORMAT of the cache)', () => {
    expect(base.hash).toBe('e58c266974aaa53725dc8c9956e7896253ab6a1e33bb2c75e0f65f707235fb3c');
  });

  const same: [string, Files][] = [
    ['nothing changed, in another directory', LAKE],
    ['a comment', edit('main.ts', '// one row out', '/* each row */ // one row out')],
    ['a comment in a helper', edit('lib/helper.ts', '=> n + 1', '=> /* next */ n + 1')],
    ['layout', edit('main.ts', 'const book = new Book(', 'const book =\n\n  new Book(')],
    ['quotes', edit('main.ts', '"utf8"', "'utf8'")],
    ['quoted key', edit('main.ts', 'key: [', "'key': [")],
    ['parentheses', edit('main.ts', 'return x * this.factor', 'return (x * (this.factor))')],
    ['trailing comma', edit('main.ts', '[upstream, date, table.size]', '[upstream, date, table.size,]')],
    ['semicolons', edit('main.ts', 'const scaler = new Scaler();', 'const scaler = new Scaler();;')],
    ['shorthand', edit('main.ts', 'async ({ rows }:', 'async ({ rows: rows }:')],
    ['number spelling', edit('main.ts', 'LIMIT: number = 10', 'LIMIT: number = 0xa')],
    ['type annotation', edit('main.ts', 'const LIMIT: number = 10', 'const LIMIT = 10')],
    ['type assertion', edit('main.ts', 'rows as Row[]', 'rows')],
    ['non-null assertion', edit('main.ts', 'row.price! >', 'row.price >')],
    ['satisfies', edit('main.ts', ' satisfies Row[]', '')],
    ['type parameters', edit('main.ts', 'clip<T extends number>(this: void, value: T', 'clip(value: number')],
    ['modifiers', edit('main.ts', 'private factor', 'readonly factor')],
    ['interface', edit('main.ts', 'readonly price: number', 'price: number | string')],
    ['optional parameter', edit('main.ts', 'options?: Options', 'options: Options')],
    ['declared field', edit('lib/book.ts', 'declare kind: string;', '')],
    ['abstract', edit('lib/book.ts', 'abstract class', 'class')],
    [
      'overload',
      edit('lib/parity.ts', 'export function even', 'export function even(n: number): boolean;\nexport function even'),
    ],
    ['unused variable', edit('main.ts', 'UNUSED = 1', 'UNUSED = 2')],
    ['unused function', edit('main.ts', "'nothing'", "'something'")],
    ['unused export', edit('lib/helper.ts', 'other = 1', 'other = 2')],
    ['unused export of a re-exporting module', edit('lib/empty.ts', '0', '1')],
    [
      'order of declarations',
      edit(
        'lib/helper.ts',
        LAKE['lib/helper.ts'] ?? '',
        'export const other = 1;\nexport const helper = (n: number): number => n + 1;',
      ),
    ],
    ['export keyword', edit('main.ts', 'const LIMIT', 'export const LIMIT')],
    [
      'unused import',
      edit('lib/helper.ts', 'export const helper', "import { sep } from 'node:path';\nexport const helper"),
    ],
    [
      'type import',
      edit('lib/helper.ts', 'export const helper', "import { type Options } from './types.ts';\nexport const helper"),
    ],
    ['own description', edit('main.ts', 'The main thing', 'Another thing')],
    ['own tags', edit('main.ts', "tags: ['x']", "tags: ['y', 'z']")],
    ['description of the upstream', edit('upstream.ts', 'What comes before', 'Before')],
    ['code of the upstream', edit('upstream.ts', 'helper(1)', 'helper(2)')],
    ['dimension', edit('main.ts', '2020-01-01', '2021-01-01')],
    [
      'version of the framework',
      {
        ...LAKE,
        'node_modules/lake/package.json': FRAMEWORK['node_modules/lake/package.json']?.replace('1.0.0', '2.0.0') ?? '',
      },
    ],
    ['code of a package', { ...LAKE, 'node_modules/csv/index.js': 'export const print = 1, parse = (t) => t;' }],
    [
      'another asset',
      edit(
        'main.ts',
        'export const definition',
        "asset('gold/other', { compute: () => clip(LIMIT) });\nexport const definition",
      ),
    ],
    ['definition before the function', edit('main.ts', 'export const definition', 'export const later')],
    [
      'a moved module',
      {
        ...edit('lib/book.ts', "'./helper.ts'", "'../far/away.ts'"),
        'far/away.ts': LAKE['lib/helper.ts'] ?? '',
      },
    ],
  ];
  test.each(same)('is blind to: %s', async (_, files) => {
    const { files: _files, ...code } = await hash(files);
    const { files: _base, ...expected } = base;
    expect(code).toEqual(expected);
  });

  const different: [string, Files][] = [
    ['its own code', edit('main.ts', '(row, i) =>', '(row, i = 0) =>')],
    ['async', edit('main.ts', "(await import('./lib/lazy.ts')).name", "String(import('./lib/lazy.ts'))")],
    ['optional chaining', edit('main.ts', 'book.rest()', 'book?.rest()')],
    ['text', edit('main.ts', '"utf8"', '"latin1"')],
    ['a constant', edit('main.ts', 'LIMIT: number = 10', 'LIMIT: number = 11')],
    ['a destructured constant', edit('main.ts', 'top: 2', 'top: 3')],
    ['a statement that changes a variable', edit('main.ts', 'offset += 5', 'offset += 6')],
    ['a loop that fills a table', edit('main.ts', "'eur'", "'chf'")],
    ['a helper', edit('lib/helper.ts', 'n + 1', 'n + 2')],
    ['a helper reached through export *', edit('lib/math.ts', 'sum(values) /', 'sum(values) *')],
    ['what that helper uses', edit('lib/math.ts', 'digits = 3', 'digits = 4')],
    ['which export is imported', edit('main.ts', 'average as mean', 'median as mean')],
    ['a cycle of modules', edit('lib/odd.ts', 'n !== 0', 'n > 0')],
    ['a method', edit('main.ts', 'x * this.factor', 'x / this.factor')],
    ['a base class', edit('lib/book.ts', 'items: T[] = []', 'items: T[] = [0 as T]')],
    ['a private field', edit('lib/book.ts', '#pages = 3', '#pages = 4')],
    ['a default export', edit('lib/defaults.ts', 'import.meta.filename', 'import.meta.dirname')],
    ['a namespace import', edit('lib/text.ts', 'toUpperCase', 'toLowerCase')],
    ['anything else in a namespace import', edit('lib/text.ts', "'!'", "'?'")],
    ['a dynamic import', edit('lib/lazy.ts', "'lazy'", "'eager'")],
    ['an import for its side effects', edit('lib/setup.ts', '??=', '||=')],
    ['JSON', edit('table.json', '3', '4')],
    ['which upstream is used', edit('upstream.ts', 'silver/upstream', 'silver/other')],
    [
      'version of a package',
      {
        ...LAKE,
        'node_modules/csv/package.json': FRAMEWORK['node_modules/csv/package.json']?.replace('1.2.3', '1.2.4') ?? '',
      },
    ],
    ['which export of a package', edit('main.ts', '{ parse }', '{ print as parse }')],
    ['which file of a package', edit('main.ts', "'csv'", "'csv/fast'")],
    [
      'which function of Node',
      edit('main.ts', "import { readFileSync } from 'node:fs';", "import { openSync as readFileSync } from 'node:fs';"),
    ],
  ];
  test.each(different)('sees: %s', async (_, files) => {
    const { hash: changed, scope, captures } = await hash(files);
    expect({ scope, captures }).toEqual({ scope: 'module', captures: [] });
    expect(changed).not.toBe(base.hash);
  });

  test('no two of these edits give the same code', async () => {
    const hashes = await Promise.all(different.map(async ([, files]) => (await hash(files)).hash));
    expect(new Set(hashes).size).toBe(different.length);
  });
});

describe('every way to write a function', () => {
  const forms: [string, string, string?][] = [
    ['function', 'export function compute(x: number) { return x + LIMIT; }'],
    ['async function', 'export async function compute(x: number) { return x + LIMIT; }'],
    ['generator', 'export function* compute(x: number) { yield x + LIMIT; }'],
    ['async generator', 'export async function* compute(x: number) { yield x + LIMIT; }'],
    ['arrow', 'export const compute = (x: number) => x + LIMIT;'],
    ['arrow without parentheses', 'export const compute = x => x + LIMIT;'],
    ['arrow that returns an object', 'export const compute = (x: number) => ({ y: x + LIMIT });'],
    [
      'function expression',
      'export const compute = function inner(x: number): number { return x ? inner(x - 1) : LIMIT; };',
    ],
    ['method', 'export const o = { compute(x: number) { return x + LIMIT; } };', 'o.compute'],
    ['async method', 'export const o = { async compute(x: number) { return x + LIMIT; } };', 'o.compute'],
    ['generator method', 'export const o = { async *compute(x: number) { yield x + LIMIT; } };', 'o.compute'],
    ['method named by a string', "export const o = { 'to do'(x: number) { return x + LIMIT; } };", 'o.to do'],
    ['computed method', "export const o = { ['comp' + 'ute'](x: number) { return x + LIMIT; } };", 'o.compute'],
    ['method named function', 'export const o = { function(x: number) { return x + LIMIT; } };', 'o.function'],
    ['method named get', 'export const o = { get(x: number) { return x + LIMIT; } };', 'o.get'],
    ['property', 'export const o = { compute: (x: number) => x + LIMIT };', 'o.compute'],
    [
      'static method',
      'export class C { static #k = 1; static compute(x: number) { return x + C.#k + LIMIT; } }',
      'C.compute',
    ],
    [
      'method with private names',
      'export class C { static #k = 1; static compute(x: number) { return x + this.#k + LIMIT; } }',
      'C.compute',
    ],
    ['default', 'export default function (x: number) { return x + LIMIT; }', 'default'],
    [
      'in an asset',
      "import { asset } from 'lake'; export const a = asset('x/y', { compute: (x: number) => x + LIMIT });",
      'a.compute',
    ],
    [
      'method in an asset',
      "import { asset } from 'lake'; export const a = asset('x/y', { async compute({ x }: { x: number }) { return x + LIMIT; } });",
      'a.compute',
    ],
    ['comment after the body', 'export const compute = (x: number) => x + LIMIT // done\n;'],
    ['generic call', 'const id = <T>(x: T): T => x; export const compute = (x: number) => id<number>(x + LIMIT);'],
    [
      'comparison like a generic call',
      'const f = (...x) => x; export const compute = (a, b, c) => f(a < b, c > (a + LIMIT));',
    ],
  ];
  test.each(forms)('%s', async (_, text, pick = 'compute') => {
    const files = (limit: number) => ({ 'main.ts': `const LIMIT = ${limit};\nconst other = 1;\n${text}\n` });
    const code = await hash(files(1), 'main.ts', pick);
    expect({ ...code, hash: '' }).toEqual({ hash: '', scope: 'module', captures: [], files: ['main.ts'] });
    expect((await hash(files(2), 'main.ts', pick)).hash).not.toBe(code.hash);
    const untouched = { 'main.ts': files(1)['main.ts'].replace('other = 1', 'other = 2') };
    expect((await hash(untouched, 'main.ts', pick)).hash).toBe(code.hash);
  });
});

describe('scopes', () => {
  /** Names that only look like the module's; the code must not depend on the module's `k`. */
  test.each([
    ['parameter', '(k) => k'],
    ['destructured parameter', '({ a: { k }, ...rest }) => [k, rest]'],
    ['array parameter', '([, k = 1]) => k'],
    ['local', '() => { const k = 1; return k; }'],
    ['later local', '() => { const f = () => k; const k = 1; return f(); }'],
    ['hoisted var', '() => { if (true) { var k = 1; } return k; }'],
    ['hoisted function', '() => { return k(); function k() {} }'],
    [
      'loop',
      '(list) => { for (const k of list) list(k); for (let k = 0; k < 1; k++); for (const k in list) list(k); }',
    ],
    ['catch', '() => { try { throw 1; } catch (k) { return k; } }'],
    ['catch pattern', '() => { try { throw 1; } catch ({ k }) { return k; } }'],
    ['class', '() => { class k { m() { return k; } } return k; }'],
    ['class expression', '() => class k { static x = k; }'],
    ['function expression', '() => function k() { return k; }'],
    ['property', '(o) => o.k + o?.k'],
    ['key', '() => ({ k: 1, k() {}, get k() { return 1; } })'],
    ['pattern key', '({ k: x }) => x'],
    ['label', '(o) => { k: for (;;) { if (o) continue k; break k; } }'],
    ['member', '() => class { k = 1; #k = 2; static k() {} m() { return this.#k; } }'],
    ['switch', '(x) => { switch (x) { case 1: let k = 1; return k; } }'],
  ])('a name of its own: %s', async (_, fn) => {
    const files = (k: string) => ({ 'main.ts': `const k: any = ${k};\nexport const compute = ${fn};` });
    const code = await hash(files('1'));
    expect(code).toEqual({ ...code, scope: 'module', captures: [] });
    expect((await hash(files('2'))).hash).toBe(code.hash);
  });

  test.each([
    ['default of a parameter', '(a, b = k) => a + b'],
    ['default in a pattern', '({ a = k }) => a'],
    ['computed key', '() => ({ [k]: 1 })'],
    ['computed pattern key', '({ [k]: x }) => x'],
    ['computed member', '(o) => o[k]'],
    ['shorthand', '() => ({ k })'],
    ['before an inner block', '(o) => { { const k = 3; o(k); } return k; }'],
    ['outside the loop', '(o) => { for (const k of o) o(k); return k; }'],
    ['assignment', '() => { k = 5; }'],
    ['pattern assignment', '(o) => { ({ k } = o); }'],
    ['increment', '() => { k++; }'],
    ['class field', '() => class { x = k; }'],
    ['static block', '() => class { static { this.x = k; } }'],
    ['computed method', '() => class { [k]() {} }'],
    ['base class', '() => class extends k {}'],
    ['template', `() => \`\${k}\``],
    ['tag', '() => k`x`'],
    ['typeof', '() => typeof k'],
    ['spread', '() => [...k]'],
    ['case', '(x) => { switch (x) { case k: return 1; } }'],
    ['nested function', '() => () => { const f = async () => await k; return f; }'],
    ['new', '() => new k()'],
    ['optional call', '() => k?.()'],
    ['assertion', '() => (k as any)!'],
  ])("the module's name: %s", async (_, fn) => {
    const files = (k: string) => ({ 'main.ts': `let k: any = ${k};\nexport const compute = ${fn};` });
    expect((await hash(files('1'))).hash).not.toBe((await hash(files('2'))).hash);
  });
});

describe('variables of an enclosing function or loop', () => {
  test('a parameter is reported, with its default; constants of the factory are followed', async () => {
    const files = (local: string, given = '3') => ({
      'main.ts': `
import { asset } from 'lake';
const scale = 2;
function make(symbol: string, size = ${given}) {
  const width = scale * 2;
  const limits = [${local}];
  limits.push(width);
  const ignored = 7;
  return asset(\`x/\${symbol}\`, { description: 'd', compute: () => [symbol, size, limits] });
}
export const a = make('btc');
`,
    });
    const code = await hash(files('1'), 'main.ts', 'a.compute');
    expect(code).toEqual({ hash: code.hash, scope: 'module', captures: ['size', 'symbol'], files: ['main.ts'] });
    const of = async (text: Files) => (await hash(text, 'main.ts', 'a.compute')).hash;
    const replace = (from: string, to: string) => ({ 'main.ts': files('1')['main.ts'].replace(from, to) });
    expect(await of(files('2'))).not.toBe(code.hash);
    expect(await of(files('1', '4'))).not.toBe(code.hash);
    expect(await of(replace('scale = 2', 'scale = 3'))).not.toBe(code.hash);
    expect(await of(replace('push(width)', 'push(-width)'))).not.toBe(code.hash);
    expect(await of(replace("'d'", "'another'"))).toBe(code.hash);
    expect(await of(replace('ignored = 7', 'ignored = 8'))).toBe(code.hash);
  });

  test.each([
    ['a callback', "export const [compute] = ['a', 'b'].map((symbol) => () => symbol);", ['symbol']],
    [
      'a loop',
      'export let compute; for (const symbol of [1]) { const k = symbol + 1; compute = () => k; }',
      ['symbol'],
    ],
    ['this', 'class C { compute = () => this; }\nexport const { compute } = new C();', ['this']],
    ['arguments', 'function make() { return () => arguments; }\nexport const compute = make();', ['arguments']],
    ['a computed import', 'const name = "./x.ts"; export const compute = () => import(name);', ['import()']],
    ['a module that is not there', 'export const compute = () => import("./x.ts");', ["import './x.ts'"]],
  ])('%s', async (_, text, captures) => {
    expect(await hash({ 'main.ts': text })).toEqual({
      hash: expect.any(String),
      scope: 'module',
      captures,
      files: ['main.ts'],
    });
  });
});

describe('where the function is written', () => {
  test('in a module that the asset file imports', async () => {
    const files = (k: number) => ({
      'main.ts': "export { run as compute } from './lib/all.ts';",
      'lib/all.ts': "export * from './run.js';",
      'lib/run.js': `const k = ${k}; export const run = () => k;`,
    });
    const code = await hash(files(1));
    expect(code).toEqual({ hash: code.hash, scope: 'module', captures: [], files: ['lib/run.js'] });
    expect((await hash(files(2))).hash).not.toBe(code.hash);
  });

  test('twice, with different helpers: both count', async () => {
    const files = (here: number, there: number) => ({
      'main.ts': `import { run } from './run.ts'; const k = ${here}; export const own = () => k; export const compute = run;`,
      'run.ts': `const k = ${there}; export const run = () => k;`,
    });
    const hashes = await Promise.all([files(1, 1), files(1, 2), files(2, 1)].map(async (f) => (await hash(f)).hash));
    expect(new Set(hashes).size).toBe(3);
  });

  test('in the module that gave it to a factory elsewhere', async () => {
    const files = (k: number) => ({
      'factory.ts': 'export const make = (compute: () => number) => ({ compute: () => compute() });',
      'main.ts': `import { make } from './factory.ts'; const k = ${k}; export const made = make(() => k);`,
    });
    const find = async (k: number) => {
      const directory = await write(files(k));
      const urls = ['factory.ts', 'main.ts'].map((name) => pathToFileURL(join(directory, name)).href);
      return { code: hashOne('() => k', urls), wrapped: hashOne('() => compute()', urls) };
    };
    const { code, wrapped } = await find(1);
    expect({ ...code, files: code.files.length }).toEqual({ hash: code.hash, scope: 'module', captures: [], files: 1 });
    expect(wrapped).toEqual({ ...wrapped, scope: 'module', captures: ['compute'] });
    expect((await find(2)).code.hash).not.toBe(code.hash);
  });

  test('in CommonJS, and through the imports of package.json', async () => {
    const files = (k: number, l: number) => ({
      'package.json': '{ "type": "module", "imports": { "#lib/*": "./lib/*" } }',
      'main.ts':
        "import cjs from './lib/old.cjs'; import { l } from '#lib/new.ts'; export const compute = () => cjs.k + l;",
      'lib/old.cjs': "const inner = require('./inner.cjs'); module.exports = { k: inner.k };",
      'lib/inner.cjs': `exports.k = ${k};`,
      'lib/new.ts': `export const l = ${l};`,
    });
    const code = await hash(files(1, 1));
    expect(code).toEqual({
      hash: code.hash,
      scope: 'module',
      captures: [],
      files: ['lib/inner.cjs', 'lib/new.ts', 'lib/old.cjs', 'main.ts'],
    });
    expect((await hash(files(2, 1))).hash).not.toBe(code.hash);
    expect((await hash(files(1, 2))).hash).not.toBe(code.hash);
  });

  test('nowhere that can be read: its own text counts, and unknown names are reported', async () => {
    const alone = hashOne('(x) => Math.max(x, helper(k)) // comment', undefined);
    expect(alone).toEqual({ hash: alone.hash, scope: 'function-only', captures: ['helper', 'k'], files: [] });
    expect(hashOne('( x )=>Math.max( x,helper( k ) )', 'file:///nowhere/main.ts')).toEqual(alone);
    expect(hashOne('(x) => Math.min(x, helper(k))', undefined).hash).not.toBe(alone.hash);
    expect(hashOne('() => this', 'data:text/javascript,1').captures).toEqual(['this']);
  });

  test('a bound function cannot be read at all', async () => {
    const { scope, captures } = hashOne(String((() => 1).bind(null)), import.meta.url);
    expect({ scope, captures }).toEqual({ scope: 'function-only', captures: ['[native code]'] });
  });

  test('a function that needs nothing has one code, found or not', async () => {
    const files = { 'main.ts': 'export const compute = (x: number): number => Math.abs(x);' };
    expect((await hash(files)).hash).toBe(hashOne('(x) => Math.abs(x)', undefined).hash);
  });

  test('a module that imports itself and cycles of export * end', async () => {
    const files = {
      'main.ts':
        "import * as self from './main.ts'; import { far } from './a.ts'; export const compute = () => [self, far];",
      'a.ts': "export * from './b.ts'; export * from './c.ts';",
      'b.ts': "export * from './a.ts';",
      'c.ts': 'export const far = 1;',
    };
    expect(await hash(files)).toEqual({
      hash: expect.any(String),
      scope: 'module',
      captures: [],
      files: ['c.ts', 'main.ts'],
    });
  });
});

describe('calls of a declarer', () => {
  const files = (text: string, n: number) => ({
    'main.ts': `${text.replace('?', String(n))}\nexport const compute = () => up;`,
    'own.ts': 'export const own = (x: unknown) => x;',
  });
  test.each([
    ['under another name', "import { asset as declare } from 'lake'; const up = declare('x/y', ?);"],
    ['of a namespace', "import * as lake from 'lake'; const up = lake.asset('x/y', { n: ? });"],
    ['inside a list', "import { asset } from 'lake'; const up = [asset('x/y', () => ?)];"],
    ['in a function', "import { asset } from 'lake'; const up = () => asset(String(?), {});"],
    ['chained', "import { asset } from 'lake'; const up = Object.freeze(asset('x/y', { n: ? }));"],
  ])('hide their arguments: %s', async (_, text) => {
    expect((await hash(files(text, 1))).hash).toBe((await hash(files(text, 2))).hash);
  });
  test.each([
    ['a local function', 'const asset = (n: number) => n; const up = asset(?);'],
    ['a shadowed import', "import { asset } from 'lake'; const up = ((asset) => asset(?))(String);"],
    ['an import of another name', "import { own as asset } from './own.ts'; const up = asset(?);"],
    ['a method', 'const lake = { asset: String }; const up = lake.asset(?);'],
    ['the name', "import { asset } from 'lake'; const up = asset('x/y?', {});"],
  ])('are no others: %s', async (_, text) => {
    expect((await hash(files(text, 1))).hash).not.toBe((await hash(files(text, 2))).hash);
  });
});

describe('the cache', () => {
  const SOURCE = '() => [k, parse, l]';
  const MAIN = `import { parse } from 'csv'; import { k } from './lib/k.ts'; import { l } from '#l'; export const compute = ${SOURCE};`;
  const FILES: Files = {
    'package.json': '{ "type": "module", "imports": { "#l": "./lib/l.ts" } }',
    'main.ts': MAIN,
    'lib/k.ts': 'export const k = 1;',
    'lib/l.ts': 'export const l = 1;',
  };

  async function lake() {
    const directory = await write(FILES);
    const cacheFile = join(directory, 'state', 'code.json');
    const open = (options: Partial<typeof OPTIONS> = {}) => createCodeHasher({ ...OPTIONS, ...options, cacheFile });
    const run = (options?: Partial<typeof OPTIONS>) => {
      const hasher = open(options);
      const code = hasher.hashFunction(SOURCE, pathToFileURL(join(directory, 'main.ts')).href);
      hasher.save();
      return code;
    };
    const fresh = run();
    // Marks what comes from the cache.
    const text = await readFile(cacheFile, 'utf8');
    await writeFile(cacheFile, text.replaceAll(fresh.hash, 'from the cache'));
    return { directory, cacheFile, fresh, open, run };
  }

  test('answers while nothing has changed', async () => {
    const { fresh, run } = await lake();
    expect(run()).toEqual({ ...fresh, hash: 'from the cache' });
  });

  test.each<[string, Files]>([
    ['the module', { 'main.ts': `${MAIN} // more` }],
    ['a local import', { 'lib/k.ts': 'export const k = 2;' }],
    ['an import through package.json', { 'lib/l.ts': 'export const l = 2;' }],
    ['a package', { 'node_modules/csv/package.json': '{ "name": "csv", "version": "9.0.0" }' }],
  ])('is dropped when it depends on what has changed: %s', async (_, change) => {
    const { directory, run } = await lake();
    for (const [name, text] of Object.entries(change)) await writeFile(join(directory, name), text);
    const again = run();
    expect(again.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(run()).toEqual(again);
  });

  test('is dropped when a file is gone, and when it is back', async () => {
    const { directory, fresh, run } = await lake();
    await rm(join(directory, 'lib/k.ts'));
    expect(run().captures).toEqual(["import './lib/k.ts'"]);
    await writeFile(join(directory, 'lib/k.ts'), FILES['lib/k.ts'] ?? '');
    expect(run()).toEqual(fresh);
  });

  test('is for the same settings', async () => {
    const { fresh, run } = await lake();
    expect(run({ declarers: new Set(['asset']) })).toEqual(fresh);
  });

  test('grows by what it does not know', async () => {
    const { fresh, open, run } = await lake();
    const hasher = open();
    hasher.hashFunction('() => 1', undefined);
    const known = run();
    hasher.hashFunction(SOURCE, pathToFileURL(fresh.files.at(-1) ?? '').href);
    hasher.save();
    expect(known.hash).toBe('from the cache');
    expect(run().hash).toBe('from the cache');
  });

  test('may be broken or impossible to write', async () => {
    const { cacheFile, directory, fresh, run } = await lake();
    for (const text of ['', '{}', '{"format":1', 'null']) {
      await writeFile(cacheFile, text);
      expect(run()).toEqual(fresh);
    }
    const hasher = createCodeHasher({ ...OPTIONS, cacheFile: join(directory, 'main.ts', 'code.json') });
    expect(hasher.hashFunction(SOURCE, pathToFileURL(join(directory, 'main.ts')).href)).toEqual(fresh);
    hasher.save();
  });
});
