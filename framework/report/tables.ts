import { partitionColumns, relationColumns } from '../engine/partitions.ts';
import type { OpenedLake } from '../materialize/open.ts';
import { columnOrigins } from './sql-columns.ts';

export interface TableColumn {
  readonly name: string;
  /** As DuckDB says it; undefined where only DuckDB can tell. */
  readonly type: string | undefined;
  readonly description: string | undefined;
}

/** What can be selected from. */
export interface LakeTable {
  /** Of the asset or view, `zone/name`. */
  readonly key: string;
  /** `zone.name` */
  readonly name: string;
  readonly kind: 'table' | 'original files' | 'view';
  readonly description: string | undefined;
  /** Partition columns first. None of a view whose query is not followed. */
  readonly columns: readonly TableColumn[];
}

const PARTITION = 'partition column';

/** Assets and views of a lake as a query sees them. */
export function lakeTables({ graph, definition: { views } }: OpenedLake): LakeTable[] {
  const assets = graph.order.flatMap((key): LakeTable[] => {
    const { definition } = graph.node(key);
    if (definition.kind === 'source') return [];
    const { description, space, storage } = definition;
    const raw = storage.type === 'raw';
    const own = new Map(definition.columns.map((column) => [column.name, column.description]));
    const dimensions = new Set(partitionColumns(space).map(({ name }) => name));
    const columns = raw
      ? [...partitionColumns(space), { name: 'path', type: 'VARCHAR' }, { name: 'bytes', type: 'BIGINT' }]
      : relationColumns(definition);
    return [
      {
        key,
        name: key.replace('/', '.'),
        kind: raw ? 'original files' : 'table',
        description,
        columns: columns.map(({ name, type }) => ({
          name,
          type,
          description: dimensions.has(name) ? PARTITION : own.get(name),
        })),
      },
    ];
  });
  const queries = views.map(({ key, description, inputs, template }): LakeTable => {
    const relations = Object.entries(inputs).map(([name, asset]): [string, string[]] => [
      name,
      relationColumns(asset).map((column) => column.name),
    ]);
    const origins = columnOrigins(template, new Map(relations));
    const names = typeof origins === 'string' ? [] : [...origins.keys()];
    return {
      key,
      name: key.replace('/', '.'),
      kind: 'view',
      description,
      columns: names.map((name) => ({ name, type: undefined, description: undefined })),
    };
  });
  return [...assets, ...queries].sort((a, b) => (a.name < b.name ? -1 : 1));
}
