import { canonicalJson } from '../common/canonical.ts';
import { departuresOf, type PackedSet, type StoredEvent } from './events.ts';
import { CHECK_FAILED, FAILED, type IndexBuilder, LEFT, type MutableAsset, PRESENT, TRANSIENT } from './index.ts';

/**
 * Folds one event into an index under construction. Events must come in the order of their revisions, without gaps.
 * Pure and deterministic: the same log gives the same index, from whatever checkpoint it is folded.
 */
export function applyEvent(index: IndexBuilder, stored: StoredEvent): void {
  const { event, revision } = stored;
  switch (event.kind) {
    case 'materialized':
      enter(index, stored, index.number('codes', event.code), event.ordered === true ? revision : event.verified);
      failChecks(index, stored);
      break;
    case 'observed': {
      enter(index, stored, 0, revision);
      const asset = index.write(event.asset);
      asset.lastObservedAt = event.observedAt;
      asset.lastObservedRevision = revision;
      leave(asset, departuresOf(event), revision);
      break;
    }
    case 'departed':
      leave(index.write(event.asset), event.set, revision);
      break;
    case 'failed':
      fail(index, stored);
      break;
    case 'accepted':
      accept(index, event.asset, event.from, event.to, revision);
      break;
    case 'definitions':
      index.definitions = { ...index.definitions, ...event.versions };
      break;
    case 'compacted':
    case 'run-started':
    case 'run-finished':
      break;
  }
  index.head = revision;
}

function enter(index: IndexBuilder, stored: StoredEvent, code: number, verified: number): void {
  const { event, revision } = stored;
  if (event.kind !== 'materialized' && event.kind !== 'observed') return;
  const numbers =
    event.kind === 'materialized' ? (event.choices ?? []).map((choice) => index.number('choices', choice)) : [];
  const asset = index.write(event.asset);
  event.outcomes.forEach((outcome, k) => {
    const { times, choice } = outcome;
    if (times.length === 0) return;
    const changed = stored.changed[k] as Uint8Array;
    const series = asset.write(outcome.series, outcome.values);
    const lo = times[0] as number;
    const hi = (times[times.length - 1] as number) + 1;
    series.ensure(lo, hi);
    series.touch(lo, hi, revision);
    for (let i = 0; i < times.length; i++) {
      const at = (times[i] as number) - series.base;
      if (changed[i] === 1) series.changed[at] = revision;
      series.verified[at] = verified;
      series.code[at] = code;
      series.choice[at] = choice === undefined ? 0 : (numbers[choice[i] as number] ?? 0);
      series.flags[at] = PRESENT;
      series.failures?.delete(times[i] as number);
    }
  });
}

function failChecks(index: IndexBuilder, { event }: StoredEvent): void {
  if (event.kind !== 'materialized') return;
  for (const check of event.checks ?? []) {
    if (!check.blocking || check.severity !== 'error' || check.failedRows === 0) continue;
    const series = index.write(event.asset).write(check.series, check.values);
    const at = check.time - series.base;
    series.flags[at] = (series.flags[at] ?? 0) | CHECK_FAILED;
  }
}

function leave(asset: MutableAsset, set: PackedSet, revision: number): void {
  for (const { series: key, values, ranges } of set) {
    if (!asset.series.has(key)) continue;
    const series = asset.write(key, values);
    for (let r = 0; r < ranges.length; r += 2) {
      const lo = Math.max(ranges[r] as number, series.base);
      const hi = Math.min(ranges[r + 1] as number, series.base + series.length);
      if (lo >= hi) continue;
      series.touch(lo, hi, revision);
      for (let at = lo - series.base; at < hi - series.base; at++) {
        const flags = series.flags[at] as number;
        if ((flags & PRESENT) !== 0) series.changed[at] = revision;
        // What had left before stays left since then; what was never there leaves nothing but its failure.
        series.flags[at] = (flags & (PRESENT | LEFT)) !== 0 ? LEFT : 0;
        series.code[at] = 0;
        series.choice[at] = 0;
        series.failures?.delete(at + series.base);
      }
    }
  }
}

function fail(index: IndexBuilder, { event, revision }: StoredEvent): void {
  if (event.kind !== 'failed') return;
  const code = index.number('codes', event.code);
  const asset = index.write(event.asset);
  for (const failure of event.failures) {
    const series = asset.write(failure.series, failure.values);
    series.ensure(failure.time, failure.time + 1);
    series.touch(failure.time, failure.time + 1, revision);
    const at = failure.time - series.base;
    const kept = (series.flags[at] as number) & ~(FAILED | TRANSIENT);
    series.flags[at] = kept | FAILED | (failure.transient ? TRANSIENT : 0);
    series.failures ??= new Map();
    const attempts = (series.failures.get(failure.time)?.attempts ?? 0) + 1;
    series.failures.set(failure.time, { head: event.head, code, transient: failure.transient, revision, attempts });
  }
}

function accept(index: IndexBuilder, assetKey: string, from: string, to: string, revision: number): void {
  const source = index.number('codes', from);
  const target = index.number('codes', to);
  const asset = index.write(assetKey);
  for (const found of [...asset.series.values()]) {
    if (!found.code.includes(source)) continue;
    const series = asset.write(found.key, found.values);
    series.touch(series.base, series.base + series.length, revision);
    for (let at = 0; at < series.length; at++) {
      if (series.code[at] === source && ((series.flags[at] as number) & PRESENT) !== 0) series.code[at] = target;
    }
  }
}

/** An index as plain JSON, the same for equal states whatever windows its columns happen to have. For tests and support. */
export function describeIndex(index: IndexBuilder): unknown {
  const assets: Record<string, unknown> = {};
  for (const key of [...index.assets.keys()].sort()) {
    const asset = index.assets.get(key) as MutableAsset;
    const series: Record<string, unknown> = {};
    for (const name of [...asset.series.keys()].sort()) {
      const state = asset.series.get(name);
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
          failure: state.failures?.get(at + state.base),
        };
      }
      if (Object.keys(points).length > 0) series[name] = { values: state?.values, points };
    }
    assets[key] = { series, lastObservedAt: asset.lastObservedAt, lastObservedRevision: asset.lastObservedRevision };
  }
  return JSON.parse(canonicalJson({ head: index.head, definitions: index.definitions, assets }));
}
