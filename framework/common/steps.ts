/** Work in parts: whoever asks for one after the other can do something else in between, or leave it at that. */
export type Steps<T> = Generator<undefined, T>;

/** All of it at once. */
export function atOnce<T>(steps: Steps<T>): T {
  for (let step = steps.next(); ; step = steps.next()) if (step.done) return step.value;
}

/** All of it, with others having their turn before each part; what `turn` throws ends it. */
export async function byTurns<T>(steps: Steps<T>, turn: () => Promise<void>): Promise<T> {
  for (;;) {
    await turn();
    const step = steps.next();
    if (step.done) return step.value;
  }
}
