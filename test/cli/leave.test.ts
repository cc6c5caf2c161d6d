import nodeConsole from 'node:console';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { LEAVE_ALTERNATE, terminal } from '../tui/tty-support.ts';
import { place } from './support.ts';

// Ink makes a console of its own, which that of the test runner cannot.
beforeAll(() => void vi.stubGlobal('console', nodeConsole));
afterAll(() => void vi.unstubAllGlobals());

/** A run of `raw/days` is going on, whose function never comes to an end. */
async function stuck() {
  const cwd = await place();
  const reading = Promise.withResolvers<void>();
  const definition = cwd.tiny({
    beforeRead: () => {
      reading.resolve();
      return new Promise(() => undefined);
    },
  });
  expect((await cwd.run(['materialize', 'files/days'])).code).toBe(0);
  const tty = await terminal();
  const ended = cwd.run(['ui', 'raw/days'], { definition, io: { stdin: tty.stdin, screen: tty.stdout } });
  await tty.shows('raw/days');
  tty.type('m');
  await tty.shows('enter run');
  tty.type('\r');
  await reading.promise;
  return { cwd, tty, ended };
}

test('whoever insists on leaving leaves, though a function does not heed it: the process is ended', async () => {
  const { cwd, tty, ended } = await stuck();
  tty.type('q');
  await tty.shows('q again leaves at once');
  expect(cwd.exits).toEqual([]);
  tty.type('q');
  expect(await ended).toMatchObject({ code: 0, err: '' });
  expect(cwd.exits).toEqual([0]);
  expect(tty.written()).toContain(LEAVE_ALTERNATE);
});

test('so does a signal, with its exit code', async () => {
  const { cwd, tty, ended } = await stuck();
  cwd.signals.get('SIGTERM')?.();
  expect((await ended).code).toBe(143);
  expect(cwd.exits).toEqual([143]);
  expect(tty.raw.at(-1)).toBe(false);
});

test('nothing is ended where nothing goes on', async () => {
  const cwd = await place();
  const tty = await terminal();
  const ended = cwd.run(['ui'], { io: { stdin: tty.stdin, screen: tty.stdout } });
  await tty.shows('raw/days');
  tty.type('q');
  expect((await ended).code).toBe(0);
  expect(cwd.exits).toEqual([]);
});
