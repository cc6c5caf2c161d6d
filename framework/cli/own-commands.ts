import { isLakehouseError, LakehouseError } from '../common/errors.ts';
import type { CommandDefinition } from '../define/command.ts';
import { type CommandSpec, commands, globalOptions } from './catalog.ts';
import type { Globals } from './console.ts';
import { type Context, createContext } from './context.ts';
import type { Io } from './io.ts';
import type { Chosen } from './program.ts';

/** Commands that the definitions declare. */
export interface OwnCommands {
  readonly specs: readonly CommandSpec[];
  readonly byName: ReadonlyMap<string, CommandDefinition>;
  /** Why they are not known, without secrets. */
  readonly failure?: string;
}

export const NO_COMMANDS: OwnCommands = { specs: [], byName: new Map() };

/** The words of a command line that are no options and no options' values, and the options that say where the definitions are. */
function outline(args: readonly string[]): { words: string[]; globals: Globals } {
  const words: string[] = [];
  const taking = new Map(
    globalOptions.flatMap(({ flags }) => {
      const [, name] = /--([a-z-]+) </.exec(flags) ?? [];
      return name === undefined ? [] : [[name, [] as string[]]];
    }),
  );
  for (let i = 0; i < args.length; i++) {
    const [, name = '', value] = /^--([a-z-]+)(?:=(.*))?$/s.exec(args[i] ?? '') ?? [];
    const values = taking.get(name);
    if (values) values.push(value ?? args[++i] ?? '');
    else if (!args[i]?.startsWith('-')) words.push(args[i] as string);
  }
  const last = (name: string) => taking.get(name)?.at(-1);
  const [config, profile] = [last('config'), last('profile')];
  return {
    words,
    globals: {
      ...(config !== undefined && { config }),
      ...(profile !== undefined && { profile }),
      set: taking.get('set') ?? [],
      json: false,
      debug: false,
      color: false,
      quiet: true,
    },
  };
}

/**
 * The definitions' own commands, where a command line may mean one: it begins with a word that is no command, or one that is followed by
 * a plain word (`query info`), or it asks for the help of everything. Loading definitions takes time, which others need not wait for.
 */
export async function ownCommands(args: readonly string[], io: Io): Promise<OwnCommands> {
  const { words, globals } = outline(args);
  const [first, second] = words;
  const known = commands.find(({ name }) => name === first);
  const asks = first === undefined ? !args.some((arg) => arg === '--version' || arg === '-V') : first === 'help';
  const may = known ? /^[a-z-]+$/.test(second ?? '') && !known.commands?.some(({ name }) => name === second) : !asks;
  if (known?.hidden || (!asks && !may)) return NO_COMMANDS;
  const context = createContext(io, globals, args);
  try {
    const { definition } = await context.configuration();
    for (const { name } of definition.commands) refuseTaken(name);
    const byName = new Map(definition.commands.map((one) => [one.name, one]));
    const mine =
      may && known && !asks
        ? definition.commands.filter(({ name }) => name === `${first} ${second}`)
        : definition.commands;
    return { specs: specsOf(mine), byName };
  } catch (failure) {
    // Where there are no definitions, nobody misses their commands.
    return isLakehouseError(failure) && failure.code === 'no-definitions'
      ? NO_COMMANDS
      : { ...NO_COMMANDS, failure: context.redact(failure instanceof Error ? failure.message : String(failure)) };
  } finally {
    context.dispose();
  }
}

/** @throws LakehouseError `command-taken` (usage). */
function refuseTaken(name: string): void {
  const [first, second, ...more] = name.split(' ');
  const builtin = commands.find((one) => one.name === first);
  const taken = builtin && (second === undefined || builtin.commands?.some((one) => one.name === second));
  if (!taken && more.length === 0) return;
  throw new LakehouseError(
    'command-taken',
    taken
      ? `The definitions declare a command '${name}', which every lakehouse has`
      : `The definitions declare a command '${name}', which is more than two words`,
    { hint: 'Call it otherwise: one word, or two.' },
  );
}

/** As commands of the catalog: those whose first word is the same are subcommands of one. */
function specsOf(definitions: readonly CommandDefinition[]): CommandSpec[] {
  const specOf = ({ name, summary, description, options, examples }: CommandDefinition): CommandSpec => ({
    name: name.slice(name.indexOf(' ') + 1),
    summary,
    group: 'Lake',
    ...(description !== undefined && { description }),
    options: (options ?? []).map(({ flags, description, choices, required }) => ({
      flags,
      description,
      value: 'text' as const,
      ...(choices && { choices }),
      ...(required && { required }),
    })),
    ...(examples && { examples }),
    json: 'print what the command it stands for prints',
  });
  const groups = Map.groupBy(definitions, ({ name }) => name.split(' ')[0] ?? '');
  return [...groups].flatMap(([first, group]): CommandSpec[] => {
    if (group.length === 1 && group[0]?.name === first) return [specOf(group[0])];
    const builtin = commands.find(({ name }) => name === first);
    const below = group.map(specOf);
    const names = below.map(({ name }) => name).join(', ');
    return [
      builtin
        ? { ...builtin, commands: [...(builtin.commands ?? []), ...below] }
        : { name: first, group: 'Lake', summary: names, commands: below },
    ];
  });
}

/** The command line that a chosen command stands for, with the options of all commands as they were given. */
export async function becomes(chosen: Chosen, own: CommandDefinition, context: Context): Promise<string[]> {
  const { globals, options } = chosen;
  const { loaded } = await context.configuration();
  const words = own.becomes({ options: options as never, settings: loaded.settings });
  const { config, profile, set, json, debug, color, quiet } = globals;
  return [
    ...words,
    ...(config === undefined ? [] : ['--config', config]),
    ...(profile === undefined ? [] : ['--profile', profile]),
    ...set.flatMap((one) => ['--set', one]),
    ...(json ? ['--json'] : []),
    ...(debug ? ['--debug'] : []),
    ...(color ? [] : ['--no-color']),
    ...(quiet ? ['--quiet'] : []),
  ];
}
