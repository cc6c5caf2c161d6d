import { AsyncLocalStorage } from 'node:async_hooks';
import { tracingChannel } from 'node:diagnostics_channel';

/** A piece of work that somebody may want to know the duration of; what is inside another one is part of it. */
export type Work =
  | {
      readonly type: 'tick';
      readonly kind: string;
      readonly name: string;
      /** ms UTC. */
      readonly due: number;
    }
  | { readonly type: 'run'; readonly run: string; readonly selection: string; readonly command: string }
  | { readonly type: 'observe'; readonly run: string; readonly asset: string }
  | {
      readonly type: 'asset';
      readonly run: string;
      readonly asset: string;
      readonly partitions: number;
      /** Complete when the work has ended. */
      readonly counts: Readonly<Record<'computed' | 'changed' | 'failed' | 'rows' | 'bytes', number>>;
    }
  | { readonly type: 'batch'; readonly run: string; readonly asset: string; readonly partitions: number }
  | {
      readonly type: 'statement' /** The asset, or what else it is for. */;
      readonly where: string;
      readonly sql: string;
    };

/** How work ended; both undefined where it did not return anything. */
export interface WorkEnd {
  readonly result?: unknown;
  readonly error?: unknown;
}

const channel = tracingChannel<unknown, Work & WorkEnd>('crypto-lakehouse:work');

/** Does something so that those who follow work know of it. Without anybody who does, it costs a comparison. */
export function traced<T>(work: Work, task: () => Promise<T>): Promise<T> {
  return channel.hasSubscribers ? channel.tracePromise(task, { ...work }) : task();
}

/**
 * Follows all work of this process.
 * @param begin called in the order things begin; what it returns is the state of that work, and `around` of the work inside it.
 * @param end called once for each, with its state.
 * @returns what ends it.
 */
export function followWork<T extends object>(
  begin: (work: Work, around: T | undefined) => T,
  end: (state: T, work: Work, ended: WorkEnd) => void,
): () => void {
  const current = new AsyncLocalStorage<T>();
  const states = new WeakMap<object, T>();
  channel.start.bindStore(current, (work) => {
    const state = begin(work, current.getStore());
    states.set(work, state);
    return state;
  });
  const asyncEnd = (message: unknown) => {
    const work = message as Work & WorkEnd;
    const state = states.get(work);
    if (state) end(state, work, work);
  };
  channel.asyncEnd.subscribe(asyncEnd);
  return () => {
    channel.start.unbindStore(current);
    channel.asyncEnd.unsubscribe(asyncEnd);
  };
}
