import { Box, Text, useApp, useInput, usePaste, useWindowSize } from 'ink';
import { createElement, type ReactNode, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { keysOf } from '../model/keys.ts';
import { width } from '../view/text.ts';
import type { Theme } from '../view/theme.ts';
import type { createController } from './controller.ts';
import { draw, type Stage } from './draw.ts';
import type { Session } from './session.ts';

export interface AppProps {
  readonly session: Session;
  readonly controller: ReturnType<typeof createController>;
  readonly theme: Theme;
  readonly title: string;
  readonly program: string;
  readonly now: () => number;
  /** Told whenever the terminal has another size. */
  readonly resized: (size: Stage['size']) => void;
  /** Told how to leave, and how to hand the terminal over for a while. */
  readonly attached: (app: Pick<ReturnType<typeof useApp>, 'exit' | 'suspendTerminal'>) => void;
}

/** Ages on the screen are drawn anew this often. */
const TICK_MS = 1000;

const PLAIN: Readonly<Record<string, string>> = {
  '↑': '^',
  '↓': 'v',
  '←': '<',
  '→': '>',
  '…': '~',
  '×': 'x',
  '–': '-',
};
/** What a terminal that knows only ASCII shows of a line, in as many cells: what the lake holds may be in any script. */
const ascii = (line: string) =>
  line.replace(/\P{ASCII}/gu, (character) => PLAIN[character] ?? '?'.repeat(width(character)));

/** The whole screen: a `<Text>` per line, everything else is drawn outside of React. */
export function App({ session, controller, theme, title, program, now, resized, attached }: AppProps): ReactNode {
  const state = useSyncExternalStore(session.store.subscribe, session.store.get);
  const { columns, rows } = useWindowSize();
  const [, tick] = useState(0);
  const shown = useRef({ lines: [] as readonly string[], make: (): readonly string[] => [] });
  useEffect(() => {
    // Drawing costs a tenth of what React and Ink make of it, and mostly no age has changed.
    const timer = setInterval(() => {
      const { lines, make } = shown.current;
      if (make().some((line, i) => line !== lines[i])) tick((n) => n + 1);
    }, TICK_MS);
    return () => clearInterval(timer);
  }, []);
  const { exit, suspendTerminal } = useApp();
  useEffect(() => attached({ exit, suspendTerminal }), [exit, suspendTerminal, attached]);
  useEffect(() => resized({ columns, rows }), [columns, rows, resized]);
  useInput((input, key) => {
    for (const one of keysOf(input, key)) controller.press(one);
  });
  usePaste((text) => controller.paste(text));
  const make = (): string[] => {
    const drawn = draw(state, { session, title, program, now: now(), size: { columns, rows } }, theme);
    return theme.unicode ? drawn : drawn.map(ascii);
  };
  const lines = make();
  shown.current = { lines, make };
  return createElement(
    Box,
    { flexDirection: 'column', width: columns, height: rows },
    lines.map((line, i) => createElement(Text, { key: i, wrap: 'truncate' }, line === '' ? ' ' : line)),
  );
}
