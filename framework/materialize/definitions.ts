import { LakehouseError } from '../common/errors.ts';
import type { Lake } from './lake.ts';

/**
 * Tells the log which code this process runs, so that older processes notice. Newest is what was loaded last: a process that
 * finds that another one has logged other code since its own was loaded refuses, rather than take the work back and forth.
 * @throws LakehouseError `stale-definitions` (conflict).
 */
export function logDefinitions(lake: Lake): void {
  const known = lake.state.refresh().definitions;
  const versions: Record<string, string> = {};
  for (const key of lake.graph.order) {
    const { code } = lake.graph.node(key);
    const newest = known[key];
    if (newest === code) continue;
    if (newest !== undefined && newest !== lake.newest.definitions[key]) throw staleDefinitions(key, code, newest);
    versions[key] = code;
  }
  if (Object.keys(versions).length > 0) lake.state.append({ kind: 'definitions', versions });
  lake.newest.definitions = { ...known, ...versions };
}

function staleDefinitions(asset: string, ours: string, newest: string): LakehouseError {
  return new LakehouseError('stale-definitions', `Newer definitions of ${asset} were loaded by another process`, {
    kind: 'conflict',
    hint: 'Reload the definitions (restart this process), so that the two do not recompute each other’s work in turn.',
    details: { asset, ours, newest },
  });
}
