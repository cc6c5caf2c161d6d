import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { readSettingsSources } from '../../framework/config/load.ts';
import { resolveSettings } from '../../framework/config/resolve.ts';
import type { LakehouseDefinition } from '../../framework/define/lakehouse.ts';
import type { RunEvent } from '../../framework/materialize/events.ts';
import { type OpenedLake, type OpenOptions, openLake } from '../../framework/materialize/open.ts';
import { materialize, type RunRequest, type RunResult } from '../../framework/materialize/run.ts';
import type { Shared } from '../../framework/materialize/shared.ts';

export function testSettings(
  definition: LakehouseDefinition,
  directory: string,
  sets: readonly string[] = [],
): OpenOptions['settings'] {
  const sources = readSettingsSources({ cwd: directory, env: {}, argv: { sets: [`dataDir=${directory}`, ...sets] } });
  return resolveSettings(sources, definition.settings).settings as OpenOptions['settings'];
}

/** A real lake in a directory: real state, files and engine. */
export async function openTestLake(
  definition: LakehouseDefinition,
  directory: string,
  options: { sets?: string[]; now?: () => number; shared?: Shared } = {},
): Promise<OpenedLake> {
  const settings = testSettings(definition, directory, options.sets);
  return openLake({
    definition,
    settings,
    shared: options.shared,
    mode: 'write',
    now: options.now ?? Date.now,
    id: () => `${Date.now().toString(36)}${randomBytes(4).toString('hex')}`,
    host: hostname(),
    pid: process.pid,
    isAlive: (pid) => {
      try {
        process.kill(pid, 0);
        return true;
      } catch {
        return false;
      }
    },
    warn: () => undefined,
  });
}

export async function run(
  lake: OpenedLake,
  request: Partial<RunRequest> = {},
  seen: (event: RunEvent) => void = () => undefined,
): Promise<RunResult & { events: RunEvent[] }> {
  const events: RunEvent[] = [];
  const never = new AbortController().signal;
  const result = await materialize(
    lake,
    { command: 'test', ...request },
    {
      stopping: never,
      signal: never,
      emit: (e) => {
        events.push(e);
        seen(e);
      },
    },
  );
  return { ...result, events };
}

export const MIRROR = resolve(import.meta.dirname, '../../../shared/data/archive');
