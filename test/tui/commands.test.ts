import { describe, expect, test } from 'vitest';
import { helpGroups, keyName, paletteEntries } from '../../framework/tui/app/menus.ts';
import { COMMANDS, commandFor, commandsOf } from '../../framework/tui/model/commands.ts';
import { initialLineage } from '../../framework/tui/model/lineage.ts';
import { initialState, SCREENS, type UiState } from '../../framework/tui/model/state.ts';
import { width } from '../../framework/tui/view/text.ts';

const graph = { order: ['a/x'], upstreamOf: () => [], downstreamOf: () => [], select: () => ({ keys: [] }) } as never;
const state = (more: Partial<UiState> = {}): UiState => ({
  ...initialState(initialLineage(graph), 'a/x', false),
  ...more,
});
const command = (id: string) => COMMANDS.find((one) => one.id === id);

describe('commands', () => {
  test('have ids, keys and words of their own', () => {
    expect(new Set(COMMANDS.map(({ id }) => id)).size).toBe(COMMANDS.length);
    for (const { id, keys, label, help } of COMMANDS) {
      expect(keys.length, id).toBeGreaterThan(0);
      expect(label, id).not.toBe('');
      expect(help, id).toMatch(/^[A-Z].*\.$/);
    }
  });

  test.each(SCREENS)('no two of %s share a key', (screen) => {
    const keys = commandsOf(screen).flatMap((one) => one.keys.map((key) => [key, one.id] as const));
    const shared = keys.filter(([key, id]) => keys.some(([other, its]) => other === key && its !== id));
    expect(shared).toEqual([]);
    for (const [key, id] of keys) expect(commandFor(screen, key)?.id).toBe(id);
  });

  test('keys that are of one screen only mean nothing on others', () => {
    expect(commandFor('lineage', 'u')?.id).toBe('expand-up');
    expect(commandFor('assets', 'u')).toBeUndefined();
    expect(commandFor('assets', '€')).toBeUndefined();
    expect(SCREENS.map((screen, i) => commandFor('runs', String(i + 1))?.id === screen)).toEqual(
      SCREENS.map(() => true),
    );
  });

  test.each(SCREENS)('the most important ones of %s fit below a screen of 80 columns', (screen) => {
    const shown = commandsOf(screen)
      .filter(({ footer }) => footer !== undefined)
      .toSorted((a, b) => (a.footer ?? 0) - (b.footer ?? 0))
      .map(({ id, keys, label }) => ({ id, hint: ` ${keyName(keys[0] ?? '')} ${label} ` }));
    let used = 0;
    const seen = shown.filter(({ hint }) => {
      used += width(hint);
      return used <= 80;
    });
    expect(seen.length).toBeGreaterThanOrEqual(6);
    expect(seen.map(({ id }) => id)).toContain('materialize');
  });

  test('only what a screen can filter offers to', () => {
    const screens = SCREENS.filter((screen) => commandsOf(screen).some(({ id }) => id === 'filter'));
    expect(screens).toEqual(['assets', 'lineage', 'runs', 'checks']);
  });

  test('say why they cannot be used', () => {
    const job = { run: undefined, stopping: false, detail: { row: {}, assets: [], lines: [] } } as never;
    const reasons = (id: string) => ({
      idle: command(id)?.disabled?.(state()),
      running: command(id)?.disabled?.(state({ job })),
      readOnly: command(id)?.disabled?.(state({ readOnly: true })),
      empty: command(id)?.disabled?.(state({ asset: undefined })),
    });
    const readOnly = 'the lake was opened with --read-only';
    const running = 'a run is going on';
    for (const id of ['materialize', 'materialize-up', 'force', 'retry', 'observe'])
      expect(reasons(id), id).toEqual({ idle: undefined, running, readOnly, empty: undefined });
    expect(reasons('wipe')).toEqual({ idle: undefined, running, readOnly, empty: 'no asset is chosen' });
    expect(reasons('partitions').empty).toBe('no asset is chosen');
    const none = 'no run of this program is going on';
    expect(reasons('cancel')).toEqual({ idle: none, running: undefined, readOnly: none, empty: none });
  });
});

describe('menus', () => {
  test.each(SCREENS)('help of %s tells of all that keys do there', (screen) => {
    const bindings = helpGroups(state({ screen })).flatMap((group) => group.bindings);
    expect(bindings).toHaveLength(commandsOf(screen).length);
    expect(bindings.find(({ label }) => label === 'cancel')?.disabledReason).toBe('no run of this program is going on');
  });

  test('the palette offers commands of the screen and assets, without those of moving', () => {
    const session = { graph: { order: ['a/x'], node: () => ({ definition: { description: 'An asset.' } }) } } as never;
    const all = paletteEntries(state(), session, '');
    expect(all.map(({ candidate }) => candidate.label)).toContain('a/x');
    expect(all.some(({ choice }) => choice.type === 'command' && choice.command.id === 'down')).toBe(false);
    expect(all.some(({ choice }) => choice.type === 'command' && choice.command.id === 'zoom-out')).toBe(false);
    const [found] = paletteEntries(state(), session, 'a/x');
    expect(found?.choice).toEqual({ type: 'asset', asset: 'a/x' });
    const heat = paletteEntries(state({ screen: 'partitions' }), session, 'zoom out');
    expect(heat[0]?.choice).toMatchObject({ type: 'command', command: { id: 'zoom-out' } });
  });

  test('keys are written as people write them', () => {
    expect(['up', 'escape', 'pagedown', 'j', 'ctrl+c'].map(keyName)).toEqual(['↑', 'esc', 'pgdn', 'j', 'ctrl+c']);
  });
});
