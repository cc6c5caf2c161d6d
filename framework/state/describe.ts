import { canonicalJson } from '../common/canonical.ts';
import { filesOf, movedOf, type NewEvent, outcomesOf, type StoredEvent, versionHex } from './events.ts';
import type { Failure, LakeIndex } from './index.ts';

/** An event as JSON for `--json` output: columns become one object per point, versions hex, files their paths. */
export function describeEvent(stored: StoredEvent): Record<string, unknown> {
  const { event, revision, at, changed } = stored;
  const files = filesOf(event);
  const { outcomes: _outcomes, moved: _moved, ...plain } = event as NewEvent & { outcomes?: unknown; moved?: unknown };
  const choices = event.kind === 'materialized' ? event.choices : undefined;
  const path = (ordinal: number | undefined) => (ordinal === undefined ? undefined : files[ordinal]?.path);
  const outcomes = outcomesOf(event).map((outcome, k) => ({
    series: outcome.series,
    values: outcome.values,
    points: Array.from(outcome.times, (time, i) => ({
      time,
      version: versionHex(outcome.version, i),
      ...(event.kind === 'materialized' && { rows: outcome.rows[i] }),
      bytes: outcome.bytes[i],
      ...(path(outcome.file[i]) !== undefined && { file: path(outcome.file[i]) }),
      ...(outcome.choice !== undefined && { choice: choices?.[outcome.choice[i] ?? 0] }),
      changed: changed[k]?.[i] === 1,
    })),
  }));
  const moved = movedOf(event).map((part) => ({
    series: part.series,
    values: part.values,
    points: Array.from(part.times, (time, i) => ({ time, file: path(part.file[i]) })),
  }));
  return {
    revision,
    at: new Date(at).toISOString(),
    ...plain,
    ...('outcomes' in event && { outcomes }),
    ...(moved.length > 0 && { moved }),
  };
}

/** An index as plain JSON, the same for equal states whatever windows its columns happen to have. For tests and support. */
export function describeIndex(index: LakeIndex): unknown {
  const assets: Record<string, unknown> = {};
  for (const key of index.assetKeys()) {
    const asset = index.asset(key);
    const series: Record<string, unknown> = {};
    for (const name of [...(asset?.series.keys() ?? [])].sort()) {
      const state = asset?.series.get(name);
      const points: Record<string, unknown> = {};
      for (let at = 0; state !== undefined && at < state.length; at++) {
        const flags = state.flags[at] as number;
        if (flags === 0) continue;
        points[String(at + state.base)] = {
          changed: state.changed[at],
          verified: state.verified[at],
          code: index.codes[state.code[at] as number],
          choice: index.choices[state.choice[at] as number],
          flags,
          failure: describeFailure(index, asset?.failure(name, at + state.base)),
        };
      }
      if (Object.keys(points).length > 0) series[name] = { values: state?.values, points };
    }
    assets[key] = { series, lastObservedAt: asset?.lastObservedAt, lastObservedRevision: asset?.lastObservedRevision };
  }
  return JSON.parse(canonicalJson({ head: index.head, definitions: index.definitions, assets }));
}

function describeFailure(index: LakeIndex, failure: Failure | undefined): unknown {
  return failure && { ...failure, code: index.codes[failure.code] };
}
