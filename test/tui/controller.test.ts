import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../framework/tui/model/commands.ts';
import { SCREENS } from '../../framework/tui/model/state.ts';
import { run } from '../materialize/lake.ts';
import { type Tiny, tiny } from '../materialize/support.ts';
import { openerOf, startUi, turns, typed, type Ui, type UiOptions } from './app-support.ts';

async function lake(): Promise<Tiny> {
  const t = await tiny();
  t.archive.days('A', '2020-03', 1, 10).days('B', '2020-03', 5, 12);
  await run(t.lake);
  return t;
}
async function started(t: Tiny, options: UiOptions = {}): Promise<Ui> {
  const ui = await startUi(openerOf(t), options);
  await ui.becomes(({ assets }) => assets.rows?.every(({ counts }) => counts !== undefined) ?? false);
  return ui;
}
const cellOf = (ui: Ui) => ui.state().detail?.partition;
const planned = (ui: Ui) => ui.becomes(({ overlay }) => overlay?.type === 'plan' && overlay.plan !== undefined);
const statusLine = (ui: Ui) => ui.lines()[1];

describe('screens', () => {
  test('by number, by tab, round and round, and back the way one came', async () => {
    const ui = await started(await lake(), { asset: 'silver/ticks' });
    const seen = ['1', '2', '3', '4', '5', '6', '7'].map((key) => {
      ui.press(key);
      return ui.state().screen;
    });
    expect(seen).toEqual([...SCREENS]);
    ui.press('tab');
    expect(ui.state().screen).toBe('assets');
    ui.press('shift+tab', 'shift+tab');
    expect(ui.state().screen).toBe('schedules');
    const back = Array.from({ length: 12 }, () => {
      ui.press('escape');
      return ui.state().screen;
    });
    expect(back.slice(0, 3)).toEqual(['data', 'assets', 'data']);
    expect(back.at(-1)).toBe('assets');
    expect(ui.state().back).toEqual([]);
  });

  test.each([
    [80, 24],
    [120, 40],
    [200, 50],
    [300, 100],
    [40, 12],
    [20, 5],
    [1, 1],
  ])('are all drawn at %i × %i, with every overlay', async (columns, rows) => {
    const ui = await started(await lake(), { asset: 'silver/ticks', columns, rows });
    for (const screen of ['1', '2', '3', '4', '5', '6', '7']) {
      for (const over of [[], ['?'], [':'], ['/'], ['W'], ['m'], ['@'], ['s']]) {
        ui.press(screen, ...over);
        await turns();
        ui.lines();
        ui.press('escape', 'escape');
      }
    }
    ui.press('4', 'enter');
    ui.lines();
    ui.press('3', 'g', 'enter');
    ui.lines();
  });

  test('a terminal that changes its size in the middle of it all', async () => {
    const ui = await started(await lake(), { asset: 'silver/ticks' });
    ui.press('3', 'G', 'j');
    for (const [columns, rows] of [
      [200, 60],
      [30, 8],
      [81, 24],
      [2, 3],
      [120, 40],
    ] as const) {
      ui.resize(columns, rows);
      ui.lines();
      ui.press('h', 'l', 'pagedown', 'pageup', 'tab', 'shift+tab');
      ui.lines();
    }
  });

  test('each key of each command does something or says why not, and breaks nothing', async () => {
    const ui = await started(await lake(), { asset: 'silver/ticks', readOnly: true });
    for (const screen of SCREENS) {
      for (const { id, keys } of COMMANDS) {
        ui.press(String(SCREENS.indexOf(screen) + 1));
        await turns(2);
        for (const key of keys) {
          ui.press(key);
          await turns(2);
          ui.lines();
          const { overlay } = ui.state();
          expect(overlay?.type === 'error' ? ui.text() : '', `${id} on ${screen}`).toBe('');
          ui.press('escape', 'escape');
        }
      }
    }
    expect(ui.opened.map(({ mode }) => mode)).toEqual(['read']);
    expect(ui.calls).toMatchObject({ quit: 2 * SCREENS.length, suspend: SCREENS.length });
  });
});

describe('assets', () => {
  test('headings close and open, the cursor stays inside', async () => {
    const ui = await started(await lake());
    expect(ui.text()).toContain('src/days');
    ui.press('space');
    expect(ui.text()).not.toContain('src/days');
    ui.press('l', 'j', 'h');
    expect(ui.text()).toContain('src/days');
    expect(ui.state().assets.cursor).toBe(0);
    ui.press('k', 'k', 'G');
    expect(ui.state().asset).toBe('gold/window');
    ui.press('pageup', 'pagedown', 'g');
    expect(ui.state().assets.cursor).toBe(0);
    ui.press('t');
    expect(ui.state().assets.by).toBe('group');
  });

  test('a filter while it is typed, kept, and dropped', async () => {
    const ui = await started(await lake());
    ui.press('/', ...typed('win'));
    expect(ui.text()).toContain('gold/window');
    expect(ui.text()).not.toContain('src/days');
    expect(ui.state().asset).toBe('gold/window');
    // Keys that are commands elsewhere are letters here.
    ui.press('q', 'backspace', 'enter');
    expect(ui.state()).toMatchObject({ overlay: undefined, assets: { filter: 'win' } });
    ui.press('/', 'x', 'escape');
    expect(ui.state().assets.filter).toBe('win');
    ui.press('escape');
    expect(ui.state().assets.filter).toBe('');
    expect(ui.text()).toContain('src/days');
    expect(ui.calls.quit).toBe(0);
    ui.press('/', ...typed('no such thing'));
    expect(ui.text()).toContain('No asset matches');
    ui.press('enter', 'enter', 'j', 'm', 'escape', 'escape');
  });

  test('the asset to begin with is where the cursor is', async () => {
    const ui = await started(await lake(), { asset: 'silver/ticks' });
    ui.press('y');
    expect(ui.copied).toEqual(['silver/ticks']);
    ui.press('m');
    await planned(ui);
    expect(ui.state().overlay).toMatchObject({ request: { selection: 'silver/ticks' } });
  });
});

describe('lineage', () => {
  test('the focus goes along edges, and is the asset of all other screens', async () => {
    const ui = await started(await lake(), { asset: 'silver/ticks' });
    ui.press('2');
    expect(ui.state().lineage.focus).toBe('silver/ticks');
    ui.press('left');
    expect(ui.state().asset).toBe('bronze/days');
    ui.press('h', 'h');
    expect(ui.state().asset).toBe('src/days');
    ui.press('enter');
    expect(ui.state()).toMatchObject({ screen: 'partitions', asset: 'src/days' });
    ui.press('escape');
    expect(ui.state().screen).toBe('lineage');
  });

  test('a selection as a filter, with its mistakes said', async () => {
    const ui = await started(await lake());
    ui.press('2', '/', ...typed('silver/*+'), 'enter');
    expect(ui.state().lineage.shown).toContain('gold/window');
    expect(ui.state().lineage.shown).not.toContain('src/days');
    ui.press('/', 'ctrl+u', ...typed('silver/(('), 'enter');
    expect(ui.state().lineage.message).toMatchObject({ text: "'(' is not expected here", column: 8 });
    expect(ui.text()).toContain("'(' is not expected here");
    ui.press('a');
    expect(ui.state().lineage.shown).toHaveLength(10);
    ui.press('u', 'd', 'U', 'D', 'b', 'b', 'b', 'g', 'G');
    ui.lines();
  });
});

describe('partitions', () => {
  test('the cell under the cursor is explained as soon as there is something to say', async () => {
    const t = await lake();
    const ui = await startUi(openerOf(t), { asset: 'silver/ticks' });
    // Before anything has been read.
    ui.press('3');
    expect(ui.text()).toContain('Reading silver/ticks');
    await ui.becomes(({ assets }) => assets.rows?.every(({ counts }) => counts !== undefined) ?? false);
    await ui.becomes(({ detail }) => detail !== undefined || ui.text().includes('no partition'));
    ui.press('g');
    await ui.becomes(() => cellOf(ui) === 'symbol=A/date=2020-03-01');
    ui.press('j');
    await ui.becomes(({ detail }) => detail === undefined);
  });

  test('zoom, edges, a date, the next problem', async () => {
    const t = await lake();
    t.archive.days('A', '2020-03', 4, 4, 2);
    // Looked at, not computed.
    await run(t.lake, { selection: '+bronze/days' });
    const ui = await started(t, { asset: 'silver/ticks' });
    ui.press('3', 'g', 'n');
    await ui.becomes(() => cellOf(ui) === 'symbol=A/date=2020-03-04');
    expect(ui.state().detail?.status).toBe('stale');
    ui.press('n');
    expect(statusLine(ui)).toContain('symbol=A,date=2020-03-04');
    expect(ui.text()).toContain('Nothing here is in trouble.');
    ui.press('@', ...typed('2020-03-07'), 'enter');
    await ui.becomes(() => cellOf(ui) === 'symbol=A/date=2020-03-07');
    ui.press('@', ...typed('soon'), 'enter');
    expect(ui.text()).toContain('Write a time such as');
    ui.press('escape', '-');
    expect(ui.state().heat.get('silver/ticks')?.zoom).toBe('month');
    expect(statusLine(ui)).toContain('date=2020-03-01..2020-03-31');
    ui.press('+');
    expect(ui.state().heat.get('silver/ticks')?.zoom).toBe('partition');
  });

  test('a cell is what is computed, also when nothing was moved yet', async () => {
    const ui = await started(await lake(), { asset: 'gold/monthly' });
    ui.press('3');
    await ui.becomes(() => cellOf(ui) === 'symbol=A/month=2020-03');
    expect(statusLine(ui)).toContain('-p symbol=A');
    ui.press('F');
    await planned(ui);
    expect(ui.state().overlay).toMatchObject({ plan: { will: 1 }, request: { partitions: 'symbol=A' } });
    ui.press('escape', 'W');
    expect(ui.state().overlay).toMatchObject({ type: 'wipe', partitions: 'symbol=A' });
  });

  test('a marked range and nothing else is computed', async () => {
    const t = await lake();
    const ui = await started(t, { asset: 'silver/ticks' });
    ui.press('3', 'g', 'j', '@', ...typed('2020-03-06'), 'enter', 'v', 'l', 'l', 'k');
    await ui.becomes(() => cellOf(ui) === 'symbol=A/date=2020-03-08');
    expect(statusLine(ui)).toContain('-p date=2020-03-06..2020-03-08');
    ui.press('F');
    await planned(ui);
    expect(ui.state().overlay).toMatchObject({
      request: { selection: 'silver/ticks', partitions: 'date=2020-03-06..2020-03-08', force: true },
      plan: { will: 6, may: 0 },
    });
    expect(ui.text()).toContain('silver/ticks');
    ui.press('enter');
    await ui.session.idle();
    await ui.becomes(({ message }) => message?.text === 'The run succeeded.');
    t.lake.state.refresh();
    expect(t.lake.state.runs(1)[0]).toMatchObject({
      command: 'lakehouse materialize silver/ticks -p date=2020-03-06..2020-03-08 --force',
      counts: { computed: 6 },
    });
    // A mark is dropped before one goes back.
    ui.press('escape');
    expect(ui.state().heat.get('silver/ticks')?.anchor).toBeUndefined();
    expect(ui.state().screen).toBe('partitions');
  });

  test('the cursor stays on its symbol when others come before it', async () => {
    const t = await lake();
    const ui = await started(t, { asset: 'silver/ticks' });
    ui.press('3', 'G', '@', ...typed('2020-03-06'), 'enter', 'j');
    await ui.becomes(() => cellOf(ui) === 'symbol=B/date=2020-03-06');
    t.archive.days('AA', '2020-02', 20, 22);
    await run(t.lake);
    await ui.becomes(() => ui.session.heat('silver/ticks')?.dimensions[0]?.values.includes('AA') ?? false);
    await turns(20);
    expect(statusLine(ui)).toContain('symbol=B,date=2020-03-06');
    ui.press('l');
    await ui.becomes(() => cellOf(ui) === 'symbol=B/date=2020-03-07');
  });

  test('an explanation on a screen of its own, scrolled to its end and back', async () => {
    const t = await lake();
    const ui = await started(t, { asset: 'silver/ticks', rows: 14 });
    ui.press('3', 'g');
    await ui.becomes(() => cellOf(ui) === 'symbol=A/date=2020-03-01');
    ui.press('e');
    const top = ui.text();
    expect(ui.state().explain).toEqual({ offset: 0 });
    ui.press('G');
    const bottom = ui.text();
    expect(bottom).not.toBe(top);
    ui.press('k');
    expect(ui.text()).not.toBe(bottom);
    ui.press('g');
    expect(ui.text()).toBe(top);
    // Sideways leads nowhere here.
    ui.press('l');
    ui.press('escape');
    expect(statusLine(ui)).toContain('symbol=A,date=2020-03-01');
    expect(ui.state()).toMatchObject({ explain: undefined, screen: 'partitions' });
  });

  test('what is asked of a cell right after moving to it is answered for that cell', async () => {
    const ui = await started(await lake(), { asset: 'silver/ticks' });
    ui.press('3', 'g');
    await ui.becomes(() => cellOf(ui) === 'symbol=A/date=2020-03-01');
    ui.press('l', 'y', 'l', 'enter');
    expect(ui.copied).toEqual(['symbol=A/date=2020-03-02']);
    expect(ui.state()).toMatchObject({ explain: { offset: 0 }, detail: { partition: 'symbol=A/date=2020-03-03' } });
    ui.press('escape', 'l', '7');
    await ui.becomes(({ data }) => data.preview !== undefined);
    expect(ui.state().data.preview?.partition).toBe('symbol=A/date=2020-03-04');
  });

  test('keys and paths are copied', async () => {
    const ui = await started(await lake(), { asset: 'silver/ticks' });
    ui.press('3', 'g');
    await ui.becomes(() => cellOf(ui) === 'symbol=A/date=2020-03-01');
    ui.press('y', 'P', 'Y');
    expect(ui.copied).toEqual([
      'symbol=A/date=2020-03-01',
      expect.stringMatching(/^silver\/ticks\/symbol=A\/.*\.parquet$/),
      'lakehouse status silver/ticks -p symbol=A,date=2020-03-01',
    ]);
    expect(ui.text()).toContain('Copied: lakehouse status');
  });
});

describe('runs', () => {
  test('the list, one of them, its log, and a search in it', async () => {
    const t = await lake();
    t.archive.put('B', '2020-03-12', '2020-03-12 00:00:00,-1.5,0.1\n');
    const { run: id } = await run(t.lake);
    const ui = await started(t);
    ui.press('4');
    expect(ui.state().runs.rows?.map(({ outcome }) => outcome)).toEqual(['failed', 'succeeded']);
    ui.press('/', ...typed('succ'));
    expect(ui.text()).not.toContain(id);
    ui.press('escape', 'g', 'enter');
    expect(ui.state().runs).toMatchObject({ open: id, detail: { row: { outcome: 'failed' } } });
    expect(ui.text()).toContain('price_positive');
    ui.press('/', ...typed('price_'), 'enter');
    const { log, detail } = ui.state().runs;
    expect(log).toMatchObject({ search: 'price_', follow: false });
    expect(detail?.lines[log.offset]?.text).toContain('price_positive');
    ui.press('f', 'L', 'k', 'j', 'g', 'G');
    ui.lines();
    ui.press('escape');
    expect(ui.state().runs.open).toBeUndefined();
  });

  test('of what ran is run again', async () => {
    const ui = await started(await lake());
    ui.press('4', 'R');
    await planned(ui);
    expect(ui.state().overlay).toMatchObject({ request: { selection: '*', retryFailed: true } });
    expect(ui.text()).toContain('*');
    ui.press('enter');
    expect(ui.text()).toContain('There is nothing to compute.');
  });
});

describe('checks', () => {
  test('what failed is explained', async () => {
    const t = await lake();
    t.archive.put('B', '2020-03-12', '2020-03-12 00:00:00,-1.5,0.1\n');
    await run(t.lake);
    const ui = await started(t);
    ui.press('5');
    expect(ui.text()).toContain('price_positive');
    ui.press('J', 'J', 'K', 'e');
    expect(ui.state()).toMatchObject({ explain: { offset: 0 }, detail: { partition: 'symbol=B/date=2020-03-12' } });
    expect(ui.text()).toContain('symbol=B/date=2020-03-12');
    ui.press('escape');
    expect(ui.state().screen).toBe('checks');
    ui.press('/', ...typed('nothing'), 'enter', 'e');
    expect(ui.text()).toContain('No partition failed this check.');
  });
});

describe('what scrolls', () => {
  test('the detail of a check goes to its end, and back with the next key', async () => {
    const t = await lake();
    for (let day = 1; day <= 9; day++) t.archive.put('B', `2020-03-0${day}`, `2020-03-0${day} 00:00:00,-1.5,0.1\n`);
    await run(t.lake);
    for (const [columns, rows] of [
      [80, 24],
      [160, 20],
    ] as const) {
      const ui = await started(t, { columns, rows });
      ui.press('5');
      const top = ui.text();
      ui.press(...Array.from({ length: 100 }, () => 'J'));
      const bottom = ui.text();
      expect(bottom).not.toBe(top);
      ui.press('K');
      expect(ui.text()).not.toBe(bottom);
      ui.press(...Array.from({ length: 100 }, () => 'K'));
      expect(ui.text()).toBe(top);
    }
  });

  test('rows of data, statistics and answers likewise', async () => {
    const ui = await started(await lake(), { asset: 'silver/ticks', columns: 80, rows: 12 });
    ui.press('7');
    await ui.becomes(({ data }) => data.preview !== undefined);
    const ends = (tab: string) => {
      const top = ui.text();
      ui.press('G');
      const bottom = ui.text();
      expect(bottom, tab).not.toBe(top);
      ui.press('j');
      expect(ui.text(), tab).toBe(bottom);
      ui.press('k');
      expect(ui.text(), tab).not.toBe(bottom);
      ui.press('g');
      expect(ui.text(), tab).toBe(top);
    };
    ends('rows');
    ui.press('enter');
    ui.resize(80, 8);
    ends('statistics');
    ui.resize(80, 12);
    ui.press('s', ...typed('SELECT * FROM silver.ticks'), 'enter');
    await ui.becomes(({ data }) => data.sql.result !== undefined);
    ui.press('escape');
    ends('sql');
  });

  test('a plan likewise', async () => {
    const ui = await started(await lake(), { columns: 80, rows: 18 });
    ui.press('4');
    await ui.becomes(({ runs }) => runs.rows !== undefined);
    ui.press('F');
    await planned(ui);
    const top = ui.text();
    ui.press(...Array.from({ length: 50 }, () => 'j'));
    const bottom = ui.text();
    expect(bottom).not.toBe(top);
    ui.press('k');
    expect(ui.text()).not.toBe(bottom);
  });
});

describe('data', () => {
  test('rows, statistics, a chart', async () => {
    const ui = await started(await lake(), { asset: 'silver/ticks' });
    ui.press('7');
    await ui.becomes(({ data }) => data.preview !== undefined);
    expect(ui.state().data.preview).toMatchObject({ rowCount: 108, partition: undefined });
    expect(ui.text()).toContain('open_time');
    for (const tab of ['statistics', 'chart', 'sql', 'rows'] as const) {
      ui.press('enter');
      expect(ui.state().data.tab).toBe(tab);
      ui.lines();
    }
    ui.press('j', 'j', 'k', 'G', 'g');
    expect(ui.state().data.row).toBe(0);
    // As far to the right as there is something, and back with the same number of keys.
    ui.press(...Array.from({ length: 30 }, () => 'l'), 'h');
    expect(ui.state().data.column).toBeLessThan(5);
  });

  test('a partition belongs to its asset', async () => {
    const ui = await started(await lake(), { asset: 'silver/ticks' });
    ui.press('3', 'g');
    await ui.becomes(() => cellOf(ui) === 'symbol=A/date=2020-03-01');
    ui.press('7');
    await ui.becomes(({ data }) => data.preview !== undefined);
    expect(ui.state().data.preview).toMatchObject({ partition: 'symbol=A/date=2020-03-01', rowCount: 6 });
    ui.press('1', 'G', '7');
    await ui.becomes(({ data }) => data.preview !== undefined || data.error !== undefined);
    expect(ui.state().data.error).toBeUndefined();
    expect(ui.state().data.preview).toMatchObject({ asset: 'gold/window', partition: undefined, rowCount: 108 });
  });

  test('SQL: results, mistakes, history', async () => {
    const ui = await started(await lake(), { asset: 'silver/ticks' });
    ui.press('7', 's', ...typed('SELECT count(*) AS n FROM silver.ticks'), 'enter');
    await ui.becomes(({ data }) => data.sql.result !== undefined);
    expect(ui.state().data.sql.result).toMatchObject({ rows: [['108']] });
    expect(ui.text()).toContain('108');
    ui.press('ctrl+u', ...typed('SELECT nonsense FROM silver.ticks'), 'enter');
    await ui.becomes(({ data }) => data.sql.error !== undefined);
    expect(ui.text()).toMatch(/nonsense/);
    ui.press('up', 'up');
    expect(ui.state().data.sql.line.text).toBe('SELECT count(*) AS n FROM silver.ticks');
    ui.press('escape');
    expect(ui.state().data.sql.typing).toBe(false);
    // The rows of the asset are there all the same, though their query gave way to another one.
    ui.press('enter');
    await ui.becomes(({ data }) => data.tab === 'rows' && data.preview !== undefined);
  });

  test('leafing through a history without an end loses nothing that was typed', async () => {
    const ui = await started(await lake(), { asset: 'silver/ticks' });
    ui.press('7', 's', ...typed('SELECT 1'), 'up');
    expect(ui.state().data.sql.line.text).toBe('SELECT 1');
    ui.press('down');
    expect(ui.state().data.sql.line.text).toBe('SELECT 1');
  });

  test('only a SELECT', async () => {
    const ui = await started(await lake(), { asset: 'silver/ticks' });
    ui.press('7', 's', ...typed('DROP TABLE silver.ticks'), 'enter');
    await ui.becomes(({ data }) => data.sql.error !== undefined);
    expect(ui.state().data.sql.error?.message).toMatch(/SELECT/);
  });
});

describe('overlays', () => {
  test('help scrolls as far as there is something, and closes', async () => {
    const ui = await started(await lake(), { columns: 80, rows: 24 });
    ui.press('?');
    const top = ui.text();
    ui.press(...Array.from({ length: 200 }, () => 'j'));
    const bottom = ui.text();
    expect(bottom).not.toBe(top);
    ui.press('k');
    expect(ui.text()).not.toBe(bottom);
    ui.press('q');
    expect(ui.state().overlay).toBeUndefined();
    expect(ui.calls.quit).toBe(0);
  });

  test('the palette finds commands and assets', async () => {
    const ui = await started(await lake());
    ui.press(':', ...typed('window'));
    expect(ui.text()).toContain('gold/window');
    ui.press('enter');
    expect(ui.state()).toMatchObject({ screen: 'partitions', asset: 'gold/window', overlay: undefined });
    ui.press('ctrl+p', ...typed('runs'), 'enter');
    expect(ui.state().screen).toBe('runs');
    ui.press(':', 'down', 'down', 'up', ...typed('zzzz'), 'enter');
    expect(ui.state().overlay?.type).toBe('palette');
    ui.press('escape');
    ui.press(':', ...typed('cancel'), 'enter');
    expect(ui.text()).toContain('cancel: no run of this program is going on.');
  });

  test('wiping wants the name of the asset', async () => {
    const t = await lake();
    const ui = await started(t, { asset: 'gold/overview' });
    ui.press('3', 'g', 'v', 'l', 'l', 'W');
    expect(ui.text()).toContain('3 of its partitions leave the lake: date=2020-03-01..2020-03-03');
    ui.press(...typed('overvie'), 'enter');
    expect(ui.state().overlay?.type).toBe('wipe');
    ui.press('w', 'enter');
    expect(ui.state().overlay).toBeUndefined();
    await ui.becomes(({ message }) => message?.text === '3 partitions of gold/overview left the lake.');
    await ui.becomes(({ assets }) => assets.rows?.find(({ key }) => key === 'gold/overview')?.counts?.missing === 3);
    ui.press('W');
    expect(ui.text()).toContain('None of these partitions has content.');
  });

  test('a mistake in a selection is a dialog', async () => {
    const t = await lake();
    const ui = await started(t);
    // A group without a name has no selection that says it.
    ui.press('t');
    ui.press('m');
    await ui.becomes(({ overlay }) => overlay?.type === 'error' || (overlay?.type === 'plan' && !!overlay.plan));
    expect(ui.state().overlay?.type === 'error' ? ui.text() : '').toBe('');
  });

  test('without a selection there is nothing to propose', async () => {
    const ui = await started(await lake());
    ui.press('4', '/', ...typed('no such run'), 'enter', 'm');
    expect(ui.text()).toContain('Nothing is selected.');
  });
});

describe('leaving', () => {
  test('q leaves, ctrl+z goes for a while, ctrl+c closes what is open first', async () => {
    const ui = await started(await lake());
    ui.press('?', 'ctrl+c', 'ctrl+z');
    expect(ui.calls).toMatchObject({ quit: 0, suspend: 1 });
    ui.press('q', 'ctrl+c');
    expect(ui.calls.quit).toBe(2);
  });
});
