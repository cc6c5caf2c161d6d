import { command, defineLakehouse, LakehouseError } from 'crypto-lakehouse';
import { describe, expect, test } from 'vitest';
import type { LakehouseDefinition } from '../../framework/define/lakehouse.ts';
import { type Place, place } from './support.ts';

function withCommands({ tiny }: { tiny: LakehouseDefinition }): LakehouseDefinition {
  return defineLakehouse({
    assets: tiny.assets,
    commands: [
      command('fetch days', {
        summary: 'fetch days of a symbol',
        description: 'Fetches what is there.',
        options: [
          { flags: '--symbols <symbols...>', description: 'symbols', required: true },
          { flags: '--start-date <date>', description: 'first day' },
          { flags: '--kind <kind>', description: 'what', choices: ['a', 'b'] },
        ],
        examples: ['lakehouse fetch days --symbols AAA'],
        becomes: ({ options: { symbols = [], startDate }, settings }) => {
          if (startDate === 'never')
            throw new LakehouseError('bad-date', "'never' is not a day", { hint: 'Write one.' });
          const filter = [
            `symbol=${[symbols].flat().join('|')}`,
            ...(startDate ? [`date=${String(startDate)}..`] : []),
          ];
          const { debug } = settings as { debug: boolean };
          return ['plan', debug ? 'raw/days' : '+silver/prices', '-p', filter.join(',')];
        },
      }),
      command('fetch months', { summary: 'fetch months', becomes: () => ['plan'] }),
      command('query info', { summary: 'what there is', becomes: () => ['assets'] }),
    ],
  });
}

async function run(at: Place, args: readonly string[]) {
  return at.run(args, { definition: withCommands({ tiny: at.tiny() }) });
}

describe('commands that definitions declare', () => {
  test('are carried out as the command line they stand for, which is told', async () => {
    const at = await place();
    const meant = await at.run(['plan', '+silver/prices', '-p', 'symbol=AAA|BBB,date=2024-01-02..', '--json']);
    const { code, out, err } = await run(at, [
      'fetch',
      'days',
      '--symbols',
      'AAA',
      'BBB',
      '--start-date',
      '2024-01-02',
      '--json',
    ]);
    expect({ code, plan: JSON.parse(out).totals }).toEqual({ code: meant.code, plan: JSON.parse(meant.out).totals });
    expect(err).toContain("= lakehouse plan +silver/prices -p 'symbol=AAA|BBB,date=2024-01-02..' --json\n");
  });

  test('know the settings, and pass on the options of all commands', async () => {
    const at = await place();
    const { err } = await run(at, ['fetch', 'days', '--symbols', 'AAA', '--set', 'debug=true']);
    expect(err).toContain('= lakehouse plan raw/days -p symbol=AAA --set debug=true\n');
    const secret = (await run(at, ['fetch', 'days', '--symbols', 'AAA', '--set', 's3.secretAccessKey=topsecret'])).err;
    expect(secret).toContain('= lakehouse plan');
    expect(secret).not.toContain('topsecret');
    expect((await run(at, ['--quiet', 'fetch', 'days', '--symbols', 'AAA'])).err).not.toContain('= lakehouse');
  });

  test('may stand below a command that is always there, which stays as it is', async () => {
    const at = await place();
    expect((await run(at, ['query', 'info'])).out).toContain('silver/prices');
    expect((await run(at, ['query', 'SELECT 42 AS x', '--format', 'csv'])).out).toBe('x\r\n42\r\n');
    expect((await run(at, ['query', 'nonsense'])).code).not.toBe(0);
  });

  test('are in the help', async () => {
    const at = await place();
    const help = (await run(at, ['--help'])).out;
    expect(help.slice(help.indexOf('Lake:'))).toMatch(/^Lake:\n {2}fetch +days, months\n/);
    expect((await run(at, [])).out).toBe(help);
    expect((await run(at, ['fetch', 'days', '--help'])).out).toContain(
      'Usage: lakehouse fetch days [options]\n\nFetches what is there.\n\nOptions:\n  --symbols <symbols...>  symbols\n',
    );
    expect((await run(at, ['help', 'fetch', 'months'])).out).toContain('Usage: lakehouse fetch months');
  });

  test('are refused like others', async () => {
    const at = await place();
    const said = async (...args: string[]) => {
      const { code, err } = await run(at, args);
      return [code, err];
    };
    expect(await said('fetsh')).toEqual([
      2,
      "lakehouse: unknown command 'fetsh'\n  Did you mean fetch? Run 'lakehouse --help' for what there is.\n",
    ]);
    expect(await said('fetch', 'day')).toEqual([
      2,
      "lakehouse: unknown command 'day'\n  Did you mean days? Run 'lakehouse fetch --help' for what there is.\n",
    ]);
    expect(await said('fetch', 'days')).toEqual([
      2,
      "lakehouse: required option '--symbols <symbols...>' not specified\n  Run 'lakehouse fetch days --help' for what there is.\n",
    ]);
    expect(await said('fetch', 'days', '--symbols', 'A', '--start-date', 'never')).toEqual([
      2,
      "lakehouse: 'never' is not a day\n  Write one.\n",
    ]);
  });

  test('cannot take the name of a command that every lakehouse has; one below it stands beside its own', async () => {
    const at = await place();
    const named = (name: string) =>
      defineLakehouse({
        assets: at.tiny().assets,
        commands: [command(name, { summary: 'x', becomes: () => ['assets'] })],
      });
    const { err } = await at.run(['mine'], { definition: named('status') });
    expect(err).toContain("The definitions declare a command 'status', which every lakehouse has");
    expect((await at.run(['runs', 'mine'], { definition: named('runs mine') })).out).toContain('silver/prices');
    expect((await at.run(['help', 'runs'], { definition: named('runs mine') })).out).toMatch(/show.*\n.*mine/);
    const itself = defineLakehouse({
      assets: at.tiny().assets,
      commands: [command('again', { summary: 'x', becomes: () => ['again'] })],
    });
    expect((await at.run(['again'], { definition: itself })).err).toContain("unknown command 'again'");
  });

  test('are not known where the definitions cannot be loaded, and that is said', async () => {
    const at = await place();
    const importModule = async () => {
      throw new SyntaxError('Unexpected token');
    };
    const { code, err } = await at.run(['fetch', 'days'], { io: { importModule } });
    expect(code).toBe(2);
    expect(err).toContain("unknown command 'fetch'");
    expect(err).toContain('Commands of the definitions are not known: assets/index.ts cannot be loaded');
    expect((await at.run(['--help'], { io: { importModule } })).code).toBe(0);
  });
});
