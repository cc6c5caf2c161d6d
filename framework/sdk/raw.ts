import { LakehouseError } from '../common/errors.ts';
import type { AssetDefinition, InputReader } from '../define/model.ts';
import { bindInputs, findPartitions } from '../materialize/bind.ts';
import { openFiles } from '../materialize/lake-files.ts';
import type { OpenedLake } from '../materialize/open.ts';
import { type PartitionRef, printKey, seriesKey } from '../partition/space.ts';
import type { Asked } from './filter.ts';
import { handed } from './handed.ts';
import { pointsOf, presentNow } from './present.ts';
import type { Reading } from './query.ts';
import type { LakeQuery, ReadingOptions } from './types.ts';

// Original files are read one by one, as compute functions read them.

/** Rows of files whose format has columns; those of one file are a batch. */
export function originalRows<TRow>(
  reading: Reading,
  definition: AssetDefinition,
  asked: Asked,
  columns: readonly string[],
): LakeQuery<TRow> {
  const batches = ({ signal, asOf }: ReadingOptions = {}) =>
    handed<TRow[]>(async (give) => {
      if (asOf !== undefined)
        throw new LakehouseError(
          'not-a-table',
          `${definition.key} keeps original files, of which only those of now are read`,
          {
            hint: 'Leave asOf out, or read the table that is made of them.',
          },
        );
      await eachOriginal(reading, definition, asked, signal, async (_, reader, ending) => {
        const rows = await reader.rows();
        await give(
          rows.map((row) => Object.fromEntries(columns.map((name) => [name, row[name]])) as TRow),
          ending,
        );
      });
    });
  return {
    batches,
    rows: async (options) => {
      const rows: TRow[] = [];
      for await (const batch of batches(options)) for (const row of batch) rows.push(row);
      return rows;
    },
    count: async (options) => {
      let count = 0;
      for await (const batch of batches(options)) count += batch.length;
      return count;
    },
    arrow: async () => {
      throw new LakehouseError('not-a-table', `${definition.key} keeps original files, which are no Arrow table`, {
        hint: 'Use rows(), or read the table that is made of them.',
      });
    },
  };
}

/** @throws LakehouseError `not-raw` (usage). */
export function originalsOf<TKey>(
  reading: Reading,
  definition: AssetDefinition,
  asked: Asked,
  signal: AbortSignal | undefined,
  keyOf: (point: PartitionRef) => TKey,
): AsyncIterable<{ readonly partition: TKey; readonly bytes: Uint8Array }> {
  if (definition.storage.type !== 'raw')
    throw new LakehouseError('not-raw', `${definition.key} is a table and keeps no original files`, {
      hint: 'Use rows() or batches().',
    });
  return handed((give) =>
    eachOriginal(reading, definition, asked, signal, async (point, reader, ending) =>
      give({ partition: keyOf(point), bytes: await reader.bytes() }, ending),
    ),
  );
}

async function eachOriginal(
  { lake, during }: Reading,
  definition: AssetDefinition,
  asked: Asked,
  signal: AbortSignal | undefined,
  use: (point: PartitionRef, reader: InputReader, ending: AbortSignal) => Promise<void>,
): Promise<void> {
  const opened = await lake();
  const points = pointsOf(presentNow(opened, definition.key, asked)).sort((a, b) => a.time - b.time);
  await during(signal, async (ending) => {
    for (const point of points) {
      await using files = openFiles(opened);
      await use(point, await readerOf(opened, definition, point, files, ending), ending);
    }
  });
}

async function readerOf(
  lake: OpenedLake,
  { key }: AssetDefinition,
  point: PartitionRef,
  files: ReturnType<typeof openFiles>,
  signal: AbortSignal,
): Promise<InputReader> {
  const node = lake.graph.node(key);
  const { space } = node.definition;
  const target = { ...point, seriesKey: seriesKey(space, point.values), key: printKey(space, point) };
  const [input] = await bindInputs(files, [findPartitions(lake, node, [target], lake.state.index().head)], 'function');
  if (!input) throw new LakehouseError('not-raw', `${key} has no files`, { kind: 'internal' });
  return (await lake.engine()).reader(input, 0, signal);
}
