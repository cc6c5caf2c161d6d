import type { AssetDefinition } from '../../define/model.ts';
import type { Context } from '../context.ts';
import { table, truncate } from '../format.ts';
import { selectAssets } from '../lake.ts';

export const kindOf = ({ kind, storage }: AssetDefinition): string =>
  kind === 'source' ? 'source' : storage.type === 'raw' ? 'raw' : 'table';

export async function run(context: Context, _options: object, selection?: string): Promise<number | undefined> {
  const { console } = context;
  return context.withLake('read', async (lake) => {
    const list = selectAssets(lake.graph, selection).map((key) => {
      const { definition, space, code } = lake.graph.node(key);
      const { group, tags, kinds, owners, description } = definition;
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
        description,
      };
    });
    console.result(list, () => {
      const rows = list.map(({ key, kind, partitionedBy, description }) => [
        key,
        kind,
        partitionedBy.join('/') || '-',
        description ?? '',
      ]);
      const before = Math.max(
        ...rows.map(([key = '', kind = '', by = '']) => key.length + kind.length + by.length + 6),
        0,
      );
      const room = Math.max(console.width - before, 20);
      return table(
        [{ title: 'ASSET' }, { title: 'KIND' }, { title: 'PARTITIONED BY' }, { title: 'WHAT IT IS' }],
        rows.map(([key = '', kind = '', by = '', what = '']) => [key, kind, by, truncate(what, room)]),
        console.style.strong,
      );
    });
    return undefined;
  });
}
