import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callers, type Site } from '../../framework/define/caller.ts';

function declare(): string | undefined {
  return callers(declare)[0]?.module;
}
const nested = () => declare();

describe('within vitest', () => {
  test.each([
    ['directly', () => declare()],
    ['through a helper', nested],
    ['from a built-in', () => [0].map(declare)[0]],
    [
      'from a constructor',
      () =>
        Reflect.construct(
          class {
            at = declare();
          },
          [],
        ).at,
    ],
  ])('%s', (_, call) => expect(call()).toBe(import.meta.url));

  test('after an await', async () => {
    await Promise.resolve();
    expect(declare()).toBe(import.meta.url);
  });

  test('not called at all', () => {
    expect(callers(declare)).toEqual([]);
  });

  test('leaves the formatting of errors as it was', () => {
    const { prepareStackTrace, stackTraceLimit } = Error;
    declare();
    expect([Error.prepareStackTrace, Error.stackTraceLimit]).toEqual([prepareStackTrace, stackTraceLimit]);
    expect(new Error('x').stack).toMatch(/^Error: x\n +at /);
  });
});

describe('within Node', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'caller é '));
    const caller = new URL('../../framework/define/caller.ts', import.meta.url).href;
    const files = {
      'package.json': '{ "type": "module" }',
      'lake.ts': `import { callers, type Site } from ${JSON.stringify(caller)};
export function asset<T>(key: T): Site[] { return callers(asset).slice(0, 2); }`,
      'typed.ts':
        "import { asset } from './lake.ts';\ninterface Erased {\n  a: 1 } export const at: unknown = asset<string>('a');",
      'list.mjs': "import { asset } from './lake.ts'; export const at = ['a'].map(asset)[0];",
      'factory.ts': "import { asset } from './lake.ts'; export const make = (key: string) => asset(key);",
      'made.ts': "import { make } from './factory.ts'; export const at = make('a');",
      'old.cjs': "exports.at = require('./lake.ts').asset('a');",
      'evaluated.ts':
        "import { asset } from './lake.ts'; export const at = new Function('asset', 'return asset(1)')(asset);",
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test.each([
    ['typed.ts', ['typed.ts:3']],
    ['list.mjs', ['list.mjs:1']],
    ['made.ts', ['factory.ts:1', 'made.ts:1']],
    ['old.cjs', ['old.cjs:1']],
    ['evaluated.ts', ['evaluated.ts:1']],
  ])('%s', (name, expected) => {
    const { at } = createRequire(import.meta.url)(join(directory, name)) as { at: Site[] };
    expect(at.slice(0, expected.length).map(({ module, line }) => `${module}:${line}`)).toEqual(
      expected.map((site) => `${pathToFileURL(directory).href}/${site}`),
    );
  });
});
