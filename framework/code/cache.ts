import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Observation, stillHold } from './disk.ts';
import type { FunctionCode } from './result.ts';

/** Results, and all that any of them depends on. */
export interface Cached {
  /** Stands for the settings of the hasher. */
  readonly settings: string;
  readonly observations: readonly Observation[];
  readonly codes: Readonly<Record<string, FunctionCode>>;
}

/** Raised whenever the hash of a function may change although its code does not. */
const FORMAT = 1;

/** The cached results, if they were made with these settings and everything they depend on is as it was. */
export function readCache(file: string, settings: string): Cached | undefined {
  try {
    const cached = JSON.parse(readFileSync(file, 'utf8')) as Cached & { readonly format: number };
    return cached.format === FORMAT && cached.settings === settings && stillHold(cached.observations)
      ? cached
      : undefined;
  } catch {
    // No cache, or no longer one: it is made again.
    return undefined;
  }
}

/** Replaces the cache, in one step for those who read it meanwhile. A cache that cannot be written is only slower. */
export function writeCache(file: string, cached: Cached): void {
  const temporary = `${file}.${process.pid}`;
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(temporary, JSON.stringify({ format: FORMAT, ...cached }));
    renameSync(temporary, file);
  } catch {
    if (existsSync(temporary)) rmSync(temporary);
  }
}
