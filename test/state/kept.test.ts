import { describe, expect, test } from 'vitest';
import type { DepartedEvent } from '../../framework/state/events.ts';
import type { StateWriter } from '../../framework/state/store.ts';
import { materialized, named, outcome } from './make.ts';
import { lake } from './support.ts';

const EVER = Number.MAX_SAFE_INTEGER;

function departed(reason: DepartedEvent['reason'], series: string, ranges: number[]): DepartedEvent {
  return { kind: 'departed', asset: 'a', run: 'r1', reason, set: [{ ...named(series), ranges }] };
}

/** Two files in each of two series, one partition in each. */
function filled(state: StateWriter): void {
  for (const symbol of ['A', 'B']) {
    for (const time of [1, 2]) {
      const path = `a/${symbol}/${time}.g1.zip`;
      state.append(
        materialized('a', 0, [outcome(`symbol=${symbol}`, { [time]: 'x' }, 0)], { files: [{ path, bytes: 1 }] }),
      );
    }
  }
}

function spare(state: StateWriter): { superseded: string[]; kept: string[] } {
  const paths = (files: Iterable<{ path: string }>) => Array.from(files, ({ path }) => path);
  return { superseded: paths(state.supersededFiles(EVER)), kept: paths(state.keptFiles()) };
}

describe('files of what was excluded', () => {
  test('are kept, and not found again each time one looks for files to remove', () => {
    const { open } = lake();
    const state = open();
    filled(state);
    const { at } = state.append(departed('excluded', 'symbol=A', [1, 3]));
    expect(spare(state)).toEqual({ superseded: [], kept: ['a/A/1.g1.zip', 'a/A/2.g1.zip'] });
    expect(state.file('a/A/1.g1.zip')).toMatchObject({ live: 0, supersededRevision: 5, supersededAt: at });
    expect(spare(open({ readOnly: true }))).toEqual({ superseded: [], kept: ['a/A/1.g1.zip', 'a/A/2.g1.zip'] });
    expect(state.integrityCheck()).toEqual([]);
    state.forgetFiles(Array.from(state.keptFiles(), ({ id }) => id));
    expect(spare(state)).toEqual({ superseded: [], kept: [] });
  });

  test('are kept while something of their series stays', () => {
    const state = lake().open();
    filled(state);
    state.append(departed('excluded', 'symbol=A', [1, 2]));
    expect(spare(state)).toEqual({ superseded: [], kept: ['a/A/1.g1.zip'] });
  });

  test('are superseded when a file of the same name replaces them; the others stay, for the source may have lost what is in them', () => {
    const state = lake().open();
    filled(state);
    for (const series of ['symbol=A', 'symbol=B']) state.append(departed('excluded', series, [1, 3]));
    const files = [{ path: 'a/A/2.g2.zip', bytes: 1 }];
    const { at } = state.append(materialized('a', 6, [outcome('symbol=A', { 2: 'x' }, 0)], { files }));
    expect(spare(state)).toEqual({
      superseded: ['a/A/2.g1.zip'],
      kept: ['a/A/1.g1.zip', 'a/B/1.g1.zip', 'a/B/2.g1.zip'],
    });
    expect([...state.supersededFiles(at - 1)]).toEqual([]);
    expect(state.filesTaken()).toEqual([
      { asset: 'a', state: 'current', files: 1, bytes: 1 },
      { asset: 'a', state: 'kept', files: 3, bytes: 3 },
      { asset: 'a', state: 'superseded', files: 1, bytes: 1 },
    ]);
    expect(state.file('a/A/2.g1.zip')).toMatchObject({ supersededRevision: 7, supersededAt: at });
  });

  test('are superseded when their series is wiped', () => {
    const state = lake().open();
    filled(state);
    state.append(departed('excluded', 'symbol=A', [1, 3]));
    expect(state.append(departed('wiped', 'symbol=A', [0, 16])).changed).toBe(0);
    expect(spare(state)).toEqual({ superseded: ['a/A/1.g1.zip', 'a/A/2.g1.zip'], kept: [] });
  });

  test('what was wiped is not kept', () => {
    const state = lake().open();
    filled(state);
    state.append(departed('wiped', 'symbol=A', [1, 3]));
    expect(spare(state)).toEqual({ superseded: ['a/A/1.g1.zip', 'a/A/2.g1.zip'], kept: [] });
  });
});
