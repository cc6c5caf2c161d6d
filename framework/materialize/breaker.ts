import { LakehouseError, serializeError } from '../common/errors.ts';
import { mayPass } from './retry.ts';

/** Keeps a run from asking for each of ten thousand files what the first few were refused. */
export interface Breaker {
  /**
   * Does work, unless so much of it failed in a row that more would be in vain.
   * @throws LakehouseError `source-down` (transient) instead, with the last failure as its cause.
   */
  run<T>(work: () => Promise<T>): Promise<T>;
}

/** Failures in a row, each after all its retries. */
const IN_A_ROW = 10;

export function createBreaker(what: string): Breaker {
  let failures = 0;
  let last: unknown;
  return {
    run: async (work) => {
      if (failures >= IN_A_ROW) {
        throw new LakehouseError(
          'source-down',
          `${what} is not asked for any more by this run: it failed ${IN_A_ROW} times in a row, last with: ${serializeError(last).message}`,
          { kind: 'transient', cause: last },
        );
      }
      try {
        const result = await work();
        failures = 0;
        return result;
      } catch (error) {
        // One file that is wrong says nothing of the others.
        if (mayPass(error)) {
          failures++;
          last = error;
        } else failures = 0;
        throw error;
      }
    },
  };
}
