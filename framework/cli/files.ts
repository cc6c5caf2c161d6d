import type { OpenedLake } from '../materialize/open.ts';
import type { RemovedAsset } from '../materialize/removed.ts';
import { bytes, plural, some } from '../report/format.ts';
import { idGenerator } from '../sdk/ids.ts';
import type { Context } from './context.ts';

/**
 * Opens the lake for what is about files and log, and needs no definitions. Where they cannot be loaded it says so; `defined` is
 * false then, and no asset is known.
 */
export async function withFiles<T>(
  context: Context,
  mode: 'read' | 'write',
  use: (lake: OpenedLake, defined: boolean) => Promise<T>,
): Promise<T> {
  const { console, io } = context;
  const { loaded, missing } = await context.settings();
  if (!missing) return context.withLake(mode, (lake) => use(lake, true));
  console.warn(`${missing.message}\n  Files and log are looked at without the definitions.`);
  const { openLake } = await import('../materialize/open.ts');
  const { now, random, host, pid, isAlive } = io;
  const { settings } = loaded;
  const id = idGenerator(now, random);
  const { warn } = console;
  const lake = await openLake({ definition: undefined, settings, mode, now, id, host, pid, isAlive, warn });
  try {
    for (const damage of lake.state.damage()) warn(`${damage}. The state was restored without it.`);
    return await use(lake, false);
  } finally {
    await lake.close();
  }
}

/** What there is of assets that are not defined, and what to do about it. */
export function removedLines(
  { again }: Context,
  removed: readonly RemovedAsset[],
  knowsDefinitions: boolean,
): readonly string[] {
  const [first] = removed;
  if (first === undefined) return [];
  const files = removed.reduce((sum, each) => sum + each.files, 0);
  const size = removed.reduce((sum, each) => sum + each.bytes, 0);
  const what = `${plural(files, 'file')}, ${bytes(size)}, of assets that are not defined (any more): ${some(
    removed.map(({ asset }) => asset),
    10,
  )}.`;
  return knowsDefinitions
    ? [`${what} They stay until they are wiped:`, `  ${again('wipe', first.asset)}`]
    : [what, '  No asset in this lake is defined: these are probably the definitions of another one.'];
}
