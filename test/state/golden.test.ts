import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { describeState } from './golden/describe.ts';
import { lake } from './support.ts';

const directory = join(import.meta.dirname, 'golden');
const versions = readdirSync(directory)
  .filter((name) => name.endsWith('.jsonl'))
  .map((name) => name.replace('.jsonl', ''));

interface Line {
  applicationId?: number;
  sql?: string;
  table?: string;
  values?: (SQLInputValue | { base64: string })[];
}

/** The database as the version that wrote it left it. */
function restore(version: string, path: string): void {
  const db = new DatabaseSync(path);
  for (const text of readFileSync(join(directory, `${version}.jsonl`), 'utf8')
    .trimEnd()
    .split('\n')) {
    const line = JSON.parse(text) as Line;
    if (line.applicationId !== undefined) db.exec(`PRAGMA application_id = ${line.applicationId}`);
    if (line.sql !== undefined) db.exec(line.sql);
    if (line.table === undefined || line.values === undefined) continue;
    const values = line.values.map((value) =>
      value !== null && typeof value === 'object' && 'base64' in value
        ? new Uint8Array(Buffer.from(value.base64, 'base64'))
        : value,
    );
    db.prepare(`INSERT INTO ${line.table} VALUES (${values.map(() => '?').join(', ')})`).run(...values);
  }
  db.close();
}

describe.each(versions)('the golden log %s', (version) => {
  const expected = JSON.parse(readFileSync(join(directory, `${version}.json`), 'utf8')) as unknown;

  test('reads as it did when it was written, from its checkpoint and the events since', () => {
    const { path, open } = lake();
    restore(version, path);
    const state = open();
    expect(state.eventsSinceCheckpoint()).toBeGreaterThan(0);
    expect(describeState(state)).toEqual(expected);
    expect(state.integrityCheck()).toEqual([]);
    expect(state.damage()).toEqual([]);
    state.checkpoint();
    expect(describeState(open({ readOnly: true }))).toEqual(expected);
  });

  test('and from its events alone', () => {
    const { path, open } = lake();
    restore(version, path);
    const db = new DatabaseSync(path);
    db.exec('DELETE FROM checkpoints; DELETE FROM hot; DELETE FROM cold');
    db.close();
    expect(describeState(open())).toEqual(expected);
  });
});

test('there are golden logs', () => expect(versions).toEqual(expect.arrayContaining(['v1', 'v2', 'v3'])));
