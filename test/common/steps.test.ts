import { describe, expect, test } from 'vitest';
import { atOnce, byTurns, type Steps } from '../../framework/common/steps.ts';

function* counting(seen: number[]): Steps<string> {
  for (let i = 0; i < 3; i++) {
    yield;
    seen.push(i);
  }
  return 'done';
}

describe('work in parts', () => {
  test('all at once', () => {
    const seen: number[] = [];
    expect(atOnce(counting(seen))).toBe('done');
    expect(seen).toEqual([0, 1, 2]);
  });

  test('with a turn for others before each part', async () => {
    const seen: number[] = [];
    const before: number[] = [];
    const turn = async () => void before.push(seen.length);
    expect(await byTurns(counting(seen), turn)).toBe('done');
    expect(before).toEqual([0, 0, 1, 2]);
  });

  test('is left where a turn says so', async () => {
    const seen: number[] = [];
    const turn = async () => {
      if (seen.length === 1) throw new Error('enough');
    };
    await expect(byTurns(counting(seen), turn)).rejects.toThrow('enough');
    expect(seen).toEqual([0]);
  });
});
