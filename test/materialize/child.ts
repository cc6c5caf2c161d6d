// A process that materializes a tiny lake: `node --conditions=source child.ts '<ChildOptions as JSON>'`. Prints one JSON line per event.
import { serializeError } from '../../framework/common/errors.ts';
import { materialize } from '../../framework/materialize/run.ts';
import type { NewEvent } from '../../framework/state/events.ts';
import type { AppendGuard, StateWriter } from '../../framework/state/store.ts';
import { type TinyOptions, tinyLake } from './fixture.ts';
import { openTestLake } from './lake.ts';

export interface ChildOptions extends Pick<TinyOptions, 'codes' | 'wide' | 'packs'> {
  readonly directory: string;
  readonly sets: readonly string[];
  readonly selection?: string;
  readonly force?: boolean;
  /** The signal this process sends itself where it would append its first result of this asset, files in place. */
  readonly before?: { readonly asset: string; readonly signal: 'SIGKILL' | 'SIGSTOP' };
}

const options = JSON.parse(process.argv[2] ?? '') as ChildOptions;
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
const never = new AbortController().signal;

function signalling(state: StateWriter, { asset, signal }: NonNullable<ChildOptions['before']>): StateWriter {
  let done = false;
  return new Proxy(state, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      if (name !== 'append') return member.bind(target);
      return (event: NewEvent, guard: AppendGuard) => {
        if (!done && event.kind === 'materialized' && event.asset === asset) {
          done = true;
          process.kill(process.pid, signal);
        }
        return target.append(event, guard);
      };
    },
  });
}

const opened = await openTestLake(tinyLake(options), options.directory, { sets: [...options.sets] });
const lake = options.before ? { ...opened, state: signalling(opened.state, options.before) } : opened;
try {
  const { selection, force } = options;
  const { outcome, counts } = await materialize(
    lake,
    { command: 'child', selection, force },
    { stopping: never, signal: never, emit: say },
  );
  say({ type: 'result', outcome, counts });
} catch (error) {
  say({ type: 'thrown', error: serializeError(error) });
} finally {
  await opened.close();
}
