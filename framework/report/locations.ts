import { quoteIdentifier, quoteLiteral } from '../define/sql.ts';
import { relationColumns } from '../engine/partitions.ts';
import type { LakeView } from '../engine/port.ts';
import { render } from '../engine/render.ts';
import { emptyRelation, pathList } from '../engine/types.ts';
import { onlyLive } from '../engine/views.ts';

/**
 * What stands behind FROM to read a table without the lake, by its key.
 * @param globOf a pattern for the files of an asset, instead of the files themselves. Where only a part of a file counts, the files all the same.
 */
export function locationsOf(views: readonly LakeView[], globOf?: (key: string) => string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  // Views last: they read the others.
  for (const view of views.toSorted((a, b) => Number('template' in a) - Number('template' in b))) {
    const { key } = view.definition;
    if ('partitions' in view) continue;
    if ('template' in view) {
      const { inputs } = view.definition;
      const relation = (input: string) => found.get(inputs[input]?.key ?? '') ?? quoteIdentifier(input);
      found.set(key, `(${render(view.template, { relation, partition: quoteIdentifier })})`);
    } else found.set(key, filesOf(view, globOf?.(key)));
  }
  return found;
}

function filesOf(
  { definition, files, partly = [] }: Extract<LakeView, { files: unknown }>,
  glob: string | undefined,
): string {
  if (files.length === 0) return `(${emptyRelation(relationColumns(definition))})`;
  const list = glob === undefined || partly.length > 0 ? pathList(files) : quoteLiteral(glob);
  const read = `read_parquet(${list}, hive_partitioning = false, union_by_name = true)`;
  return partly.length === 0 ? read : `(SELECT * FROM ${read} WHERE ${onlyLive(definition, partly)})`;
}
