import type { RunControl } from './context.ts';
import type { Lake } from './lake.ts';
import { recorded } from './recorded.ts';
import { observeSelected, type RunRequest, type SourceDown } from './run.ts';

/**
 * Looks at the sources of a selection as one run, as a materialization does first. Returns those that could not be looked at, where
 * that is tolerated.
 */
export async function lookAtSources(
  lake: Lake,
  request: RunRequest,
  control: RunControl,
): Promise<readonly SourceDown[]> {
  let changed = 0;
  const emit: RunControl['emit'] = (event) => {
    if (event.type === 'observed') changed += event.changed;
    control.emit(event);
  };
  const run = { command: request.command, selection: request.selection ?? '*', tags: request.tags };
  return recorded(
    lake,
    run,
    () => ({ observed: changed }),
    control.signal,
    (id) => observeSelected(lake, request, id, { ...control, emit }),
  );
}
