import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { stripVTControlCharacters } from 'node:util';
import { expect, onTestFinished, vi } from 'vitest';
import { readSettingsSources } from '../../framework/config/load.ts';
import { resolveSettings } from '../../framework/config/resolve.ts';
import type { LakehouseDefinition } from '../../framework/define/lakehouse.ts';
import { type OpenedLake, openLake } from '../../framework/materialize/open.ts';
import { createController } from '../../framework/tui/app/controller.ts';
import { draw } from '../../framework/tui/app/draw.ts';
import type { OperateAccess } from '../../framework/tui/app/operate.ts';
import { openSession, type Session, type SessionOptions } from '../../framework/tui/app/session.ts';
import { quoted, workCommand } from '../../framework/tui/app/shell.ts';
import type { UiState } from '../../framework/tui/model/state.ts';
import { width } from '../../framework/tui/view/text.ts';
import { createTheme } from '../../framework/tui/view/theme.ts';
import { NOW, type Tiny } from '../materialize/support.ts';

/** Real lakes in a directory, as a terminal UI opens them. */
export interface Opener {
  readonly open: SessionOptions['open'];
  /** How each lake was opened, and that it was closed. */
  readonly opened: { readonly mode: 'read' | 'write'; closed: boolean }[];
}

export function opener(
  definition: LakehouseDefinition,
  directory: string,
  sets: readonly string[],
  now: () => number = () => NOW,
): Opener {
  const opened: Opener['opened'] = [];
  const open = async (mode: 'read' | 'write'): Promise<OpenedLake> => {
    const given = { cwd: directory, env: {}, argv: { sets: [`dataDir=${directory}`, ...sets] } };
    const entry = { mode, closed: false };
    opened.push(entry);
    const { settings } = resolveSettings(readSettingsSources(given), definition.settings);
    const lake = await openLake({
      definition,
      settings: settings as never,
      mode,
      now,
      id: () => `${Date.now().toString(36)}${randomBytes(4).toString('hex')}`,
      host: hostname(),
      pid: process.pid,
      isAlive: () => true,
      warn: () => undefined,
    }).catch((error: unknown) => {
      entry.closed = true;
      throw error;
    });
    return {
      ...lake,
      close: async () => {
        entry.closed = true;
        await lake.close();
      },
    };
  };
  return { open, opened };
}

/** Opens what `tiny()` made, once more. */
export const openerOf = (
  { directory, archive, lake }: Tiny,
  sets: readonly string[] = [],
  now: () => number = () => NOW,
): Opener =>
  opener(
    lake.definition,
    directory,
    [
      `tiny.directory=${archive.directory}`,
      'workflow.retryAttempts=0',
      'workflow.retryDelayMs=1',
      'engine.threads=2',
      ...sets,
    ],
    now,
  );

export interface UiOptions {
  readonly asset?: string;
  readonly readOnly?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  readonly now?: () => number;
  readonly operate?: OperateAccess;
}

/** The terminal UI without a terminal: keys go in, lines come out. */
export interface Ui {
  readonly session: Session;
  readonly opened: Opener['opened'];
  readonly state: () => UiState;
  readonly lines: () => string[];
  readonly text: () => string;
  readonly press: (...keys: readonly string[]) => void;
  /** What the clock would do twice a second. */
  readonly tick: () => void;
  readonly resize: (columns: number, rows: number) => void;
  readonly copied: string[];
  readonly calls: { quit: number; suspend: number; ticking: boolean };
  /** Waits until the screen shows a text (or a state holds), with the clock ticking. */
  readonly shows: (text: string | RegExp) => Promise<void>;
  readonly becomes: (holds: (state: UiState) => boolean) => Promise<void>;
  readonly close: () => Promise<void>;
}

const theme = createTheme('none', true);

/** Closed after the test. */
export async function startUi({ open, opened }: Opener, options: UiOptions = {}): Promise<Ui> {
  const { asset, readOnly = false, now = () => NOW, operate } = options;
  let size = { columns: options.columns ?? 120, rows: options.rows ?? 40 };
  let task: () => void = () => undefined;
  const calls = { quit: 0, suspend: 0, ticking: true };
  const copied: string[] = [];
  const program = 'lakehouse';
  const session = await openSession({
    open,
    readOnly,
    asset,
    operate,
    now,
    every: (_, given) => {
      task = given;
      return () => {
        calls.ticking = false;
      };
    },
    commandLine: (request) => workCommand(request, program),
    wipeLine: (key, partitions) =>
      [program, 'wipe', quoted(key), ...(partitions === undefined ? [] : ['-p', quoted(partitions)])].join(' '),
  });
  const controller = createController({
    session,
    size: () => size,
    now,
    program,
    copy: (text) => copied.push(text),
    quit: () => {
      calls.quit++;
    },
    suspend: () => {
      calls.suspend++;
    },
  });
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= session.close();
    return closing;
  };
  onTestFinished(close);
  const lines = () => {
    const drawn = draw(session.store.get(), { session, title: 'lake', program, now: now(), size }, theme);
    expect(drawn).toHaveLength(size.rows);
    for (const line of drawn) expect(width(line), line).toBeLessThanOrEqual(size.columns);
    return drawn.map(stripVTControlCharacters);
  };
  const text = () => lines().join('\n');
  const tick = () => {
    if (calls.ticking) task();
  };
  const wait = (look: () => void) =>
    vi.waitFor(
      () => {
        tick();
        look();
      },
      { timeout: 20_000, interval: 10 },
    );
  return {
    session,
    opened,
    state: () => session.store.get(),
    lines,
    text,
    press: (...keys) => {
      for (const key of keys) controller.press(key);
    },
    tick,
    resize: (columns, rows) => {
      size = { columns, rows };
    },
    copied,
    calls,
    shows: (wanted) =>
      wait(() => (typeof wanted === 'string' ? expect(text()).toContain(wanted) : expect(text()).toMatch(wanted))),
    becomes: (holds) =>
      wait(() => {
        if (!holds(session.store.get())) throw new Error(`It did not come to that:\n${text()}`);
      }),
    close,
  };
}

/** Presses the keys of a text. */
export const typed = (text: string): string[] => [...text].map((one) => (one === ' ' ? 'space' : one));

/** Resolves when everything that was put off until the next turns has happened. */
export async function turns(count = 5): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}
