import { LakehouseError } from '../../common/errors.ts';
import { removeSuperseded, wasExcluded } from '../../materialize/commit.ts';
import type { StateReader } from '../../state/store.ts';
import type { Context } from '../context.ts';
import { bytes, indent, number, plural } from '../format.ts';
import { unknownObjects } from '../unknown.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

function knowsFiles(state: StateReader): boolean {
  const [current] = state.files();
  return current !== undefined || [...state.supersededFiles(Number.MAX_SAFE_INTEGER)].length > 0;
}

export async function run(
  context: Context,
  options: { readonly dryRun?: boolean; readonly yes?: boolean; readonly excluded?: boolean; readonly grace: number },
): Promise<number | undefined> {
  if (options.dryRun && options.yes) throw new LakehouseError('both-ways', '--dry-run and --yes exclude each other');
  const { console, io } = context;
  const { loaded } = await context.configuration();
  const { retentionDays } = loaded.settings.state;
  const removing = options.yes === true;
  return context.withLake(removing ? 'write' : 'read', async (lake) => {
    const { state, store } = lake;
    // Before the log is read: what is younger may belong to a run that has not committed yet.
    const before = io.now() - options.grace;
    const superseded = [...state.supersededFiles(before)].filter(
      (file) => options.excluded || !wasExcluded(lake, file),
    );
    const unknown: { path: string; bytes: number }[] = [];
    for await (const { key, bytes: size, modifiedMs } of unknownObjects(lake))
      if (modifiedMs < before) unknown.push({ path: key, bytes: size });
    const [first] = unknown;
    if (first && removing && !knowsFiles(state))
      throw new LakehouseError(
        'empty-log',
        `The log knows of no file at all, but there are ${number(unknown.length)} in ${store.root}, such as ${first.path}`,
        {
          hint: 'It is probably not the log of these files: see state.directory and dataDir (lakehouse config). If they are to go, remove them by hand.',
        },
      );
    let stages = 0;
    let events = 0;
    if (removing) {
      // A run may have committed it since the log was read.
      for (const { path } of unknown) if (state.file(path) === undefined) await store.delete(path);
      await removeSuperseded(lake, before, options.excluded);
      stages = await store.sweepStaging(options.grace, io.now());
      if (state.eventsSinceCheckpoint() > 0) state.checkpoint();
      events = state.prune({ keepEventsAfterMs: io.now() - retentionDays * DAY_MS }).events;
    }
    const files = [...superseded.map(({ path, bytes: size }) => ({ path, bytes: size })), ...unknown];
    const total = files.reduce((sum, { bytes: size }) => sum + size, 0);
    const found = {
      removed: removing,
      superseded: superseded.length,
      unknown: unknown.length,
      bytes: total,
      files,
      ...(removing && { stages, events }),
    };
    console.result(found, () => {
      const list = files
        .slice(0, 20)
        .map(({ path, bytes: size }) => indent(`${path}  ${console.style.faint(bytes(size))}`));
      if (files.length > list.length) list.push(indent(`… and ${plural(files.length - list.length, 'more file')}`));
      const what = `${number(superseded.length)} superseded and ${number(unknown.length)} unknown files, ${bytes(total)}`;
      if (removing)
        return [
          ...list,
          `Removed ${what}; ${plural(stages, 'unfinished write')}; ${plural(events, 'old event')}.`,
        ].join('\n');
      if (files.length === 0)
        return 'There are no files to remove. With --yes it also removes unfinished writes of dead processes and old events.';
      const also = `Unfinished writes of dead processes and events older than ${plural(retentionDays, 'day')} would go too.`;
      return [
        ...list,
        `To remove: ${what}. ${also}`,
        indent(
          context.again(
            'gc',
            '--yes',
            ...(options.excluded ? ['--excluded'] : []),
            ...(options.grace === HOUR_MS ? [] : ['--grace', `${Math.round(options.grace / 1000)}s`]),
          ),
        ),
      ].join('\n');
    });
    return undefined;
  });
}
