import { PassThrough } from 'node:stream';
import { describe, expect, test, vi } from 'vitest';
import { type Place, place } from './support.ts';

/** A keyboard and a terminal: quits as soon as something was told of the first screen. */
async function seen(here: Place, args: readonly string[], env: Readonly<Record<string, string>>) {
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined });
  const screen = Object.assign(new PassThrough(), { isTTY: true, columns: 80, rows: 24 });
  let text = '';
  screen.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const io = { stdin: stdin as never, screen: screen as never, env };
  const done = here.run(['ui', ...args], { io });
  const quit = vi.waitFor(() => expect(text).toContain('item 1 of'), { timeout: 20_000 }).then(() => stdin.write('q'));
  const { code, err } = await Promise.race([done, quit.then(() => done)]);
  return { code, err, text };
}

describe('the terminal UI for screen readers', () => {
  test.each([
    ['where it is asked for', ['--screen-reader'], {}],
    ['where Ink is told so', [], { INK_SCREEN_READER: 'true' }],
    ['on a terminal that cannot be drawn on', ['--screen-reader'], { TERM: 'dumb' }],
    ['where only ASCII can be written', ['--screen-reader', '--no-color'], { LANG: 'C' }],
  ])('%s', async (_, args, env) => {
    const here = await place();
    const { code, err, text } = await seen(here, args, env);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(text).toMatch(/^lakehouse\. \? for help, q leaves\.\nAssets by zone\.\n/);
    expect(text).toMatch(/^[\n\u0020-\u007e]*$/);
  });

  test('is a way out where nothing can be drawn', async () => {
    const here = await place();
    const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined });
    const screen = Object.assign(new PassThrough(), { isTTY: true });
    const io = { stdin: stdin as never, screen: screen as never, env: { TERM: 'dumb' } };
    expect(await here.run(['ui'], { io })).toEqual({
      code: 2,
      out: '',
      err: 'lakehouse: This terminal (TERM=dumb) cannot be drawn on\n  Use another one, --screen-reader, which needs no drawing, or: lakehouse status.\n',
    });
    expect((await here.run(['ui', '--help'])).out).toMatch(
      /--screen-reader\s+tell in lines of text instead of drawing/,
    );
  });
});
