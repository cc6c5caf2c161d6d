import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { sqlTokens } from '../../code/sql.ts';
import { LakehouseError } from '../../common/errors.ts';
import { quoteIdentifier } from '../../define/sql.ts';
import { parseParameters } from '../../engine/parameters.ts';
import { parseAsOf } from '../../materialize/history.ts';
import type { OpenedLake } from '../../materialize/open.ts';
import { number, table } from '../../report/format.ts';
import { type LakeTable, lakeTables } from '../../report/tables.ts';
import { tellTiming } from '../commands/query.ts';
import { jsonText } from '../console.ts';
import type { Context } from '../context.ts';
import { answer, limitOf } from '../queries.ts';
import { completeSql, tableNames } from './complete.ts';
import { dotCommands, readDot } from './dots.ts';
import type { ShellSession, ShellState } from './model.ts';
import { isBlank, splitStatements } from './statements.ts';

/** What a shell begins with. */
export interface ShellStart extends Pick<ShellState, 'format' | 'limit'> {
  readonly allow?: readonly string[] | undefined;
  readonly timing?: boolean | undefined;
  /** As `--param` and `--as-of` take them. */
  readonly parameters?: readonly string[] | undefined;
  readonly asOf?: string | undefined;
}

/**
 * @param failed takes an error so that what follows is run all the same, or throws it.
 * @throws LakehouseError `bad-parameter`, `bad-as-of` (usage).
 */
export function createSession(
  context: Context,
  lake: OpenedLake,
  { format, limit, allow = [], timing = false, parameters = [], asOf }: ShellStart,
  failed: (error: unknown) => void,
): ShellSession {
  const { io, globals, console } = context;
  const state: ShellState = {
    format,
    limit,
    allow,
    timing,
    output: undefined,
    parameters: new Map(),
    asOf: undefined,
  };
  let begun = '';
  let left = false;
  let tables: readonly LakeTable[] | undefined;
  /** Files that `.read` is at, each read by the one before. */
  const reading: string[] = [];

  const attempt = async (signal: AbortSignal, work: () => Promise<void> | void) => {
    try {
      await work();
    } catch (error) {
      signal.throwIfAborted();
      failed(error);
    }
  };
  const ask = async (sql: string, signal: AbortSignal) => {
    const { format, output, parameters, asOf, allow } = state;
    const limit = limitOf(state.limit, format, output);
    const given = parseParameters([...parameters].filter(([name]) => isNamed(sql, name)).map(([, text]) => text));
    const question = { sql, parameters: given, format, limit, output, asOf, allow, signal };
    const started = io.now();
    const answered = await answer(context, lake, question);
    const { rows, more } = answered;
    state.output = undefined;
    if (more) console.note(`Only the first ${number(rows)} rows are shown; .limit 0 shows all.`);
    if (state.timing) tellTiming(context, answered, io.now() - started, asOf?.revision ?? lake.state.index().head);
  };
  const dot = async (line: string, signal: AbortSignal) => {
    const { command, argument } = readDot(line);
    await command.run(session, argument, signal);
  };
  const run = async (text: string, signal: AbortSignal) => {
    const { statements, rest } = splitStatements(text);
    begun = isBlank(rest) ? '' : rest;
    for (const sql of statements) await attempt(signal, () => ask(sql, signal));
  };
  const line = async (text: string, signal: AbortSignal) => {
    if (begun === '' && text.trimStart().startsWith('.')) await attempt(signal, () => dot(text, signal));
    else await run(begun === '' ? text : `${begun}\n${text}`, signal);
  };
  const end = async (signal: AbortSignal) => {
    if (begun === '') return;
    const sql = begun.trim();
    begun = '';
    await attempt(signal, () => ask(sql, signal));
  };
  const session: ShellSession = {
    state,
    get begun() {
      return begun;
    },
    get left() {
      return left;
    },
    line,
    end,
    drop: () => {
      begun = '';
    },
    complete: (text, cursor) => {
      const before = text.slice(0, cursor);
      const all = session.tables().map(({ name, columns }) => ({ name, columns: columns.map((one) => one.name) }));
      const [, name, argument] = (begun === '' && /^\s*\.(\w*)(?:\s+(.*))?$/.exec(before)) || [];
      if (name === undefined) return completeSql(all, `${begun}\n${before}`, text.slice(cursor));
      if (argument === undefined) {
        const names = dotCommands.map((command) => `.${command.name}`);
        return { candidates: names.filter((one) => one.startsWith(`.${name}`)), word: `.${name}` };
      }
      const command = dotCommands.find((one) => one.name === name);
      if (name === 'schema') return tableNames(all, argument);
      return { candidates: command?.offers?.(session).filter((one) => one.startsWith(argument)) ?? [], word: argument };
    },
    tables: () => {
      tables ??= lakeTables(lake);
      return tables;
    },
    list: (names, rows) => {
      if (globals.json)
        for (const row of rows) console.print(jsonText(Object.fromEntries(names.map((name, i) => [name, row[i]]))));
      else
        console.print(
          table(
            names.map((title) => ({ title })),
            rows,
            console.style.strong,
            io.stdout.columns,
          ),
        );
    },
    describe: (name, signal) => ask(`DESCRIBE ${name.split('.').map(quoteIdentifier).join('.')}`, signal),
    say: console.print,
    setAsOf: (text) => {
      state.asOf = text === 'now' ? undefined : parseAsOf(lake.state, text, io.now());
    },
    setParameter: (text) => {
      const name = /^\$?(\w+)$/.exec(text)?.[1]?.toLowerCase();
      // Only its name: it is forgotten.
      if (name !== undefined) state.parameters.delete(name);
      else for (const one of parseParameters([text]).keys()) state.parameters.set(one, text);
    },
    pathOf: (file) => resolve(io.cwd, file),
    read: async (file, signal) => {
      const path = resolve(io.cwd, file);
      if (reading.includes(path)) throw new LakehouseError('reads-itself', `${file} reads itself`);
      const text = await readFile(path, 'utf8').catch((error: Error) => {
        throw new LakehouseError('no-statement', `Cannot read ${file}: ${error.message}`, { cause: error });
      });
      reading.push(path);
      try {
        for (const one of text.split(/\r?\n/)) if (!left) await line(one, signal);
        await end(signal);
      } finally {
        reading.pop();
      }
    },
    leave: () => {
      left = true;
    },
  };
  for (const one of parameters) session.setParameter(one);
  if (asOf !== undefined) session.setAsOf(asOf);
  return session;
}

/** Whether a statement has a parameter: `$name`, or `?` for one that has a number. */
function isNamed(sql: string, name: string): boolean {
  const isNumber = /^\d+$/.test(name);
  for (const { token } of sqlTokens(sql))
    if (token.toLowerCase() === `$${name}` || (isNumber && token === '?')) return true;
  return false;
}
