import type { DatabaseSync } from 'node:sqlite';
import { filesOf, type NewEvent } from './events.ts';
import type { PackedEvent } from './packed.ts';
import { prepare } from './sql.ts';

// Files of what the settings no longer want are kept, for a changed setting must not cost anybody originals. Their `superseded_at`
// is negative: whoever looks for files to remove finds the others by index, and does not pass over all that are kept each time.

/** Keeps the files that an exclusion emptied. */
export function keepExcluded(db: DatabaseSync, { revision, at, header }: PackedEvent): void {
  if (header.kind !== 'departed' || header.reason !== 'excluded') return;
  prepare(
    db,
    'UPDATE files SET superseded_at = -superseded_at WHERE superseded IS NOT NULL AND superseded_at = ? AND superseded = ?',
  ).run(at, revision);
}

/**
 * Lets go of kept files that an event replaces by a file of the same name but for the generation, or whose series it wipes: from now
 * on they are superseded like any other. That a series is wanted again says nothing of its other files: the source may have withdrawn
 * what is in them.
 */
export function releaseKept(
  db: DatabaseSync,
  event: NewEvent,
  { revision, at }: Pick<PackedEvent, 'revision' | 'at'>,
): void {
  if (!('asset' in event)) return;
  const release =
    'UPDATE files SET superseded = ?, superseded_at = ? WHERE superseded IS NOT NULL AND superseded_at < 0';
  for (const { path } of filesOf(event)) {
    const stem = withoutGeneration(path);
    // All paths that go on with a point: the next character after it is the slash.
    prepare(db, `${release} AND path > ? AND path < ? AND path <> ?`).run(revision, at, `${stem}.`, `${stem}/`, path);
  }
  if (event.kind === 'departed' && event.reason === 'wiped') {
    const series = JSON.stringify(event.set.map((one) => one.series));
    prepare(db, `${release} AND asset = ? AND series IN (SELECT value FROM json_each(?))`).run(
      revision,
      at,
      event.asset,
      series,
    );
  }
}

/** `…/2020-01.<generation>.parquet` without its two last parts. */
const withoutGeneration = (path: string): string => path.replace(/\.[^./]+\.[^./]+$/, '');
