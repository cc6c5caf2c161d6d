import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { checkBoundaries, ROOMS } from './support/boundaries.ts';

const root = join(import.meta.dirname, '..');

function sourceFiles(): Map<string, string> {
  const folders = ['bin', 'assets', 'framework', 'test', 'bench', 'scripts'].filter((name) =>
    existsSync(join(root, name)),
  );
  const paths = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(ts|tsx|js|mjs)$/.test(name))
      .map((name) => join(folder, name).replaceAll('\\', '/')),
  );
  return new Map(paths.sort().map((path) => [path, readFileSync(join(root, path), 'utf8')]));
}

test('the house keeps its boundaries', () => {
  const files = sourceFiles();
  expect([...files.keys()]).toContain('framework/common/errors.ts');
  expect(checkBoundaries(files, new Set(Object.keys(manifest.dependencies)))).toEqual([]);
});

/** Every fixture is checked together with one empty module per room, `<room>/x.ts`. */
function check(fixture: Record<string, string>): string[] {
  const rooms = ROOMS.map((room): [string, string] => [room.endsWith('.ts') ? room : `${room}/x.ts`, '']);
  const outside: [string, string][] = [
    ['test/x.ts', ''],
    ['bench/x.ts', ''],
  ];
  return checkBoundaries(
    new Map([...rooms, ...outside, ...Object.entries(fixture)]),
    new Set(['yaml', '@duckdb/node-api', 'ink', 'react', '@aws-sdk/client-s3']),
  );
}

describe('direction', () => {
  test.each(ROOMS.slice(1).map((room, i) => [room, ROOMS[i] ?? '']))(
    '%s may not import %s, which may import it',
    (low, high) => {
      const file = (room: string) => (room.endsWith('.ts') ? room : `${room}/a.ts`);
      const path = (room: string) => (room.endsWith('.ts') ? room : `${room}/x.ts`);
      const up = (from: string, to: string) => `import '${'../'.repeat(file(from).split('/').length - 1)}${path(to)}';`;
      expect(check({ [file(low)]: up(low, high) })).toEqual([
        `${file(low)}:1 direction: ${low} may not import ${path(high)}`,
      ]);
      if (high !== 'assets') expect(check({ [file(high)]: up(high, low) })).toEqual([]);
    },
  );

  test('holds however the import is written', () => {
    const upward = [
      `import { x } from '../plan/x.ts';`,
      `import type { x } from '../plan/x.ts';`,
      `import { type x } from '../plan/x.ts';`,
      `export { x } from '../plan/x.ts';`,
      `export type { x } from '../plan/x.ts';`,
      `export * from '../plan/x.ts';`,
      `export * as x from '../plan/x.ts';`,
      `const x = await import('../plan/x.ts');`,
      'const x = await import(`../plan/x.ts`);',
      `type x = import('../plan/x.ts').X;`,
      `let x: typeof import('../plan/x.ts');`,
      `import x = require('../plan/x.ts');`,
      `import x from '../plan/x.ts';`,
    ];
    for (const text of upward) {
      const expected = ['framework/define/a.ts:2 direction: framework/define may not import framework/plan/x.ts'];
      expect(check({ 'framework/define/a.ts': `// first line\n${text}` }), text).toEqual(expected);
    }
  });

  test('assets reach the framework by its name, and each other by path', () => {
    expect(
      check({
        'assets/a.ts': `import { asset } from 'crypto-lakehouse';\nimport './silver/b.ts';`,
        'assets/silver/b.ts': '',
      }),
    ).toEqual([]);
    expect(
      check({ 'assets/a.ts': `import '../framework/index.ts';\nimport type {} from '../framework/define/x.ts';` }),
    ).toEqual([
      `assets/a.ts:1 direction: assets reach the framework as 'crypto-lakehouse', not as framework/index.ts`,
      `assets/a.ts:2 direction: assets reach the framework as 'crypto-lakehouse', not as framework/define/x.ts`,
    ]);
  });

  test('a framework room may not import the framework by its name', () => {
    expect(check({ 'framework/tui/a.ts': `import 'crypto-lakehouse';` })).toEqual([
      'framework/tui/a.ts:1 direction: framework/tui may not import framework/index.ts',
    ]);
  });

  test('no room imports tests or benches, which import anything', () => {
    expect(check({ 'bin/a.js': `import '../test/x.ts';\nimport '../bench/x.ts';` })).toEqual([
      'bin/a.js:1 direction: bin may not import test/x.ts',
      'bin/a.js:2 direction: bin may not import bench/x.ts',
    ]);
    expect(
      check({
        'test/a.ts': `import '../framework/define/x.ts';\nimport '../bench/x.ts';\nimport 'ink';\nimport 'vitest';`,
      }),
    ).toEqual([]);
  });

  test('only bin imports dist', () => {
    expect(check({ 'bin/a.js': `import('../dist/cli.js');` })).toEqual([]);
    expect(check({ 'framework/cli/a.ts': `import('../../dist/cli.js');` })).toEqual([
      'framework/cli/a.ts:1 unresolved: ../../dist/cli.js names no source file',
    ]);
  });

  test('an import that resolves to nothing, or is computed, could hide a direction', () => {
    const computed = 'const m = await import(name);';
    expect(
      check({
        'framework/plan/a.ts': `import './gone.ts';\nimport './x';\n${computed}`,
        'framework/cli/a.ts': computed,
      }),
    ).toEqual([
      'framework/plan/a.ts:1 unresolved: ./gone.ts names no source file',
      'framework/plan/a.ts:2 unresolved: ./x names no source file',
      'framework/plan/a.ts:3 computed: only bin, framework/cli and framework/sdk import what is named at run time',
    ]);
  });

  test('a new room must be given its place', () => {
    expect(check({ 'framework/attic/a.ts': '', 'framework/loose.ts': '' })).toEqual([
      'framework/attic/a.ts:1 room: framework/attic has no place in the house',
      'framework/loose.ts:1 room: framework/loose.ts has no place in the house',
    ]);
  });
});

describe('packages', () => {
  test.each(['plan', 'graph', 'partition', 'define'])('%s does no I/O', (room) => {
    const file = `framework/${room}/a.ts`;
    const text = ['node:fs', 'fs/promises', 'node:crypto', '@aws-sdk/client-s3', 'yaml'].map(
      (name) => `import '${name}';`,
    );
    expect(check({ [file]: text.join('\n') })).toEqual([
      `${file}:1 pure: framework/${room} may not import node:fs`,
      `${file}:2 pure: framework/${room} may not import fs/promises`,
      `${file}:3 pure: framework/${room} may not import node:crypto`,
      `${file}:4 pure: framework/${room} may not import @aws-sdk/client-s3`,
    ]);
    expect(check({ 'framework/common/a.ts': text.join('\n') })).toEqual([]);
  });

  test('DuckDB belongs to the engine, Ink and React to the TUI', () => {
    const text = `import type {} from '@duckdb/node-api';\nimport 'ink';\nimport 'react/jsx-runtime';`;
    expect(check({ 'framework/cli/a.ts': text, 'framework/engine/a.ts': text, 'framework/tui/a.tsx': text })).toEqual([
      'framework/cli/a.ts:1 owned: only framework/engine imports @duckdb/node-api',
      'framework/cli/a.ts:2 owned: only framework/tui imports ink',
      'framework/cli/a.ts:3 owned: only framework/tui imports react',
      'framework/engine/a.ts:2 owned: only framework/tui imports ink',
      'framework/engine/a.ts:3 owned: only framework/tui imports react',
      'framework/tui/a.tsx:1 owned: only framework/engine imports @duckdb/node-api',
    ]);
    expect(check({ 'framework/cli/a.tsx': 'export const a = <b />;' })).toEqual([
      'framework/cli/a.tsx:1 owned: only framework/tui imports react',
    ]);
  });

  test('what a room imports is a dependency of the package', () => {
    expect(
      check({ 'framework/cli/a.ts': `import 'esbuild';\nimport '@scope/name/deep';\nimport 'crypto-lakehouse/deep';` }),
    ).toEqual([
      'framework/cli/a.ts:1 undeclared: esbuild is not among the dependencies',
      'framework/cli/a.ts:2 undeclared: @scope/name is not among the dependencies',
      'framework/cli/a.ts:3 undeclared: crypto-lakehouse is not among the dependencies',
    ]);
  });
});

describe('ambient state', () => {
  const uses = {
    'Date.now': [
      'Date.now();',
      'const clock = Date.now;',
      `Date['now']();`,
      'globalThis.Date.now();',
      'const { now } = Date;',
    ],
    'new Date()': ['new Date();', 'new Date;'],
    'Date()': ['Date();'],
    'Math.random': ['Math.random();'],
    'process.env': [
      'process.env.HOME;',
      'process?.env;',
      'const { env } = process;',
      `import { env } from 'node:process';`,
    ],
    'process.exit': ['process.exit(1);', `import { exit as leave } from 'process';`],
  };

  test.each(Object.entries(uses))('%s is for the edge', (name, texts) => {
    for (const text of texts) {
      expect(check({ 'framework/state/a.ts': text }), text).toEqual([
        `framework/state/a.ts:1 ambient: ${name} must be passed in`,
      ]);
      for (const file of ['framework/cli/a.ts', 'bin/a.js', 'bench/a.ts', 'scripts/a.mjs', 'test/a.ts']) {
        expect(check({ [file]: text }), `${file}: ${text}`).toEqual([]);
      }
    }
  });

  test('is not what only looks like it', () => {
    const text = [
      '// Date.now() and process.env',
      `const a = 'Math.random()';`,
      'const b = new Date(0), c = clock.now(), d = process.exitCode;',
      'type Env = typeof process.env;',
    ].join('\n');
    expect(check({ 'framework/state/a.ts': text })).toEqual([]);
  });
});

describe('cycles', () => {
  test('between files are found, through types and re-exports too', () => {
    const files = {
      'framework/plan/a.ts': `import type { B } from './b.ts';`,
      'framework/plan/b.ts': `export * from './c.ts';`,
      'framework/plan/c.ts': `import './a.ts';\nimport '../define/x.ts';`,
      'framework/plan/self.ts': `import './self.ts';`,
    };
    expect(check(files)).toEqual([
      'framework/plan/a.ts:1 cycle: framework/plan/a.ts -> framework/plan/b.ts -> framework/plan/c.ts -> framework/plan/a.ts',
      'framework/plan/self.ts:1 cycle: framework/plan/self.ts -> framework/plan/self.ts',
    ]);
  });

  test('are not diamonds', () => {
    const files = {
      'framework/plan/a.ts': `import './b.ts';\nimport './c.ts';`,
      'framework/plan/b.ts': `import './d.ts';`,
      'framework/plan/c.ts': `import './d.ts';`,
      'framework/plan/d.ts': '',
    };
    expect(check(files)).toEqual([]);
  });
});

test('a file that does not parse is no proof of anything', () => {
  expect(check({ 'framework/plan/a.ts': 'import {' })).toEqual([
    expect.stringMatching(/^framework\/plan\/a\.ts:1 syntax: /),
  ]);
});
