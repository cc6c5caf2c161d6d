import { plural, table } from '../../report/format.ts';
import { notWanted } from '../../report/latest.ts';
import { selectAssets } from '../../sdk/select.ts';
import { kindOf } from '../../sdk/status.ts';
import type { Context } from '../context.ts';

export async function run(context: Context, _options: object, selection?: string): Promise<number | undefined> {
  const { console } = context;
  return context.withLake('read', async (lake) => {
    const list = selectAssets(lake.graph, selection).map((key) => {
      const { definition, space, code } = lake.graph.node(key);
      const { group, tags, kinds, owners, description, freshness } = definition;
      return {
        key,
        kind: kindOf(definition),
        group,
        tags,
        kinds,
        owners,
        partitionedBy: space.dimensions.map(({ name }) => name),
        upstream: lake.graph.upstreamOf(key),
        codeVersion: code,
        freshness,
        description,
      };
    });
    const idle = selection === undefined ? notWanted(lake) : new Set<string>();
    console.result(list, () => {
      const rows = list
        .filter(({ key }) => !idle.has(key))
        .map(({ key, kind, partitionedBy, description }) => [
          key,
          kind,
          partitionedBy.join('/') || '-',
          description ?? '',
        ]);
      const lines = table(
        [{ title: 'ASSET', whole: true }, { title: 'KIND' }, { title: 'PARTITIONED BY' }, { title: 'WHAT IT IS' }],
        rows,
        console.style.strong,
        console.width,
      );
      if (idle.size === 0) return lines;
      const more = `And ${plural(idle.size, 'asset')} of data that the settings do not want: ${context.again('assets', '*')}`;
      return `${lines}\n\n${more}`;
    });
    return undefined;
  });
}
