import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { LakehouseError } from '../../common/errors.ts';
import type { Context } from '../context.ts';
import { INTERRUPTED } from '../failure.ts';
import { openHistory, REMEMBERED } from './history.ts';
import type { ShellSession } from './model.ts';
import { oneLine } from './statements.ts';

/** When asking an earlier lake it says so. */
const promptOf = ({ begun, state: { asOf } }: ShellSession): string => {
  const prompt = `lakehouse${asOf ? ` @${asOf.revision}` : ''}> `;
  return begun === '' ? prompt : '...> '.padStart(prompt.length);
};

/** A terminal that gives each key at once, or (not raw) whole lines and Ctrl-C as a signal. */
export type Keyboard = Readable & { setRawMode(on: boolean): unknown };

export interface Conversation {
  readonly stdin: Keyboard;
  readonly screen: NodeJS.WriteStream;
  /** The file of the history; none is kept without. */
  readonly history: string | undefined;
  /** Says what went wrong. */
  readonly tell: (error: unknown) => void;
}

/**
 * Talks with a person until they leave. While a statement runs the terminal is an ordinary one, so that Ctrl-C is the signal that
 * it is everywhere and what is typed ahead waits.
 * @returns the exit code.
 */
export async function converse(
  { io, console, redact }: Context,
  session: ShellSession,
  { stdin, screen, history: file, tell }: Conversation,
): Promise<number> {
  const history = await openHistory(file, console.warn);
  const rl = createInterface({
    input: stdin,
    output: screen,
    prompt: promptOf(session),
    history: [...history.entries],
    historySize: REMEMBERED,
    completer: (before: string) => {
      const { candidates, word } = session.complete(rl.line, before.length);
      return [[...candidates], word];
    },
  });
  // What is called back is whole statements, not their lines.
  let shown: string[] = [];
  rl.on('history', (lines) => {
    shown = lines;
    shown.splice(0, shown.length, ...history.entries);
  });

  const waiting: string[] = [];
  let statement: string[] = [];
  let running: AbortController | undefined;
  let busy = false;
  let code = 0;
  const { promise: closed, resolve: close } = Promise.withResolvers<void>();

  const remember = async () => {
    const text = statement.join('\n');
    statement = [];
    // As shells have it: what begins with a space is nobody's business.
    if (text.startsWith(' ')) return;
    const entry = oneLine(text);
    if (entry === undefined || entry === '') return;
    await history.add(redact(entry));
    shown.splice(0, shown.length, ...history.entries);
  };
  const carryOut = async (line: string) => {
    const own = new AbortController();
    running = own;
    statement.push(line);
    try {
      await session.line(line, own.signal);
    } catch (error) {
      session.drop();
      // What was typed ahead counted on it.
      waiting.length = 0;
      if (own.signal.aborted) console.note('Stopped.');
      else tell(error);
    }
    running = undefined;
    if (session.begun === '') await remember();
  };
  const work = async () => {
    if (busy) return;
    busy = true;
    rl.pause();
    stdin.setRawMode(false);
    for (let line = waiting.shift(); line !== undefined; line = waiting.shift()) {
      await carryOut(line);
      if (session.left || code !== 0) break;
    }
    busy = false;
    if (session.left || code !== 0) return rl.close();
    stdin.setRawMode(true);
    rl.setPrompt(promptOf(session));
    // With what was typed ahead.
    rl.prompt(true);
  };
  const stop = () => running?.abort(new LakehouseError('interrupted', 'It was stopped', { kind: 'transient' }));
  const end = (exit: number) => () => {
    code = exit;
    stop();
    if (!busy) rl.close();
  };
  const forget = [
    io.onSignal('SIGINT', stop),
    io.onSignal('SIGTERM', end(INTERRUPTED.SIGTERM)),
    io.onSignal('SIGHUP', end(129)),
  ];
  rl.on('line', (line) => {
    waiting.push(line);
    work().catch(tell);
  });
  rl.on('SIGINT', () => {
    session.drop();
    statement = [];
    rl.write(null, { ctrl: true, name: 'e' });
    rl.write(null, { ctrl: true, name: 'u' });
    screen.write('^C\n');
    rl.setPrompt(promptOf(session));
    rl.prompt();
  });
  rl.on('close', () => close());
  try {
    rl.prompt();
    await closed;
    if (!session.left) screen.write('\n');
    return code;
  } finally {
    for (const each of forget) each();
    rl.close();
  }
}
