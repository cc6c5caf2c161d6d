import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { MaterializedEvent, ObservedEvent, SeriesOutcome } from '../../framework/state/events.ts';
import { type OpenStateOptions, openState } from '../../framework/state/sqlite.ts';
import type { StateWriter } from '../../framework/state/store.ts';

/** A directory that is gone when the test is over. */
export function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), 'state-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A state in a directory of its own, and a way to open it once more. Its clock ticks one second per look. */
export function lake(options: Partial<OpenStateOptions> = {}) {
  const directory = temporary();
  const path = join(directory, 'state.sqlite');
  let now = 1_700_000_000_000;
  const open = (more: Partial<OpenStateOptions> = {}): StateWriter => {
    const state = openState(path, { now: () => (now += 1000), ...options, ...more });
    onTestFinished(() => state.close());
    return state;
  };
  return { directory, path, open };
}

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

/** One point of the index as plain data. */
export function pointOf(
  state: { index(): ReturnType<StateWriter['index']> },
  asset: string,
  series: string,
  time: number,
) {
  const index = state.index();
  const found = index.asset(asset)?.series.get(series);
  const at = time - (found?.base ?? 0);
  if (found === undefined || at < 0 || at >= found.length) return undefined;
  return {
    changed: found.changed[at],
    verified: found.verified[at],
    code: index.codes[found.code[at] as number],
    choice: index.choices[found.choice[at] as number],
    flags: found.flags[at],
  };
}
