import { Box, Transform, useApp, useInput, usePaste, useWindowSize } from 'ink';
import { createElement, type ReactNode, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { keysOf } from '../model/keys.ts';
import { ascii } from '../view/text.ts';
import type { Theme } from '../view/theme.ts';
import type { Controller } from './controller.ts';
import { draw, type Stage } from './draw.ts';
import type { Session } from './session.ts';

export interface AppProps {
  readonly session: Session;
  readonly controller: Controller;
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

/** The whole screen: its lines are drawn outside of React. */
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
  // Ink measures and cuts what it is given, which takes it longer than drawing does: it is given blanks, and the lines, which fit, in
  // their stead.
  const blank = Array.from({ length: rows }, () => ' ').join('\n');
  return createElement(
    Box,
    { width: columns, height: rows },
    createElement(Transform, { transform: (_, i) => lines[i] ?? '' }, blank),
  );
}
