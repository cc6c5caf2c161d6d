import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type CommandSpec, commands } from '../../framework/cli/catalog.ts';
import { loaders } from '../../framework/cli/loaders.ts';
import { readCommandLine } from '../../framework/cli/program.ts';
import { VERSION } from '../../framework/cli/version.ts';
import { PROGRAM_VERSION } from '../../framework/materialize/open.ts';
import { idGenerator } from '../../framework/sdk/ids.ts';
import manifest from '../../package.json' with { type: 'json' };
import { Place, place } from './support.ts';

const nowhere = { out: () => undefined, error: () => undefined, width: 100 };

/** Those for people, with the words that they are called with. */
const everyCommand = commands
  .filter(({ hidden }) => !hidden)
  .flatMap((spec): { words: string; spec: CommandSpec }[] => [
    { words: spec.name, spec },
    ...(spec.commands ?? []).map((sub) => ({ words: `${spec.name} ${sub.name}`, spec: sub })),
  ]);

describe('help', () => {
  test('of the program', async () => {
    const { code, out, err } = await new Place().run(['--help']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatchInlineSnapshot(`
      "Usage: lakehouse [options] [command]

      Plans exactly what is stale in a lake of partitioned assets, computes it, and explains it.

      Options:
        -V, --version                      print the version
        --config <file>                    config file instead of lakehouse.yaml or config/lakehouse.yaml
        --profile <name>                   profile laid over the config file
        --set <key=value>                  a setting, e.g. --set workflow.retryAttempts=0; may be repeated
        --json                             print JSON, errors too; the help of each command says what
        -q, --quiet                        print results and failures only
        --debug                            print stack traces with errors
        --no-color                         print without colours (as NO_COLOR does)
        -h, --help                         print this help

      Work:
        plan [options] [selection]         show what is stale, why, and what computing it would cost
        materialize [options] [selection]  compute what is stale
        observe [options] [selection]      look at the sources and remember what is there
        check [options] [selection]        check what is there again, without computing it
        daemon [options]                   keep the lake fresh: do what schedules say, when they say it
        schedules                          list schedules, sensors and conditions: when they are due, what
                                           they did last

      Look:
        alerts [options]                   list what is wrong now and what people were told; 'alerts test'
                                           tries out who is told
        ui [options] [asset]               look at the lake and work on it on the whole terminal
        status [options] [selection]       count partitions by status, per asset
        explain <asset> <partition>        say why a partition is as it is
        automation                         list automated assets and what would be requested now;
                                           'automation explain <asset>' says why
        assets [selection]                 list the assets
        show <asset>                       show everything about one asset
        lineage [options] [selection]      show what is made from what
        query [options] [sql]              run SQL over the whole lake
        shell [options]                    ask the lake in SQL, one statement after another
        export                             list what other programs can be told of; 'export duckdb' and
                                           'export dbt' tell them
        runs [options]                     list runs, latest first; 'runs show <run>' shows one
        config [options]                   show the settings in force and where each comes from

      Keep:
        verify [options]                   check files and log against each other
        gc [options]                       remove files and events that nothing needs any more
        wipe [options] <asset>             take partitions out of the lake
        catalogue                          show what other engines read the lake by; 'catalogue sync'
                                           writes it

      More:
        init [options] [directory]         make the project of a new lake: assets, settings, a test
        new [options] <kind> <key>         write the module of a new asset, and a test of it
        completion <shell>                 print the completion script of a shell
        help [command...]                  print the help of a command

      'lakehouse help <command>' says more about each.
      "
    `);
    expect(await new Place().run([])).toEqual({ code, out, err });
    expect(await new Place().run(['help'])).toEqual({ code, out, err });
  });

  test('of a command', async () => {
    const { code, out, err } = await new Place().run(['wipe', '--help']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatchInlineSnapshot(`
      "Usage: lakehouse wipe [options] <asset>

      The partitions leave the lake; what read them becomes stale, and the next run computes them again.
      Shows them and asks first. An asset that is no longer defined is wiped whole, by its old name.

      Arguments:
        asset                      key of an asset, e.g. silver/klines

      Options:
        -p, --partitions <filter>  only these, e.g. 'date=2020-01-01..2020-01-03,symbol=BTC*|ETHUSDT';
                                   times are 2020, 2020-01, a..b, a.., ..b
        -y, --yes                  do it without asking
        -h, --help                 print this help

      Global Options:
        -V, --version              print the version
        --config <file>            config file instead of lakehouse.yaml or config/lakehouse.yaml
        --profile <name>           profile laid over the config file
        --set <key=value>          a setting, e.g. --set workflow.retryAttempts=0; may be repeated
        --json                     print one JSON object; nobody is asked, so --yes is needed
        -q, --quiet                print results and failures only
        --debug                    print stack traces with errors
        --no-color                 print without colours (as NO_COLOR does)

      Examples:
        lakehouse wipe silver/klines -p symbol=BTCUSDT,date=2020-01
        lakehouse wipe gold/indicators
      "
    `);
    expect(await new Place().run(['help', 'wipe'])).toEqual({ code, out, err });
  });

  test.each(everyCommand)('of $words is written like the others', ({ words, spec }) => {
    const { summary, description, arguments: given = [], options = [], json } = spec;
    const phrases = [summary, ...given.map((one) => one.description), ...options.map((one) => one.description)];
    for (const phrase of json === undefined ? phrases : [...phrases, json]) expect(phrase).toMatch(/^[a-z-].*[^.]$/);
    expect(description ?? 'None.').toMatch(/^[A-Z].*\.$/s);
    for (const { flags } of options) expect(flags).toMatch(/^(-[a-z], )?--[a-z-]+( <[a-z=]+>)?$/);
    for (const { name } of given) expect(name).toMatch(/^(<[a-z]+>|\[[a-z]+(\.\.\.)?\])$/);
    expect(spec.examples?.length).toBeOneOf([1, 2, 3]);
    const read = (line: string) => {
      const { stdout } = spawnSync('bash', ['-c', `printf '%s\\n' ${line.replace(/ +[#>].*/, '')}`], {
        encoding: 'utf8',
      });
      const [program, ...args] = stdout.trimEnd().split('\n');
      const chosen = words === 'help' ? { name: args[0] } : readCommandLine(args, nowhere);
      return [program, chosen?.name];
    };
    for (const example of spec.examples ?? [])
      expect({ example, read: read(example) }).toEqual({
        example,
        read: ['lakehouse', example.startsWith('lakehouse runs show') ? 'runs show' : words],
      });
  });

  test.each(
    everyCommand
      .filter(({ spec }) => spec.json !== undefined)
      .map(({ words, spec: { json = '' } }) => ({ words, json })),
  )('of $words tells what --json prints', async ({ words, json }) => {
    const rest: Readonly<Record<string, readonly string[]>> = {
      explain: ['raw/days', 'symbol=AAA,date=2024-01-01'],
      show: ['raw/days'],
      query: ['SELECT 1 AS one'],
      'runs show': ['last'],
      init: ['made', '--package=0.1.0'],
      new: ['asset', 'gold/alone', '--partitions='],
      'export duckdb': ['lake.duckdb'],
      wipe: ['raw/days', '--yes'],
      daemon: ['--once'],
      'schedules run': ['nightly'],
      'schedules pause': ['nightly'],
      'schedules resume': ['nightly'],
      'automation explain': ['gold/months'],
      'alerts test': ['--set=alerts.destinations.me.type=command', '--set=alerts.destinations.me.command=true'],
    };
    const here = await place();
    await here.run(['observe']);
    if (words.startsWith('schedules'))
      writeFileSync(join(here.cwd, 'lakehouse.yaml'), "schedules: { nightly: { cron: '0 6 * * *' } }\n");
    // The shell is asked something.
    const stdin = 'SELECT 1 AS one;';
    const { code, out } = await here.run([...words.split(' '), ...(rest[words] ?? []), '--json'], { stdin });
    expect(code).toBe(0);
    const shape = (text: string) => (Array.isArray(JSON.parse(text)) ? 'an array' : 'one object');
    const lines = json.includes('per line');
    expect(new Set((lines ? out.trim().split('\n') : [out]).map(shape))).toEqual(
      new Set([json.startsWith('print a JSON array') ? 'an array' : 'one object']),
    );
    expect(json).toMatch(
      lines ? /^print one JSON object per line .*NDJSON/ : /^print (one JSON object|a JSON array with one object per )/,
    );
    expect((await here.run([...words.split(' '), '--help'])).out.replace(/\s+/g, ' ')).toContain(`--json ${json}`);
  });

  test.each(commands.filter(({ hidden }) => !hidden).map(({ name }) => name))(
    'of %s fits the terminal and names its options',
    async (name) => {
      const { code, out } = await new Place().run([name, '--help'], { io: {} });
      expect(code).toBe(0);
      expect(out.split('\n').filter((line) => line.length > 100)).toEqual(
        out.split('\n').filter((line) => line.length > 100 && line.includes('lakehouse ')),
      );
      for (const { flags } of commands.find((command) => command.name === name)?.options ?? [])
        expect(out).toContain(flags);
    },
  );
});

test('the version is that of the package, everywhere', async () => {
  expect(await new Place().run(['--version'])).toEqual({ code: 0, out: `${manifest.version}\n`, err: '' });
  expect([VERSION, PROGRAM_VERSION]).toEqual([manifest.version, manifest.version]);
});

test('help and version load nothing but commander', () => {
  const seen = new Map<string, string[]>();
  const packages = new Set<string>();
  const visit = (file: string) => {
    if (seen.has(file)) return;
    const imports = [...readFileSync(file, 'utf8').matchAll(/^(?:import|export) (?!type)[^;]*?from '([^']+)'/gm)].map(
      ([, name = '']) => name,
    );
    seen.set(file, imports);
    for (const name of imports) {
      if (name.startsWith('.')) visit(resolve(dirname(file), name));
      else packages.add(name);
    }
  };
  const root = resolve(import.meta.dirname, '../..');
  visit(join(root, 'framework/cli/main.ts'));
  expect([...packages].filter((name) => !name.startsWith('node:'))).toEqual(['commander']);
  expect([...seen.keys()].map((file) => dirname(relative(root, file)).replaceAll('\\', '/'))).not.toContain(
    'framework/cli/commands',
  );
  expect(new Set([...seen.keys()].map((file) => dirname(relative(root, file)).replaceAll('\\', '/')))).toEqual(
    new Set(['framework/cli', 'framework/common', 'framework/config', 'framework/sdk']),
  );
});

describe('a wrong command line', () => {
  test.each([
    [['plann'], "unknown command 'plann'"],
    [['plan', '--forse'], "unknown option '--forse'"],
    [['plan', 'a', 'b'], "too many arguments for 'plan'. Expected 1 argument but got 2: a, b."],
    [['show'], "missing required argument 'asset'"],
    [
      ['lineage', '--format', 'png'],
      "option '-f, --format <format>' argument 'png' is invalid. Allowed choices are tree, mermaid, dot, json.",
    ],
    [
      ['query', 'x', '--limit', 'ten'],
      "option '--limit <rows>' argument 'ten' is invalid. Write a whole number: 0, 1, 2 or more.",
    ],
    [
      ['query', 'x', '--limit', '1.5'],
      "option '--limit <rows>' argument '1.5' is invalid. Write a whole number: 0, 1, 2 or more.",
    ],
    [
      ['query', 'x', '--limit', '-1'],
      "option '--limit <rows>' argument '-1' is invalid. Write a whole number: 0, 1, 2 or more.",
    ],
    [['runs', '--limit', '0'], "option '--limit <runs>' argument '0' is invalid. Write a whole number: 1, 2 or more."],
    [
      ['runs', '--limit', '-1'],
      "option '--limit <runs>' argument '-1' is invalid. Write a whole number: 1, 2 or more.",
    ],
    [['gc', '--grace', '1w'], "option '--grace <duration>' argument '1w' is invalid. Write e.g. 30m, 12h or 2d."],
    [
      ['completion', 'tcsh'],
      "command-argument value 'tcsh' is invalid for argument 'shell'. Allowed choices are bash, zsh, fish.",
    ],
    [['plan', '--config'], "option '--config <file>' argument missing"],
  ])('%j', async (args, message) => {
    const { code, out, err } = await new Place().run(args);
    expect({ code, out, first: err.split('\n')[0] }).toEqual({ code: 2, out: '', first: `lakehouse: ${message}` });
  });

  test('of help or of a command below another is told like any other', async () => {
    for (const [args, said] of [
      [['help', 'nope'], "unknown command 'nope'\n  Run 'lakehouse --help' for what there is.\n"],
      [['help', 'plann'], "unknown command 'plann'\n  Did you mean plan? Run 'lakehouse --help' for what there is.\n"],
      [
        ['help', 'runs', 'shwo'],
        "unknown command 'shwo'\n  Did you mean show? Run 'lakehouse --help' for what there is.\n",
      ],
      [
        ['runs', 'shwo', 'last'],
        "unknown command 'shwo'\n  Did you mean show? Run 'lakehouse runs --help' for what there is.\n",
      ],
      [['runs', 'show'], "missing required argument 'run'\n  Run 'lakehouse runs show --help' for what there is.\n"],
    ] as const)
      expect(await new Place().run(args)).toEqual({ code: 2, out: '', err: `lakehouse: ${said}` });
  });

  test('offers what was probably meant', async () => {
    expect(await new Place().run(['plann'])).toEqual({
      code: 2,
      out: '',
      err: "lakehouse: unknown command 'plann'\n  Did you mean plan? Run 'lakehouse --help' for what there is.\n",
    });
    expect(await new Place().run(['plan', '--forse'])).toEqual({
      code: 2,
      out: '',
      err: "lakehouse: unknown option '--forse'\n  Did you mean --force? Run 'lakehouse plan --help' for what there is.\n",
    });
  });

  test('is JSON for those who read JSON', async () => {
    const { code, out, err } = await new Place().run(['--json', 'plann']);
    expect({ code, err, error: JSON.parse(out) }).toEqual({
      code: 2,
      err: '',
      error: {
        error: {
          message: "unknown command 'plann'",
          code: 'cli-unknown-command',
          kind: 'usage',
          hint: "Did you mean plan? Run 'lakehouse --help' for what there is.",
        },
      },
    });
  });
});

test('every command of the catalogue can be carried out', async () => {
  // The help is printed when the command line is read.
  const names = everyCommand.map(({ words }) => words).filter((words) => words !== 'help');
  expect(Object.keys(loaders).sort()).toEqual(['__complete', ...names].sort());
  for (const load of Object.values(loaders)) expect((await load()).run).toBeInstanceOf(Function);
});

test('global options stand before or after the command', async () => {
  const here = await place();
  const after = await here.run(['assets', 'gold/*', '--json']);
  expect(await here.run(['--json', 'assets', 'gold/*'])).toEqual(after);
  expect(JSON.parse(after.out)).toHaveLength(2);
});

test('ids sort by time, and rise within a millisecond', () => {
  let now = 1_700_000_000_000;
  const id = idGenerator(
    () => now,
    (count) => new Uint8Array(count).fill(255),
  );
  const ids = [id(), id()];
  now += 1000;
  ids.push(id(), id());
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids.map((one) => one.length))).toEqual(new Set([17]));
});
