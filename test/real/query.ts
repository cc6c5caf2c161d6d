import { openFiles } from '../../framework/materialize/lake-files.ts';
import type { OpenedLake } from '../../framework/materialize/open.ts';
import { lakeViews } from '../../framework/materialize/views.ts';

/** Rows of a query over the lake's current files. */
export async function query(lake: OpenedLake, sql: string): Promise<unknown[][]> {
  const engine = await lake.engine();
  await using files = openFiles(lake);
  const result = await engine.query(sql, await lakeViews(lake, files), new AbortController().signal);
  const rows: unknown[][] = [];
  for await (const batch of result.batches) for (const row of batch) rows.push([...row]);
  return rows;
}
