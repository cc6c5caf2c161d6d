import { LakehouseError, serializeError } from '../../common/errors.ts';
import { observe } from '../../materialize/observe.ts';
import type { OpenedLake } from '../../materialize/open.ts';
import type { Context } from '../context.ts';
import { number, table } from '../format.ts';
import { selectAssets } from '../lake.ts';
import type { Observed } from '../preview.ts';

export async function run(context: Context, _options: object, selection?: string): Promise<number | undefined> {
  const { console } = context;
  return context.withLake('write', async (lake) => {
    const sources = selectAssets(lake.graph, selection).filter(
      (key) => lake.graph.node(key).definition.kind === 'source',
    );
    if (sources.length === 0)
      throw new LakehouseError('no-sources', `'${selection}' selects no source`, {
        hint: `To look at what assets are made of, write '+${selection}'`,
      });
    const { signal } = context.interrupts();
    const observed = await observeAll(context, lake, sources, selection, signal);
    console.result(observed, () =>
      table(
        [
          { title: 'SOURCE' },
          { title: 'SEEN', align: 'right' },
          { title: 'NEW OR CHANGED', align: 'right' },
          { title: 'WITHDRAWN', align: 'right' },
        ],
        observed.map(({ asset, seen, changed, withdrawn }) => [
          asset,
          number(seen),
          number(changed),
          number(withdrawn),
        ]),
        console.style.strong,
      ),
    );
    return undefined;
  });
}

/** One run in the log, so that it can be seen later who looked when. */
async function observeAll(
  context: Context,
  { state, id, graph, ...rest }: OpenedLake,
  sources: readonly string[],
  selection: string | undefined,
  signal: AbortSignal,
): Promise<Observed[]> {
  const run = id();
  state.append({ kind: 'run-started', run, command: context.commandLine(), selection: selection ?? '*' });
  const observed: Observed[] = [];
  const end = (outcome: 'succeeded' | 'failed' | 'cancelled', error?: unknown) => {
    const counts = { observed: observed.reduce((sum, { changed }) => sum + changed, 0) };
    state.append({
      kind: 'run-finished',
      run,
      outcome,
      counts,
      ...(error !== undefined && { error: serializeError(error) }),
    });
  };
  try {
    for (const asset of sources) {
      context.console.note(`Looking at ${asset} …`);
      const { event, seen, changed, withdrawn } = await observe(
        { state, id, graph, ...rest },
        graph.node(asset),
        run,
        signal,
      );
      state.append(event);
      observed.push({ asset, seen, changed, withdrawn });
    }
  } catch (error) {
    end(signal.aborted ? 'cancelled' : 'failed', error);
    throw error;
  }
  end('succeeded');
  return observed;
}
