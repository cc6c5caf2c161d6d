import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { describeIndex } from '../../framework/state/describe.ts';
import type { StateWriter } from '../../framework/state/store.ts';
import { materialized, outcome } from './make.ts';
import { child, lake, lakeAt, refusal, temporary } from './support.ts';

const S = 'symbol=BTC';
const fill = (state: StateWriter, events: number, from = 0): void => {
  for (let i = from; i < from + events; i++) {
    state.append(
      materialized('u', state.index().head, [outcome(S, { [i]: 'x' }, 0)], { files: [{ path: `f${i}`, bytes: 1 }] }),
    );
  }
};

/** A closed state of some events. */
function closed(events = 300) {
  const made = lake();
  const state = made.open();
  fill(state, events);
  const described = describeIndex(state.index());
  state.close();
  return { ...made, described };
}

const hash = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');

/** Every file of a directory with a hash of its content. */
const contentOf = (directory: string) =>
  Object.fromEntries(readdirSync(directory).map((name) => [name, hash(join(directory, name))]));

describe('a state file that is not what it should be', () => {
  test('an empty one is refused in every mode and not made anew', () => {
    const { path, open } = lake();
    writeFileSync(path, '');
    for (const readOnly of [true, false]) {
      expect(refusal(() => open({ readOnly }))).toMatchObject({
        code: 'state-corrupt',
        message: `The state file ${path} is empty (0 bytes); it was cut off`,
      });
    }
    expect(statSync(path).size).toBe(0);
  });

  test.each([
    ['cut off after its header', (path: string) => truncateSync(path, 100)],
    ['cut off inside its first page', (path: string) => truncateSync(path, 2000)],
    ['cut off in the middle', (path: string) => truncateSync(path, Math.floor(statSync(path).size / 2 / 4096) * 4096)],
    ['cut off by its last page', (path: string) => truncateSync(path, statSync(path).size - 4096)],
    ['overwritten with zeros', (path: string) => writeFileSync(path, Buffer.alloc(statSync(path).size))],
    ['not a database at all', (path: string) => writeFileSync(path, 'date,open,high\n'.repeat(5000))],
  ])('one that is %s: says so and what to do, and leaves every byte', (_, damage) => {
    const { path, open } = closed();
    damage(path);
    const before = hash(path);
    for (const readOnly of [true, false]) {
      const error = refusal(() => open({ readOnly }));
      expect(error).toMatchObject({ code: 'state-corrupt', kind: 'data' });
      expect(error?.message).toContain(path);
      expect(error?.hint).toContain('Restore the file');
    }
    expect(hash(path)).toBe(before);
  });

  test('somebody else’s database is not touched', () => {
    const { path, open, directory } = lake();
    const other = new DatabaseSync(path);
    other.exec('CREATE TABLE t (a); INSERT INTO t VALUES (1)');
    other.close();
    const before = contentOf(directory);
    expect(refusal(() => open())?.message).toBe(`${path} is an SQLite database, but not the state of a lakehouse`);
    expect(contentOf(directory)).toEqual(before);
  });

  test.each([
    ['an event is missing', 'DELETE FROM events WHERE revision = 5', 'Events 5 to 5 are missing from the log'],
    [
      'its last events are missing',
      'DELETE FROM events WHERE revision > 7',
      'ends at event 7, but 10 had been appended',
    ],
    [
      'an event was altered',
      `UPDATE events SET header = replace(header, '"A"', '"B"') WHERE revision = 3`,
      'Event 3 of the log is damaged',
    ],
    [
      'an event’s columns were altered',
      'UPDATE events SET body = zeroblob(length(body)) WHERE revision = 3',
      'Event 3 of the log is damaged',
    ],
  ])('%s: refused, and no revision is used twice', (_, sql, message) => {
    const { path, open } = closed(10);
    const db = new DatabaseSync(path);
    db.exec(sql);
    db.close();
    const error = refusal(() => open());
    expect(error?.code).toBe('state-corrupt');
    expect(error?.message).toContain(message);
  });

  test('bytes altered anywhere in the file are never taken for something else', () => {
    const { path, open, directory, described } = closed(120);
    const sound = join(directory, 'sound');
    copyFileSync(path, sound);
    const size = statSync(path).size;
    let refused = 0;
    for (let k = 0; k < 60; k++) {
      const bytes = readFileSync(sound);
      bytes.fill(0xa5, Math.floor((k * size) / 60), Math.floor((k * size) / 60) + 40);
      writeFileSync(path, bytes);
      try {
        const state = open({ readOnly: true });
        // What opens has lost nothing: the damage is in unused space, or in what planning does not read.
        expect(describeIndex(state.index())).toEqual(described);
        state.close();
      } catch (error) {
        expect(error).toMatchObject({ code: expect.stringMatching(/^state-(corrupt|too-new)$/) });
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(10);
  });

  test('one of a newer schema: names the version that wrote it, and writes nothing', () => {
    const { path, open, directory } = closed(3);
    const db = new DatabaseSync(path);
    db.exec(
      `UPDATE meta SET value = '99' WHERE key = 'schema'; UPDATE meta SET value = 'crypto-lakehouse 7.1.0' WHERE key = 'writer'`,
    );
    db.close();
    const before = contentOf(directory);
    for (const readOnly of [true, false]) {
      expect(refusal(() => open({ readOnly }))).toEqual({
        code: 'state-too-new',
        kind: 'usage',
        message: `The state ${path} was written by crypto-lakehouse 7.1.0 (schema 99); this version knows schemas up to 3`,
        hint: 'Upgrade to crypto-lakehouse 7.1.0 or later. Nothing was changed.',
      });
    }
    expect(contentOf(directory)).toEqual(before);
  });

  test('an event of a newer format is refused', () => {
    const { path, open } = closed(3);
    const db = new DatabaseSync(path);
    db.exec('UPDATE events SET format = 3 WHERE revision = 2');
    db.close();
    expect(refusal(() => open())).toMatchObject({
      code: 'state-too-new',
      message: 'Event 2 of the log is written in format 3; this version reads up to 2',
    });
  });

  test('one that goes back under a running process is noticed, and no revision is used twice', () => {
    const { path, open, directory } = closed(5);
    const backup = join(directory, 'backup');
    copyFileSync(path, backup);
    const state = open();
    fill(state, 5, 100);
    const restored = new DatabaseSync(path);
    restored.exec('UPDATE counters SET head = 5; DELETE FROM events WHERE revision > 5');
    restored.close();
    expect(refusal(() => state.append(materialized('u', 0, [])))).toMatchObject({
      code: 'state-replaced',
      kind: 'conflict',
    });
  });
});

describe('where it may not write', () => {
  test('read-only mode reads a missing state as an empty one and makes no file, until there is one', () => {
    const { directory, open } = lake();
    const reader = open({ readOnly: true });
    expect([
      reader.index().head,
      reader.index().assetKeys(),
      [...reader.files()],
      reader.runs(5),
      [...reader.events()],
    ]).toEqual([0, [], [], [], []]);
    expect(reader.meta('origin')).toBeUndefined();
    expect(readdirSync(directory)).toEqual([]);
    fill(open(), 3);
    expect(reader.refresh().head).toBe(3);
    expect(
      open({ readOnly: true })
        .details('u', S)
        ?.revision.filter((r) => r > 0),
    ).toEqual(Uint32Array.of(1, 2, 3));
  });

  test('read-only mode leaves every byte of a quiet state, and follows one that comes to life', () => {
    const { directory, open, described } = closed(20);
    const before = contentOf(directory);
    const reader = open({ readOnly: true });
    expect(describeIndex(reader.index())).toEqual(described);
    expect(reader.details('u', S)?.length).toBeGreaterThan(19);
    expect([...reader.files()].length).toBe(20);
    expect(contentOf(directory)).toEqual(before);
    const writer = open();
    for (let round = 0; round < 3; round++) {
      fill(writer, 2, 500 + 2 * round);
      expect(reader.refresh().head).toBe(22 + 2 * round);
    }
    writer.close();
    fill(open(), 1, 600);
    expect(reader.refresh().head).toBe(27);
  });

  test('everything that writes is refused in read-only mode', () => {
    const { open } = closed(2);
    const reader = open({ readOnly: true });
    const owner = { run: 'r', host: 'h', pid: 1 };
    for (const write of [
      () => reader.append(materialized('u', 0, [])),
      () => reader.claim('u', ['p'], owner, 1, 1),
      () => reader.checkpoint(),
      () => reader.prune({ keepEventsAfterMs: 0 }),
      () => reader.setMetaOnce('a', 'b'),
      () => reader.forgetFiles([1]),
    ]) {
      expect(refusal(write)?.code).toBe('read-only');
    }
  });

  test('a missing directory is not made: the disk may not be mounted', () => {
    const { directory } = lake();
    const path = join(directory, 'away', 'state.sqlite');
    expect(refusal(() => lakeAt(path).open())).toMatchObject({
      code: 'no-directory',
      message: `The directory ${join(directory, 'away')} of the state does not exist`,
    });
    expect(lakeAt(path).open({ readOnly: true }).index().head).toBe(0);
    expect(existsSync(join(directory, 'away'))).toBe(false);
  });

  const root = process.getuid?.() === 0;
  test.skipIf(!root)(`a read-only directory and file, as another user${root ? '' : ' (needs root)'}`, async () => {
    const { directory, path, open } = closed(4);
    const as = { uid: 65534 };
    chmodSync(directory, 0o555);
    chmodSync(path, 0o444);
    const before = contentOf(directory);
    expect(await child('open.ts', [path, 'append'], as).done).toBe(`read-only: The state ${path} cannot be written`);
    expect(await child('open.ts', [path, 'read'], as).done).toBe('head 4');
    expect(await child('open.ts', [join(directory, 'new.sqlite'), 'append'], as).done).toBe(
      `read-only: The state ${join(directory, 'new.sqlite')} cannot be written`,
    );
    expect(contentOf(directory)).toEqual(before);
    // While a writer is at work: the files that it keeps beside are read, nothing is written.
    const writer = open();
    fill(writer, 2, 50);
    expect(await child('open.ts', [path, 'read'], as).done).toBe('head 6');
  });
});

/** A file system of 1 MB, or nothing where it may not be mounted. */
function smallDisk(): string | undefined {
  const directory = join(temporary(), 'small');
  mkdirSync(directory);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', directory], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  onTestFinished(() => {
    execFileSync('umount', ['-l', directory]);
  });
  return directory;
}

test('a full disk: nothing is appended, nothing is lost, and it goes on when there is space', ({ skip }) => {
  const directory = smallDisk();
  if (directory === undefined) return skip('a small file system cannot be mounted here');
  const path = join(directory, 'state.sqlite');
  const { open } = lakeAt(path);
  const state = open();
  const ballast = join(directory, 'ballast');
  writeFileSync(ballast, Buffer.alloc(300_000));
  let appended = 0;
  const error = refusal(() => {
    for (; appended < 2000; appended++) fill(state, 1, appended);
  });
  expect(error).toMatchObject({ code: 'disk-full', kind: 'transient' });
  expect(appended).toBeGreaterThan(5);
  expect(state.refresh().head).toBe(appended);
  expect(refusal(() => state.checkpoint())?.code).toBe('disk-full');
  writeFileSync(ballast, '');
  fill(state, 1, appended);
  expect(open({ readOnly: true }).index().head).toBe(appended + 1);
  expect(state.integrityCheck()).toEqual([]);
});

test('a full disk when the state is made: no half of one stays', ({ skip }) => {
  const directory = smallDisk();
  if (directory === undefined) return skip('a small file system cannot be mounted here');
  const path = join(directory, 'state.sqlite');
  writeFileSync(join(directory, 'ballast'), Buffer.alloc(1024 * 1024 - 16_384));
  expect(refusal(() => lakeAt(path).open())?.code).toBe('disk-full');
  expect(readdirSync(directory)).toEqual(['ballast']);
});
