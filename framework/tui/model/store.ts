/** State outside of React: whoever draws subscribes, whoever acts dispatches. */
export interface Store<TState, TAction> {
  readonly get: () => TState;
  readonly dispatch: (action: TAction) => void;
  /** Called after changes, once for all that happen in one turn of the event loop. Returns how to stop that. */
  readonly subscribe: (listener: () => void) => () => void;
}

/** @param schedule runs a task soon; `queueMicrotask` outside of tests. */
export function createStore<TState, TAction>(
  initial: TState,
  reduce: (state: TState, action: TAction) => TState,
  schedule: (task: () => void) => void = queueMicrotask,
): Store<TState, TAction> {
  const listeners = new Set<() => void>();
  let state = initial;
  let told = true;
  return {
    get: () => state,
    dispatch: (action) => {
      const next = reduce(state, action);
      if (next === state) return;
      state = next;
      if (!told) return;
      told = false;
      schedule(() => {
        told = true;
        for (const listener of listeners) listener();
      });
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
