import nodeConsole from 'node:console';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { runUi, type UiOptions } from '../../framework/tui/app/run.ts';
import { createTheme } from '../../framework/tui/view/theme.ts';
import { run } from '../materialize/lake.ts';
import { NOW, type Tiny, tiny } from '../materialize/support.ts';
import { openerOf } from './app-support.ts';
import { ENTER_ALTERNATE, LEAVE_ALTERNATE, SHOW_CURSOR, type Tty, terminal } from './tty-support.ts';

async function started(t: Tiny, tty: Tty, more: Partial<UiOptions> = {}) {
  const { open, opened } = openerOf(t);
  const stop = new AbortController();
  const done = runUi({
    stdin: tty.stdin,
    stdout: tty.stdout,
    open,
    readOnly: false,
    asset: undefined,
    theme: createTheme('dark', true),
    title: 'lake',
    program: 'lakehouse',
    now: () => NOW,
    suspend: async () => undefined,
    signal: stop.signal,
    ...more,
  });
  onTestFinished(async () => {
    stop.abort();
    await done.catch(() => undefined);
  });
  // Where nothing else is seen the UI may have ended with an error.
  await Promise.race([tty.shows('gold/window'), done]);
  return { done, stop: () => stop.abort(), opened };
}

async function lake(): Promise<Tiny> {
  const t = await tiny();
  t.archive.days('A', '2020-03', 1, 10).days('B', '2020-03', 5, 12);
  await run(t.lake);
  return t;
}

// Ink makes a console of its own, which that of the test runner cannot.
beforeAll(() => void vi.stubGlobal('console', nodeConsole));
afterAll(() => void vi.unstubAllGlobals());

describe('on a terminal', () => {
  test('the whole screen is drawn, keys arrive, and the terminal is as it was afterwards', async () => {
    const tty = await terminal();
    const { done, opened } = await started(await lake(), tty);
    expect(tty.written()).toContain(ENTER_ALTERNATE);
    expect(tty.written()).not.toContain(LEAVE_ALTERNATE);
    expect(tty.raw.at(-1)).toBe(true);
    const lines = await tty.lines();
    expect(lines).toHaveLength(30);
    expect(lines[0]).toMatch(/^ lake {2}Assets .*live/);
    expect(lines[1]).toBe(' $ lakehouse status');
    expect(lines.at(-1)).toMatch(/^ enter open/);

    tty.type('2');
    await tty.shows('Lineage');
    tty.type('\u001b[C');
    await tty.shows('bronze');
    tty.type('\t');
    await tty.shows('Partitions ›');
    // Typed fast: one event.
    tty.type('4?');
    await tty.shows('j ↓          Down.');
    tty.type('\u001b');
    await vi.waitFor(async () => expect((await tty.lines()).join('\n')).not.toContain('j ↓          Down.'));

    tty.type('q');
    await done;
    const after = tty.written().slice(tty.written().lastIndexOf(LEAVE_ALTERNATE));
    expect(after.startsWith(LEAVE_ALTERNATE)).toBe(true);
    expect(tty.written().lastIndexOf(SHOW_CURSOR)).toBeGreaterThan(tty.written().lastIndexOf('\u001b[?25l'));
    expect(tty.raw.at(-1)).toBe(false);
    expect(opened.every(({ closed }) => closed)).toBe(true);
  });

  test.each([
    ['larger', 160, 50],
    ['smaller', 60, 16],
    ['tiny', 20, 6],
  ])('that becomes %s shows all of the screen again', async (_, columns, rows) => {
    const tty = await terminal();
    const { done } = await started(await lake(), tty);
    tty.resize(columns, rows);
    await vi.waitFor(
      async () => {
        const lines = await tty.lines();
        expect(lines[0]).toMatch(/^ lake/);
        expect(lines).toHaveLength(rows);
        expect(lines.filter((line) => line.startsWith(' lake '))).toHaveLength(1);
        if (columns >= 60) expect(lines.at(-1)).toMatch(/^ enter open/);
      },
      { timeout: 10_000, interval: 50 },
    );
    tty.type('q');
    await done;
  });

  test('a storm of sizes ends with the last one', async () => {
    const tty = await terminal();
    const { done } = await started(await lake(), tty);
    for (let i = 0; i < 40; i++) tty.resize(40 + ((i * 37) % 120), 10 + ((i * 13) % 40));
    tty.resize(90, 26);
    await vi.waitFor(
      async () => {
        const lines = await tty.lines();
        expect(lines).toHaveLength(26);
        expect(lines[0]).toMatch(/^ lake {2}Assets/);
        expect(lines[1]).toBe(' $ lakehouse status');
        expect(lines.at(-1)).toMatch(/^ enter open/);
        expect(lines.join('\n')).toContain('gold/window');
      },
      { timeout: 10_000, interval: 50 },
    );
    tty.type('q');
    await done;
  });

  test('nothing is written while nothing happens', async () => {
    const tty = await terminal();
    const { done } = await started(await lake(), tty);
    await vi.waitFor(() => expect(tty.written()).toContain('gold/window'));
    // The volumes are drawn later than the counts.
    await tty.shows('28d');
    let before = -1;
    await vi.waitFor(
      () => {
        const now = tty.frames();
        const quiet = now === before;
        before = now;
        expect(quiet).toBe(true);
      },
      { timeout: 10_000, interval: 2_500 },
    );
    tty.type('q');
    await done;
  });

  test('a signal ends it, with the terminal restored, also during a run', async () => {
    const goOn = Promise.withResolvers<void>();
    const reading = Promise.withResolvers<void>();
    const t = await tiny({
      onRows: async () => {
        reading.resolve();
        await goOn.promise;
      },
    });
    t.archive.days('A', '2020-03', 1, 3);
    const tty = await terminal();
    const { done, stop, opened } = await started(t, tty);
    tty.type('G');
    tty.type('M');
    await tty.shows('enter');
    // Nothing is known of the sources yet, so the plan is empty until they were looked at.
    tty.type('\u001b');
    tty.type('o');
    await tty.shows('The sources were observed.');
    tty.type(':function\r');
    await tty.shows('Partitions › gold/function');
    tty.type('1');
    tty.type('G');
    tty.type('kkk');
    tty.type('M');
    await tty.shows('enter run');
    tty.type('\r');
    const began = await Promise.race([
      reading.promise.then(() => true),
      tty.shows('There is nothing').then(() => false),
    ]);
    stop();
    goOn.resolve();
    await done;
    expect(tty.written()).toContain(LEAVE_ALTERNATE);
    expect(tty.raw.at(-1)).toBe(false);
    expect(opened.filter(({ closed }) => !closed)).toEqual([]);
    expect(began).toBe(true);
    t.lake.state.refresh();
    expect(t.lake.state.runs(1)[0]).toMatchObject({ outcome: 'cancelled' });
  });

  test('one that was told to stop before it began, does not begin', async () => {
    const t = await lake();
    const tty = await terminal();
    const { open, opened } = openerOf(t);
    await runUi({
      stdin: tty.stdin,
      stdout: tty.stdout,
      open,
      readOnly: false,
      asset: undefined,
      theme: createTheme('dark', true),
      title: 'lake',
      program: 'lakehouse',
      now: () => NOW,
      suspend: async () => undefined,
      signal: AbortSignal.abort(),
    });
    expect(opened.every(({ closed }) => closed)).toBe(true);
    expect(tty.raw.at(-1) ?? false).toBe(false);
  });

  test('what is pasted is text where one types, and no commands where one does not', async () => {
    const tty = await terminal();
    const { done } = await started(await lake(), tty);
    tty.type('\u001b[200~qqq\u001b[201~');
    tty.type('/');
    tty.type('\u001b[200~win\ndow\u001b[201~');
    await tty.shows('/win');
    tty.type('\u001b');
    tty.type('\u001b');
    const ended = await Promise.race([done.then(() => true), tty.shows('src/days').then(() => false)]);
    expect(ended).toBe(false);
    tty.type('q');
    await done;
  });

  test('gives the terminal back for a while, and takes it again', async () => {
    const tty = await terminal();
    const resumed = Promise.withResolvers<void>();
    let suspended = '';
    const { done } = await started(await lake(), tty, {
      suspend: async () => {
        suspended = tty.written();
        await resumed.promise;
      },
    });
    tty.type('\u001a');
    await vi.waitFor(() => expect(suspended).not.toBe(''));
    expect(suspended.lastIndexOf(LEAVE_ALTERNATE)).toBeGreaterThan(suspended.lastIndexOf(ENTER_ALTERNATE));
    resumed.resolve();
    await vi.waitFor(() => expect(tty.written().slice(suspended.length)).toContain(ENTER_ALTERNATE));
    await tty.shows('gold/window');
    tty.type('q');
    await done;
  });

  test('copying goes through the terminal', async () => {
    const tty = await terminal();
    const { done } = await started(await lake(), tty);
    tty.type('G');
    tty.type('y');
    await tty.shows('Copied: gold/window');
    const encoded = Buffer.from('gold/window').toString('base64');
    expect(tty.written()).toContain(`\u001b]52;c;${encoded}\u0007`);
    tty.type('q');
    await done;
  });

  test('without colours and without Unicode every character is ASCII', async () => {
    const tty = await terminal(120, 40);
    const { done } = await started(await lake(), tty, { theme: createTheme('none', false), asset: 'silver/ticks' });
    for (const key of ['2', '3', '4', '5', '6', '1']) {
      tty.type(key);
      await vi.waitFor(async () => expect((await tty.lines())[2]).toContain(`${key} `));
    }
    expect(stripVTControlCharacters(tty.written())).toMatch(/^\p{ASCII}*$/u);
    tty.type('q');
    await done;
  });

  test('a function that does not heed that its run is stopped holds nobody up', async () => {
    const reading = Promise.withResolvers<void>();
    const t = await tiny({
      onRows: () => {
        reading.resolve();
        return new Promise(() => undefined);
      },
    });
    t.archive.days('A', '2020-03', 1, 3);
    await run(t.lake, { selection: '+silver/ticks' });
    const tty = await terminal();
    const { done } = await started(t, tty, { asset: 'gold/function' });
    tty.type('m');
    await tty.shows('enter run');
    tty.type('\r');
    await reading.promise;
    tty.type('q');
    await tty.shows('q again leaves at once');
    expect(tty.raw.at(-1)).toBe(true);
    tty.type('q');
    expect(await done).toEqual({ abandoned: true });
    expect(tty.raw.at(-1)).toBe(false);
    expect(tty.written()).toContain(LEAVE_ALTERNATE);
  });

  test('a run that ends when it is told to is waited for', async () => {
    const reading = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const t = await tiny({
      onRows: async () => {
        reading.resolve();
        await goOn.promise;
      },
    });
    t.archive.days('A', '2020-03', 1, 3);
    await run(t.lake, { selection: '+silver/ticks' });
    const tty = await terminal();
    const { done, opened } = await started(t, tty, { asset: 'gold/function' });
    tty.type('m');
    await tty.shows('enter run');
    tty.type('\r');
    await reading.promise;
    tty.type('q');
    await tty.shows('q again leaves at once');
    goOn.resolve();
    expect(await done).toEqual({ abandoned: false });
    expect(opened.every(({ closed }) => closed)).toBe(true);
    t.lake.state.refresh();
    expect(t.lake.state.runs(1)[0]).toMatchObject({ outcome: 'cancelled' });
  });

  test('a space can be typed wherever one types', async () => {
    const tty = await terminal();
    const { done } = await started(await lake(), tty, { asset: 'silver/ticks' });
    const types = async (begin: string, wanted: string, end = '\u001b') => {
      tty.type(begin);
      for (const one of 'a b  c') tty.type(one);
      await tty.shows(wanted);
      tty.type(end);
      await vi.waitFor(async () => expect((await tty.lines()).join('\n')).not.toContain(wanted));
    };
    await types('/', '/a b  c');
    tty.type('\u001b');
    await types(':', 'a b  c');
    await types('W', '> a b  c');
    tty.type(':silver/ticks\r');
    await tty.shows('Partitions › silver/ticks');
    await types('@', '> a b  c');
    tty.type('2');
    await tty.shows('Lineage');
    await types('/', 'a b  c');
    tty.type('7');
    await tty.shows('108 rows');
    // Escape and the next key may come as one.
    await types('s', 'sql> a b  c', '\u001b\r');
    tty.type('q');
    await done;
  });
});
