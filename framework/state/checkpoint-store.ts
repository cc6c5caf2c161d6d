import type { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { LakehouseError } from '../common/errors.ts';
import type { SeriesValues } from '../partition/space.ts';
import { CHECKPOINT_FORMAT, type CheckpointHeader, chunkChecksum, decodeCold } from './checkpoint.ts';
import { MutableDetails } from './details.ts';
import { chunkExtent } from './hot.ts';
import { IndexBuilder } from './index.ts';
import type { IndexUse } from './series.ts';
import { corrupt, prepare } from './sql.ts';

/** A chunk that is to be written. `values` are those of the series, for chunks of the index. */
export interface Chunk {
  readonly table: 'hot' | 'cold';
  readonly asset: string;
  readonly series: string;
  readonly chunk: number;
  readonly values?: SeriesValues;
  readonly body: Uint8Array;
}

/** Revisions of the checkpoints, newest first. */
export function checkpointRevisions(db: DatabaseSync): number[] {
  return prepare(db, 'SELECT revision FROM checkpoints ORDER BY revision DESC')
    .all()
    .map((row) => Number(row.revision));
}

function readHeader(db: DatabaseSync, revision: number): CheckpointHeader {
  const row = prepare(db, 'SELECT format, header, crc FROM checkpoints WHERE revision = ?').get(revision);
  if (Number(row?.format) > CHECKPOINT_FORMAT) {
    throw new LakehouseError(
      'state-too-new',
      `Checkpoint ${revision} is written in format ${row?.format}; this version reads up to ${CHECKPOINT_FORMAT}`,
      { kind: 'usage', hint: 'Upgrade to the version that wrote it. Nothing was changed.' },
    );
  }
  const header = String(row?.header);
  if (crc32(header) !== Number(row?.crc))
    throw corrupt(`Checkpoint ${revision} is damaged: its checksum does not match`);
  return JSON.parse(header) as CheckpointHeader;
}

/** Which row is each chunk of a checkpoint: the newest at or below its revision. */
function chunkRows(db: DatabaseSync, table: 'hot' | 'cold', revision: number) {
  return prepare(
    db,
    `SELECT asset, series, chunk, max(revision), id FROM ${table} WHERE revision <= ?
     GROUP BY asset, series, chunk ORDER BY asset, series, chunk`,
  )
    .all(revision)
    .map((row) => ({ id: Number(row.id), asset: String(row.asset), series: String(row.series) }));
}

/** The body of a chunk, its checksum verified. */
function readChunk(db: DatabaseSync, table: 'hot' | 'cold', id: number): { body: Uint8Array; values: string } {
  const values = table === 'hot' ? 'series_values' : 'NULL AS series_values';
  const row = prepare(db, `SELECT asset, series, chunk, revision, crc, body, ${values} FROM ${table} WHERE id = ?`).get(
    id,
  );
  const body = row?.body as Uint8Array;
  const [asset, series, chunk] = [String(row?.asset), String(row?.series), Number(row?.chunk)];
  if (chunkChecksum(asset, series, chunk, Number(row?.revision), body) !== Number(row?.crc)) {
    throw corrupt(
      `The checkpoint of ${asset} ${series} is damaged (${table} chunk ${chunk}): its checksum does not match`,
    );
  }
  return { body, values: String(row?.series_values) };
}

/**
 * The index as a checkpoint has it.
 * @throws LakehouseError `state-corrupt` where a part is damaged, `state-too-new`.
 */
export function loadIndex(db: DatabaseSync, revision: number, use: IndexUse): IndexBuilder {
  const header = readHeader(db, revision);
  const index = new IndexBuilder(use);
  for (const code of header.codes) index.number('codes', code);
  for (const choice of header.choices) index.number('choices', choice);
  index.definitions = header.definitions;
  index.accepted = header.accepted ?? {};
  index.head = revision;
  for (const [key, [at, seen, audited, auditOf]] of Object.entries(header.assets)) {
    const asset = index.write(key);
    asset.lastObservedAt = at ?? undefined;
    asset.lastObservedRevision = seen ?? undefined;
    asset.lastAuditedAt = audited ?? undefined;
    asset.lastAuditOf = auditOf ?? undefined;
  }
  const rows = chunkRows(db, 'hot', revision);
  for (let from = 0; from < rows.length; ) {
    const { asset, series } = rows[from] as { asset: string; series: string };
    let to = from + 1;
    while (rows[to]?.asset === asset && rows[to]?.series === series) to++;
    const chunks = rows.slice(from, to).map((row) => readChunk(db, 'hot', row.id));
    const state = index.write(asset).write(series, JSON.parse(chunks[0]?.values ?? '{}') as SeriesValues);
    state.restore(chunks.map((chunk) => chunk.body));
    from = to;
  }
  return index;
}

/** The details of a series as a checkpoint has them. */
export function loadDetails(db: DatabaseSync, revision: number, asset: string, series: string): MutableDetails {
  const details = new MutableDetails();
  const rows = prepare(
    db,
    'SELECT id, max(revision) FROM cold WHERE asset = ? AND series = ? AND revision <= ? GROUP BY chunk ORDER BY chunk',
  ).all(asset, series, revision);
  const chunks = rows.map((row) => readChunk(db, 'cold', Number(row.id)).body);
  details.ensure(...chunkExtent(chunks));
  for (const chunk of chunks) decodeCold(details, chunk);
  return details;
}

/** Reads every chunk of a checkpoint. @throws LakehouseError `state-corrupt`. */
export function verifyCheckpoint(db: DatabaseSync, revision: number): void {
  readHeader(db, revision);
  for (const table of ['hot', 'cold'] as const) {
    for (const { id } of chunkRows(db, table, revision)) readChunk(db, table, id);
  }
}

export function writeChunk(
  db: DatabaseSync,
  revision: number,
  { table, asset, series, chunk, values, body }: Chunk,
): void {
  const crc = chunkChecksum(asset, series, chunk, revision, body);
  if (table === 'cold') {
    prepare(
      db,
      'INSERT OR REPLACE INTO cold (asset, series, chunk, revision, crc, body) VALUES (?, ?, ?, ?, ?, ?)',
    ).run(asset, series, chunk, revision, crc, body);
  } else {
    prepare(
      db,
      'INSERT OR REPLACE INTO hot (asset, series, chunk, revision, series_values, crc, body) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ).run(asset, series, chunk, revision, JSON.stringify(values), crc, body);
  }
}

/** Makes the chunks written at the index's head a checkpoint, and removes what neither it nor `previous` (0: none) needs. */
export function finishCheckpoint(db: DatabaseSync, index: IndexBuilder, previous: number, at: number): void {
  const assets = Object.fromEntries(
    [...index.assets].map(([key, asset]) => [
      key,
      [
        asset.lastObservedAt ?? null,
        asset.lastObservedRevision ?? null,
        asset.lastAuditedAt ?? null,
        asset.lastAuditOf ?? null,
      ] as const,
    ]),
  );
  const content: CheckpointHeader = {
    codes: index.codes,
    choices: index.choices,
    definitions: index.definitions,
    accepted: index.accepted,
    assets,
  };
  const header = JSON.stringify(content);
  const { head } = index;
  prepare(db, 'INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?, ?, ?)').run(
    head,
    at,
    CHECKPOINT_FORMAT,
    header,
    crc32(header),
  );
  prepare(db, 'DELETE FROM checkpoints WHERE revision NOT IN (?, ?)').run(head, previous);
  for (const table of ['hot', 'cold']) {
    prepare(
      db,
      `DELETE FROM ${table} WHERE revision > ?1 AND revision < ?2 OR revision < (
         SELECT max(newer.revision) FROM ${table} newer WHERE newer.asset = ${table}.asset AND newer.series = ${table}.series
           AND newer.chunk = ${table}.chunk AND newer.revision <= ?1)`,
    ).run(previous, head);
  }
}
