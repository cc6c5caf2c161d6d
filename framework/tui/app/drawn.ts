import { render } from 'ink';
import { createElement } from 'react';
import type { Size } from '../model/data.ts';
import { App, type AppProps } from './app.ts';
import type { Shown, Surface } from './surface.ts';

/** Frames a second at most: a key that is held down has one of its own each time, and the first one comes at once. */
const FPS = 60;
/** A window that is dragged to another size has it when nothing was said of it for so long. */
const SETTLE_MS = 100;
/** The cursor to the upper left corner, and nothing on the screen. */
const CLEAR = '\u001b[H\u001b[2J';

/** The whole terminal, drawn by Ink. */
export function drawnSurface(shown: Shown): Surface {
  const { session, controller, stdin, stdout, theme, title, program, now, signal } = shown;
  let size: Size = { columns: stdout.columns || 80, rows: stdout.rows || 24 };
  let leave: () => void = () => undefined;
  let suspend: () => void = () => undefined;
  const resized = (to: Size) => {
    size = to;
  };
  const attached: AppProps['attached'] = ({ exit, suspendTerminal }) => {
    leave = () => exit();
    suspend = () => void suspendTerminal(shown.suspend);
  };
  const element = () =>
    createElement(App, { session, controller, theme, title, program, now, resized, attached } satisfies AppProps);
  const begin = () =>
    render(element(), {
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
  const app = orRestored(begin, stdin, stdout);
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
  return {
    size: () => size,
    leave: () => leave(),
    suspend: () => suspend(),
    ended: async () => {
      try {
        await app.waitUntilExit();
      } finally {
        stdout.off('resize', settle);
        clearTimeout(settling);
        signal.removeEventListener('abort', stop);
      }
    },
  };
}

/** Main screen, visible cursor, and what is pasted comes as it is. */
const RESTORE = '\u001b[?2004l\u001b[?25h\u001b[?1049l';

/** Where drawing fails at its very beginning nobody else gives the terminal back. */
function orRestored<T>(begin: () => T, stdin: NodeJS.ReadStream, stdout: NodeJS.WriteStream): T {
  try {
    return begin();
  } catch (error) {
    try {
      stdin.setRawMode(false);
      stdin.unref();
      stdout.write(RESTORE);
    } catch {
      // A terminal that is gone needs none of it; why drawing failed says more.
    }
    throw error;
  }
}
