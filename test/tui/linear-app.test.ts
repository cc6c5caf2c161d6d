import { PassThrough } from 'node:stream';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createNarrator } from '../../framework/tui/app/linear-narrator.ts';
import { runUi, type UiOptions } from '../../framework/tui/app/run.ts';
import { afterEvent, newRun } from '../../framework/tui/model/live.ts';
import { createTheme } from '../../framework/tui/view/theme.ts';
import { run } from '../materialize/lake.ts';
import { NOW, type Tiny, tiny } from '../materialize/support.ts';
import { openerOf, startUi } from './app-support.ts';

/** A keyboard, and a terminal to which lines are added. */
async function started(t: Tiny, more: Partial<UiOptions> = {}) {
  const raw: boolean[] = [];
  const stdin = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (on: boolean) => {
      raw.push(on);
    },
  });
  const stdout = Object.assign(new PassThrough(), { isTTY: true, columns: 100, rows: 30 });
  let written = '';
  stdout.on('data', (chunk: Buffer) => {
    written += chunk.toString();
  });
  const stop = new AbortController();
  const { open, opened } = openerOf(t);
  const done = runUi({
    stdin: stdin as unknown as NodeJS.ReadStream,
    stdout: stdout as unknown as NodeJS.WriteStream,
    open,
    readOnly: false,
    asset: undefined,
    theme: createTheme('dark', true),
    title: 'lake',
    program: 'lakehouse',
    now: () => NOW,
    suspend: async () => undefined,
    linear: true,
    signal: stop.signal,
    ...more,
  });
  onTestFinished(async () => {
    stop.abort();
    await done;
    expect(opened.every(({ closed }) => closed)).toBe(true);
  });
  let from = 0;
  return {
    done,
    raw,
    stop: () => stop.abort(),
    written: () => written,
    /** Types, and waits for what is told from then on to be so much. */
    hears: async (typed: string, wanted: string | RegExp): Promise<string> => {
      if (typed !== '') {
        from = written.length;
        stdin.write(typed);
      }
      await vi.waitFor(
        () =>
          typeof wanted === 'string'
            ? expect(written.slice(from)).toContain(wanted)
            : expect(written.slice(from)).toMatch(wanted),
        { timeout: 20_000, interval: 10 },
      );
      return written.slice(from);
    },
  };
}

async function lake(): Promise<Tiny> {
  const t = await tiny();
  t.archive.days('A', '2020-03', 1, 10).days('B', '2020-03', 5, 12);
  await run(t.lake);
  return t;
}

describe('for a screen reader', () => {
  test('what keys do is told in lines, and nothing moves the cursor', async () => {
    const { hears, written, done, raw } = await started(await lake());
    const begin = await hears('', /item 1 of/);
    expect(raw).toEqual([true]);
    expect(begin).toMatch(/^lake\. \? for help, q leaves\.\nAssets by zone\.\n/);
    expect(begin).toMatch(/\n10 assets: 122 of 318 partitions fresh, 14 awaiting, 182 unavailable\.\n/);
    expect(begin).toContain('Keys: enter open, m materialize, / filter, o observe, ? for help.\n');

    // Each key is told once, at the end of the list too.
    expect(await hears('j', 'item 2 of')).toMatch(/^src\/days: .*item 2 of \d+\n$/);
    expect(await hears('G', '\n')).toMatch(/^gold\/window: .*item 14 of 14\n$/);
    expect(await hears('j', '\n')).toMatch(/^gold\/window: .*item 14 of 14\n$/);
    expect(await hears('\u001b[A', '\n')).toMatch(/^\S+: .*item \d+ of \d+\n$/);

    expect(await hears('2', 'read by')).toMatch(/^Lineage, \d+ assets\.\n/);
    expect(await hears('1:', 'item 1 of')).toContain('Go to or do.\n');
    // The characters as they are typed, what they stand for when no more come.
    expect(await hears('silver/tic', 'silver/ticks, asset')).toMatch(
      /^silver\/tic\nsilver\/ticks, asset.*item 1 of 1\n$/,
    );
    const ticks = await hears('\r', 'Keys: ');
    expect(ticks).toMatch(
      /^Entered: silver\/tic\nPartitions of silver\/ticks, symbol down, date by day to the right\.\n/,
    );
    expect(ticks).toContain(
      '2 rows, 40 columns: 18 of 46 partitions fresh, 2 awaiting, 26 unavailable.\nA, 2020-04-09, no partition\n',
    );
    expect(await hears('\u001b[D', '\n')).toBe('A, 2020-04-08, no partition\n');
    expect(await hears('g', '\n')).toBe('A, 2020-03-01, fresh\n');
    expect(await hears('\r', 'file silver/ticks')).toContain(
      'silver/ticks, symbol=A/date=2020-03-01.\nfresh: up to date.\n',
    );
    expect(await hears('\u001b', 'A, 2020-03-01')).toMatch(/^Partitions of silver\/ticks,/);
    // The keys of a screen were told when one first came to it.
    expect(await hears('4', 'item 1 of 1')).toContain('Keys:');
    expect(await hears('34', 'item 1 of 1')).not.toContain('Keys:');
    expect(await hears('\r', /finished|succeeded, line/)).toMatch(/^Run \S+\.\nsucceeded: /);
    expect(await hears('5', 'Checks.')).toContain('1 check.');
    expect(await hears('y', '\n')).toBe('silver/ticks\n');
    expect(await hears('?', 'Escape closes the keys.')).toMatch(/\nj or down, down: Down\.\n/);
    expect(await hears('\u001b', /item 1 of 1\n/)).toMatch(/^Checks\.\n/);

    expect(await hears('7', 'row 1 of')).toMatch(/^Data of silver\/ticks, rows\.\nReading it\.\n/);
    expect(await hears('\u001b[6~', 'row 11 of')).toMatch(/row 11 of \d+\n$/);
    expect(await hears('l', 'column 2 of')).toMatch(/^\w+ \S.*, row 11 of \d+, column 2 of \d+\n$/);
    await hears('s', 'SQL prompt.');
    await hears('select 41 + 2 as n', 'as n');
    expect(await hears('\u007f', '\n')).toBe('\nText: select 41 + 2 as \n');
    expect(await hears('m\r', /row 1 of 1\n/)).toMatch(
      /^m\nEntered: select 41 \+ 2 as m\nRunning\.\nResult: 1 row in \d+ ms\.\nm 43, row 1 of 1\n$/,
    );
    expect(await hears('\u0015', '\n')).toBe('Text: empty\n');
    expect(await hears('selec\r', 'Error:')).toMatch(/Running\.\nError: /);
    await hears('\u001b', 'SQL.');
    expect(await hears('q', '')).toBe('');
    await done;
    expect(raw).toEqual([true, false]);
    expect(written().endsWith('\n')).toBe(true);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: there are to be none
    expect(written()).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f\u2500-\u259f]/);
  });

  test('runs, their plan, and what is to be typed are told', async () => {
    const { hears, stop, done } = await started(await lake(), { asset: 'gold/window' });
    await hears('', 'item 14 of');
    const plan = await hears('F', 'asset 1 of 1');
    expect(plan).toMatch(
      /^Plan\.\nWorking out what there is to do\.\nForce gold\/window\.\n\d+ partitions to compute\.\n/,
    );
    const ran = await hears('\r', 'The run is over');
    expect(ran).toContain('The run begins; c stops it.\n');
    expect(ran).toMatch(/The run succeeded\.\n(.*\n)*The run is over: \d+ computed/);
    expect(await hears('W', 'Type window')).toContain('Wipe gold/window.\n');
    expect(await hears('windo\r', 'Type window')).toBe(
      'windo\nEntered: windo\nType window and press enter to go on. Escape leaves it.\n',
    );
    expect(await hears('w\r', 'left the lake')).toMatch(/\d+ partitions of gold\/window left the lake\.\n/);
    stop();
    await done;
  });

  test('the terminal is handed over, and then told where one is', async () => {
    let back: () => void = () => undefined;
    const suspend = vi.fn(
      () =>
        new Promise<void>((resolve) => {
          back = resolve;
        }),
    );
    const { hears, raw, written } = await started(await lake(), { suspend, readOnly: true });
    await hears('', 'item 1 of');
    await hears('\u001a', '');
    await vi.waitFor(() => expect(suspend).toHaveBeenCalledOnce());
    expect(raw).toEqual([true, false]);
    const before = written();
    back();
    await vi.waitFor(() => expect(written().slice(before.length)).toMatch(/^Assets by zone\.\n(.*\n)+.*item 1 of/));
    expect(raw).toEqual([true, false, true]);
    expect(await hears('m', '--read-only')).toBe('materialize: the lake was opened with --read-only.\n');
  });
});

test('a run is spoken of at most every two seconds, and its end always', async () => {
  const t = await lake();
  const ui = await startUi(openerOf(t));
  await ui.becomes(({ assets }) => assets.rows?.at(-1)?.counts !== undefined);
  let clock = NOW;
  let told = '';
  const narrator = createNarrator({
    session: ui.session,
    now: () => clock,
    size: { columns: 80, rows: 3 },
    write: (text) => {
      told += text;
    },
  });
  onTestFinished(narrator.end);
  narrator.begin();
  const { store } = ui.session;
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  let detail = newRun('materialize', 'silver/ticks', NOW);
  const job = (stopping = false) => ({ run: 'r1', detail, stopping });
  const happens = async (...events: readonly Parameters<typeof afterEvent>[1][]): Promise<string> => {
    told = '';
    for (const event of events) {
      detail = afterEvent(detail, event, clock);
      store.dispatch((state) => ({ ...state, job: job() }));
    }
    await turn();
    return told;
  };
  const batch = { type: 'batch-finished', asset: 'silver/ticks', changed: 1, rows: 1, bytes: 1, ms: 1 } as const;
  expect(await happens()).toBe('');
  store.dispatch((state) => ({ ...state, job: job() }));
  await turn();
  expect(told).toBe('The run begins; c stops it.\n');
  const begun = { type: 'asset-started', asset: 'silver/ticks', partitions: 10 } as const;
  expect(await happens(begun as Parameters<typeof afterEvent>[1])).toBe('');
  clock += 1999;
  expect(await happens({ ...batch, partitions: 1 } as Parameters<typeof afterEvent>[1])).toBe('');
  clock += 1;
  expect(await happens({ ...batch, partitions: 1 } as Parameters<typeof afterEvent>[1])).toBe(
    'Running: 2 of 10 partitions, now silver/ticks\n',
  );
  clock += 500;
  expect(await happens({ ...batch, partitions: 8 } as Parameters<typeof afterEvent>[1])).toBe('');
  told = '';
  store.dispatch((state) => ({ ...state, job: undefined }));
  await turn();
  expect(told).toBe('The run is over: 10 done, took 2.5 s.\n');
});
