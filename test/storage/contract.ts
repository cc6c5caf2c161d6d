import { createHash } from 'node:crypto';
import { readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { basename, isAbsolute } from 'node:path';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compareKeys } from '../../framework/storage/key.ts';
import { unreferenced } from '../../framework/storage/recovery.ts';
import type { ObjectInfo, ObjectStore } from '../../framework/storage/store.ts';

/** An empty store, other clients of the same objects as other processes would open them, and the end of both. */
export interface StoreUnderTest {
  readonly store: ObjectStore;
  open(): ObjectStore;
  dispose(): Promise<void>;
}

export const text = (value: string) => new TextEncoder().encode(value);
export const sha = (data: Uint8Array) => createHash('sha256').update(data).digest('hex');

export async function collect(objects: AsyncIterable<ObjectInfo>): Promise<ObjectInfo[]> {
  const all: ObjectInfo[] = [];
  for await (const object of objects) all.push(object);
  return all;
}

export async function keysOf(store: ObjectStore, prefix = ''): Promise<string[]> {
  return (await collect(store.list(prefix))).map(({ key }) => key);
}

export const segment = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
  .filter((name) => !/[\p{Cc}/\\]/u.test(name) && name.isWellFormed() && name !== '.' && name !== '..');

export interface Contract {
  readonly name: string;
  readonly create: () => Promise<StoreUnderTest>;
  /** Share of the rounds, for stores where each costs. */
  readonly effort?: number;
}

/** What every ObjectStore must do. */
export function testObjectStore({ name, create, effort = 1 }: Contract): void {
  describe(`${name}: the ObjectStore contract`, () => {
    let under: StoreUnderTest;
    let store: ObjectStore;
    beforeEach(async () => {
      under = await create();
      store = under.store;
    });
    afterEach(() => under.dispose());

    it('keeps what was put, for every reader', async () => {
      const before = Date.now();
      const info = await store.put('silver/klines/a.parquet', text('hello'));
      expect(info).toEqual({ key: 'silver/klines/a.parquet', bytes: 5, modifiedMs: expect.any(Number) });
      expect(Number.isInteger(info.modifiedMs)).toBe(true);
      expect(Math.abs(info.modifiedMs - before)).toBeLessThan(60_000);
      for (const client of [store, under.open()]) {
        expect(await client.head(info.key)).toEqual(info);
        expect(await collect(client.list(''))).toEqual([info]);
        expect(Buffer.from(await client.read(info.key)).toString()).toBe('hello');
        expect((await buffer(await client.createReadStream(info.key))).toString()).toBe('hello');
        await using reading = client.reading();
        const path = await reading.path({ key: info.key });
        expect([isAbsolute(path), path.endsWith('/silver/klines/a.parquet')]).toEqual([true, true]);
        expect(await readFile(path, 'utf8')).toBe('hello');
        expect(await reading.path({ key: info.key, sha256: sha(text('hello')) })).toBe(path);
      }
    });

    it('shows a staged object to nobody until it is committed, and leaves no stage behind', async () => {
      const staged = await store.stage('bronze/a.zip');
      expect([staged.key, basename(staged.path), isAbsolute(staged.path)]).toEqual(['bronze/a.zip', 'a.zip', true]);
      await writeFile(staged.path, 'zip');
      expect(await keysOf(store)).toEqual([]);
      expect(await store.head('bronze/a.zip')).toBeUndefined();
      const info = await staged.commit();
      expect(await store.head('bronze/a.zip')).toEqual(info);
      expect(info.bytes).toBe(3);
      expect(await store.sweepStaging(0, Date.now() + 1000)).toBe(0);
    });

    it('discards a stage when asked, when left by an error, and never twice', async () => {
      const staged = await store.stage('a');
      await writeFile(staged.path, 'x');
      await staged.discard();
      await staged.discard();
      await expect(staged.commit()).rejects.toMatchObject({ code: 'stage-ended', kind: 'internal' });
      let path = '';
      const failing = async () => {
        await using other = await store.stage('a');
        path = other.path;
        await writeFile(path, 'half');
        throw new Error('the query failed');
      };
      await expect(failing()).rejects.toThrow('the query failed');
      await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
      expect(await store.sweepStaging(0, Date.now() + 1000)).toBe(0);
      expect(await keysOf(store)).toEqual([]);
    });

    it('commits what a stage was given to write beside what others wrote, unless it was swept', async () => {
      const [given, written, swept] = await Promise.all(['a', 'b', 'c'].map((key) => store.stage(key)));
      await given?.write(text('too long'));
      await given?.write(text('given'));
      await writeFile(written?.path ?? '', 'written');
      const infos = await store.commitAll([given, written].filter((staged) => staged !== undefined));
      expect(infos.map(({ key, bytes }) => [key, bytes])).toEqual([
        ['a', 5],
        ['b', 7],
      ]);
      expect(Buffer.from(await store.read('a')).toString()).toBe('given');
      await swept?.write(text('x'));
      await under.open().sweepStaging(0, Date.now() + 1000);
      await expect(swept?.commit()).rejects.toMatchObject({ code: 'stage-missing' });
      expect(await keysOf(store)).toEqual(['a', 'b']);
    });

    it('refuses to commit what was never written, and a stage that ended', async () => {
      await expect((await store.stage('a')).commit()).rejects.toMatchObject({
        code: 'stage-missing',
        kind: 'transient',
      });
      const linked = await store.stage('a');
      await symlink('/etc/passwd', linked.path);
      await expect(linked.commit()).rejects.toMatchObject({ code: 'stage-missing' });
      const staged = await store.stage('a');
      await writeFile(staged.path, '');
      await staged.commit();
      await expect(staged.commit()).rejects.toMatchObject({ code: 'stage-ended' });
      await staged.discard();
      expect(await store.head('a')).toMatchObject({ bytes: 0 });
    });

    it('never overwrites', async () => {
      const first = await store.put('a/b', text('first'));
      await expect(store.put('a/b', text('second'))).rejects.toMatchObject({
        name: 'LakehouseError',
        code: 'object-exists',
        kind: 'conflict',
        details: { key: 'a/b' },
      });
      expect(await store.head('a/b')).toEqual(first);
      expect(Buffer.from(await store.read('a/b')).toString()).toBe('first');
      expect(await store.sweepStaging(0, Date.now() + 1000)).toBe(0);
    });

    it('overwrites only what is to be: at once, and also what is not there yet', async () => {
      const first = await store.overwrite('gold/_catalog.json', text('one'));
      expect(first).toEqual({ key: 'gold/_catalog.json', bytes: 3, modifiedMs: expect.any(Number) });
      expect(await under.open().overwrite('gold/_catalog.json', text('second'))).toMatchObject({ bytes: 6 });
      expect(Buffer.from(await store.read('gold/_catalog.json')).toString()).toBe('second');
      const readers = Array.from({ length: 20 }, () => store.read('gold/_catalog.json'));
      const writers = ['a', 'b', 'c'].map((one) => store.overwrite('gold/_catalog.json', text(one.repeat(50_000))));
      const seen = (await Promise.all(readers)).map((bytes) => new Set(Buffer.from(bytes).toString()).size);
      await Promise.all(writers);
      expect(seen.filter((size) => size !== 1 && size !== new Set('second').size)).toEqual([]);
      expect(await keysOf(store)).toEqual(['gold/_catalog.json']);
      expect(await store.sweepStaging(0, Date.now() + 1000)).toBe(0);
    });

    it('lets exactly one of many concurrent writers of a key win', async () => {
      for (let round = 0; round < 10 * effort; round++) {
        const key = `series/${round}`;
        const bodies = Array.from({ length: 12 }, (_, i) => `writer ${i} `.repeat(100 + i));
        const clients = [store, under.open(), under.open()];
        const results = await Promise.allSettled(
          bodies.map((body, i) => (clients[i % 3] ?? store).put(key, text(body))),
        );
        const winners = bodies.filter((_, i) => results[i]?.status === 'fulfilled');
        expect(winners).toEqual([Buffer.from(await store.read(key)).toString()]);
        const losses = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
        expect(losses.map((error) => `${error.code} ${error.kind}`)).toEqual(Array(11).fill('object-exists conflict'));
      }
    });

    it('commits many at once, each with its info in the order given', async () => {
      const keys = Array.from({ length: 60 }, (_, i) => `gold/day=${i % 7}/${60 - i}`);
      const staged = await Promise.all(keys.map((key) => store.stage(key)));
      await Promise.all(staged.map(({ path }, i) => writeFile(path, 'x'.repeat(i))));
      const infos = await store.commitAll(staged);
      expect(infos.map(({ key, bytes }) => [key, bytes])).toEqual(keys.map((key, i) => [key, i]));
      expect(await collect(store.list(''))).toEqual([...infos].sort((a, b) => compareKeys(a.key, b.key)));
      expect(await store.commitAll([])).toEqual([]);
    });

    it.each(['taken', 'unwritten', 'twice'])('commits all or none: %s', async (why) => {
      await store.put('gold/07', text('here before'));
      const keys = Array.from({ length: 20 }, (_, i) => `gold/${String(i).padStart(2, '0')}`);
      if (why !== 'taken') keys[7] = why === 'twice' ? 'gold/03' : 'gold/99';
      const staged = await Promise.all(keys.map((key) => store.stage(key)));
      await Promise.all(
        staged.map(({ path }, i) => (why === 'unwritten' && i === 7 ? undefined : writeFile(path, 'x'))),
      );
      const code = why === 'unwritten' ? 'stage-missing' : 'object-exists';
      await expect(store.commitAll(staged)).rejects.toMatchObject({ code });
      expect(await keysOf(store)).toEqual(['gold/07']);
      expect(Buffer.from(await store.read('gold/07')).toString()).toBe('here before');
      expect(await store.sweepStaging(0, Date.now() + 1000)).toBe(0);
    });

    it('refuses a stage of another store', async () => {
      const staged = await under.open().stage('a');
      await writeFile(staged.path, 'x');
      await expect(store.commitAll([staged])).rejects.toMatchObject({ code: 'stage-ended', kind: 'internal' });
      expect((await staged.commit()).key).toBe('a');
    });

    it('tells an absent object from all ways to ask for it', async () => {
      await store.put('dir/object', text('x'));
      for (const key of ['none', 'dir', 'dir/object/below', 'dir/obj']) {
        const missing = { code: 'object-missing', kind: 'conflict', message: expect.stringContaining(`'${key}'`) };
        await expect(store.read(key)).rejects.toMatchObject(missing);
        await expect(store.createReadStream(key)).rejects.toMatchObject(missing);
        await expect(store.reading().path({ key })).rejects.toMatchObject(missing);
        expect([await store.head(key), await store.delete(key)]).toEqual([undefined, false]);
      }
      expect(await keysOf(store)).toEqual(['dir/object']);
    });

    it('deletes, after which the key is free again', async () => {
      await store.put('x/y/one', text('1'));
      await store.put('x/two', text('2'));
      expect([await store.delete('x/y/one'), await store.delete('x/y/one')]).toEqual([true, false]);
      expect(await keysOf(store)).toEqual(['x/two']);
      await store.put('x/y/one', text('again'));
      expect(Buffer.from(await store.read('x/y/one')).toString()).toBe('again');
    });

    it('survives deleting and writing in one directory at the same time', async () => {
      const other = under.open();
      // A bucket has no directories, but a MinIO on one disk has, and answers AccessDenied to one PUT in thousands whose directory goes at that moment.
      const stays = store.kind === 's3' ? ['deep/er/stays'] : [];
      for (const key of stays) await store.put(key, text(key));
      const churn = async (client: ObjectStore, mine: string) => {
        for (let i = 0; i < 60 * effort; i++) {
          await client.put(`deep/er/${mine}`, text(mine));
          await client.delete(`deep/er/${mine}`);
        }
      };
      await Promise.all([churn(store, 'a'), churn(store, 'b'), churn(other, 'c'), churn(other, 'd')]);
      expect(await keysOf(store)).toEqual(stays);
    });

    it('lists any string prefix, sorted by UTF-8 bytes', async () => {
      const keys = ['a', 'a-b', 'a.b/c', 'ab/d', 'ab/d2/e', 'b/币安人生USDT', 'b/é', 'b/\u{1F600}', 'b/\u{FF21}', 'Z'];
      for (const key of [...keys].reverse()) await store.put(key, text(key));
      const sorted = [...keys].sort(compareKeys);
      expect(sorted.slice(-2)).toEqual(['b/\u{FF21}', 'b/\u{1F600}']); // UTF-16 order would swap them
      for (const prefix of ['', 'a', 'ab', 'ab/', 'ab/d', 'ab/d2/e', 'b/币', 'Z', 'Z/', 'none/', 'a/', '.', 'ab/..']) {
        expect(await keysOf(store, prefix), prefix).toEqual(sorted.filter((key) => key.startsWith(prefix)));
      }
    });

    it('lists an empty store, and refuses a prefix that is none', async () => {
      expect(await keysOf(store)).toEqual([]);
      for (const prefix of ['/', '../', 'a/../', 'a//b', 'a\\', '.staging/', 'a\0']) {
        await expect(collect(store.list(prefix)), prefix).rejects.toMatchObject({ code: 'bad-key', kind: 'usage' });
      }
    });

    it('keeps any keys apart, in the order of their bytes (property)', async () => {
      const key = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
      const tree = fc.uniqueArray(key, { maxLength: 8 }).map((keys) => {
        // An object that is another's directory is possible in S3 only; spellings that a disk may fold are not the store's matter.
        const folded = (k: string) => k.normalize('NFC').toLowerCase();
        const all = keys.filter((k) => k.toLowerCase().split('/')[0] !== '.staging');
        return all.filter((k, i) =>
          all.every((o, j) => i === j || (!`${folded(o)}/`.startsWith(`${folded(k)}/`) && folded(o) !== folded(k))),
        );
      });
      await fc.assert(
        fc.asyncProperty(tree, async (keys) => {
          for (const k of keys) await store.put(k, text(k));
          expect(await keysOf(store)).toEqual([...keys].sort(compareKeys));
          for (const k of keys) expect(Buffer.from(await store.read(k)).toString()).toBe(k);
          for (const k of keys) expect(await store.delete(k)).toBe(true);
          expect(await keysOf(store)).toEqual([]);
        }),
        { numRuns: 40 * effort },
      );
    });

    it('keeps a large object exactly', async () => {
      const bytes = new Uint8Array(5 * 1024 * 1024 + 13);
      for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 2_654_435_761) >>> 24;
      const info = await store.put('large', bytes);
      expect(info.bytes).toBe(bytes.length);
      expect(sha(await store.read('large'))).toBe(sha(bytes));
      expect(sha(await buffer(await store.createReadStream('large')))).toBe(sha(bytes));
    });

    it.each([
      ['is empty', ''],
      ["starts with '/'", '/etc/passwd'],
      ["has the segment '..'", '../x'],
      ["has the segment '..'", 'a/../../x'],
      ["has the segment '.'", 'a/./b'],
      ['has an empty segment', 'a//b'],
      ['has an empty segment', 'a/'],
      ['contains a backslash', 'a\\..\\b'],
      ['contains a control character', 'a\0b'],
      ['contains a control character', 'a\nb'],
      ['is not well-formed Unicode', '\ud800'],
      ['has a segment longer than 255 bytes', 'x'.repeat(256)],
      ['has a segment longer than 255 bytes', '币'.repeat(86)],
      ['is longer than 1024 bytes', 'x/'.repeat(600)],
      ["is in the staging area '.staging'", '.staging/s-1/x'],
      ["is in the staging area '.staging'", '.Staging'],
    ])('refuses a key that %s (#%#)', async (problem, key) => {
      const error = { code: 'bad-key', kind: 'usage', message: expect.stringContaining(problem), details: { key } };
      await expect(store.stage(key)).rejects.toMatchObject(error);
      await expect(store.put(key, text('x'))).rejects.toMatchObject(error);
      await expect(store.read(key)).rejects.toMatchObject(error);
      await expect(store.createReadStream(key)).rejects.toMatchObject(error);
      await expect(store.reading().path({ key })).rejects.toMatchObject(error);
      await expect(store.overwrite(key, text('x'))).rejects.toMatchObject(error);
      await expect(store.head(key)).rejects.toMatchObject(error);
      await expect(store.delete(key)).rejects.toMatchObject(error);
    });

    it('sweeps stages that are silent for long enough, and no others', async () => {
      expect(await store.sweepStaging(0, Date.now())).toBe(0);
      const staged = await store.stage('a');
      const unwritten = await store.stage('b');
      await writeFile(staged.path, 'half');
      expect(await under.open().sweepStaging(60_000, Date.now())).toBe(0);
      expect(await under.open().sweepStaging(60_000, Date.now() + 120_000)).toBe(2);
      expect(await store.sweepStaging(0, Date.now() + 1000)).toBe(0);
      await expect(staged.commit()).rejects.toMatchObject({ code: 'stage-missing', kind: 'transient' });
      await expect(unwritten.commit()).rejects.toMatchObject({ code: 'stage-missing', kind: 'transient' });
    });

    it('finds what nothing refers to', async () => {
      for (const key of ['silver/a', 'silver/b', 'silver/c', 'gold/d']) await store.put(key, text(key));
      const current = new Set(['silver/b']);
      const found = await collect(unreferenced(store, 'silver/', (key) => current.has(key)));
      expect(found.map(({ key }) => key)).toEqual(['silver/a', 'silver/c']);
      expect(found[0]).toEqual(await store.head('silver/a'));
    });
  });
}
