import type { DatabaseSync } from 'node:sqlite';
import { encodeCold } from './checkpoint.ts';
import { type Chunk, checkpointRevisions, finishCheckpoint, writeChunk } from './checkpoint-store.ts';
import { COLD_WINDOW, chunksOf } from './details.ts';
import { HOT_WINDOW } from './hot.ts';
import type { Mirror } from './mirror.ts';
import { prepare } from './sql.ts';

/** Bytes of chunks per transaction, so that appends of other processes need not wait long. */
const BYTES_PER_TRANSACTION = 16 * 1024 * 1024;

type Write = <T>(body: (db: DatabaseSync) => T) => T;

/**
 * Writes a checkpoint at the mirror's head: the chunks that changed since the newest one, or all of them where a checkpoint
 * was found damaged. Several short transactions; nothing counts before the last. Gives way when another process has made a
 * checkpoint meanwhile.
 */
export function saveCheckpoint(mirror: Mirror, write: Write, now: () => number): void {
  const { newest, base } = write((db) => {
    mirror.catchUp(db);
    return { newest: checkpointRevisions(db)[0] ?? 0, base: mirror.bases(db)[0] ?? 0 };
  });
  const { index, damaged } = mirror;
  const known = damaged.size;
  const since = known > 0 ? -1 : newest;
  if (index.head === since || index.head === 0) return;

  let source: Generator<Chunk> | undefined;
  for (let done = false; !done; ) {
    const wentOn = write((db) => {
      if ((checkpointRevisions(db)[0] ?? 0) !== newest) return false;
      source ??= chunksSince(db, mirror, since);
      for (let bytes = 0; bytes < BYTES_PER_TRANSACTION; ) {
        const next = source.next();
        if (next.done === true) {
          done = true;
          break;
        }
        writeChunk(db, index.head, next.value);
        bytes += next.value.body.length;
      }
      // Damage that shows itself only now leaves too little written: begin again, with everything.
      if (done && damaged.size === known) finishCheckpoint(db, index, base === index.head ? 0 : base, now());
      return true;
    });
    if (!wentOn) return;
  }
  if (damaged.size > known) {
    saveCheckpoint(mirror, write, now);
    return;
  }
  damaged.clear();
  mirror.covered(index.head);
  for (const asset of index.assets.values()) for (const series of asset.series.values()) series.written.clear();
}

/** The chunks that were written into after a revision; all of them for -1. */
function* chunksSince(db: DatabaseSync, mirror: Mirror, since: number): Generator<Chunk> {
  const { index } = mirror;
  for (const [asset, { series }] of index.assets) {
    for (const state of series.values()) {
      const numbers = since < 0 ? allChunks(state.base, state.length, HOT_WINDOW) : writtenSince(state.written, since);
      for (const chunk of numbers) {
        yield { table: 'hot', asset, series: state.key, chunk, values: state.values, body: state.chunk(chunk) };
      }
    }
  }
  const assets =
    since < 0
      ? [...index.assets.keys()]
      : prepare(db, 'SELECT DISTINCT asset FROM events WHERE revision > ? AND asset IS NOT NULL')
          .all(since)
          .map((row) => String(row.asset));
  for (const asset of assets) {
    const series =
      since < 0 ? [...(index.asset(asset)?.series.keys() ?? [])] : [...mirror.tailOf(db, asset, since).keys()];
    for (const key of series) {
      const details = mirror.detailsOf(db, asset, key);
      const numbers =
        since < 0
          ? allChunks(details.base, details.length, COLD_WINDOW)
          : new Set(
              (mirror.tailOf(db, asset, since).get(key) ?? [])
                .filter((entry) => entry.revision > since)
                .flatMap(chunksOf),
            );
      for (const chunk of numbers) yield { table: 'cold', asset, series: key, chunk, body: encodeCold(details, chunk) };
      mirror.trim(db);
    }
  }
}

function writtenSince(written: ReadonlyMap<number, number>, since: number): number[] {
  return [...written].filter(([, revision]) => revision > since).map(([chunk]) => chunk);
}

function allChunks(base: number, length: number, window: number): number[] {
  const first = Math.floor(base / window);
  const last = Math.floor((base + length - 1) / window);
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
