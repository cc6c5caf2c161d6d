import { orAborted } from '../common/aborted.ts';

/** Thrown into a task whose values nobody wants any more. */
const NOBODY = new Error('Nobody reads any more');

/** Resolves when the next value is asked for; rejects with the signal's reason, for whoever reads may never come back. */
export type Give<T> = (value: T, signal: AbortSignal) => Promise<void>;

/**
 * The values that a task gives, one at a time. Leaving the loop ends the task, which is waited for.
 * @throws what the task throws.
 */
export async function* handed<T>(task: (give: Give<T>) => Promise<void>): AsyncGenerator<T> {
  let asked = slot<void>();
  let given = slot<T | undefined>();
  let ended = false;
  const give: Give<T> = async (value, signal) => {
    given.resolve(value);
    await orAborted(signal, () => asked.promise);
    asked = slot();
  };
  const done = task(give).then(
    () => {
      ended = true;
      given.resolve(undefined);
    },
    (error: unknown) => {
      ended = true;
      given.reject(error);
    },
  );
  try {
    for (;;) {
      const value = await given.promise;
      if (ended) return;
      given = slot();
      yield value as T;
      asked.resolve();
    }
  } finally {
    asked.reject(NOBODY);
    await done;
  }
}

/** A promise that may be rejected while nobody waits for it: who has left does not hear of it, who comes later does. */
function slot<T>(): PromiseWithResolvers<T> {
  const made = Promise.withResolvers<T>();
  made.promise.catch(() => undefined);
  return made;
}
