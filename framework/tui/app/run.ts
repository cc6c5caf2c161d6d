import { Buffer } from 'node:buffer';
import { render } from 'ink';
import { createElement } from 'react';
import type { OpenedLake } from '../../materialize/open.ts';
import type { Size } from '../model/data.ts';
import type { Theme } from '../view/theme.ts';
import { App, type AppProps } from './app.ts';
import { createController } from './controller.ts';
import { openSession } from './session.ts';
import { quoted, workCommand } from './shell.ts';

export interface UiOptions {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly open: (mode: 'read' | 'write') => Promise<OpenedLake>;
  readonly readOnly: boolean;
  /** The asset to begin with. */
  readonly asset: string | undefined;
  readonly theme: Theme;
  readonly title: string;
  /** How a shell calls this program with the settings it was given, such as `npx lakehouse --profile simulated`. */
  readonly program: string;
  readonly now: () => number;
  /** Stops this process until the shell lets it go on. */
  readonly suspend: () => Promise<void>;
  /** Aborted: leave now. */
  readonly signal: AbortSignal;
}

/** Milliseconds between frames at most; keys are answered at once. */
const FPS = 30;
/** A window that is dragged to another size has it when nothing was said of it for so long. */
const SETTLE_MS = 100;
/** The cursor to the upper left corner, and nothing on the screen. */
const CLEAR = '\u001b[H\u001b[2J';

/** Draws on the whole terminal until the person leaves. The terminal is as it was afterwards, whatever happens. */
export async function runUi(options: UiOptions): Promise<void> {
  const { stdin, stdout, theme, title, program, now, signal } = options;
  const session = await openSession({
    open: options.open,
    readOnly: options.readOnly,
    asset: options.asset,
    now,
    every: (ms, task) => {
      const timer = setInterval(task, ms);
      return () => clearInterval(timer);
    },
    commandLine: (request) => workCommand(request, program),
    wipeLine: (asset, partitions) =>
      [program, 'wipe', quoted(asset), ...(partitions === undefined ? [] : ['-p', quoted(partitions)])].join(' '),
  });
  let size: Size = { columns: stdout.columns || 80, rows: stdout.rows || 24 };
  let leave: () => void = () => undefined;
  let suspend: () => void = () => undefined;
  let leaving = false;
  const quit = () => {
    // A run is asked to stop, and waited for; whoever insists leaves it behind at once: nothing unfinished is ever visible.
    if (!leaving && session.cancel()) {
      leaving = true;
      void session.idle().finally(() => leave());
    } else leave();
  };
  const controller = createController({
    session,
    size: () => size,
    now,
    program,
    copy: (text) => stdout.write(`\u001b]52;c;${Buffer.from(text).toString('base64')}\u0007`),
    quit,
    suspend: () => suspend(),
  });
  const resized = (to: Size) => {
    size = to;
  };
  const attached: AppProps['attached'] = ({ exit, suspendTerminal }) => {
    leave = () => exit();
    suspend = () => void suspendTerminal(options.suspend);
  };
  const element = () =>
    createElement(App, { session, controller, theme, title, program, now, resized, attached } satisfies AppProps);
  const app = render(element(), {
    stdin,
    stdout,
    alternateScreen: true,
    incrementalRendering: true,
    exitOnCtrlC: false,
    maxFps: FPS,
    // With CI set Ink would only print the last frame; that there is a terminal has been looked at.
    interactive: true,
    isScreenReaderEnabled: false,
  });
  // What was drawn for another size may have scrolled or wrapped, and Ink writes only the lines that it changes: once the size
  // has settled, all of them are written.
  let settling: NodeJS.Timeout | undefined;
  const settle = () => {
    clearTimeout(settling);
    settling = setTimeout(() => {
      app.clear();
      stdout.write(CLEAR);
      app.rerender(element());
    }, SETTLE_MS);
  };
  stdout.on('resize', settle);
  const stop = () => app.unmount();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    await app.waitUntilExit();
  } finally {
    stdout.off('resize', settle);
    clearTimeout(settling);
    signal.removeEventListener('abort', stop);
    // Whoever leaves without waiting for a run stops it now; it would go on without a screen otherwise.
    if (session.cancel()) session.cancel();
    await session.idle();
    await session.close();
  }
}
