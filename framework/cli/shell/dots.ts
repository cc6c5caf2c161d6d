import { LakehouseError } from '../../common/errors.ts';
import { globToRegExp } from '../../common/glob.ts';
import { closest, didYouMean } from '../../common/suggest.ts';
import type { LakeTable } from '../../report/tables.ts';
import { SHELL_FORMATS, type ShellSession } from './model.ts';

/** A command of the shell itself. */
export interface DotCommand {
  readonly name: string;
  /** What may stand behind it; '' for nothing. */
  readonly usage: string;
  readonly help: string;
  /** What its argument may be, for completion. */
  readonly offers?: (session: ShellSession) => readonly string[];
  /** Throws LakehouseError `bad-command` (usage), and what reading a file throws. */
  readonly run: (session: ShellSession, argument: string, signal: AbortSignal) => Promise<void> | void;
}

const bad = (message: string, hint = '.help says what there is.'): LakehouseError =>
  new LakehouseError('bad-command', message, { hint });

const tableNamesOf = ({ tables }: ShellSession): readonly string[] => tables().map(({ name }) => name);

const bare = (name: string): string => name.slice(name.indexOf('.') + 1);

/** Throws LakehouseError `unknown-table`, `ambiguous-table` (usage). */
function findTable(tables: readonly LakeTable[], written: string): LakeTable {
  const meant = written.replace('/', '.').toLowerCase();
  // A key of several parts has its slashes in the name of its table too.
  const all = [meant, written.toLowerCase()];
  const found = tables.filter(({ name }) => all.includes(name) || all.includes(bare(name)));
  const [table] = found;
  if (table && found.length === 1) return table;
  if (table)
    throw new LakehouseError('ambiguous-table', `There are several tables '${written}'`, {
      hint: `Write ${found.map(({ name }) => `'${name}'`).join(' or ')}.`,
    });
  const near = closest(bare(meant), new Set(tables.map(({ name }) => bare(name))));
  const names = tables.map(({ name }) => name).filter((name) => near.includes(bare(name)));
  throw new LakehouseError('unknown-table', `There is no table '${written}'`, {
    hint: names.length > 0 ? `Did you mean ${names.map((name) => `'${name}'`).join(' or ')}?` : '.tables lists them.',
  });
}

export const dotCommands: readonly DotCommand[] = [
  {
    name: 'tables',
    usage: '[pattern]',
    help: 'list the tables, those with the pattern in their name: .tables kl, .tables gold.*',
    run: ({ tables, list }, pattern) => {
      const glob = /[*?]/.test(pattern) ? globToRegExp(pattern) : undefined;
      const found = tables().filter(({ name }) => (glob ? glob.test(name) : name.includes(pattern)));
      return list(
        ['name', 'kind', 'description'],
        found.map(({ name, kind, description }) => [name, kind, description ?? '']),
      );
    },
  },
  {
    name: 'schema',
    usage: '<table>',
    help: 'list the columns of a table',
    offers: tableNamesOf,
    run: async ({ tables, list, describe }, name, signal) => {
      if (name === '') throw bad('.schema needs the name of a table', 'e.g. .schema silver.klines');
      const table = findTable(tables(), name);
      // What a view gives is known only to DuckDB.
      if (table.kind === 'view') return describe(table.name, signal);
      return list(
        ['column', 'type', 'description'],
        table.columns.map((column) => [column.name, column.type ?? '', column.description ?? '']),
      );
    },
  },
  {
    name: 'format',
    usage: '[format]',
    help: 'how rows are printed: table, csv, json, ndjson, or for a file (.output) parquet, arrow',
    offers: () => SHELL_FORMATS,
    run: ({ state, say }, given) => {
      if (given === '') return say(state.format);
      const format = SHELL_FORMATS.find((one) => one === given);
      if (format === undefined) throw bad(`There is no format '${given}'`, didYouMean(given, SHELL_FORMATS));
      state.format = format;
    },
  },
  {
    name: 'limit',
    usage: '[rows]',
    help: 'print at most so many rows, 0 for all; without a number as at the start',
    run: ({ state }, given) => {
      if (!/^\d{0,15}$/.test(given)) throw bad(`.limit ${given}: it is a whole number`);
      state.limit = given === '' ? undefined : Number(given);
    },
  },
  {
    name: 'output',
    usage: '[file]',
    help: 'write the next result to a file, whole or not at all; without a file to the screen after all',
    run: (session, file) => {
      session.state.output = file === '' ? undefined : session.pathOf(file);
    },
  },
  {
    name: 'read',
    usage: '<file>',
    help: 'run the statements of a file',
    run: (session, file, signal) => {
      if (file === '') throw bad('.read needs a file');
      return session.read(file, signal);
    },
  },
  {
    name: 'param',
    usage: '[name=value]',
    help: 'what $name stands for in statements, as --param has it; name alone forgets it; nothing lists them',
    offers: ({ state }) => [...state.parameters.keys()],
    run: ({ state, setParameter, list }, text) => {
      if (text !== '') return setParameter(text);
      return list(
        ['parameter', 'given'],
        [...state.parameters].map(([name, given]) => [`$${name}`, given]),
      );
    },
  },
  {
    name: 'asof',
    usage: '[when]',
    help: 'ask the lake as it was: a run, a time (UTC), or a revision (@123); .asof now as it is',
    offers: () => ['now', 'last'],
    run: ({ state, setAsOf, say }, when) => {
      if (when !== '') return setAsOf(when);
      say(state.asOf ? `revision ${state.asOf.revision}` : 'now');
    },
  },
  {
    name: 'timing',
    usage: '[on|off]',
    help: 'say after each statement how long it took',
    offers: () => ['on', 'off'],
    run: ({ state, say }, given) => {
      if (given === '') return say(state.timing ? 'on' : 'off');
      if (given !== 'on' && given !== 'off') throw bad(`.timing ${given}: it is on or off`);
      state.timing = given === 'on';
    },
  },
  {
    name: 'quit',
    usage: '',
    help: 'leave; so does Ctrl-D',
    run: (session) => session.leave(),
  },
  {
    name: 'help',
    usage: '',
    help: 'say this',
    run: ({ say }) => {
      const width = Math.max(...dotCommands.map(({ name, usage }) => name.length + usage.length + 1));
      const lines = dotCommands.map(({ name, usage, help }) => `.${`${name} ${usage}`.padEnd(width)}  ${help}`);
      return say(
        [
          'A statement ends with a semicolon and may go over several lines. Tab completes; Ctrl-C stops what is running.',
          ...lines,
        ].join('\n'),
      );
    },
  },
];

/**
 * The command of a line that begins with a full stop, with its argument.
 * @throws LakehouseError `bad-command` (usage).
 */
export function readDot(line: string): { readonly command: DotCommand; readonly argument: string } {
  const [, name = '', rest = ''] = /^\.([^\s;]*)\s*(.*?);?\s*$/s.exec(line.trim()) ?? [];
  const known = name === 'exit' ? 'quit' : name;
  const command = dotCommands.find((one) => one.name === known);
  if (!command) {
    const near = didYouMean(
      name,
      dotCommands.map((one) => one.name),
    );
    throw bad(`There is no command '.${name}'`, near);
  }
  if (command.usage === '' && rest !== '') throw bad(`.${name} takes no argument`);
  return { command, argument: rest.trim().replace(/^(['"])(.*)\1$/, '$2') };
}
