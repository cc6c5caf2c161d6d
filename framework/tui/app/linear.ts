import { emitKeypressEvents, type Interface, type Key } from 'node:readline';
import type { Size } from '../model/data.ts';
import { type KeyFlags, keysOf } from '../model/keys.ts';
import { ascii } from '../view/text.ts';
import { createNarrator } from './linear-narrator.ts';
import { fieldOf } from './linear-told.ts';
import type { Shown, Surface } from './surface.ts';

/** So long after an escape nothing came of a sequence of characters: it was the key. */
const ESCAPE_MS = 50;

/** One line is told at a time, so that each can be the one: lists scroll as if there were room for no more. */
const LINE: Size = { columns: 80, rows: 3 };
/** Lines of a page, which are as many as one cares to skip. */
const PAGE = 10;
const PAGES: Readonly<Record<string, string>> = { pagedown: 'down', pageup: 'up' };

const FLAGS: Readonly<Record<string, keyof KeyFlags>> = {
  up: 'upArrow',
  down: 'downArrow',
  left: 'leftArrow',
  right: 'rightArrow',
  pageup: 'pageUp',
  pagedown: 'pageDown',
  home: 'home',
  end: 'end',
  return: 'return',
  enter: 'return',
  escape: 'escape',
  tab: 'tab',
  backspace: 'backspace',
  delete: 'delete',
};

function keysTyped(text: string | undefined, { name = '', ctrl = false, shift = false, meta = false }: Key): string[] {
  const flag = FLAGS[name];
  if (flag) return keysOf('', { [flag]: true, ctrl, shift });
  if (ctrl) return keysOf(name, { ctrl });
  return keysOf(text ?? (meta && name.length === 1 ? (shift ? name.toUpperCase() : name) : ''), { meta });
}

/**
 * For screen readers: what happens is told in lines that are added to the terminal, which is told nothing else: no colours, and no
 * moving of the cursor. What is pasted comes as keys: nothing that changes the lake is done by keys that come all at once.
 */
export function linearSurface(shown: Shown): Surface {
  const { session, controller, stdin, stdout, theme, title, now, suspend, signal } = shown;
  const write = (text: string) => void stdout.write(theme.unicode ? text : ascii(text));
  const narrator = createNarrator({ session, now, size: LINE, write });
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const keypress = (text: string | undefined, key: Key) => {
    for (const one of keysTyped(text, key)) {
      narrator.pressed(one);
      const step = fieldOf(session.store.get()) ? undefined : PAGES[one];
      for (let i = step ? PAGE : 1; i > 0; i--) controller.press(step ?? one);
    }
  };
  const listen = () => {
    stdin.setRawMode(true);
    stdin.on('keypress', keypress);
    stdin.resume();
  };
  const deafen = () => {
    stdin.off('keypress', keypress);
    stdin.setRawMode(false);
    stdin.pause();
  };
  emitKeypressEvents(stdin, { escapeCodeTimeout: ESCAPE_MS } as unknown as Interface);
  signal.addEventListener('abort', end, { once: true });
  narrator.say(`${title}. ? for help, q leaves.`);
  listen();
  narrator.begin();
  if (signal.aborted) end();
  return {
    size: () => LINE,
    leave: end,
    suspend: () => {
      narrator.end();
      deafen();
      void suspend().then(() => {
        listen();
        narrator.begin();
      });
    },
    ended: async () => {
      try {
        await ended;
      } finally {
        signal.removeEventListener('abort', end);
        narrator.end();
        deafen();
      }
    },
  };
}
