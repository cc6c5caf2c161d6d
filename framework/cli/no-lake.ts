import type { OpenedLake } from '../materialize/open.ts';
import { type Context, shownPath } from './context.ts';

/** What a mistyped directory is told by: nothing was ever made there. Undefined where there is a lake. */
export async function noLake(context: Context, lake: OpenedLake): Promise<string | undefined> {
  if (lake.state.refresh().head > 0) return undefined;
  const { settings } = (await context.settings()).loaded;
  return `There is no lake in ${shownPath(context.io.cwd, settings.dataDir)} yet`;
}
