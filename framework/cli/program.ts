import { Argument, Command, CommanderError, Help, InvalidArgumentError, Option } from 'commander';
import { closest } from '../common/suggest.ts';
import { type CommandSpec, commands, globalOptions, type OptionSpec } from './catalog.ts';
import type { Globals } from './console.ts';
import { VERSION } from './version.ts';

/** A command that was chosen, with what was given to it. */
export interface Chosen {
  /** The words it is called with, `runs show`. */
  readonly name: string;
  readonly globals: Globals;
  readonly options: Readonly<Record<string, unknown>>;
  readonly args: readonly unknown[];
}

export interface Screen {
  readonly out: (text: string) => void;
  readonly error: (text: string) => void;
  /** Columns of the help. */
  readonly width: number;
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const readers: Readonly<Record<NonNullable<OptionSpec['reads']>, (text: string, previous: unknown) => unknown>> = {
  count: (text) => {
    if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('Write a whole number: 0, 1, 2 or more.');
    return Number(text);
  },
  positive: (text) => {
    if (!/^0*[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('Write a whole number: 1, 2 or more.');
    return Number(text);
  },
  duration: (text) => {
    const [, count, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
    if (count === undefined) throw new InvalidArgumentError('Write e.g. 30m, 12h or 2d.');
    return Number(count) * (UNITS[unit ?? ''] ?? 0);
  },
  each: (text, previous) => [...(Array.isArray(previous) ? previous : []), text],
};

function optionOf(spec: OptionSpec): Option {
  const option = new Option(spec.flags, spec.description);
  if (spec.choices) option.choices(spec.choices);
  if (spec.required) option.makeOptionMandatory();
  if (spec.reads) option.argParser(readers[spec.reads]);
  if (spec.default !== undefined)
    option.default(spec.reads ? readers[spec.reads](spec.default, undefined) : spec.default, spec.default);
  return option;
}

/** @throws CommanderError always. */
function refuseCommand(parent: Command, word: string): never {
  const near = closest(
    word,
    parent.commands.map((command) => command.name()),
  );
  const hint = near.length > 0 ? `\n(Did you mean ${near.join(' or ')}?)` : '';
  return parent.error(`error: unknown command '${word}'${hint}`, { code: 'commander.unknownCommand' });
}

/** @throws CommanderError always: with exit code 0 when the help has been printed. */
function helpOf(program: Command, words: readonly string[]): never {
  const found = words.reduce(
    (parent, word) => parent.commands.find((command) => command.name() === word) ?? refuseCommand(parent, word),
    program,
  );
  return found.help();
}

const DEFAULTS: Globals = { set: [], json: false, debug: false, color: true, quiet: false };

/**
 * Reads a command line. `own` are commands besides those of the catalog, or instead of one of them. Undefined where help or the version was asked for, which has been printed then.
 * @throws CommanderError for a command line that is wrong; what it says went to `screen.error`.
 */
export function readCommandLine(
  args: readonly string[],
  screen: Screen,
  own: readonly CommandSpec[] = [],
): Chosen | undefined {
  // For shells, not for people: the words of an unfinished command line are not to be read as options.
  const hidden = commands.find(({ name, hidden }) => hidden === true && name === args[0]);
  if (hidden) return { name: hidden.name, globals: DEFAULTS, options: {}, args: [args.slice(1)] };
  let chosen: Chosen | undefined;
  const program = new Command('lakehouse')
    .description('Plans exactly what is stale in a lake of partitioned assets, computes it, and explains it.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .configureOutput({
      writeOut: screen.out,
      writeErr: screen.error,
      getOutHelpWidth: () => screen.width,
      getErrHelpWidth: () => screen.width,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .addHelpText('after', "\n'lakehouse help <command>' says more about each.")
    .exitOverride();
  for (const option of globalOptions) program.addOption(optionOf(option));
  const add = (parent: Command, spec: CommandSpec, name = spec.name): void => {
    const command = parent.command(spec.name);
    command.summary(spec.summary).helpGroup(parent === program ? `${spec.group}:` : 'Commands:');
    command.description(spec.description ?? `${spec.summary[0]?.toUpperCase()}${spec.summary.slice(1)}.`);
    for (const { name: term, description, choices } of spec.arguments ?? []) {
      const argument = new Argument(term, description);
      command.addArgument(choices ? argument.choices(choices) : argument);
    }
    for (const option of spec.options ?? []) command.addOption(optionOf(option));
    command.configureHelp({
      showGlobalOptions: true,
      visibleGlobalOptions: () => [...program.options],
      optionDescription: (option) =>
        option.long === '--json' && spec.json !== undefined ? spec.json : Help.prototype.optionDescription(option),
    });
    if (spec.examples)
      command.addHelpText('after', `\nExamples:\n${spec.examples.map((line) => `  ${line}`).join('\n')}`);
    // So that a misspelt subcommand is told from an argument too many.
    command.allowExcessArguments(spec.commands !== undefined);
    command.action((...given: unknown[]) => {
      const values = given.slice(0, spec.arguments?.length ?? 0);
      const [excess] = command.args.slice(values.length);
      if (spec.commands && excess !== undefined) refuseCommand(command, excess);
      if (spec.name === 'help') helpOf(program, command.args);
      chosen = {
        name,
        globals: { ...DEFAULTS, ...program.opts<Partial<Globals>>() },
        options: command.opts(),
        args: values,
      };
    });
    for (const sub of spec.commands ?? []) add(command, sub, `${name} ${sub.name}`);
  };
  const all = [...commands.filter(({ name }) => !own.some((one) => one.name === name)), ...own];
  for (const spec of all) if (!spec.hidden) add(program, spec);
  try {
    program.parse(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return undefined;
    throw error;
  }
  return chosen;
}

export { CommanderError };
