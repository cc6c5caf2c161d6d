import { existsSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fetchVerified } from '../../assets/exchanges/binance/archive.ts';
import { directoryArchive } from '../../assets/exchanges/binance/directory.ts';
import { parseArchiveKey } from '../../assets/exchanges/binance/layout.ts';
import { inflateMember, readSingleMember } from '../../framework/formats/zip.ts';
import { collect } from './support.ts';

let home: string;
let mirror: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'directory-'));
  mirror = join(home, 'mirror');
  await mkdir(join(mirror, 'data', 'a'), { recursive: true });
  await writeFile(join(mirror, 'data', 'a', 'x.zip'), 'x');
});
afterEach(() => rm(home, { recursive: true }));

const keysOf = async (directory: string, prefix = ''): Promise<string[]> => {
  const keys = [];
  for await (const { key } of directoryArchive(directory).list(prefix)) keys.push(key);
  return keys;
};

test('folders sort among files as their keys do', async () => {
  for (const name of ['a-b', 'a.b', 'a0']) await writeFile(join(mirror, 'data', name), '');
  expect(await keysOf(mirror)).toEqual(['data/a-b', 'data/a.b', 'data/a/x.zip', 'data/a0']);
});

test('what is no mirror is not listed as an empty one, but named with the setting', async () => {
  await writeFile(join(home, 'file'), 'x');
  await mkdir(join(home, 'unmounted'));
  await mkdir(join(home, 'odd'));
  await writeFile(join(home, 'odd', 'data'), 'x');
  await mkdir(join(home, 'hollow', 'data'), { recursive: true });
  const cases = [
    ['nowhere', 'does not exist'],
    ['file', 'is a file'],
    ['unmounted', 'contains no directory data/'],
    ['odd', 'contains no directory data/'],
    ['hollow', 'has nothing in data/'],
  ] as const;
  for (const [name, what] of cases) {
    const client = directoryArchive(join(home, name));
    const expected = {
      code: 'archive-directory',
      kind: 'usage',
      message: `exchanges.binance.archive.directory ${join(home, name)} ${what}`,
      hint: expect.stringContaining('the directory that contains data/'),
    };
    await expect(client.listPrefixes('data/spot/daily/klines/')).rejects.toMatchObject(expected);
    await expect(keysOf(join(home, name), 'data/spot/')).rejects.toMatchObject(expected);
    await expect(keysOf(join(home, name))).rejects.toMatchObject(expected);
  }
});

test('a folder that is not there, or empty, in a mirror lists nothing', async () => {
  await mkdir(join(mirror, 'data', 'empty'));
  for (const prefix of ['data/empty/', 'data/none/', 'data/a/x.zip/']) {
    expect(await keysOf(mirror, prefix)).toEqual([]);
    expect(await directoryArchive(mirror).listPrefixes(prefix)).toEqual([]);
  }
});

test('reading from a mirror that is gone since it was listed may be tried again', async () => {
  await expect(directoryArchive(join(home, 'nowhere')).get('data/a/x.zip')).rejects.toMatchObject({
    code: 'archive-directory',
    kind: 'transient',
  });
  await mkdir(join(home, 'unmounted'));
  await expect(directoryArchive(join(home, 'unmounted')).get('data/a/x.zip')).rejects.toMatchObject({
    code: 'object-not-found',
    kind: 'transient',
  });
});

test('the directory itself may be a link; nothing inside may', async () => {
  await symlink(mirror, join(home, 'link'));
  expect(await keysOf(join(home, 'link'))).toEqual(['data/a/x.zip']);
  expect((await directoryArchive(join(home, 'link')).get('data/a/x.zip')).bytes.length).toBe(1);

  await writeFile(join(home, 'secret'), 'secret');
  await symlink(join(home, 'secret'), join(mirror, 'data', 'file'));
  await symlink(home, join(mirror, 'data', 'folder'));
  const client = directoryArchive(mirror);
  const link = { code: 'archive-link', kind: 'usage' };
  for (const key of ['data/file', 'data/folder/secret']) await expect(client.get(key)).rejects.toMatchObject(link);
  for (const prefix of ['', 'data/folder/']) await expect(keysOf(mirror, prefix)).rejects.toMatchObject(link);
  await expect(client.listPrefixes('data/folder/')).rejects.toMatchObject(link);
  expect(await keysOf(mirror, 'data/a/')).toEqual(['data/a/x.zip']);
});

test('a key must be a path inside', async () => {
  const client = directoryArchive(mirror);
  for (const key of [
    '../mirror/data/a/x.zip',
    'data/./a/x.zip',
    'data//a/x.zip',
    '/data/a/x.zip',
    'data\\a',
    'data/\0',
  ]) {
    await expect(client.get(key)).rejects.toMatchObject({ code: 'archive-key' });
  }
  await expect(client.listPrefixes('data/../')).rejects.toMatchObject({ code: 'archive-key' });
});

test('the version follows both size and time', async () => {
  const client = directoryArchive(mirror);
  const path = join(mirror, 'data', 'a', 'x.zip');
  const first = (await client.get('data/a/x.zip')).version;
  await utimes(path, 1000, 1000);
  const second = (await client.get('data/a/x.zip')).version;
  await appendFile(path, 'y');
  await utimes(path, 1000, 1000);
  const third = (await client.get('data/a/x.zip')).version;
  expect(new Set([first, second, third]).size).toBe(3);
});

test('a file that changes while it is read is refused, never paired with a version it does not have', async () => {
  const path = join(mirror, 'data', 'big.zip');
  await writeFile(path, Buffer.alloc(20_000_000));
  const client = directoryArchive(mirror);
  const reading = client.get('data/big.zip').then(
    ({ bytes, version }) => `${bytes.length} of ${version.split('+')[1]}`,
    (error: { code: string }) => error.code,
  );
  for (let i = 0; i < 20; i++) await appendFile(path, 'more');
  // Which of the two it is, the disk decides; a mixture it must never be.
  expect(await reading).toMatch(/^(object-changed-while-reading|(\d+) of \2)$/);
});

const real = '../shared/data/archive';
describe.skipIf(!existsSync(real))('real mirror (skipped where ../shared/data is absent)', () => {
  test('every kline file is listed with its CHECKSUM, verified and inflated', async () => {
    const client = directoryArchive(real);
    const listed = await collect(client.list('data/'));
    const klines = listed.filter(({ key }) => parseArchiveKey(key));
    expect(klines.length).toBeGreaterThan(70);
    for (const { key, version } of klines) {
      const content = await fetchVerified(client, key, { checksumKnown: true });
      expect([content.verified, content.version]).toEqual([true, version]);
      expect(inflateMember(readSingleMember(content.bytes, key)).length).toBeGreaterThan(0);
    }
    expect(await client.listPrefixes('data/spot/daily/klines/')).toEqual([
      'data/spot/daily/klines/BTCUSDT/',
      'data/spot/daily/klines/ETHUSDT/',
    ]);
  });
});
