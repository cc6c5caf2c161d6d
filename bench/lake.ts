import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { lakehouse } from '../assets/index.ts';
import { readSettingsSources } from '../framework/config/load.ts';
import { type LoadedSettings, resolveSettings } from '../framework/config/resolve.ts';
import type { LakehouseDefinition } from '../framework/define/lakehouse.ts';
import { type OpenedLake, openLake } from '../framework/materialize/open.ts';
import { materialize, type RunResult } from '../framework/materialize/run.ts';

/** The bundled lake over a mirror, as the command line opens it. `sets` are as in `--set`. */
export function openBenchLake(
  directory: string,
  sets: readonly string[],
  definition: LakehouseDefinition = lakehouse,
  now: () => number = Date.now,
): Promise<OpenedLake> {
  const sources = readSettingsSources({ cwd: directory, env: {}, argv: { sets: [`dataDir=${directory}`, ...sets] } });
  const { settings }: LoadedSettings = resolveSettings(sources, definition.settings);
  return openLake({
    definition,
    settings,
    mode: 'write',
    now,
    id: () => randomBytes(8).toString('hex'),
    host: hostname(),
    pid: process.pid,
    isAlive: () => true,
    warn: (message) => process.stderr.write(`${message}\n`),
  });
}

/** Materializes a selection. @throws when anything fails: a bench of failures would be a fast one. */
export async function materializeAll(lake: OpenedLake, selection: string): Promise<RunResult> {
  const never = new AbortController().signal;
  let failed: unknown;
  const result = await materialize(
    lake,
    { command: 'bench', selection },
    {
      stopping: never,
      signal: never,
      emit: (event) => {
        if (event.type === 'partition-failed') failed ??= event;
      },
    },
  );
  if (failed !== undefined || result.outcome !== 'succeeded')
    throw new Error(`${selection} ${result.outcome}: ${JSON.stringify(failed)}`);
  return result;
}
