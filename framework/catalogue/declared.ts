import type { AssetNode } from '../graph/graph.ts';
import type { AssetCatalogue, CatalogueColumn } from './document.ts';
import { typeNames } from './types.ts';

export type Declared = Pick<
  AssetCatalogue,
  'description' | 'storage' | 'code' | 'columns' | 'partitionedBy' | 'sortBy'
>;

/** What a document says of an asset whatever is in the lake. */
export function declaredOf({ definition, code }: AssetNode): Declared {
  const { description, storage, columns, space, sortBy } = definition;
  const { listed, time } = space;
  const partitionColumns = [
    ...listed.map(({ name }) => ({ name, type: 'VARCHAR' })),
    ...(time ? [{ name: time.name, type: time.grain === 'hour' ? 'TIMESTAMP' : 'DATE' }] : []),
  ].map((column) => ({ ...column, nullable: false, description: undefined }));
  return {
    ...(description !== undefined && { description }),
    storage: storage.type === 'table' ? 'parquet' : storage.format.type,
    code,
    // Originals are not tables: what their bytes are read as is this framework's affair.
    columns: storage.type === 'table' ? [...partitionColumns, ...columns].map(columnOf) : [],
    partitionedBy: {
      series: listed.map(({ name }) => name),
      ...(time && { time: { column: time.name, grain: time.grain } }),
    },
    sortBy: [...sortBy],
  };
}

function columnOf({ name, type, nullable, description }: AssetNode['definition']['columns'][number]): CatalogueColumn {
  const { parquet, arrow } = typeNames(type);
  return { name, type, parquet, arrow, nullable, ...(description !== undefined && { description }) };
}
