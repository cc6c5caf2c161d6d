import { createHash } from 'node:crypto';
import type { MaterializedEvent, ObservedEvent, SeriesOutcome } from '../../framework/state/events.ts';

export function valuesOf(series: string): Record<string, string> {
  return Object.fromEntries(series === '' ? [] : series.split('/').map((part) => part.split('=') as [string, string]));
}

export function named(series: string): { series: string; values: Record<string, string> } {
  return { series, values: valuesOf(series) };
}

/** 16 bytes that differ for different texts. */
export function versionOf(text: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(text).digest().subarray(0, 16));
}

/** Points of one series: time → content, with the ordinal of its file. */
export function outcome(series: string, content: Readonly<Record<number, string>>, file = -1): SeriesOutcome {
  const times = Object.keys(content)
    .map(Number)
    .sort((a, b) => a - b);
  const version = new Uint8Array(16 * times.length);
  times.forEach((time, i) => {
    version.set(versionOf(content[time] as string), 16 * i);
  });
  return {
    ...named(series),
    times: Int32Array.from(times),
    version,
    rows: Uint32Array.from(times, (time) => (content[time] as string).length),
    bytes: Float64Array.from(times, (time) => 100 * (content[time] as string).length),
    file: new Int32Array(times.length).fill(file),
  };
}

export function materialized(
  asset: string,
  verified: number,
  outcomes: SeriesOutcome[],
  more: Partial<MaterializedEvent> = {},
): MaterializedEvent {
  return { kind: 'materialized', asset, run: 'r1', code: 'A', verified, outcomes, files: [], ...more };
}

export function observed(asset: string, outcomes: SeriesOutcome[], more: Partial<ObservedEvent> = {}): ObservedEvent {
  return { kind: 'observed', asset, run: 'r1', observedAt: 5, outcomes, ...more };
}
