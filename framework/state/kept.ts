import type { DatabaseSync } from 'node:sqlite';
import { departuresOf, type NewEvent, outcomesOf } from './events.ts';
import { type IndexBuilder, type MutableAsset, PRESENT } from './index.ts';
import type { PackedEvent } from './packed.ts';
import { prepare } from './sql.ts';

// Files of what the settings no longer want are kept, for a changed setting must not cost anybody originals. Their `superseded_at`
// is negative: whoever looks for files to remove finds the others by index, and does not pass over all that are kept each time.

function hasContent(asset: MutableAsset | undefined, series: string): boolean {
  return asset?.series.get(series)?.flags.some((flags) => (flags & PRESENT) !== 0) ?? false;
}

/** Keeps the files that an exclusion emptied, of series that nothing is left of. After the event was folded into the index. */
export function keepExcluded(db: DatabaseSync, index: IndexBuilder, { revision, at, header }: PackedEvent): void {
  if (header.kind !== 'departed' || header.reason !== 'excluded') return;
  const asset = index.asset(header.asset);
  const gone = header.set.flatMap(({ series }) => (hasContent(asset, series) ? [] : [series]));
  prepare(
    db,
    `UPDATE files SET superseded_at = -superseded_at WHERE superseded IS NOT NULL AND superseded_at = ? AND superseded = ?
       AND series IN (SELECT value FROM json_each(?))`,
  ).run(at, revision, JSON.stringify(gone));
}

/**
 * Lets go of kept files whose series has content again, made anew, or was wiped: from now on they are superseded like any other.
 * Before the event is folded into the index.
 */
export function releaseKept(
  db: DatabaseSync,
  index: IndexBuilder,
  event: NewEvent,
  { revision, at }: Pick<PackedEvent, 'revision' | 'at'>,
): void {
  if (!('asset' in event)) return;
  const asset = index.asset(event.asset);
  const wiped = event.kind === 'departed' && event.reason === 'wiped';
  const released = (wiped ? departuresOf(event) : outcomesOf(event)).flatMap(({ series }) =>
    asset?.series.has(series) === true && !hasContent(asset, series) ? [series] : [],
  );
  if (released.length === 0) return;
  prepare(
    db,
    `UPDATE files SET superseded = ?, superseded_at = ? WHERE superseded IS NOT NULL AND superseded_at < 0 AND asset = ?
       AND series IN (SELECT value FROM json_each(?))`,
  ).run(revision, at, event.asset, JSON.stringify(released));
}
