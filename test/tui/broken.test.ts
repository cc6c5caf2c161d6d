import nodeConsole from 'node:console';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { runUi } from '../../framework/tui/app/run.ts';
import { createTheme } from '../../framework/tui/view/theme.ts';
import { run } from '../materialize/lake.ts';
import { NOW, tiny } from '../materialize/support.ts';
import { openerOf } from './app-support.ts';
import { ENTER_ALTERNATE, LEAVE_ALTERNATE, SHOW_CURSOR, type Tty, terminal } from './tty-support.ts';

// A file of its own: what breaks inside of React leaves it broken for this process.

beforeAll(() => void vi.stubGlobal('console', nodeConsole));
afterAll(() => void vi.unstubAllGlobals());

async function begun(tty: Tty, theme = createTheme('dark', true)) {
  const t = await tiny();
  t.archive.days('A', '2020-03', 1, 2);
  await run(t.lake);
  const { open, opened } = openerOf(t);
  const ended = runUi({
    stdin: tty.stdin,
    stdout: tty.stdout,
    open,
    readOnly: false,
    asset: undefined,
    theme,
    title: 'lake',
    program: 'lakehouse',
    now: () => NOW,
    suspend: async () => undefined,
    signal: new AbortController().signal,
  });
  return { ended, opened };
}
function expectRestored(tty: Tty): void {
  const written = tty.written();
  expect(written).toContain(ENTER_ALTERNATE);
  expect(written.lastIndexOf(LEAVE_ALTERNATE)).toBeGreaterThan(written.lastIndexOf(ENTER_ALTERNATE));
  expect(written.lastIndexOf(SHOW_CURSOR)).toBeGreaterThan(written.lastIndexOf('\u001b[?25l'));
  expect(tty.raw.at(-1) ?? false).toBe(false);
}

describe('where drawing fails the terminal is given back, the lake is closed, and what was wrong is told', () => {
  test('a mistake in what is drawn', async () => {
    const tty = await terminal();
    const faint = (): string => {
      throw new Error('no such colour');
    };
    const { ended, opened } = await begun(tty, { ...createTheme('dark', true), faint });
    await expect(ended).rejects.toThrow('no such colour');
    expect(opened.map(({ closed }) => closed)).toEqual([true]);
    expectRestored(tty);
  });

  test('a first frame that cannot be written', async () => {
    const tty = await terminal();
    const { write } = tty.stdout;
    let failed = false;
    Object.assign(tty.stdout, {
      write: (text: string) => {
        if (failed || !text.includes('Assets')) return write.call(tty.stdout, text);
        failed = true;
        throw new Error('EIO: i/o error, write');
      },
    });
    const { ended, opened } = await begun(tty);
    await expect(ended).rejects.toThrow('EIO');
    expect(opened.map(({ closed }) => closed)).toEqual([true]);
    expectRestored(tty);
  });
});
