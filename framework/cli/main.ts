import { serializeError } from '../common/errors.ts';
import type { CommandDefinition } from '../define/command.ts';
import { type CommandSpec, commands } from './catalog.ts';
import { createConsole, jsonText } from './console.ts';
import { type Context, createContext, quoteWord } from './context.ts';
import { exitCodeOf, FAILED, failureText, USAGE } from './failure.ts';
import { type Io, processIo } from './io.ts';
import { loaders } from './loaders.ts';
import { becomes, NO_COMMANDS, type OwnCommands, ownCommands } from './own-commands.ts';
import { type Chosen, CommanderError, readCommandLine } from './program.ts';

/**
 * Runs one command line. Resolves to the exit code: 0 done, 1 some partitions (or the command) failed, 2 the command line, the
 * settings or the definitions are wrong, 130 and 143 interrupted. Never rejects.
 */
export function main(args: readonly string[], io: Io = processIo()): Promise<number> {
  return carry(args, io, true);
}

/** @param allowed whether it may be a command of the definitions. What such a command stands for is none. */
async function carry(args: readonly string[], io: Io, allowed: boolean): Promise<number> {
  const own = allowed ? await ownCommands(args, io) : NO_COMMANDS;
  let chosen: Chosen | undefined;
  try {
    chosen = choose(args, io, own.specs);
  } catch (error) {
    return reportUsage(error, args, io, own);
  }
  if (chosen === undefined) return 0;
  const definition = own.byName.get(chosen.name);
  if (definition) return carryOut(chosen, definition, args, io);
  const context = createContext(io, chosen.globals, args);
  try {
    const load = loaders[chosen.name];
    if (!load) throw new Error(`nothing carries out '${chosen.name}'`);
    const { run } = await load();
    const code = await run(context, chosen.options as never, ...(chosen.args as never[]));
    await io.stdout.drained();
    if (io.stdout.failure) throw io.stdout.failure;
    return context.interrupted() ?? code ?? 0;
  } catch (error) {
    return report(error, context);
  } finally {
    context.dispose();
  }
}

/** A command of the definitions: as the command line that it stands for. */
async function carryOut(chosen: Chosen, own: CommandDefinition, args: readonly string[], io: Io): Promise<number> {
  const context = createContext(io, chosen.globals, args);
  let words: string[];
  try {
    words = await becomes(chosen, own, context);
    // Under another name it would not be found again when somebody wants to know what was run.
    context.console.note(`= ${context.redact(`lakehouse ${words.map(quoteWord).join(' ')}`)}`);
  } catch (error) {
    return report(error, context);
  } finally {
    context.dispose();
  }
  return carry(words, io, false);
}

function choose(args: readonly string[], io: Io, own: readonly CommandSpec[]): Chosen | undefined {
  const width = Math.min(io.stdout.columns ?? 100, 120);
  if (args.length > 0)
    return readCommandLine(args, { out: (text) => io.stdout.write(text), error: () => undefined, width }, own);
  // Without arguments the help is the answer, not a complaint.
  return readCommandLine(['--help'], { out: (text) => io.stdout.write(text), error: () => undefined, width }, own);
}

/** Whether the arguments ask for JSON, as far as that can be told of a line that could not be read. */
const asksForJson = (args: readonly string[]) =>
  args.includes('--json') && !args.slice(0, args.indexOf('--json')).includes('--');

function reportUsage(error: unknown, args: readonly string[], io: Io, { specs, failure }: OwnCommands): number {
  const globals = { json: asksForJson(args), color: !args.includes('--no-color'), quiet: false };
  const console = createConsole(io, globals);
  if (!(error instanceof CommanderError)) {
    io.stderr.write(`${failureText(error, console.errorStyle, args.includes('--debug'))}\n`);
    return FAILED;
  }
  const [first = '', ...rest] = error.message.replace(/^error: /, '').split('\n');
  const hint = [
    ...rest.map((line) => line.replace(/^\((.*)\)$/, '$1')),
    `Run 'lakehouse ${commandOf(args, specs)}--help' for what there is.`,
    ...(failure !== undefined && error.code === 'commander.unknownCommand'
      ? [`Commands of the definitions are not known: ${failure}`]
      : []),
  ].join(' ');
  if (globals.json)
    io.stdout.write(
      `${jsonText({ error: { message: first, code: error.code.replace('commander.', 'cli-').replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`), kind: 'usage', hint } })}\n`,
    );
  else io.stderr.write(`${console.errorStyle.bad('lakehouse:')} ${first}\n  ${hint}\n`);
  return USAGE;
}

/** The command that was meant, with a space behind it; '' where none is known. */
function commandOf(args: readonly string[], own: readonly CommandSpec[]): string {
  const [first, second] = args.filter((arg) => !arg.startsWith('-'));
  const command = [...own, ...commands].find(({ name, hidden }) => name === first && name !== 'help' && !hidden);
  const below = command?.commands?.find(({ name }) => name === second);
  return [command, below].map((one) => (one ? `${one.name} ` : '')).join('');
}

function report(error: unknown, context: Context): number {
  const { io, globals, console, redact } = context;
  const interrupted = context.interrupted();
  if (interrupted !== undefined) {
    if (globals.json)
      io.stdout.write(
        `${jsonText({ error: { message: 'It was interrupted', code: 'interrupted', kind: 'transient' } })}\n`,
      );
    else console.note('Stopped. Nothing unfinished was kept; run it again to go on.');
    return interrupted;
  }
  if (globals.json) io.stdout.write(`${redact(jsonText({ error: serializeError(error) }))}\n`);
  else io.stderr.write(`${redact(failureText(error, console.errorStyle, context.debug()))}\n`);
  return exitCodeOf(error);
}
