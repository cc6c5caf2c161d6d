import { describe, expect, test } from 'vitest';
import { createStore } from '../../framework/tui/model/store.ts';

const counter = (schedule?: (task: () => void) => void) =>
  createStore(0, (state: number, by: number) => state + by, schedule);

describe('the store', () => {
  test('changes at once, and tells once for all changes of a turn', async () => {
    const store = counter();
    const told: number[] = [];
    store.subscribe(() => told.push(store.get()));
    store.dispatch(1);
    store.dispatch(2);
    expect(store.get()).toBe(3);
    expect(told).toEqual([]);
    await Promise.resolve();
    expect(told).toEqual([3]);
    store.dispatch(4);
    await Promise.resolve();
    expect(told).toEqual([3, 7]);
  });

  test('does not tell of what changed nothing', async () => {
    const store = counter();
    let told = 0;
    store.subscribe(() => told++);
    store.dispatch(0);
    await Promise.resolve();
    expect(told).toBe(0);
  });

  test('whoever stopped listening is not told any more, not even of what was changed before', async () => {
    const store = counter();
    const told: string[] = [];
    const stop = store.subscribe(() => told.push('first'));
    store.subscribe(() => told.push('second'));
    store.dispatch(1);
    stop();
    await Promise.resolve();
    expect(told).toEqual(['second']);
  });

  test('what a listener changes is told in a turn of its own', () => {
    const tasks: (() => void)[] = [];
    const store = counter((task) => tasks.push(task));
    const told: number[] = [];
    store.subscribe(() => {
      told.push(store.get());
      if (store.get() === 1) store.dispatch(1);
    });
    store.dispatch(1);
    expect(tasks).toHaveLength(1);
    tasks.shift()?.();
    expect(told).toEqual([1]);
    expect(tasks).toHaveLength(1);
    tasks.shift()?.();
    expect(told).toEqual([1, 2]);
    expect(tasks).toEqual([]);
  });
});
