import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';

// A real terminal to try programs in: tmux, whose screen can be read back.

export const hasTmux = spawnSync('tmux', ['-V']).status === 0;

/** How long something may take on a machine that is busy with other things. */
const PATIENCE_MS = 30_000;
const POLL_MS = 25;
const PROMPT = 'ready$';

/** A tmux server that nobody else sees. */
export interface Tmux {
  /** A new terminal with a shell in it, in a directory, with exactly this environment. */
  open(options: TerminalOptions): Promise<Terminal>;
  close(): Promise<void>;
}

export interface TerminalOptions {
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  readonly columns?: number;
  readonly rows?: number;
}

export interface Terminal {
  /** Presses keys by the names tmux has for them: `j`, `Enter`, `Escape`, `C-z`, `BTab`. All arrive together. */
  press(...keys: readonly string[]): Promise<void>;
  type(text: string): Promise<void>;
  /** The screen as text, a line per row. */
  screen(): Promise<string>;
  /** The same with its escape sequences. */
  painted(): Promise<string>;
  /** Waits until the screen shows a text; returns the screen. */
  shows(what: string | RegExp): Promise<string>;
  showsNot(what: string | RegExp): Promise<string>;
  /** Types a command line, and waits for the prompt after it; returns what it said. */
  run(line: string): Promise<string>;
  resize(columns: number, rows: number): Promise<void>;
  /** Whether the alternate screen is shown, and the cursor. */
  state(): Promise<{ readonly alternate: boolean; readonly cursor: boolean }>;
  /** Waits until the screen is that of another terminal, ages aside: they are drawn at other times. */
  isLike(other: Pick<Terminal, 'screen'>): Promise<void>;
  /** The process that the shell waits for. */
  child(): Promise<number>;
  /** What a program in it copied last. */
  clipboard(): Promise<string>;
  close(): Promise<void>;
}

export async function startTmux(): Promise<Tmux> {
  const directory = await mkdtemp(join(tmpdir(), 'lakehouse-tmux-'));
  const env = {
    PATH: process.env.PATH,
    HOME: directory,
    TMUX_TMPDIR: directory,
    LC_ALL: 'C.UTF-8',
    TERM: 'xterm-256color',
  };
  const run = promisify(execFile);
  const tmux = async (...args: readonly string[]): Promise<string> =>
    (await run('tmux', ['-u', '-L', 'lakehouse', '-f', '/dev/null', ...args], { env })).stdout;
  // Without terminals it would end, just when the next one is opened.
  const options = { 'exit-empty': 'off', 'set-clipboard': 'on' };
  const settings = Object.entries(options).flatMap(([name, value]) => [';', 'set-option', '-s', name, value]);
  await tmux('start-server', ...settings);
  let terminals = 0;

  const open = async ({ directory: cwd, env: own, columns = 120, rows = 36 }: TerminalOptions): Promise<Terminal> => {
    const target = `t${terminals++}`;
    const given = Object.entries({
      TERM: 'xterm-256color',
      LANG: 'C.UTF-8',
      HOME: directory,
      PS1: `${PROMPT} `,
      ...own,
    });
    const shell = [
      'env',
      '-i',
      ...given.map(([name, value]) => `${name}=${value}`),
      'bash',
      '--norc',
      '--noprofile',
      '-i',
    ];
    const size = ['-x', String(columns), '-y', String(rows)];
    await tmux('new-session', '-d', '-s', target, ...size, '-c', cwd, ...shell);
    await tmux('set-option', '-t', target, 'window-size', 'manual');
    await tmux('set-option', '-t', target, 'status', 'off');
    await tmux('resize-window', '-t', target, ...size);

    const screen = () => tmux('capture-pane', '-p', '-t', target);
    const ask = async (format: string) => (await tmux('display-message', '-p', '-t', target, format)).trim();
    const wait = async (
      said: string,
      good: (text: string) => boolean,
      before: () => Promise<void> = async () => undefined,
    ): Promise<string> => {
      const until = Date.now() + PATIENCE_MS;
      for (;;) {
        await before();
        const text = await screen();
        if (good(text)) return text;
        if (Date.now() > until) throw new Error(`The screen ${said} after ${PATIENCE_MS / 1000} s:\n${text}`);
        await setTimeout(POLL_MS);
      }
    };
    const has = (text: string, what: string | RegExp) =>
      typeof what === 'string' ? text.includes(what) : what.test(text);
    const shows = (what: string | RegExp) => wait(`does not show ${what}`, (text) => has(text, what));
    const press = async (...keys: readonly string[]) => {
      await tmux('send-keys', '-t', target, ...keys);
    };
    const type = async (text: string) => {
      await tmux('send-keys', '-t', target, '-l', text);
    };
    await shows(PROMPT);
    return {
      press,
      type,
      screen,
      painted: () => tmux('capture-pane', '-p', '-e', '-t', target),
      shows,
      showsNot: (what) => wait(`still shows ${what}`, (text) => !has(text, what)),
      run: async (line) => {
        await press('C-l');
        await wait('is not cleared', (text) => text.trim() === PROMPT);
        await type(line);
        await press('Enter');
        const text = await wait(
          `has no prompt after ${line}`,
          (all) => all.trimEnd().split('\n').slice(1).at(-1)?.trim() === PROMPT,
        );
        return text.trimEnd().split('\n').slice(1, -1).join('\n');
      },
      resize: async (toColumns, toRows) => {
        await tmux('resize-window', '-t', target, '-x', String(toColumns), '-y', String(toRows));
      },
      state: async () => {
        const [alternate, cursor] = (await ask('#{alternate_on} #{cursor_flag}')).split(' ');
        return { alternate: alternate === '1', cursor: cursor === '1' };
      },
      isLike: async (other) => {
        const ageless = (text: string) => text.replaceAll(/ *\b(just now|now|\d+[smh] ago)/g, '');
        let wanted = '';
        const look = async () => {
          wanted = await other.screen();
        };
        await wait('is another', (text) => ageless(text) === ageless(wanted), look).catch((error: Error) => {
          throw new Error(`${error.message}\nand not:\n${wanted}`);
        });
      },
      child: async () => {
        const shell = await ask('#{pane_pid}');
        const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid=']);
        const children = stdout
          .trim()
          .split('\n')
          .map((line) => line.trim().split(/\s+/));
        const found = children.find(([, parent]) => parent === shell);
        if (!found) throw new Error(`The shell runs nothing:\n${await screen()}`);
        return Number(found[0]);
      },
      clipboard: () => tmux('show-buffer'),
      close: async () => {
        // It may be closed already.
        await tmux('kill-session', '-t', target).catch(() => undefined);
      },
    };
  };
  return {
    open,
    close: async () => {
      await tmux('kill-server').catch(() => undefined);
      await rm(directory, { recursive: true, force: true });
    },
  };
}
