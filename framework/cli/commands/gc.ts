import { LakehouseError } from '../../common/errors.ts';
import { publishThenRemove } from '../../materialize/catalogue.ts';
import { exclusions, removeFiles, spareFiles, staysUntil } from '../../materialize/commit.ts';
import type { OpenedLake } from '../../materialize/open.ts';
import { definesAny, removedAssets } from '../../materialize/removed.ts';
import { bytes, indent, instant, number, plural } from '../../report/format.ts';
import type { FileRecord } from '../../state/store.ts';
import type { Context } from '../context.ts';
import { removedLines, withFiles } from '../files.ts';
import { unknownObjects } from '../unknown.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export interface GcOptions {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly excluded?: boolean;
  /** ms */
  readonly grace: number;
}

interface Spare {
  readonly path: string;
  readonly bytes: number;
}

export async function run(context: Context, options: GcOptions): Promise<number | undefined> {
  if (options.dryRun && options.yes) throw new LakehouseError('both-ways', '--dry-run and --yes exclude each other');
  const { console, io } = context;
  const { retentionDays } = (await context.settings()).loaded.settings.state;
  const removing = options.yes === true;
  return withFiles(context, removing ? 'write' : 'read', async (lake, defined) => {
    const { state, store } = lake;
    // Before the log is read: what is younger may belong to a run that has not committed yet.
    const now = io.now();
    const before = now - options.grace;
    const { superseded, excluded, staying } = supersededFiles(lake, now, options);
    const going: readonly Spare[] = [...superseded, ...(options.excluded ? excluded : [])];
    const unknown: Spare[] = [];
    const read = staying.filter((file) => staysUntil(lake, file) > now);
    const young: Spare[] = staying.filter((file) => staysUntil(lake, file) <= now);
    for await (const { key, bytes: size, modifiedMs } of unknownObjects(lake))
      (modifiedMs < before ? unknown : young).push({ path: key, bytes: size });
    if (removing) refuseEmptyLog(context, lake, unknown);
    let stages = 0;
    let events = 0;
    if (removing) {
      // A run may have committed it since the log was read.
      for (const { path } of unknown) if (state.file(path) === undefined) await store.delete(path);
      await publishThenRemove(lake, now, console.warn, { graceMs: options.grace, excluded: options.excluded });
      if (options.excluded) await removeFiles(lake, spareKept(lake, now, options.grace));
      stages = await store.sweepStaging(options.grace, now);
      if (state.eventsSinceCheckpoint() > 0) state.checkpoint();
      events = state.prune({ keepEventsAfterMs: now - retentionDays * DAY_MS }).events;
    }
    const files = [...going, ...unknown].map(({ path, bytes: size }) => ({ path, bytes: size }));
    const kept = options.excluded ? [] : excluded;
    const stay = [...kept, ...read, ...young];
    const until = read.map((file) => staysUntil(lake, file)).sort((a, b) => a - b);
    const notDefined = defined ? removedAssets(lake).filter((asset) => asset.files > 0) : [];
    const found = {
      removed: removing,
      superseded: going.length,
      unknown: unknown.length,
      bytes: sizeOf(files),
      files,
      kept: {
        files: stay.length,
        bytes: sizeOf(stay),
        excluded: kept.length,
        young: young.length,
        history: read.length,
        ...(until[0] !== undefined && { until: new Date(until[0]).toISOString() }),
      },
      notDefined,
      ...(removing && { stages, events }),
    };
    console.result(found, () => {
      const list = files
        .slice(0, 20)
        .map(({ path, bytes: size }) => indent(`${path}  ${console.style.faint(bytes(size))}`));
      if (files.length > list.length) list.push(indent(`… and ${plural(files.length - list.length, 'more file')}`));
      const what = `${number(going.length)} superseded and ${number(unknown.length)} unknown files, ${bytes(found.bytes)}`;
      const asked = ['gc', ...(removing ? ['--yes'] : []), ...(options.excluded ? ['--excluded'] : [])];
      const stays = [
        ...(young.length === 0
          ? []
          : [
              `${plural(young.length, 'file')} (${bytes(sizeOf(young))}) ${young.length === 1 ? 'is' : 'are'} younger than ${period(options.grace)} and ${young.length === 1 ? 'stays' : 'stay'} for now: ${context.again(...asked, '--grace', '0s')}`,
            ]),
        ...(until[0] === undefined
          ? []
          : [
              `${plural(read.length, 'replaced file')} (${bytes(sizeOf(read))}) can still be read, as of then or by running queries: ${until[0] === until.at(-1) ? '' : 'the first '}until ${instant(until[0])}.`,
            ]),
        ...(kept.length === 0
          ? []
          : [
              `${plural(kept.length, 'file')}, ${bytes(sizeOf(kept))}, of partitions that the settings do not want are kept: --excluded.`,
            ]),
        ...removedLines(context, notDefined, definesAny(lake)),
      ];
      if (removing)
        return [
          ...list,
          `Removed ${what}; ${plural(stages, 'unfinished write')}; ${plural(events, 'old event')}.`,
          ...stays,
        ].join('\n');
      if (files.length === 0)
        return [
          `There are no ${young.length > 0 ? 'other ' : ''}files to remove. With --yes it also removes unfinished writes of dead processes and old events.`,
          ...stays,
        ].join('\n');
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
        ...stays,
      ].join('\n');
    });
    return undefined;
  });
}

const sizeOf = (files: readonly Spare[]): number => files.reduce((sum, { bytes: size }) => sum + size, 0);

/** `1 hour`, `90 minutes`: in the largest unit without a rest. */
function period(ms: number): string {
  const [unit, word] = (
    [
      [DAY_MS, 'day'],
      [HOUR_MS, 'hour'],
      [60_000, 'minute'],
    ] as const
  ).find(([unit]) => ms % unit === 0) ?? [1000, 'second'];
  return plural(ms / unit, word);
}

/** What the log knows and nothing lives in: what may go, of which that which only the settings excluded apart, and what has to stay for now. */
function supersededFiles(
  lake: OpenedLake,
  now: number,
  { grace, excluded: withExcluded }: GcOptions,
): {
  readonly superseded: readonly FileRecord[];
  readonly excluded: readonly FileRecord[];
  readonly staying: readonly FileRecord[];
} {
  const isExcluded = exclusions(lake);
  const spare = Map.groupBy(spareFiles(lake, now, grace), isExcluded);
  const staying = [
    ...lake.state.supersededFiles(Number.MAX_SAFE_INTEGER),
    ...(withExcluded ? lake.state.keptFiles() : []),
  ]
    .filter((file) => staysUntil(lake, file, grace) > now)
    .filter((file) => withExcluded === true || !isExcluded(file));
  return {
    superseded: spare.get(false) ?? [],
    excluded: [...(spare.get(true) ?? []), ...spareKept(lake, now, grace)],
    staying,
  };
}

const spareKept = (lake: OpenedLake, now: number, grace: number): FileRecord[] =>
  [...lake.state.keptFiles()].filter((file) => staysUntil(lake, file, grace) <= now);

function refuseEmptyLog({ again }: Context, { state, store }: OpenedLake, unknown: readonly Spare[]): void {
  const [first] = unknown;
  const [current] = state.files();
  const others = () => [...state.supersededFiles(Number.MAX_SAFE_INTEGER), ...state.keptFiles()];
  if (first === undefined || current !== undefined || others().length > 0) return;
  throw new LakehouseError(
    'empty-log',
    `The log knows of no file at all, but there are ${number(unknown.length)} in ${store.root}, such as ${first.path}`,
    {
      hint: `It is probably not the log of these files: see state.directory and dataDir (${again('config')}). If they are to go, remove them by hand.`,
    },
  );
}
