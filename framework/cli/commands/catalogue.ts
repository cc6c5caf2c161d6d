import { ROOT } from '../../catalogue/document.ts';
import { readCatalogue } from '../../catalogue/read.ts';
import { behindTheLog } from '../../materialize/catalogue.ts';
import { bytes, number, plural, some, table } from '../../report/format.ts';
import type { Context } from '../context.ts';

/** Shows what the catalogue says, and whether that is what the log says. */
export async function run(context: Context): Promise<number | undefined> {
  const { console } = context;
  return context.withLake('read', async (lake) => {
    const { state, store, publishing } = lake;
    const path = `${store.root}/${ROOT}`;
    const catalogue = await readCatalogue(store, state.meta('id') ?? '');
    const { enabled } = publishing.settings;
    const behind = enabled ? await behindTheLog(lake) : [];
    console.result({ enabled, path, catalogue, behind }, () => {
      const { style } = console;
      const sync = context.again('catalogue', 'sync');
      if (!enabled) return 'No catalogue is kept: catalogue.enabled is false.';
      if (!catalogue) return `There is no catalogue yet. The next run writes ${path}, and so does:\n  ${sync}`;
      const rows = Object.entries(catalogue.assets).map(([asset, { statistics }]) => {
        const { files, partitions, rows: count, bytes: size, first = '-', last = '-' } = statistics;
        return [asset, number(files), number(partitions), number(count), bytes(size), first, last];
      });
      const titles = ['ASSET', 'FILES', 'PARTITIONS', 'ROWS', 'SIZE', 'FIRST', 'LAST'];
      const right = ['FILES', 'PARTITIONS', 'ROWS', 'SIZE'];
      const columns = titles.map((title) => ({ title, ...(right.includes(title) && { align: 'right' as const }) }));
      return [
        `${path}  ${style.faint(`revision ${catalogue.revision}, ${catalogue.generatedAt}`)}`,
        '',
        table(columns, rows, style.strong),
        '',
        behind.length === 0
          ? 'It is up to date.'
          : `${plural(behind.length, 'asset')} of it ${behind.length === 1 ? 'is' : 'are'} behind the log: ${some(behind, 10)}. The next run writes them, and so does:\n  ${sync}`,
      ].join('\n');
    });
    return undefined;
  });
}
