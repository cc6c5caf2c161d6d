import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { keyName } from '../../framework/tui/app/menus.ts';
import { COMMANDS } from '../../framework/tui/model/commands.ts';
import { hasTmux, startTmux, type Terminal, type TerminalOptions, type Tmux } from './tmux.ts';

// The built program in a real terminal: what only shows there is shown here.
const root = resolve(import.meta.dirname, '../..');
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const DEFINITIONS = `import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { asset, bytes, columns, daily, decimal, defineLakehouse, dynamicDimension, inRange, schedule, source, sql, timestamp } from 'crypto-lakehouse';

const symbol = dynamicDimension();
const date = daily({ start: '2024-01-01', end: '2024-01-05' });
const files = source('files/days', {
  partitions: { symbol, date },
  observe: async function* () {
    for (const name of (await readdir('in')).sort()) {
      const [symbol = '', date = ''] = name.split('_');
      yield { partition: { symbol, date }, version: await readFile('in/' + name, 'utf8') };
    }
  },
  read: async ({ partition: { values }, signal }) => {
    // A run waits for as long as somebody holds it up.
    while (existsSync('hold')) await setTimeout(20, undefined, { signal });
    const content = await readFile('in/' + values.symbol + '_' + values.date, 'utf8');
    return { bytes: Buffer.from(content), version: content };
  },
});
const raw = asset('raw/days', {
  partitions: { symbol, date },
  inputs: { files },
  format: bytes({ extension: '.txt' }),
  compute: ({ inputs }) => inputs.files.bytes(),
});
const price = () => decimal(18, 2);
const candles = asset('silver/candles', {
  description: 'A candle per hour.',
  partitions: { symbol, date },
  inputs: { raw },
  columns: columns({ open_time: timestamp(), open: price(), high: price(), low: price(), close: price() }),
  sortBy: ['open_time'],
  timeColumn: 'open_time',
  config: 'v1',
  checks: [inRange('close', { min: 0 }, { description: 'Prices are not negative.' })],
  compute: async ({ inputs, partition }) => {
    const base = Number(Buffer.from(await inputs.raw.bytes()).toString());
    return Array.from({ length: 24 }, (_, i) => {
      const open = base + ((i * 7) % 5);
      const text = (n: number) => n.toFixed(2);
      const open_time = new Date((partition.start?.getTime() ?? 0) + i * 3_600_000);
      return { open_time, open: text(open), high: text(open + 2), low: text(open - 2), close: text(open + 1) };
    });
  },
});
const days = asset('gold/days', {
  description: 'The highest price of a day.',
  partitions: { symbol, date },
  inputs: { candles },
  columns: columns({ highest: price() }),
  sortBy: ['highest'],
  query: ({ candles }) => sql\`SELECT max(\${candles.high}) AS highest FROM \${candles}\`,
});
export const lakehouse = defineLakehouse({
  assets: [files, raw, candles, days],
  schedules: [schedule({ name: 'nightly', cron: '0 6 * * *', select: 'files/*', action: 'observe' })],
});
`;

let home = '';
let tmux: Tmux;
let lakes = 0;
const terminals: Terminal[] = [];

beforeAll(async () => {
  if (!hasTmux) return;
  home = mkdtempSync(join(tmpdir(), 'lakehouse-terminal-'));
  cpSync(join(root, 'bin'), join(home, 'bin'), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(home, 'node_modules'));
  const manifest = { name: 'crypto-lakehouse', type: 'module', exports: { '.': { default: './dist/index.js' } } };
  writeFileSync(join(home, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(home, 'lakehouse'), `#!/bin/sh\nexec '${process.execPath}' '${home}/bin/lakehouse.js' "$@"\n`, {
    mode: 0o755,
  });
  // As scripts/build.mjs does, without the types.
  await build({
    absWorkingDir: root,
    entryPoints: { index: './framework/index.ts', cli: './framework/cli/main.ts' },
    outdir: join(home, 'dist'),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22.18',
    packages: 'external',
    conditions: ['source'],
    logLevel: 'error',
  });
  const lake = join(home, 'template');
  mkdirSync(join(lake, 'assets'), { recursive: true });
  mkdirSync(join(lake, 'in'));
  writeFileSync(join(lake, 'assets/index.ts'), DEFINITIONS);
  for (const symbol of ['AAA', 'BBB'])
    for (let day = 1; day <= 5; day++) writeFileSync(join(lake, `in/${symbol}_2024-01-0${day}`), `${100 * day}`);
  tmux = await startTmux();
  const shell = await open({ directory: lake });
  expect(await shell.run('lakehouse materialize -q; echo "code $?"')).toMatch(/code 0$/);
});
afterEach(async () => {
  for (const terminal of terminals.splice(0)) await terminal.close();
});
afterAll(async () => {
  await tmux?.close();
  if (home !== '') rmSync(home, { recursive: true, force: true });
});

/** A terminal with a shell in a lake of its own, all of which is fresh. */
async function open({
  directory = lakeOfItsOwn(),
  env = {},
  ...size
}: Partial<TerminalOptions> = {}): Promise<Terminal> {
  const path = `${home}:${process.env.PATH}`;
  const terminal = await tmux.open({ directory, env: { PATH: path, ...env }, ...size });
  terminals.push(terminal);
  return terminal;
}

function lakeOfItsOwn(): string {
  const lake = join(home, `lake${lakes++}`);
  cpSync(join(home, 'template'), lake, { recursive: true });
  return lake;
}

/** Replaces the price of a day, so that what is made of it is out of date. */
const newPrice = (directory: string, price: string) => writeFileSync(join(directory, 'in/AAA_2024-01-03'), price);

/** A terminal in which the program has started, and has read the lake. */
async function start(
  options: Partial<TerminalOptions> & { readonly words?: string; readonly ready?: RegExp } = {},
): Promise<Terminal> {
  const { words = '', ready = / silver\/candles .* 240 /, ...rest } = options;
  const terminal = await open(rest);
  await terminal.type(`lakehouse ui ${words}; echo "code $?"; stty -a`);
  await terminal.press('Enter');
  await terminal.shows(ready);
  return terminal;
}

/** Waits for the program to end, and sees whether the shell has its terminal as it was. */
async function restored(terminal: Terminal, code: number): Promise<string> {
  const screen = await terminal.shows(/icanon[\s\S]*ready\$/);
  expect(screen).toMatch(new RegExp(`^code ${code}$`, 'm'));
  for (const mode of ['echo', 'icanon', 'isig', 'opost', 'icrnl'])
    expect(screen).toMatch(new RegExp(`[ \n]${mode}\\b`));
  // What was there before is there again, and nothing of the program.
  expect(screen).toContain('ready$ lakehouse ui');
  expect(screen).not.toContain('Partitions');
  expect(await terminal.state()).toMatchObject({ alternate: false, cursor: true });
  return screen;
}

test('the guide tells the keys that there are', async () => {
  const file = join(root, 'docs/ui.md');
  const rows = COMMANDS.map(({ keys, help, screens }) => {
    const names = keys.map((key) => `\`${keyName(key)}\``).join(' ');
    return `| ${names} | ${screens?.join(', ') ?? ''} | ${help} |`;
  });
  const table = ['| key | only in | what it does |', '|---|---|---|', ...rows].join('\n');
  const guide = readFileSync(file, 'utf8').replace(
    /(<!-- keys: .* -->\n)[\s\S]*(<!-- \/keys -->)/,
    `$1\n${table}\n\n$2`,
  );
  await expect(guide).toMatchFileSnapshot(file);
});

describe.skipIf(!hasTmux)('in a real terminal (needs tmux: apt-get install tmux)', () => {
  describe('looking', () => {
    test('every screen has a number, and tab goes around', async () => {
      const terminal = await start();
      expect(await terminal.state()).toMatchObject({ alternate: true, cursor: false });
      const screens: readonly (readonly [title: string, content: string | RegExp])[] = [
        ['Assets', /gold\/days +■+ +100%/],
        ['Lineage', /files ━+┓/],
        ['Partitions › files/days', /▸ *AAA ■ ■ ■ ■ ■/],
        ['Runs', /✓ succeeded/],
        ['Checks', /✓ +silver\/candles +range_close/],
        ['Schedules', /● nightly +0 6 \* \* \*/],
        ['Data › files/days', 'is a source'],
      ];
      for (const [i, [title, content]] of screens.entries()) {
        await terminal.press(String(i + 1));
        expect((await terminal.shows(`lakehouse  ${title} `)).split('\n')[0]).toContain('● live');
        await terminal.shows(content);
      }
      for (const [title] of screens) {
        await terminal.press('Tab');
        await terminal.shows(`lakehouse  ${title} `);
      }
      await terminal.press('BTab');
      await terminal.shows('lakehouse  Schedules');
    });

    test('a schedule is paused, and goes on', async () => {
      const terminal = await start();
      await terminal.press('6');
      await terminal.shows('No daemon is active');
      await terminal.press('p');
      await terminal.shows('nightly is paused.');
      await terminal.press('p');
      await terminal.shows('nightly goes on.');
    });

    test('keys that arrive together are keys one after the other', async () => {
      const terminal = await start();
      await terminal.type('jjjjj3');
      await terminal.shows('Partitions › silver/candles');
      await terminal.type('1kk7');
      await terminal.shows('Data › raw/days');
    });

    test('filter, help and palette', async () => {
      const terminal = await start();
      await terminal.type('/cand');
      const screen = await terminal.showsNot('gold/days');
      expect(screen).toContain('silver/candles');
      await terminal.press('Enter');
      await terminal.press('3');
      await terminal.shows('Partitions › silver/candles');
      await terminal.press('Escape');
      await terminal.shows('lakehouse  Assets');
      await terminal.press('Escape');
      await terminal.shows('gold/days');

      await terminal.press('?');
      await terminal.shows('Compute what is stale of the selection');
      await terminal.press('Escape');
      await terminal.showsNot('Compute what is stale of the selection');

      await terminal.type(':gdays');
      await terminal.shows(/gold\/days.*The highest price of a day/);
      await terminal.press('Enter');
      await terminal.shows('Partitions › gold/days');
    });

    test('into an asset, a partition and its explanation, and back the same way', async () => {
      const terminal = await start();
      await terminal.type('jjjjj');
      await terminal.press('Enter');
      await terminal.shows(/Partitions › silver\/candles .*\n.*lakehouse status silver\/candles/);
      await terminal.press('j', 'Left', 'Left');
      await terminal.shows('symbol=BBB/date=2024-01-03');
      await terminal.press('e');
      await terminal.shows('silver/candles › symbol=BBB/date=2024-01-03');
      await terminal.shows('$ lakehouse explain silver/candles symbol=BBB/date=2024-01-03');
      await terminal.press('Escape');
      await terminal.showsNot('candles › symbol');
      await terminal.shows('Partitions › silver/candles');
      await terminal.press('Escape');
      await terminal.shows('lakehouse  Assets');
    });

    test('rows, statistics, a chart and an answer to a question', async () => {
      const terminal = await start({ words: 'silver/candles' });
      await terminal.press('3');
      await terminal.shows('symbol=AAA/date=2024-01-05');
      await terminal.press('7');
      await terminal.shows('Data › silver/candles › symbol=AAA/date=2024-01-05');
      await terminal.shows(/open_time +open +high/);
      await terminal.shows('2024-01-05 00:00');
      await terminal.press('Enter');
      await terminal.shows(/distinct/);
      await terminal.press('Enter');
      await terminal.shows(/[╽╿┃]/);
      await terminal.press('s');
      await terminal.type('SELECT max(highest) AS top FROM gold.days');
      await terminal.press('Enter');
      await terminal.shows('506.00');
      await terminal.press('Escape');
      await terminal.type('1');
      await terminal.shows('lakehouse  Assets');
    });

    test('copies into the clipboard', async () => {
      const terminal = await start({ words: 'gold/days' });
      await terminal.type('3');
      await terminal.shows('symbol=AAA/date=2024-01-05');
      await terminal.type('y');
      await terminal.shows('Copied: symbol=AAA/date=2024-01-05');
      expect(await terminal.clipboard()).toBe('symbol=AAA/date=2024-01-05');
      await terminal.type('Y');
      await terminal.shows('Copied: lakehouse status gold/days');
    });
  });

  describe('working', () => {
    test('what another process finds out shows, is computed on request, and is watched', async () => {
      const directory = lakeOfItsOwn();
      const terminal = await start({ directory });
      const [, before] = /revision (\d+)/.exec(await terminal.screen()) ?? [];
      newPrice(directory, '900');
      const other = await open({ directory });
      expect(await other.run('lakehouse observe -q; echo "code $?"')).toMatch(/code 0$/);
      await terminal.shows(/(1 stale|pending)[\s\S]*raw\/days/);
      await terminal.showsNot(`revision ${before} `);

      writeFileSync(join(directory, 'hold'), '');
      await terminal.type('jjjjjjjM');
      await terminal.shows(/gold\/days[\s\S]*enter/);
      const plan = await terminal.shows(/raw\/days +1/);
      expect(plan).toContain('silver/candles');
      await terminal.press('Enter');
      await terminal.shows(/Running: 0 of \d/);
      await terminal.type('m');
      await terminal.shows('materialize: a run is going on');
      await terminal.type('4');
      await terminal.shows('running');
      rmSync(join(directory, 'hold'));
      await terminal.shows('The run succeeded');
      await terminal.shows(/✓ succeeded.*lakehouse materialize '?\+/);
      await terminal.type('1');
      await terminal.shows(/■ 40 fresh/);
      expect(await other.run(`lakehouse query 'SELECT max(highest) AS top FROM gold.days' -f csv`)).toContain('906.00');
    });

    test('a run of another process is seen, without a key', async () => {
      const directory = lakeOfItsOwn();
      const terminal = await start({ directory });
      await terminal.type('4');
      await terminal.shows('✓ succeeded');
      newPrice(directory, 'nonsense');
      const other = await open({ directory });
      expect(await other.run('lakehouse materialize -q; echo "code $?"')).toMatch(/code 1$/);
      await terminal.shows('✗ failed');
      await terminal.type('1');
      await terminal.shows(/1 failed/);
    });

    test('wiping asks for the name', async () => {
      const terminal = await start({ words: 'gold/days' });
      await terminal.type('3');
      await terminal.shows('symbol=AAA/date=2024-01-05');
      await terminal.type('W');
      await terminal.shows('partitions leave the lake');
      await terminal.type('candles');
      await terminal.press('Enter');
      await terminal.shows('candles');
      await terminal.press('Escape');
      await terminal.showsNot('leave the lake');
      expect(await terminal.screen()).toContain('■ 10 fresh');

      await terminal.type('Wdays');
      await terminal.press('Enter');
      await terminal.shows(/\d+ partitions of gold\/days left the lake/);
      await terminal.shows(/□ \d+ missing/);
    });

    test('--read-only refuses', async () => {
      const terminal = await start({ words: '--read-only gold/days' });
      expect((await terminal.screen()).split('\n')[0]).toContain('read-only');
      for (const [key, label] of Object.entries({
        m: 'materialize',
        M: 'with upstream',
        F: 'force',
        R: 'retry',
        o: 'observe',
        W: 'wipe',
      })) {
        await terminal.type(key);
        await terminal.shows(`${label}: the lake was opened with --read-only.`);
      }
      expect(await terminal.screen()).toMatch(/■ 40 fresh/);
    });
  });

  describe('sizes', () => {
    test.each([
      [80, 24],
      [300, 100],
      [60, 12],
    ])('%d×%d', async (columns, rows) => {
      const terminal = await start({ words: 'silver/candles' });
      await terminal.resize(columns, rows);
      for (const [key, title] of [
        ['1', 'Assets'],
        ['2', 'Lineage'],
        ['3', 'Partitions'],
        ['4', 'Runs'],
        ['5', 'Checks'],
        ['6', 'Schedules'],
        ['7', 'Data'],
      ]) {
        await terminal.type(key ?? '');
        await terminal.shows(new RegExp(`^ lakehouse  .*${title}`));
        // The footer is in the last row, and nowhere else.
        await terminal.shows(new RegExp(`^(?:(?!.* m materialize).*\\n){${rows - 1}}.* m materialize.*\\n*$`));
      }
      await terminal.type('?');
      await terminal.shows('Compute what is stale');
    });

    test('a storm of other sizes leaves what a new start shows', async () => {
      const directory = lakeOfItsOwn();
      const terminal = await start({ directory });
      for (let i = 0; i < 30; i++) await terminal.resize(40 + ((i * 37) % 160), 10 + ((i * 13) % 50));
      await terminal.resize(100, 30);
      const fresh = await start({ directory, columns: 100, rows: 30, ready: /gold\/days/ });
      await terminal.isLike(fresh);
    });
  });

  describe('the terminal afterwards', () => {
    test.each([['q'], ['C-c']])('%s leaves', async (key) => {
      const terminal = await start();
      await terminal.press(key);
      await restored(terminal, 0);
    });

    test('kill -TERM leaves', async () => {
      const terminal = await start();
      process.kill(await terminal.child(), 'SIGTERM');
      await restored(terminal, 143);
    });

    test('kill -TERM leaves, whatever is running', async () => {
      const directory = lakeOfItsOwn();
      const terminal = await start({ directory });
      writeFileSync(join(directory, 'hold'), '');
      await terminal.type('jjjF');
      await terminal.shows(/raw\/days +10/);
      await terminal.press('Enter');
      await terminal.shows(/Running: 0 of 10/);
      process.kill(await terminal.child(), 'SIGTERM');
      await restored(terminal, 143);
    });

    test('q stops a run first, and twice leaves at once', async () => {
      const directory = lakeOfItsOwn();
      const terminal = await start({ directory });
      writeFileSync(join(directory, 'hold'), '');
      await terminal.type('jjjF');
      await terminal.shows(/raw\/days +10/);
      await terminal.press('Enter');
      await terminal.shows(/Running: 0 of 10/);
      await terminal.type('q');
      await terminal.shows('Stopping');
      await terminal.type('q');
      await restored(terminal, 0);
      const shell = await open({ directory });
      expect(await shell.run('lakehouse verify -q; echo "code $?"')).toMatch(/code 0$/);
    });

    test.each([
      ['an exception', 'throw new Error("boom")'],
      ['a rejection', 'Promise.reject(new Error("boom"))'],
      ['an exit', 'process.exit(1)'],
    ])('%s leaves', async (_, code) => {
      const file = join(home, `crash${lakes++}.mjs`);
      writeFileSync(file, `process.on('SIGUSR2', () => { ${code}; });`);
      const terminal = await start({ env: { NODE_OPTIONS: `--import=${file}` } });
      process.kill(await terminal.child(), 'SIGUSR2');
      const screen = await restored(terminal, 1);
      if (!code.includes('exit')) expect(screen).toContain('Error: boom');
    });

    test('Ctrl-Z hands it to the shell, and fg takes it back', async () => {
      const terminal = await start();
      for (const title of ['Runs', 'Checks']) {
        await terminal.press(title === 'Runs' ? '4' : '5');
        await terminal.shows(`lakehouse  ${title}`);
        await terminal.press('C-z');
        await terminal.shows('Stopped');
        expect(await terminal.state()).toMatchObject({ alternate: false, cursor: true });
        expect(await terminal.run('stty -a')).toMatch(/[ \n]icanon[\s\S]*[ \n]echo /);
        await terminal.type('fg; echo "code $?"; stty -a');
        await terminal.press('Enter');
        await terminal.shows(`lakehouse  ${title}`);
        expect(await terminal.state()).toMatchObject({ alternate: true, cursor: false });
        await terminal.type('1');
        await terminal.shows('lakehouse  Assets');
      }
      await terminal.type('q');
      await terminal.shows(/^code 0$/m);
      expect(await terminal.state()).toMatchObject({ alternate: false, cursor: true });
    });

    test('nothing stays behind when the terminal is closed', async () => {
      const terminal = await start();
      const pid = await terminal.child();
      await terminal.close();
      await vi.waitUntil(() => !isAlive(pid), { timeout: 30_000, interval: 50 });
    });
  });

  describe('other terminals', () => {
    test('NO_COLOR: no colours', async () => {
      const colours = async (terminal: Terminal) => {
        await terminal.type('3');
        await terminal.shows('Partitions ›');
        // biome-ignore lint/suspicious/noControlCharactersInRegex: it is them that are looked for
        const codes = [...(await terminal.painted()).matchAll(/\u001b\[([\d;]*)m/g)].flatMap(([, all = '']) =>
          all.split(';'),
        );
        return codes.filter((code) => !['', '0', '1', '7', '39', '49'].includes(code));
      };
      expect((await colours(await start())).length).toBeGreaterThan(10);
      expect(await colours(await start({ env: { NO_COLOR: '1' } }))).toEqual([]);
      expect(await colours(await start({ words: '--theme none' }))).toEqual([]);
    });

    test('LANG=C: ASCII only, whatever the lake holds', async () => {
      const terminal = await start({ env: { LANG: 'C' }, words: 'silver/candles' });
      const shows = async (what: string | RegExp) => expect(await terminal.shows(what)).toMatch(/^\p{ASCII}*$/u);
      const screens = { 1: 'Assets', 2: 'Lineage', 3: 'Partitions', 4: 'Runs', 5: 'Checks', 6: 'Schedules', 7: 'Data' };
      for (const [key, title] of Object.entries(screens)) {
        await terminal.type(key);
        await shows(`lakehouse  ${title}`);
      }
      await terminal.type('?');
      await shows('Compute what is stale');
      await terminal.press('Escape');
      await terminal.showsNot('Compute what is stale');
      await terminal.type("sSELECT 'd' || chr(233) || 'j' || chr(224) || ' ' || chr(20215) AS word");
      await terminal.press('Enter');
      await shows('d?j? ??');
      await terminal.press('Escape');
      await terminal.type('1F');
      await shows(/plan|enter/i);
    });

    test('CI=true: as everywhere', async () => {
      const terminal = await start({ env: { CI: 'true', GITHUB_ACTIONS: 'true' } });
      await terminal.type('2');
      await terminal.shows('lakehouse  Lineage');
      await terminal.type('q');
      await restored(terminal, 0);
    });

    test('where nothing can be drawn it says so', async () => {
      const terminal = await open();
      const hint = 'For text or JSON: lakehouse status, lakehouse runs.';
      const none = `lakehouse: lakehouse ui draws on a terminal, and there is none\n  ${hint}\n2`;
      expect(await terminal.run('lakehouse ui < /dev/null; echo "$?"')).toBe(none);
      expect(await terminal.run('lakehouse ui | cat; echo "$PIPESTATUS"')).toBe(none);
      const dumb =
        'lakehouse: This terminal (TERM=dumb) cannot be drawn on\n  Use another one, --screen-reader, which needs no drawing, or: lakehouse status.\n2';
      expect(await terminal.run('TERM=dumb lakehouse ui; echo "$?"')).toBe(dumb);
    });
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
