import { duration, instant, table } from '../../report/format.ts';
import type { Context } from '../context.ts';
import { findTicker, readTickers, withOperate } from '../tickers.ts';
import { tickJson } from './schedules.ts';

export async function run(
  context: Context,
  { limit }: { readonly limit: number },
  asked?: string,
): Promise<number | undefined> {
  const { console } = context;
  const ticker = asked === undefined ? undefined : findTicker(await readTickers(context), asked);
  return withOperate(context, true, (store) => {
    const ticks = store.ticks({ limit, ...(ticker && { kind: ticker.kind, name: ticker.name }) });
    console.result(ticks.map(tickJson), () => {
      if (ticks.length === 0) return 'There was no tick yet.';
      return table(
        [
          { title: 'DUE' },
          ...(ticker ? [] : [{ title: 'OF', whole: true }]),
          { title: 'OUTCOME', whole: true },
          { title: 'TOOK', align: 'right' },
          { title: 'RUN', whole: true },
          { title: 'WHAT AND WHY' },
        ],
        ticks.map((tick) => [
          instant(tick.due),
          ...(ticker ? [] : [tick.kind === 'sensor' ? `sensor ${tick.name}` : tick.name]),
          tick.ticks > 1 ? `${tick.outcome} ×${tick.ticks}` : tick.outcome,
          tick.finishedAt === undefined ? '-' : duration(tick.finishedAt - (tick.begunAt ?? tick.at)),
          tick.run ?? '-',
          tick.decision,
        ]),
        console.style.strong,
        console.tableWidth,
      );
    });
    return undefined;
  });
}
