import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asset, columns, defineLakehouse, sql, text } from 'crypto-lakehouse';
import { describe, expect, test, vi } from 'vitest';
import { tinyLake } from '../materialize/fixture.ts';
import { run } from '../materialize/lake.ts';
import { NOW, temporaryDirectory, tiny, work } from '../materialize/support.ts';
import { opener, openerOf, startUi, turns, type Ui } from './app-support.ts';

const all = { selection: '*', partitions: undefined, force: false, retryFailed: false };
const loaded = (ui: Ui) =>
  ui.becomes(({ assets }) => assets.rows?.every(({ counts }) => counts !== undefined) ?? false);
/** Volumes are read after the counts. */
const allRead = async (ui: Ui, asset: string, rows: number) => {
  await loaded(ui);
  await ui.becomes(() => rowOf(ui, asset)?.rows === rows);
  await turns(20);
};
const rowOf = (ui: Ui, key: string) => ui.state().assets.rows?.find((row) => row.key === key);
const freshOf = (ui: Ui, key: string) => rowOf(ui, key)?.counts?.fresh;

/** A promise that is settled from outside. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

describe('following the lake', () => {
  test('a run of another process is seen at the next look at the log', async () => {
    const t = await tiny();
    t.archive.days('A', '2020-03', 1, 3);
    await run(t.lake);
    const ui = await startUi(openerOf(t));
    await allRead(ui, 'gold/window', 18);
    expect(freshOf(ui, 'silver/ticks')).toBe(3);
    const { revision } = ui.state();
    const shown = ui.state().assets.rows;

    // Nothing new: nothing is read.
    ui.tick();
    await turns(20);
    expect(ui.state().assets.rows).toBe(shown);

    t.archive.days('B', '2020-03', 1, 2);
    const { run: id } = await run(t.lake);
    await ui.becomes(() => freshOf(ui, 'silver/ticks') === 5);
    expect(ui.state().revision).toBeGreaterThan(revision ?? 0);
    await ui.becomes(() => rowOf(ui, 'silver/ticks')?.rows === 30);
    expect(rowOf(ui, 'silver/ticks')).toMatchObject({ lastRun: id });
    expect(ui.session.heat('silver/ticks')?.dimensions[0]?.values).toEqual(['A', 'B']);
  });

  test('what another process computes is seen as long as it does, or until its claim expires', async () => {
    const t = await tiny();
    t.archive.days('A', '2020-03', 1, 3);
    await run(t.lake);
    let now = NOW;
    const ui = await startUi(
      openerOf(t, [], () => now),
      { now: () => now, columns: 160 },
    );
    await allRead(ui, 'gold/window', 18);
    expect(ui.text()).not.toContain('running');
    const claim = () => {
      const token = t.lake.state.claim('silver/ticks', ['2020-03'], { run: 'r', host: 'far', pid: 1 }, 60_000, NOW);
      if (!('token' in token)) throw new Error('The claim was refused');
      return token;
    };
    const token = claim();
    await ui.becomes(() => rowOf(ui, 'silver/ticks')?.busy === true);
    expect(ui.text()).toMatch(/silver\/ticks .*▶ run/);
    expect(ui.text().match(/▶ run/g)).toHaveLength(1);
    t.lake.state.release(token);
    await ui.becomes(() => rowOf(ui, 'silver/ticks')?.busy === false);
    expect(ui.text()).not.toContain('running');
    claim();
    await ui.becomes(() => rowOf(ui, 'silver/ticks')?.busy === true);
    now += 60_000;
    await ui.becomes(() => rowOf(ui, 'silver/ticks')?.busy === false);
  });

  test('what is open is read again: runs, a run, checks, the partition under the cursor', async () => {
    const t = await tiny();
    t.archive.days('A', '2020-03', 1, 2);
    await run(t.lake);
    const ui = await startUi(openerOf(t), { asset: 'silver/ticks' });
    await loaded(ui);
    ui.press('3', 'g');
    await ui.becomes(({ detail }) => detail?.partition === 'symbol=A/date=2020-03-01');
    expect(ui.state().detail).toMatchObject({ status: 'fresh', rows: 6 });
    const before = ui.state().detail?.run;
    t.archive.days('A', '2020-03', 1, 1, 4);
    await run(t.lake);
    await ui.becomes(({ detail }) => detail?.rows === 4 && detail.run !== before);

    ui.press('4');
    expect(ui.state().runs.rows).toHaveLength(2);
    await run(t.lake, { force: true, selection: 'silver/ticks' });
    await ui.becomes(({ runs }) => runs.rows?.length === 3);

    ui.press('5');
    expect(ui.state().checks.rows).toMatchObject([{ check: 'price_positive', passed: 2, failed: 0 }]);
    t.archive.put('A', '2020-03-02', '2020-03-02 00:00:00,-1.5,0.1\n');
    await run(t.lake);
    await ui.becomes(({ checks }) => checks.rows?.[0]?.failed === 1);
  });

  test('a lake that is not there yet is shown, and followed once it is', async () => {
    const directory = await temporaryDirectory();
    const archive = await temporaryDirectory();
    const t = opener(tinyLake(), join(directory, 'lake'), [`tiny.directory=${archive}`, 'engine.threads=2']);
    const ui = await startUi(t);
    await loaded(ui);
    expect(ui.text()).toContain('Nothing was observed yet');
    await turns(50);
    const shown = ui.state().assets.rows;
    for (let i = 0; i < 5; i++) {
      ui.tick();
      await turns(50);
    }
    // To look whether it is there by now nothing is opened, and nothing is read again.
    expect(ui.state().assets.rows).toBe(shown);
    expect(t.opened).toEqual([{ mode: 'read', closed: false }]);

    const { Archive } = await import('../materialize/fixture.ts');
    new Archive(archive).days('A', '2020-03', 1, 2);
    const writer = await t.open('write');
    await run(writer);
    await writer.close();
    await ui.becomes(() => freshOf(ui, 'silver/ticks') === 2);
    // Nor is what was found then opened again.
    expect(t.opened.map(({ mode }) => mode)).toEqual(['read', 'write', 'read']);
    await vi.waitFor(() => expect(t.opened.filter(({ closed }) => !closed)).toHaveLength(1));
  });

  test('however long reading takes, news are seen within a second after it', async () => {
    const t = await tiny();
    t.archive.days('A', '2020-03', 1, 3);
    await run(t.lake);
    let now = NOW;
    const ui = await startUi(
      openerOf(t, [], () => now),
      { now: () => now },
    );
    let read = false;
    ui.session.onRead(() => {
      read = true;
    });
    // Ten seconds for every turn of the event loop.
    for (await turns(1); !read; await turns(1)) now += 10_000;
    t.archive.days('B', '2020-03', 1, 2);
    await run(t.lake);
    ui.tick();
    await turns(100);
    expect(freshOf(ui, 'silver/ticks')).toBe(3);
    now += 500;
    ui.tick();
    await vi.waitFor(() => expect(freshOf(ui, 'silver/ticks')).toBe(5));
  });

  test('time goes on without any event: a new day is missing by itself', async () => {
    const t = await tiny();
    t.archive.days('A', '2020-04', 1, 2);
    await run(t.lake);
    let now = NOW;
    const ui = await startUi(
      openerOf(t, [], () => now),
      { now: () => now },
    );
    await loaded(ui);
    const awaiting = () => Object.values(rowOf(ui, 'bronze/days')?.counts ?? {}).reduce((sum, n) => sum + n, 0);
    const before = awaiting();
    now += 3 * 86_400_000;
    await ui.becomes(() => awaiting() === before + 3);
  });

  test('a state file that cannot be read is told of, and the screen stays', async () => {
    const directory = await temporaryDirectory();
    const t = opener(tinyLake(), directory, [`tiny.directory=${directory}`]);
    const ui = await startUi(t);
    await loaded(ui);
    const writer = await t.open('write');
    await writer.close();
    writeFileSync(join(directory, '.lakehouse', 'state.sqlite'), 'this is no database'.repeat(1_000));
    await ui.becomes(({ overlay }) => overlay?.type === 'error');
    expect(ui.text()).toContain('The lake cannot be read');
    expect(ui.state().assets.rows?.length).toBeGreaterThan(0);
    // It is told once, not twice a second.
    ui.press('escape');
    for (let i = 0; i < 5; i++) {
      ui.tick();
      await turns(20);
    }
    expect(ui.state().overlay).toBeUndefined();
  });
});

describe('odd lakes', () => {
  test('without any asset: every screen can be looked at', async () => {
    const directory = await temporaryDirectory();
    const ui = await startUi(opener(defineLakehouse({ assets: [] }), directory, []), { columns: 80, rows: 24 });
    await loaded(ui);
    expect(ui.text()).toContain('This lake has no assets yet.');
    const keys = ['1', '2', '3', '4', '5', '6', '7'];
    const others = ['enter', 'j', 'k', 'l', 'h', 'g', 'G', 'e', 'space', 'm', 'F', 'W', 'y', 'Y', 'tab', 'n', '-', 'v'];
    for (const key of keys) {
      for (const other of others) {
        ui.press(key, other);
        await turns();
        expect(ui.state().overlay?.type === 'error' ? ui.text() : '', `${key} ${other}`).toBe('');
        ui.lines();
        ui.press('escape', 'escape');
      }
    }
  });

  test('an asset without dimensions is one cell', async () => {
    const directory = await temporaryDirectory();
    const only = asset('lab/constant', {
      partitions: {},
      inputs: {},
      columns: columns({ name: text() }),
      sortBy: ['name'],
      query: () => sql`SELECT 'x' AS name`,
    });
    const t = opener(defineLakehouse({ assets: [only] }), directory, ['engine.threads=2']);
    const writer = await t.open('write');
    await run(writer);
    await writer.close();
    const ui = await startUi(t);
    await loaded(ui);
    expect(rowOf(ui, 'lab/constant')).toMatchObject({ rows: 1, dimensions: [], counts: { fresh: 1 } });
    ui.press('3', 'j', 'l', 'G', '-', 'v', 'j');
    await ui.becomes(({ detail }) => detail?.asset === 'lab/constant');
    expect(ui.text()).toContain('not partitioned');
    ui.press('escape', 'enter');
    expect(ui.state().explain).toBeDefined();
    ui.press('7');
    await ui.becomes(({ data }) => data.preview !== undefined);
    expect(ui.state().data.preview).toMatchObject({ rowCount: 1, first: { rows: [['x']] } });
    ui.press('3', 'escape', 'y');
    expect(ui.copied).toEqual(['lab/constant']);
    ui.press('F');
    await ui.becomes(({ overlay }) => overlay?.type === 'plan' && overlay.plan !== undefined);
    expect(ui.state().overlay).toMatchObject({ plan: { will: 1 }, request: { partitions: undefined } });
  });
});

describe('working', () => {
  test('a run: progress while it goes on, and what it made afterwards', async () => {
    const [reading, goOn] = [gate(), gate()];
    const t = await tiny({
      onRows: async (key) => {
        if (!key.includes('2020-03-02')) return;
        reading.open();
        await goOn.opened;
      },
    });
    t.archive.days('A', '2020-03', 1, 3);
    const ui = await startUi(openerOf(t));
    await loaded(ui);
    ui.session.start(all);
    expect(ui.opened.map(({ mode }) => mode)).toContain('write');
    await reading.opened;
    await ui.becomes(({ job }) => job?.detail.assets.some(({ asset }) => asset === 'gold/function') === true);
    expect(rowOf(ui, 'gold/function')?.running).toEqual({ done: 0, total: 3 });
    expect(ui.text()).toContain('Running:');
    // What is done already does not go on running.
    expect(rowOf(ui, 'bronze/days')?.running).toBeUndefined();
    // One run at a time.
    ui.session.start(all);
    expect(ui.opened.filter(({ mode }) => mode === 'write')).toHaveLength(1);
    ui.press('m');
    expect(ui.text()).toContain('materialize: a run is going on.');

    goOn.open();
    await ui.session.idle();
    await ui.becomes(() => freshOf(ui, 'gold/function') === 3);
    expect(ui.state()).toMatchObject({ job: undefined, message: { kind: 'good', text: 'The run succeeded.' } });
    expect(rowOf(ui, 'gold/function')?.running).toBeUndefined();
    expect(ui.opened.filter(({ closed }) => !closed)).toHaveLength(1);
    expect(t.lake.state.refresh().head).toBeGreaterThan(0);
    expect(t.lake.state.runs(1)[0]).toMatchObject({ command: "lakehouse materialize '*'", outcome: 'succeeded' });
  });

  test('is asked to stop, and at the second time stopped', async () => {
    const [reading, goOn] = [gate(), gate()];
    const t = await tiny({
      onRows: async () => {
        reading.open();
        await goOn.opened;
      },
    });
    t.archive.days('A', '2020-03', 1, 3);
    const ui = await startUi(openerOf(t));
    await loaded(ui);
    expect(ui.session.cancel()).toBe(false);
    ui.session.start(all);
    await reading.opened;
    expect(ui.session.cancel()).toBe(true);
    expect(ui.state()).toMatchObject({ job: { stopping: true } });
    expect(ui.text()).toContain('Press c again');
    expect(ui.session.cancel()).toBe(true);
    goOn.open();
    await ui.session.idle();
    expect(ui.state()).toMatchObject({ job: undefined, overlay: undefined, message: { text: 'The run was stopped.' } });
    expect(t.lake.state.refresh().head).toBeGreaterThan(0);
    expect(t.lake.state.runs(1)[0]).toMatchObject({ outcome: 'cancelled' });
    expect(freshOf(ui, 'gold/function') ?? 0).toBe(0);
  });

  test('that fails says so', async () => {
    const t = await tiny();
    t.archive.put('A', '2020-03-01', '2020-03-01 00:00:00,cheap,0.1\n');
    const ui = await startUi(openerOf(t));
    await loaded(ui);
    ui.session.start(all);
    await ui.session.idle();
    expect(ui.state().message).toEqual({ kind: 'bad', text: 'The run failed.' });
    await ui.becomes(() => rowOf(ui, 'silver/ticks')?.counts?.failed === 1);
  });

  test('that cannot even begin is a dialog, and the next one may', async () => {
    const t = await tiny();
    t.archive.days('A', '2020-03', 1, 1);
    const ui = await startUi(openerOf(t));
    await loaded(ui);
    ui.session.start({ ...all, selection: 'nothing/like_this' });
    await ui.session.idle();
    expect(ui.state().overlay).toMatchObject({ type: 'error', title: 'The run ended' });
    expect(ui.text()).toContain('nothing/like_this');
    ui.press('escape');
    ui.session.start({ ...all, partitions: 'date=gibberish..' });
    await ui.session.idle();
    expect(ui.state().overlay).toMatchObject({ type: 'error' });
    ui.press('escape');
    ui.session.start(all);
    await ui.session.idle();
    expect(ui.state().message).toEqual({ kind: 'good', text: 'The run succeeded.' });
  });

  test('looking at sources alone computes nothing', async () => {
    const t = await tiny();
    t.archive.days('A', '2020-03', 1, 3);
    const ui = await startUi(openerOf(t));
    await loaded(ui);
    ui.press('o');
    await ui.session.idle();
    expect(ui.state().message).toEqual({ kind: 'good', text: 'The sources were observed.' });
    await ui.becomes(() => freshOf(ui, 'src/days') === 3);
    expect(rowOf(ui, 'bronze/days')?.counts).toMatchObject({ fresh: 0, missing: 3 });
  });

  test('taking partitions out', async () => {
    const t = await tiny();
    t.archive.days('A', '2020-03', 1, 4);
    await run(t.lake);
    const ui = await startUi(openerOf(t));
    await loaded(ui);
    ui.session.wipe('silver/ticks', 'date=2020-03-02..2020-03-03');
    await ui.becomes(({ message }) => message?.text === '2 partitions of silver/ticks left the lake.');
    await ui.becomes(() => rowOf(ui, 'silver/ticks')?.counts?.missing === 2);
    t.lake.state.refresh();
    expect(t.lake.state.runs(1)[0]).toMatchObject({
      command: 'lakehouse wipe silver/ticks -p date=2020-03-02..2020-03-03',
      outcome: 'succeeded',
    });
    expect(work((await run(t.lake)).events)).toMatchObject({ 'silver/ticks': '2/2' });
  });

  test('is not done in a lake that is only looked at', async () => {
    const t = await tiny();
    t.archive.days('A', '2020-03', 1, 2);
    await run(t.lake);
    const ui = await startUi(openerOf(t), { readOnly: true });
    await loaded(ui);
    ui.session.start(all);
    ui.session.wipe('silver/ticks', undefined);
    await turns(20);
    expect(ui.opened.map(({ mode }) => mode)).toEqual(['read']);
    expect(ui.state().job).toBeUndefined();
  });
});

describe('closing', () => {
  test('at once, while everything is being read', async () => {
    const t = await tiny();
    t.archive.days('A', '2020-03', 1, 3);
    await run(t.lake);
    for (const wait of [0, 1, 3, 6, 12]) {
      const ui = await startUi(openerOf(t));
      ui.press('7', '4', '5', '3');
      await turns(wait);
      await ui.close();
      expect(ui.calls.ticking).toBe(false);
      expect(ui.opened.every(({ closed }) => closed)).toBe(true);
      // Whatever is still under way fails in silence.
      const state = ui.state();
      ui.tick();
      ui.session.refresh(true);
      ui.session.load('runs');
      await turns(20);
      expect(ui.state().overlay).toBeUndefined();
      expect(ui.state().runs.rows).toBe(state.runs.rows);
    }
  });

  test('while a query runs and a plan is made', async () => {
    const t = await tiny();
    t.archive.days('A', '2020-03', 1, 3);
    await run(t.lake);
    const ui = await startUi(openerOf(t), { asset: 'silver/ticks' });
    await loaded(ui);
    ui.press('7');
    ui.press('m');
    await ui.close();
    await turns(50);
    expect(ui.state().overlay?.type).not.toBe('error');
    expect(ui.opened.every(({ closed }) => closed)).toBe(true);
  });
});

describe('planning', () => {
  test('says that it plans, then what it costs, judged by what earlier runs took', async () => {
    const t = await tiny();
    t.archive.days('A', '2020-03', 1, 6);
    await run(t.lake);
    t.archive.days('A', '2020-03', 4, 5, 2);
    // Looked at, not computed.
    await run(t.lake, { selection: 'src/days' });
    const ui = await startUi(openerOf(t), { asset: 'bronze/days' });
    await loaded(ui);
    ui.press('m');
    expect(ui.text()).toContain('Planning …');
    await ui.becomes(({ overlay }) => overlay?.type === 'plan' && overlay.plan !== undefined);
    const { overlay } = ui.state();
    if (overlay?.type !== 'plan' || !overlay.plan) throw new Error('there is no plan');
    const { cost, steps } = overlay.plan;
    expect(cost).toMatchObject({ batches: 1, files: 2, fetches: 2 });
    expect(cost.downloadBytes).toBeGreaterThan(0);
    expect(cost.estimatedMs).toBeGreaterThan(0);
    expect(steps).toEqual([
      {
        asset: 'bronze/days',
        will: 2,
        may: 0,
        held: 0,
        causes: { data: 2 },
        estimatedMs: cost.estimatedMs,
      },
    ]);
    expect(ui.text()).toMatch(/1 batch, 2 files to write, 2 downloads of \d+ B\./);
    expect(ui.text()).toMatch(/It takes about \d+ ms\./);
  });

  test('of what was never computed tells that the time is not known', async () => {
    const t = await tiny();
    t.archive.days('A', '2020-03', 1, 2);
    await run(t.lake, { selection: 'src/days' });
    const ui = await startUi(openerOf(t), { asset: 'bronze/days' });
    await loaded(ui);
    ui.press('m');
    await ui.shows('How long it takes is not known.');
  });

  test('lets keys have their turn, and stops where its dialog is closed', async () => {
    const t = await tiny();
    t.archive.days('A', '2020-03', 1, 3);
    await run(t.lake);
    const ui = await startUi(openerOf(t), { asset: 'silver/ticks' });
    await allRead(ui, 'gold/window', 18);
    const known = ui.session.lake().state.refresh();
    ui.press('1', 'F');
    expect(ui.state().overlay).toMatchObject({ type: 'plan', plan: undefined });
    // More than one turn for as many assets as there are.
    await turns(3);
    expect(ui.state().overlay).toMatchObject({ type: 'plan', plan: undefined });
    ui.press('escape', 'j', '?');
    await turns(200);
    expect(ui.state().overlay?.type).toBe('help');
    ui.press('escape');
    expect(ui.state().message).toBeUndefined();
    expect(ui.session.lake().state.refresh()).toBe(known);
    // Another one is made for another request only.
    ui.press('F', 'escape', 'm');
    await ui.becomes(({ overlay }) => overlay?.type === 'plan' && overlay.plan !== undefined);
    expect(ui.state().overlay).toMatchObject({ request: { force: false }, plan: { will: 0 } });
  });
});
