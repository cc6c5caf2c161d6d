import type { Size } from '../model/data.ts';
import type { UiMessage, UiState } from '../model/state.ts';
import { bodySize } from '../view/frame.ts';
import { createTheme } from '../view/theme.ts';
import type { Session } from './session.ts';
import type { Update } from './ui-store.ts';

export interface ControllerOptions {
  readonly session: Session;
  /** Of the terminal as it is. */
  readonly size: () => Size;
  readonly now: () => number;
  /** How the shell calls this program. */
  readonly program: string;
  /** Puts a text on the clipboard; undefined where the terminal has none. */
  readonly copy: ((text: string) => void) | undefined;
  readonly quit: () => void;
  readonly suspend: () => void;
}

/** What everything that keys do works with. */
export interface UiContext extends ControllerOptions {
  readonly graph: Session['graph'];
  readonly state: () => UiState;
  readonly change: (update: Update) => void;
  readonly patch: (some: Partial<UiState>) => void;
  /** Says something in the last line. */
  readonly tell: (text: string, kind?: UiMessage['kind']) => void;
  /** Of what is between the title and the last line. */
  readonly body: () => Size;
}

export function createContext(options: ControllerOptions): UiContext {
  const { store, graph } = options.session;
  const patch = (some: Partial<UiState>) => store.dispatch((before) => ({ ...before, ...some }));
  return {
    ...options,
    graph,
    state: store.get,
    change: store.dispatch,
    patch,
    tell: (text, kind = 'info') => patch({ message: { kind, text } }),
    body: () => bodySize(options.size()),
  };
}

/** Makes an asset the one that all screens are about. */
export function choose({ state, patch }: UiContext, asset: string | undefined): void {
  if (asset !== undefined && asset !== state().asset) patch({ asset, detail: undefined });
}

/** Where the cursor of a list goes: by so many rows, or to an end. */
export type Move = number | 'first' | 'last';

/** For measuring what is drawn: colours take no room. */
export const PLAIN = createTheme('none', true);

export const clamped = (value: number, most: number): number => Math.min(Math.max(value, 0), Math.max(most, 0));
