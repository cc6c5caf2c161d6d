import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { serializeError } from '../../common/errors.ts';
import { plural } from '../../report/format.ts';
import { jsonText } from '../console.ts';
import type { Context } from '../context.ts';
import { exitCodeOf, failureText } from '../failure.ts';
import { noLake } from '../no-lake.ts';
import type { QueryFormat } from '../queries.ts';
import { converse, type Keyboard } from '../shell/interactive.ts';
import type { ShellSession } from '../shell/model.ts';
import { createSession } from '../shell/session.ts';

export interface ShellOptions {
  readonly format: QueryFormat;
  readonly limit?: number;
  readonly param?: readonly string[];
  readonly asOf?: string;
  readonly allow?: readonly string[];
  readonly timing?: boolean;
  readonly keepGoing?: boolean;
  /** False for `--no-history`. */
  readonly history: boolean;
}

export async function run(context: Context, options: ShellOptions): Promise<number | undefined> {
  const { io, globals, console } = context;
  const format = globals.json && options.format === 'table' ? 'ndjson' : options.format;
  const tell = (error: unknown) => {
    if (globals.json) console.print(context.redact(jsonText({ error: serializeError(error) })));
    else io.stderr.write(`${context.redact(failureText(error, console.errorStyle, context.debug()))}\n`);
  };
  return context.withLake('read', async (lake) => {
    const missing = await noLake(context, lake);
    if (missing !== undefined) console.warn(`${missing}: all its tables are empty.`);
    const { stdin, screen } = io;
    let code: number | undefined;
    const { limit, param: parameters, asOf, timing } = options;
    const allow = options.allow?.map((path) => resolve(io.cwd, path));
    const initial = { format, limit, parameters, asOf, timing, allow };
    const session = createSession(context, lake, initial, (error) => {
      if (!options.keepGoing) throw error;
      tell(error);
      code = Math.max(code ?? 0, exitCodeOf(error));
    });
    if (stdin.isTTY && screen?.isTTY && 'setRawMode' in stdin) {
      console.note(
        `${plural(session.tables().length, 'table')}. A statement ends with ';'. Tab completes, .help says more, Ctrl-D leaves.`,
      );
      const home = io.env.HOME ?? io.env.USERPROFILE;
      const history = options.history && home !== undefined ? `${home}/.lakehouse_history` : undefined;
      return converse(context, session, { stdin: stdin as Keyboard, screen, history, tell });
    }
    await runAll(session, stdin, context.interrupts().signal);
    return code;
  });
}

/** One line after another, each when what came before it has been run. */
async function runAll(session: ShellSession, input: NodeJS.ReadableStream, signal: AbortSignal): Promise<void> {
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY, signal });
  try {
    for await (const line of lines) {
      await session.line(line, signal);
      if (session.left) return;
    }
    signal.throwIfAborted();
    await session.end(signal);
  } finally {
    lines.close();
  }
}
