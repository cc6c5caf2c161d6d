import { describe, expect, test } from 'vitest';
import { initialLineage } from '../../framework/tui/model/lineage.ts';
import { goBack, goTo, initialState, moved, type UiState } from '../../framework/tui/model/state.ts';

const graph = {
  order: ['a/x', 'a/y'],
  upstreamOf: () => [],
  downstreamOf: () => [],
  select: () => {
    throw new Error('nothing is selected here');
  },
};
const start = (): UiState => initialState(initialLineage(graph), 'a/x', false);
const place = ({ screen, asset, runs, explain, back }: UiState) => ({
  screen,
  asset,
  run: runs.open,
  explain: explain !== undefined,
  back: back.length,
});

describe('going about', () => {
  test('back leads over all places in reverse, and stays at the first', () => {
    const opened = goTo(start(), 'partitions', { asset: 'a/y' });
    const explained = goTo(opened, 'partitions', { explain: { offset: 0 } });
    const listed = goTo(explained, 'runs');
    const run = goTo(listed, 'runs', { runs: { ...listed.runs, open: 'r1' } });
    expect(place(run)).toEqual({ screen: 'runs', asset: 'a/y', run: 'r1', explain: false, back: 4 });

    const steps = [run];
    for (let i = 0; i < 5; i++) steps.push(goBack(steps.at(-1) as UiState));
    expect(steps.slice(1).map(place)).toEqual([
      { screen: 'runs', asset: 'a/y', run: undefined, explain: false, back: 3 },
      { screen: 'partitions', asset: 'a/y', run: undefined, explain: true, back: 2 },
      { screen: 'partitions', asset: 'a/y', run: undefined, explain: false, back: 1 },
      { screen: 'assets', asset: 'a/x', run: undefined, explain: false, back: 0 },
      { screen: 'assets', asset: 'a/x', run: undefined, explain: false, back: 0 },
    ]);
    expect(steps.at(-1)).toBe(steps.at(-2));
  });

  test('going to where one is leaves no trace', () => {
    const state = goTo(start(), 'assets');
    expect(state.back).toEqual([]);
    const again = goTo(goTo(start(), 'runs'), 'runs');
    expect(again.back).toHaveLength(1);
  });

  test('what was said, and an explanation, belong to the place that is left', () => {
    const said: UiState = { ...start(), message: { kind: 'info', text: 'done' }, explain: { offset: 3 } };
    expect(goTo(said, 'runs')).toMatchObject({ message: undefined, explain: undefined });
    expect(goBack(goTo(said, 'runs'))).toMatchObject({ message: undefined, explain: { offset: 0 } });
  });

  test('going back from a run forgets its details, not those of the same run', () => {
    const { runs } = start();
    const detail = { row: { run: 'r1' }, assets: [], lines: [] } as unknown as UiState['runs']['detail'];
    const open = goTo(start(), 'runs', { runs: { ...runs, open: 'r1', detail } });
    const away = goTo(open, 'checks');
    expect(goBack(away).runs).toMatchObject({ open: 'r1', detail });
    expect(goBack(open).runs).toMatchObject({ open: undefined, detail: undefined });
  });

  test('the way back is not endless', () => {
    let state = start();
    for (let i = 0; i < 100; i++) state = goTo(state, i % 2 === 0 ? 'runs' : 'checks');
    expect(state.back).toHaveLength(30);
  });
});

describe('a cursor', () => {
  test.each([
    [3, 10, 3],
    [-1, 10, 0],
    [10, 10, 9],
    [5, 0, 0],
  ])('to %i of %i', (to, length, at) => {
    expect(moved({ cursor: 1, offset: 2, filter: 'x' }, to, length)).toEqual({ cursor: at, offset: 2, filter: 'x' });
  });
});
