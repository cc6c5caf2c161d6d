import type { AcceptedEvent, CheckOutcome, FailedEvent, PackedSet, SeriesName } from './events.ts';
import { CHECK_FAILED, FAILED, type IndexBuilder, LEFT, type MutableAsset, PRESENT, TRANSIENT } from './index.ts';
import type { PackedEvent, PackedOutcomes } from './packed.ts';

/**
 * Folds one event into an index under construction. Events must come in the order of their revisions, without gaps.
 * Pure and deterministic: the same log gives the same index, from whatever checkpoint it is folded.
 */
export function applyEvent(index: IndexBuilder, { revision, header, outcomes }: PackedEvent): void {
  switch (header.kind) {
    case 'materialized': {
      const choices = (header.choices ?? []).map((choice) => index.number('choices', choice));
      const asset = index.write(header.asset);
      const code = index.number('codes', header.code);
      if (outcomes !== undefined)
        enter(asset, revision, outcomes, code, header.ordered === true ? revision : header.verified, choices);
      failChecks(asset, header.checks ?? [], revision);
      break;
    }
    case 'checked': {
      if (header.set.length === 0) break;
      const asset = index.write(header.asset);
      if (header.decisive) passChecks(asset, header.set, revision);
      failChecks(asset, header.failures, revision);
      break;
    }
    case 'observed': {
      const asset = index.write(header.asset);
      if (outcomes !== undefined) enter(asset, revision, outcomes, 0, revision, []);
      asset.lastObservedAt = header.observedAt;
      if (header.audit) {
        asset.lastAuditedAt = header.observedAt;
        asset.lastAuditOf = header.auditOf;
      }
      asset.lastObservedRevision = revision;
      leave(asset, header.withdrawn ?? [], revision);
      break;
    }
    case 'departed': {
      const asset = index.write(header.asset);
      leave(asset, header.set, revision);
      // What was wiped is there again only when everything is listed.
      asset.lastAuditedAt = undefined;
      break;
    }
    case 'failed':
      fail(index, header, revision);
      break;
    case 'accepted':
      accept(index, header, revision);
      break;
    case 'definitions':
      index.definitions = { ...index.definitions, ...header.versions };
      break;
    case 'compacted':
    case 'run-started':
    case 'run-finished':
      break;
  }
  index.head = revision;
}

function enter(
  asset: MutableAsset,
  revision: number,
  { names, ends, times, changed, choice }: PackedOutcomes,
  code: number,
  verified: number,
  choices: readonly number[],
): void {
  for (let k = 0, i = 0; k < names.length; k++) {
    const end = ends[k] as number;
    if (i === end) continue;
    const { series: key, values } = names[k] as SeriesName;
    const series = asset.write(key, values);
    const lo = times[i] as number;
    const hi = (times[end - 1] as number) + 1;
    const columns = series.edit(lo, hi, revision);
    for (; i < end; i++) {
      const at = (times[i] as number) - series.base;
      if (changed[i] === 1) columns.changed[at] = revision;
      columns.verified[at] = verified;
      columns.code[at] = code;
      columns.choice[at] = choice === undefined ? 0 : (choices[choice[i] as number] ?? 0);
      columns.flags[at] = PRESENT;
      series.failures?.delete(times[i] as number);
    }
  }
}

function failChecks(asset: MutableAsset, checks: readonly CheckOutcome[], revision: number): void {
  for (const check of checks) {
    if (!check.blocking || check.severity !== 'error' || check.failedRows === 0) continue;
    const series = asset.write(check.series, check.values);
    const { flags } = series.edit(check.time, check.time + 1, revision);
    const at = check.time - series.base;
    flags[at] = (flags[at] ?? 0) | CHECK_FAILED;
  }
}

/** Writes to nothing but what was held up. */
function passChecks(asset: MutableAsset, set: PackedSet, revision: number): void {
  for (const { series: key, values, ranges } of set) {
    const before = asset.series.get(key);
    if (before === undefined) continue;
    const { base, flags } = before;
    for (let r = 0; r < ranges.length; r += 2) {
      for (let time = ranges[r] as number; time < (ranges[r + 1] as number); time++) {
        if (((flags[time - base] ?? 0) & CHECK_FAILED) === 0) continue;
        const series = asset.write(key, values);
        const columns = series.edit(time, time + 1, revision);
        const at = time - series.base;
        columns.flags[at] = (columns.flags[at] as number) & ~CHECK_FAILED;
      }
    }
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
      const columns = series.edit(lo, hi, revision);
      for (let at = lo - series.base; at < hi - series.base; at++) {
        const flags = columns.flags[at] as number;
        if ((flags & PRESENT) !== 0) columns.changed[at] = revision;
        // What had left before stays left since then; what was never there leaves nothing but its failure.
        columns.flags[at] = (flags & (PRESENT | LEFT)) !== 0 ? LEFT : 0;
        columns.code[at] = 0;
        columns.choice[at] = 0;
        series.failures?.delete(at + series.base);
      }
    }
  }
}

function fail(index: IndexBuilder, event: FailedEvent, revision: number): void {
  const code = index.number('codes', event.code);
  const asset = index.write(event.asset);
  for (const failure of event.failures) {
    const series = asset.write(failure.series, failure.values);
    const { flags } = series.edit(failure.time, failure.time + 1, revision);
    const at = failure.time - series.base;
    const kept = (flags[at] as number) & ~(FAILED | TRANSIENT);
    flags[at] = kept | FAILED | (failure.transient ? TRANSIENT : 0);
    series.failures ??= new Map();
    const attempts = (series.failures.get(failure.time)?.attempts ?? 0) + 1;
    series.failures.set(failure.time, { head: event.head, code, transient: failure.transient, revision, attempts });
  }
}

function accept(index: IndexBuilder, { asset: assetKey, from, to }: AcceptedEvent, revision: number): void {
  const sets = index.accepted[assetKey] ?? [];
  const joined = sets.filter((codes) => codes.includes(from) || codes.includes(to));
  const same = [...new Set([...joined.flat(), from, to])].sort();
  index.accepted = { ...index.accepted, [assetKey]: [...sets.filter((codes) => !joined.includes(codes)), same] };
  const source = index.number('codes', from);
  const target = index.number('codes', to);
  const asset = index.write(assetKey);
  for (const found of [...asset.series.values()]) {
    if (!found.code.includes(source)) continue;
    const series = asset.write(found.key, found.values);
    const { code, flags } = series.edit(series.base, series.base + series.length, revision);
    for (let at = 0; at < series.length; at++) {
      if (code[at] === source && ((flags[at] as number) & PRESENT) !== 0) code[at] = target;
    }
  }
}
