import type { AssetDefinition } from '../../define/model.ts';
import { table } from '../../report/format.ts';
import type { Context } from '../context.ts';
import { selectAssets } from '../lake.ts';

export const kindOf = ({ kind, storage }: AssetDefinition): string =>
  kind === 'source' ? 'source' : storage.type === 'raw' ? 'raw' : 'table';

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
    console.result(list, () => {
      const rows = list.map(({ key, kind, partitionedBy, description }) => [
        key,
        kind,
        partitionedBy.join('/') || '-',
        description ?? '',
      ]);
      return table(
        [{ title: 'ASSET', whole: true }, { title: 'KIND' }, { title: 'PARTITIONED BY' }, { title: 'WHAT IT IS' }],
        rows,
        console.style.strong,
        console.width,
      );
    });
    return undefined;
  });
}
