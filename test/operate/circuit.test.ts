import { expect, test } from 'vitest';
import { afterFailure, type Circuit, whyOpen } from '../../framework/operate/circuit.ts';

const MINUTE = 60_000;

test('it opens after three failures, and rests longer each time, an hour at most', () => {
  let circuit: Circuit | undefined;
  const rests: number[] = [];
  for (let n = 0; n < 9; n++) {
    circuit = afterFailure(circuit, 'no answer', n * 1000);
    rests.push((circuit.until - n * 1000) / MINUTE);
  }
  expect(rests).toEqual([0, 0, 5, 10, 20, 40, 60, 60, 60]);
  expect(circuit).toMatchObject({ failures: 9, since: 0 });
});

test('while it rests it says why; then it may be asked, and so after a clock was put back', () => {
  const circuit = { failures: 3, since: 0, until: 10 * MINUTE, message: 'no answer' };
  expect(whyOpen(undefined, 5)).toBeUndefined();
  expect(whyOpen(circuit, 10 * MINUTE - 1)).toBe(
    'it failed 3 times in a row since 1970-01-01T00:00:00.000Z and is tried again at 1970-01-01T00:10:00.000Z; last it said: no answer',
  );
  expect(whyOpen(circuit, 10 * MINUTE)).toBeUndefined();
  expect(whyOpen({ ...circuit, until: 200 * MINUTE }, 0)).toBeUndefined();
});
