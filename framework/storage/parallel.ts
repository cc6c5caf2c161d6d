import pLimit from 'p-limit';

/** Does the work for every item, in the order of the items. Throws the first error, once nothing is running any more. */
export type Each = <T, R>(items: readonly T[], work: (item: T) => Promise<R>) => Promise<R[]>;

/** At most so many at once, over all calls. Calls must not be nested. */
export function parallel(most: number): Each {
  const limit = pLimit(most);
  return async (items, work) => {
    // All of them, also when one fails, so that nothing is still running when the caller cleans up.
    const results = await Promise.allSettled(items.map((item) => limit(work, item)));
    return results.map((result) => {
      if (result.status === 'rejected') throw result.reason;
      return result.value;
    });
  };
}
