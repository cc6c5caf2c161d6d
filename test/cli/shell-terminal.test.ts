import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { hasTmux, startTmux, type Terminal, type Tmux } from '../tui/tmux.ts';

// The shell with a person at a real terminal: keys, raw mode and signals only show there.
const root = resolve(import.meta.dirname, '../..');
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let home = '';
let tmux: Tmux;
const terminals: Terminal[] = [];

beforeAll(async () => {
  if (!hasTmux) return;
  home = mkdtempSync(join(tmpdir(), 'lakehouse-shell-'));
  mkdirSync(join(home, 'assets'));
  mkdirSync(join(home, 'node_modules'));
  symlinkSync(root, join(home, 'node_modules/crypto-lakehouse'));
  writeFileSync(
    join(home, 'assets/index.ts'),
    `import { asset, columns, daily, defineLakehouse, integer, sql } from 'crypto-lakehouse';
const date = daily({ start: '2020-01-01', end: '2020-01-03' });
const numbers = asset('silver/numbers', {
  partitions: { date },
  columns: columns({ n: integer(), square: integer() }),
  sortBy: ['n'],
  query: () => sql\`SELECT CAST(range AS INTEGER) AS n, CAST(range * range AS INTEGER) AS square FROM range(3)\`,
});
export const lakehouse = defineLakehouse({ assets: [numbers] });
`,
  );
  // Node strips the types: there is nothing to build.
  writeFileSync(
    join(home, 'run.mjs'),
    `import { main } from '${root}/framework/cli/main.ts';\nprocess.exitCode = await main(process.argv.slice(2));\n`,
  );
  const program = `exec '${process.execPath}' --conditions=source '${home}/run.mjs' "$@"`;
  writeFileSync(join(home, 'lakehouse'), `#!/bin/sh\n${program}\n`, { mode: 0o755 });
  tmux = await startTmux();
  const terminal = await open();
  expect(await terminal.run('lakehouse materialize -q; echo "code $?"')).toMatch(/code 0$/);
});
afterEach(async () => {
  for (const terminal of terminals.splice(0)) await terminal.close();
});
afterAll(async () => {
  await tmux?.close();
  if (home !== '') rmSync(home, { recursive: true, force: true });
});

async function open(): Promise<Terminal> {
  const terminal = await tmux.open({ directory: home, env: { PATH: `${home}:${process.env.PATH}`, HOME: home } });
  terminals.push(terminal);
  return terminal;
}

async function start(words = ''): Promise<Terminal> {
  const terminal = await open();
  await terminal.type(`lakehouse shell ${words}; echo "code $?"; stty -a`);
  await terminal.press('Enter');
  await terminal.shows(/^lakehouse>$/m);
  return terminal;
}

/** Types a line. (tmux takes a semicolon at the end for its own.) */
async function enter(terminal: Terminal, line: string): Promise<void> {
  await terminal.type(line.replace(/;$/, '; '));
  await terminal.press('Enter');
}

/** What stands below the last prompt before the one that waits now. */
const answer = (screen: string): string => {
  const lines = screen.trimEnd().split('\n');
  const prompts = lines.flatMap((line, i) => (line.startsWith('lakehouse>') ? [i] : []));
  return lines.slice((prompts.at(-2) ?? -1) + 1, prompts.at(-1)).join('\n');
};

describe.skipIf(!hasTmux)('in a real terminal (needs tmux: apt-get install tmux)', () => {
  test('a statement over several lines, completed, is asked, called back, and remembered', async () => {
    const terminal = await start();
    expect(await terminal.screen()).toContain(
      "1 table. A statement ends with ';'. Tab completes, .help says more, Ctrl-D leaves.",
    );
    await enter(terminal, 'SELECT sum(square) AS s, date');
    await terminal.shows(/^ {6}\.\.\.>$/m);
    await terminal.type('from numb');
    await terminal.press('Tab');
    await terminal.shows(/^ {6}\.\.\.> from silver\.numbers$/m);
    await terminal.type(' x where x.sq');
    await terminal.press('Tab');
    await terminal.shows(/x\.square$/m);
    await enter(terminal, ' > 1 GROUP BY 2 ORDER BY 2 -- small;');
    await enter(terminal, ';');
    expect(answer(await terminal.shows(/3 rows\nlakehouse>$/m))).toBe(
      [
        '      ...> from silver.numbers x where x.square > 1 GROUP BY 2 ORDER BY 2 -- small;',
        '      ...> ;',
        's  date',
        '4  2020-01-01',
        '4  2020-01-02',
        '4  2020-01-03',
        '3 rows',
      ].join('\n'),
    );
    // As one line, with its comment.
    const statement =
      'SELECT sum(square) AS s, date from silver.numbers x where x.square > 1 GROUP BY 2 ORDER BY 2 /* small; */ ;';
    await terminal.press('Up');
    await terminal.shows('/* small; */ ;');
    await terminal.press('C-c');
    await terminal.shows('^C');
    await enter(terminal, ' SELECT 42 AS secret;');
    await terminal.shows(/1 row\nlakehouse>$/m);
    await terminal.press('C-d');
    const screen = await terminal.shows(/icanon.*ready\$/s);
    expect(screen).toMatch(/^code 0$/m);
    for (const mode of ['echo', 'icanon', 'isig']) expect(screen).toMatch(new RegExp(`[ \n]${mode}\\b`));
    expect(readFileSync(join(home, '.lakehouse_history'), 'utf8')).toBe(`${statement}\n`);
    // And in the next session.
    const next = await start();
    await next.press('Up');
    await next.shows('/* small; */ ;');
  });

  test('Ctrl-C stops what is running, or drops what is typed; the shell goes on', async () => {
    const terminal = await start();
    await enter(terminal, 'SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b;');
    // The terminal is an ordinary one while a statement runs.
    await terminal.shows(/b; *\n\n/);
    await terminal.press('C-c');
    await terminal.shows(/\^C *Stopped\.\nlakehouse>$/m);
    await enter(terminal, 'SELECT 1 +');
    await terminal.shows(/\.\.\.>$/m);
    await terminal.type('gone');
    await terminal.press('C-c');
    await terminal.shows(/\.\.\.> \^C\nlakehouse>$/m);
    await enter(terminal, 'SELECT nn FROM silver.numbers; SELECT 2;');
    expect(answer(await terminal.shows(/\^\nlakehouse>$/m))).toMatch(
      /^lakehouse: query: Binder Error: Referenced column "nn" not found.*\nLINE 1: SELECT nn FROM silver\.numbers\n +\^$/s,
    );
    process.kill(await terminal.child(), 'SIGTERM');
    expect(await terminal.shows(/icanon.*ready\$/s)).toMatch(/^code 143$/m);
  });
});
