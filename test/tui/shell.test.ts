import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { defineLakehouse } from 'crypto-lakehouse';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readCommandLine } from '../../framework/cli/program.ts';
import { quoted, shellCommand, workCommand } from '../../framework/tui/app/shell.ts';
import { NOON, type Place, place } from '../cli/support.ts';
import { opener, startUi, turns, typed, type Ui } from './app-support.ts';

/** The words a shell makes of a command line, the program first. */
function words(line: string): string[] {
  const printed = execFileSync('sh', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' });
  return printed.split('\0').slice(0, -1);
}
/** What the command line interface understands, or what it says against it. */
function read(line: string) {
  const [program, ...args] = words(line);
  expect(program).toBe('lakehouse');
  let said = '';
  const screen = {
    out: () => undefined,
    error: (text: string) => {
      said += text;
    },
    width: 80,
  };
  try {
    return readCommandLine(args, screen);
  } catch (error) {
    throw new Error(`${line}\n${said}`, { cause: error });
  }
}

describe('words for a shell', () => {
  test.each([
    ['silver/klines', 'silver/klines'],
    ['date=2020-01-01..2020-01-31', 'date=2020-01-01..2020-01-31'],
    ['gold/*', "'gold/*'"],
    ['', "''"],
    ["it's", "'it'\\''s'"],
    ['a=x|y', "'a=x|y'"],
  ])('%s', (word, text) => {
    expect(quoted(word)).toBe(text);
  });

  test('are read back as they were', () => {
    const word = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0'));
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 5 }), (all) => {
        expect(words(all.map(quoted).join(' '))).toEqual(all);
      }),
      { numRuns: 50 },
    );
  });
});

describe('the command of a request', () => {
  const plain = { selection: 'silver/*', partitions: undefined, force: false, retryFailed: false };
  test.each([
    [plain, { args: ['silver/*'], options: {} }],
    [
      { ...plain, selection: '+(a/x or b/y)', partitions: 'symbol=A|B,date=2020-01', force: true },
      { args: ['+(a/x or b/y)'], options: { partitions: 'symbol=A|B,date=2020-01', force: true } },
    ],
    [
      { ...plain, retryFailed: true },
      { args: ['silver/*'], options: { retryFailed: true } },
    ],
  ])('means the same on the command line: %j', (request, expected) => {
    expect(read(workCommand(request, 'lakehouse'))).toMatchObject({ name: 'materialize', ...expected });
  });
});

describe('the command that tells what is on the screen', () => {
  async function opened(): Promise<{ ui: Ui; cwd: Place }> {
    const cwd = await place();
    // A price that its check warns of.
    await cwd.write('BBB', '2024-01-02', '0,-1\n');
    const directory = join(cwd.cwd, 'lake');
    const ran = await cwd.run(['materialize', '--set', `dataDir=${directory}`]);
    expect(ran.code, ran.err).toBe(0);
    const ui = await startUi(
      opener(cwd.tiny(), directory, ['workflow.retryAttempts=0'], () => NOON),
      {
        now: () => NOON,
        asset: 'silver/prices',
      },
    );
    await ui.becomes(({ assets }) => assets.rows?.at(-1)?.counts !== undefined);
    return { ui, cwd };
  }

  test('is one that works, wherever one is', async () => {
    const { ui, cwd } = await opened();
    const tell = async (): Promise<{ line: string; out: string }> => {
      await turns();
      const line = shellCommand(ui.state(), ui.session, 'lakehouse');
      expect(ui.text()).toContain(` $ ${line}`.slice(0, 110));
      expect(read(line)).toBeDefined();
      const [, ...args] = words(line);
      const { code, out, err } = await cwd.run([...args, '--set', `dataDir=${join(cwd.cwd, 'lake')}`]);
      expect(code, `${line}\n${err}`).toBe(0);
      return { line, out };
    };

    expect((await tell()).out).toContain('silver/prices');
    ui.press('2');
    expect((await tell()).line).toBe('lakehouse lineage');
    ui.press('/', ...typed('+gold/days'), 'enter');
    const lineage = await tell();
    expect(lineage.line).toMatch(/^lakehouse lineage '?.*\+gold\/days/);
    expect(lineage.out).toContain('raw/days');
    ui.press('escape', '1', 'j', 'j', 'j');

    await ui.becomes(({ assets }) => assets.rows !== undefined);
    ui.press(':', ...typed('silver/prices'), 'enter');
    expect(ui.state().screen).toBe('partitions');
    ui.press('g', 'v', 'right', 'down');
    const marked = await tell();
    expect(marked.line).toBe('lakehouse status silver/prices -p date=2024-01-01..2024-01-02');
    expect(marked.out).toMatch(/silver\/prices\s+.*4/);
    ui.press('v', 'up', 'enter');
    await ui.becomes(({ explain, detail }) => explain !== undefined && detail?.partition.includes('AAA') === true);
    expect((await tell()).line).toBe('lakehouse explain silver/prices symbol=AAA/date=2024-01-02');

    ui.press('4');
    await ui.becomes(({ runs }) => runs.rows !== undefined);
    const run = ui.state().runs.rows?.[0]?.run;
    expect((await tell()).out).toContain(run);
    ui.press('enter');
    expect((await tell()).line).toBe(`lakehouse runs show ${run}`);

    ui.press('5');
    const checked = await tell();
    expect(checked.line).toBe('lakehouse check silver/prices --only range_price');
    expect(checked.out).toContain('silver/prices, range_price: 1 partition');
    expect(checked.out).toContain('symbol=BBB/date=2024-01-02');
    ui.press('e');
    expect((await tell()).line).toBe('lakehouse explain silver/prices symbol=BBB/date=2024-01-02');
    ui.press('6');
    await tell();
    ui.press('7');
    const rows = await tell();
    expect(rows.out).toContain('price');
  });

  test('in SQL is quoted as SQL wants it, and as the shell wants it', async () => {
    const { ui, cwd } = await opened();
    ui.press('7', 's', ...typed("SELECT count(*) AS n FROM silver.prices WHERE symbol = 'AAA'"), 'enter', 'escape');
    await ui.becomes(({ data }) => data.sql.result !== undefined);
    const line = shellCommand(ui.state(), ui.session, 'lakehouse');
    const [, ...args] = words(line);
    expect(args).toEqual(['query', "SELECT count(*) AS n FROM silver.prices WHERE symbol = 'AAA'"]);
    const { out } = await cwd.run([...args, '--set', `dataDir=${join(cwd.cwd, 'lake')}`]);
    expect(out).toContain('6');
    expect(ui.state().data.sql.result?.rows).toEqual([['6']]);
  });

  test('of one partition of data is about that partition', async () => {
    const { ui, cwd } = await opened();
    ui.press('3', 'g');
    await ui.becomes(({ detail }) => detail?.partition === 'symbol=AAA/date=2024-01-01');
    ui.press('7');
    await ui.becomes(({ data }) => data.preview !== undefined);
    const line = shellCommand(ui.state(), ui.session, 'lakehouse');
    const [, ...args] = words(line);
    const { code, out, err } = await cwd.run([
      ...args,
      '--set',
      `dataDir=${join(cwd.cwd, 'lake')}`,
      '--format',
      'json',
    ]);
    expect(code, err).toBe(0);
    expect(JSON.parse(out)).toHaveLength(ui.state().data.preview?.first.rows.length ?? 0);
  });

  test('without an asset is none that fails', async () => {
    const cwd = await place();
    const ui = await startUi(opener(defineLakehouse({ assets: [] }), join(cwd.cwd, 'lake'), []));
    for (const key of ['1', '2', '3', '4', '5', '6', '7']) {
      ui.press(key);
      const line = shellCommand(ui.state(), ui.session, 'lakehouse');
      expect(read(line), line).toBeDefined();
      expect(words(line), line).not.toContain('');
    }
  });
});
