import { LakehouseError } from '../../common/errors.ts';
import { observeSources } from '../../materialize/recorded.ts';
import { number, table } from '../../report/format.ts';
import { selectAssets } from '../../sdk/select.ts';
import { overheard, unmatchedSettings } from '../../sdk/values.ts';
import type { Context } from '../context.ts';

interface ObserveOptions {
  readonly audit?: boolean;
}

export async function run(context: Context, options: ObserveOptions, selection?: string): Promise<number | undefined> {
  const { console } = context;
  return context.withLake('write', async (lake) => {
    const sources = selectAssets(lake.graph, selection).filter(
      (key) => lake.graph.node(key).definition.kind === 'source',
    );
    if (sources.length === 0)
      throw new LakehouseError('no-sources', `'${selection}' selects no source`, {
        hint: `To look at what assets are made of, write '+${selection}'`,
      });
    const unwanted = sources.filter((key) => !lake.graph.node(key).wanted);
    if (selection !== undefined && unwanted.length > 0)
      console.warn(`Not looked at, because the settings do not want them: ${unwanted.join(', ')}`);
    const { signal } = context.interrupts();
    const { definition, loaded } = await context.configuration();
    const { lake: heard, offered } = overheard(lake);
    const observed = await observeSources(
      heard,
      sources,
      { command: context.commandLine(), selection: selection ?? '*', audit: options.audit },
      {
        signal,
        stopping: signal,
        emit: (event) => {
          if (event.type === 'observing') console.note(`Looking at ${event.asset} …`);
        },
      },
    );
    const filters = definition.filters(loaded.settings);
    const seen = observed.map(({ asset }) => asset);
    for (const { message, hint = '' } of unmatchedSettings(lake, lake.state.index(), filters, seen, offered))
      console.warn(`${message} ${hint}`);
    console.result(observed, () =>
      table(
        [
          { title: 'SOURCE' },
          { title: 'SEEN', align: 'right' },
          { title: 'NEW OR CHANGED', align: 'right' },
          { title: 'WITHDRAWN', align: 'right' },
          { title: 'LISTED' },
          { title: 'REQUESTS', align: 'right' },
        ],
        observed.map(({ asset, seen, changed, withdrawn, audit, requests }) => [
          asset,
          number(seen),
          number(changed),
          number(withdrawn),
          audit ? 'everything' : 'what is new',
          requests === 0 ? '-' : number(requests),
        ]),
        console.style.strong,
      ),
    );
    return undefined;
  });
}
