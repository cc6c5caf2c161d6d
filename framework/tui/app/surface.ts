import type { Size } from '../model/data.ts';
import type { Theme } from '../view/theme.ts';
import type { Controller } from './controller.ts';
import type { Session } from './session.ts';

/** What is shown, and where. */
export interface Shown {
  readonly session: Session;
  readonly controller: Controller;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly theme: Theme;
  readonly title: string;
  readonly program: string;
  readonly now: () => number;
  readonly suspend: () => Promise<void>;
  readonly signal: AbortSignal;
}

/** Shows a session and gives its keys to the controller: drawn on the whole terminal, or told line by line. */
export interface Surface {
  readonly size: () => Size;
  readonly leave: () => void;
  /** Gives the terminal to the shell for a while. */
  readonly suspend: () => void;
  /** Resolves when it was left, with the terminal as it was before. */
  readonly ended: () => Promise<void>;
}
