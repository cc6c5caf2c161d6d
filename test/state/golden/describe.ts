import { describeEvent, describeIndex } from '../../../framework/state/describe.ts';
import { versionHex } from '../../../framework/state/events.ts';
import type { StateReader } from '../../../framework/state/store.ts';

/** Everything that can be read of a state, as plain JSON. */
export function describeState(state: StateReader): unknown {
  const index = state.refresh();
  const details: Record<string, unknown> = {};
  for (const asset of index.assetKeys()) {
    for (const series of [...(index.asset(asset)?.series.keys() ?? [])].sort()) {
      const found = state.details(asset, series);
      for (let at = 0; found !== undefined && at < found.length; at++) {
        if (found.revision[at] === 0) continue;
        details[`${asset} ${series} ${at + found.base}`] = {
          version: versionHex(found.version, at),
          rows: found.rows[at],
          bytes: found.bytes[at],
          file: found.file[at],
          revision: found.revision[at],
        };
      }
    }
  }
  const described = {
    index: describeIndex(index),
    details,
    files: [...state.files()],
    superseded: [...state.supersededFiles(Number.MAX_SAFE_INTEGER)],
    runs: state.runs(100),
    events: [...state.events()].map(describeEvent),
    origin: state.meta('origin'),
  };
  return JSON.parse(JSON.stringify(described));
}
