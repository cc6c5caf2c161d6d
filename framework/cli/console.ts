import type { Io } from './io.ts';
import { type Style, styleFor } from './style.ts';

/** Options that every command has. */
export interface Globals {
  readonly config?: string;
  readonly profile?: string;
  readonly set: readonly string[];
  readonly json: boolean;
  readonly debug: boolean;
  readonly color: boolean;
  readonly quiet: boolean;
}

/** Results go to stdout, everything that is said about the work to stderr. */
export interface Console {
  readonly style: Style;
  /** For stderr, which may be another terminal or none. */
  readonly errorStyle: Style;
  /** Characters per line; a generous number where there is no terminal. */
  readonly width: number;
  /** As wide as tables may be: the terminal, or no limit where there is none. */
  readonly tableWidth: number;
  /** A line on stdout. */
  print(text: string): void;
  /** The one result of a command: JSON of the value with `--json`, else the text. */
  result(value: unknown, text: () => string): void;
  /** A line on stderr, left out with `--quiet`. */
  note(text: string): void;
  warn(text: string): void;
}

/** JSON of results: bigint as digits, bytes and typed arrays as lists, `undefined` left out. */
export function jsonText(value: unknown, space?: number): string {
  const plain = (_: string, member: unknown): unknown => {
    if (typeof member === 'bigint') return member.toString();
    if (ArrayBuffer.isView(member)) return Array.from(member as Uint8Array);
    return member instanceof Map ? Object.fromEntries(member) : member;
  };
  return JSON.stringify(value, plain, space) ?? 'null';
}

export function createConsole(io: Io, globals: Pick<Globals, 'json' | 'color' | 'quiet'>): Console {
  const style = styleFor(io.stdout, io.env, globals.color);
  const errorStyle = styleFor(io.stderr, io.env, globals.color);
  const print = (text: string) => io.stdout.write(`${text}\n`);
  return {
    style,
    errorStyle,
    // A terminal may change while the shell is in it.
    get width() {
      return io.stdout.columns ?? 160;
    },
    tableWidth: io.stdout.columns ?? Number.POSITIVE_INFINITY,
    print,
    result: (value, text) => print(globals.json ? jsonText(value, 2) : text()),
    note: (text) => {
      if (!globals.quiet) io.stderr.write(`${text}\n`);
    },
    warn: (text) => {
      if (!globals.quiet) io.stderr.write(`${errorStyle.warning('warning:')} ${text}\n`);
    },
  };
}
