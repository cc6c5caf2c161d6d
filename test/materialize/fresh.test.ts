import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { LakehouseError } from '../../framework/common/errors.ts';
import { freshFile } from '../../framework/materialize/fresh.ts';
import type { FileRecord } from '../../framework/state/store.ts';
import { localStore } from '../../framework/storage/local.ts';
import type { ObjectStore } from '../../framework/storage/store.ts';
import { temporaryDirectory } from './support.ts';

const BYTES = Buffer.from('the content of an object');

const file = { path: 'silver/a.parquet' } as FileRecord;

/** A store whose objects have to be fetched, and break off so many times on the way. */
async function remote(breaks: number): Promise<{ store: ObjectStore; directory: string; asked: () => number }> {
  const directory = await temporaryDirectory();
  const local = localStore({ root: directory });
  await local.put(file.path, BYTES);
  let asked = 0;
  const store: ObjectStore = {
    ...local,
    kind: 's3',
    createReadStream: async (key) => {
      asked += 1;
      if (asked > breaks) return local.createReadStream(key);
      return Readable.from(
        (async function* () {
          yield BYTES.subarray(0, 5);
          throw new LakehouseError('connection-lost', 'The connection broke off', { kind: 'transient' });
        })(),
        { objectMode: false },
      );
    },
  };
  return { store, directory, asked: () => asked };
}

test('an object that breaks off on the way is fetched again, into the first directory that can be written to', async () => {
  const { store, directory, asked } = await remote(2);
  await using there = await freshFile(store, file, [`${directory}/missing`, directory]);
  expect(asked()).toBe(3);
  expect(there?.path.startsWith(directory)).toBe(true);
  expect(await readFile(there?.path ?? '')).toEqual(BYTES);
});

test('one that always breaks off is an error, one that is gone is none', async () => {
  const broken = await remote(100);
  await expect(freshFile(broken.store, file, [broken.directory])).rejects.toMatchObject({ code: 'connection-lost' });
  expect(broken.asked()).toBe(4);
  const gone = await remote(0);
  await gone.store.delete(file.path);
  expect(await freshFile(gone.store, file, [gone.directory])).toBeUndefined();
});

test('where there is no place to put it, the error says which', async () => {
  const { store, directory } = await remote(0);
  await expect(freshFile(store, file, [`${directory}/a`, `${directory}/b`])).rejects.toMatchObject({
    code: 'storage-failed',
    details: { path: `${directory}/b/lakehouse-` },
  });
});
