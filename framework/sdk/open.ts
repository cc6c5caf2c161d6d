import type { Lakehouse, OpenLakehouseOptions } from './types.ts';

/**
 * Opens a lake for programs: `await using lake = await openLakehouse()`. Settings and definitions are found as the command line finds
 * them. A lake that does not exist yet is empty; the first `materialize` or `observe` makes it.
 * @throws LakehouseError for settings and definitions that are wrong (usage), and for a lake that cannot be opened.
 */
export async function openLakehouse(options: OpenLakehouseOptions = {}): Promise<Lakehouse> {
  // Asset modules import the framework as well, and are to load no engine for it.
  const [{ connect }, { processHost }] = await Promise.all([import('./connect.ts'), import('./host.ts')]);
  return connect(options, processHost());
}
