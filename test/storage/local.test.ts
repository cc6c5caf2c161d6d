import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { localStore } from '../../framework/storage/local.ts';
import { keysOf, testObjectStore, text } from './contract.ts';
import { canMount, noTmpfs, withTmpfs } from './tmpfs.ts';

const WRITER = fileURLToPath(new URL('./writer.ts', import.meta.url));

let scratch: string;
let root: string;
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'lakehouse-storage-'));
  root = join(scratch, 'not', 'yet', 'there');
});
afterEach(() => rm(scratch, { recursive: true, force: true }));

testObjectStore({
  name: 'local directory',
  create: async () => {
    const directory = await mkdtemp(join(tmpdir(), 'lakehouse-contract-'));
    const open = () => localStore({ root: join(directory, 'data') });
    return { store: open(), open, dispose: () => rm(directory, { recursive: true, force: true }) };
  },
});

describe('local directory', () => {
  it('reads nothing into being: a root that is not there stays so', async () => {
    const store = localStore({ root });
    expect([store.kind, store.root]).toEqual(['local', root]);
    expect([await keysOf(store), await store.head('a'), await store.delete('a')]).toEqual([[], undefined, false]);
    await expect(store.read('a')).rejects.toMatchObject({ code: 'object-missing' });
    expect(await store.sweepStaging(0, Date.now())).toBe(0);
    expect(await readdir(scratch)).toEqual([]);
    await store.put('a', text('x'));
    expect(await readdir(root)).toEqual(['a']);
  });

  it('stores an object as a plain file under its key, and leaves no empty directory behind', async () => {
    const store = localStore({ root });
    await store.put('silver/k/symbol=A%2FB/f', text('x'));
    expect(await store.reading().path({ key: 'silver/k/symbol=A%2FB/f' })).toBe(join(root, 'silver/k/symbol=A%2FB/f'));
    expect(await readFile(join(root, 'silver/k/symbol=A%2FB/f'), 'utf8')).toBe('x');
    await store.put('silver/other', text('x'));
    await store.delete('silver/k/symbol=A%2FB/f');
    expect(await readdir(join(root, 'silver'))).toEqual(['other']);
  });

  it('stages on the file system of the root, and removes what a writer put beside its file', async () => {
    const store = localStore({ root });
    const staged = await store.stage('a/f.parquet');
    expect(staged.path.startsWith(join(root, '.staging') + sep)).toBe(true);
    await writeFile(staged.path, 'x');
    await writeFile(join(staged.path, '..', 'tmp_f.parquet'), 'left by the writer');
    await staged.commit();
    expect(await readdir(root)).toEqual(['a']);
  });

  it('stages again after its root was removed behind its back', async () => {
    const store = localStore({ root });
    await store.put('a/b', text('x'));
    await rm(root, { recursive: true });
    await store.put('a/c', text('x'));
    expect(await keysOf(store)).toEqual(['a/c']);
  });

  it('spares a stage whose file is still written to, however old its directory', async () => {
    const store = localStore({ root });
    const staged = await store.stage('a');
    await writeFile(staged.path, 'half');
    await utimes(dirname(staged.path), 0, 0);
    expect(await store.sweepStaging(60_000, Date.now())).toBe(0);
    await utimes(staged.path, 0, 0);
    expect(await store.sweepStaging(60_000, Date.now())).toBe(1);
  });

  it('keeps an open stream readable while its object is deleted', async () => {
    const store = localStore({ root });
    await store.put('a', text('still here'));
    const stream = await store.createReadStream('a');
    await store.delete('a');
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(Buffer.concat(chunks).toString()).toBe('still here');
  });

  it('says so when an object stands where a directory is needed, and the reverse', async () => {
    const store = localStore({ root });
    await store.put('a', text('x'));
    await store.put('d/e', text('x'));
    const clash = { code: 'not-a-directory', kind: 'usage' };
    await expect(store.put('a/b', text('y'))).rejects.toMatchObject({ ...clash, details: { path: join(root, 'a') } });
    await expect(store.put('d', text('y'))).rejects.toMatchObject({ ...clash, details: { path: join(root, 'd') } });
    expect(await keysOf(store)).toEqual(['a', 'd/e']);
    const inFile = localStore({ root: join(root, 'a') });
    await expect(inFile.put('b', text('y'))).rejects.toMatchObject(clash);
    await expect(localStore({ root: join(root, 'a/b') }).put('b', text('y'))).rejects.toMatchObject(clash);
    expect(await inFile.head('b')).toBeUndefined();
  });

  it('fails clearly when no file descriptor is left, and recovers', () => {
    const script = `ulimit -n 60; exec "$0" "$@"`;
    const out = execFileSync('sh', ['-c', script, process.execPath, WRITER, root, 'starved'], { encoding: 'utf8' });
    expect(JSON.parse(out)).toEqual([['too-many-open-files', 'transient'], 5]);
  });
});

describe('local directory: no way out of the root', () => {
  it('never touches anything outside, whatever the key (property)', async () => {
    const store = localStore({ root: join(scratch, 'root') });
    const secret = join(scratch, 'secret');
    await writeFile(secret, 'outside');
    const part = fc.oneof(
      fc.constantFrom(
        '..',
        '.',
        '',
        '...',
        '.. ',
        '..\\',
        '\\..',
        '%2e%2e',
        '~',
        'C:',
        'secret',
        'root',
        '/',
        '\0',
        '．．',
      ),
      fc.string({ unit: 'binary', maxLength: 4 }),
    );
    const key = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('/'));
    await fc.assert(
      fc.asyncProperty(key, async (k) => {
        const put = await store.put(k, text('inside')).catch((error: unknown) => error);
        if (put instanceof Error) {
          expect(put).toMatchObject({ name: 'LakehouseError', kind: 'usage' });
          for (const call of [store.read(k), store.head(k), store.delete(k), store.reading().path({ key: k })]) {
            expect(await call.catch((error: unknown) => error)).toMatchObject({ code: 'bad-key', kind: 'usage' });
          }
        } else {
          expect(relative(store.root, await store.reading().path({ key: k })).split(sep)).toEqual(k.split('/'));
          expect(await keysOf(store)).toEqual([k]);
          expect(await store.delete(k)).toBe(true);
        }
        expect((await readdir(scratch)).filter((name) => name !== 'root')).toEqual(['secret']);
        expect((await readdir(store.root).catch(() => [])).filter((name) => name !== '.staging')).toEqual([]);
      }),
      { numRuns: 300 },
    );
    expect(await readFile(secret, 'utf8')).toBe('outside');
  });

  it('follows no symbolic link below the root, be it to a directory, a file, nothing or itself', async () => {
    const outside = join(scratch, 'outside');
    await mkdir(join(outside, 'sub'), { recursive: true });
    await writeFile(join(outside, 'file'), 'secret');
    const store = localStore({ root });
    await store.put('real/file', text('mine'));
    await symlink(outside, join(root, 'link'));
    await symlink(join(outside, 'file'), join(root, 'real', 'alias'));
    await symlink(join(root, 'real'), join(root, 'inner'));
    await symlink(join(outside, 'new'), join(root, 'dangling'));
    await symlink(join(root, 'loop'), join(root, 'loop'));
    const refused = { code: 'symlink-in-key', kind: 'usage' };
    for (const key of ['link/file', 'link', 'link/sub', 'real/alias', 'inner/file', 'loop', 'loop/x']) {
      await expect(store.read(key), key).rejects.toMatchObject(refused);
      await expect(store.reading().path({ key }), key).rejects.toMatchObject(refused);
      await expect(store.head(key), key).rejects.toMatchObject(refused);
      await expect(store.delete(key), key).rejects.toMatchObject(refused);
    }
    for (const key of ['link/new', 'link/sub/new', 'link/sub/sub/new', 'inner/new', 'dangling/new', 'loop/new']) {
      await expect(store.put(key, text('x')), key).rejects.toMatchObject(refused);
    }
    await expect(store.put('real/alias', text('x'))).rejects.toMatchObject({ code: 'not-a-directory' });
    await expect(keysOf(store, 'link/')).rejects.toMatchObject(refused);
    expect(await keysOf(store)).toEqual(['real/file']);
    expect((await readdir(outside, { recursive: true })).sort()).toEqual(['file', 'sub']);
    expect(await readFile(join(outside, 'file'), 'utf8')).toBe('secret');
  });

  it('notices a directory that became a link after it was written to', async () => {
    const store = localStore({ root });
    await store.put('dir/a', text('x'));
    await rm(join(root, 'dir'), { recursive: true });
    await mkdir(join(scratch, 'outside'));
    await symlink(join(scratch, 'outside'), join(root, 'dir'));
    await expect(store.put('dir/b', text('x'))).rejects.toMatchObject({ code: 'symlink-in-key' });
    expect(await readdir(join(scratch, 'outside'))).toEqual([]);
  });

  it('neither stages nor sweeps through a linked staging area', async () => {
    await mkdir(join(scratch, 'precious', 'old'), { recursive: true });
    await mkdir(root, { recursive: true });
    await symlink(join(scratch, 'precious'), join(root, '.staging'));
    const store = localStore({ root });
    await expect(store.sweepStaging(0, Date.now() + 1e9)).rejects.toMatchObject({ code: 'symlink-in-key' });
    await expect(store.put('a', text('x'))).rejects.toMatchObject({ code: 'symlink-in-key' });
    expect(await readdir(join(scratch, 'precious'))).toEqual(['old']);
  });

  it('takes a root that is a link itself', async () => {
    await mkdir(join(scratch, 'disk'));
    await symlink(join(scratch, 'disk'), join(scratch, 'data'));
    const store = localStore({ root: join(scratch, 'data') });
    await store.put('a/b', text('x'));
    expect(await store.reading().path({ key: 'a/b' })).toBe(join(scratch, 'data', 'a', 'b'));
    expect(await keysOf(store)).toEqual(['a/b']);
    expect((await stat(join(scratch, 'disk/a/b'))).size).toBe(1);
  });
});

describe('local directory: kill -9', () => {
  it('in the middle of a write leaves a stage that nobody sees, and that is swept', async () => {
    const child = spawn(process.execPath, [WRITER, root, 'half'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const closed = once(child, 'close');
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await closed;
    const store = localStore({ root });
    expect([await keysOf(store), await store.head('silver/half.parquet')]).toEqual([[], undefined]);
    const files = (await readdir(root, { recursive: true })).filter((name) => name.endsWith('.parquet'));
    expect(files).toEqual([expect.stringMatching(/^\.staging/)]);
    expect(await store.sweepStaging(60_000, Date.now())).toBe(0);
    expect(await store.sweepStaging(60_000, Date.now() + 120_000)).toBe(1);
    expect(await readdir(root)).toEqual([]);
    await store.put('silver/half.parquet', text('whole'));
    expect(await keysOf(store)).toEqual(['silver/half.parquet']);
  });

  it('at any moment leaves only whole objects, and all that were reported committed', async () => {
    const store = localStore({ root });
    for (let round = 0; round < 12; round++) {
      const child = spawn(process.execPath, [WRITER, root, 'many'], { stdio: ['ignore', 'pipe', 'inherit'] });
      const closed = once(child, 'close');
      let reported = '';
      child.stdout.on('data', (data) => {
        reported += data;
      });
      await once(child.stdout, 'data');
      await new Promise((done) => setTimeout(done, round * 3));
      child.kill('SIGKILL');
      await closed;
      const prefix = `run=${child.pid}/`;
      const keys = await keysOf(store, prefix);
      for (const key of keys) {
        expect((await store.read(key)).length).toBe(80_000);
        expect(
          (await readFile(await store.reading().path({ key }), 'utf8')) === key.padEnd(10_000, '.').repeat(8),
        ).toBe(true);
      }
      const batches = reported.trim().split('\n');
      const committed = batches.flatMap((batch) => [0, 1, 2, 3].map((i) => `${prefix}batch=${batch}/${i}`));
      expect(committed.filter((key) => !keys.includes(key))).toEqual([]);
    }
    await store.sweepStaging(0, Date.now() + 1000);
    expect(await readdir(root)).not.toContain('.staging');
  });
});

describe.skipIf(!canMount)(`local directory: full and read-only disks${noTmpfs}`, () => {
  it('reports a full disk, loses nothing, and goes on when there is space', async () => {
    await withTmpfs('size=256k', async ({ path, remount }) => {
      const store = localStore({ root: path });
      await store.put('before', text('kept'));
      const full = {
        code: 'disk-full',
        kind: 'transient',
        message: expect.stringMatching(/^Cannot write .*big: the disk is full/),
      };
      await expect(store.put('big', new Uint8Array(1_000_000))).rejects.toMatchObject(full);
      expect(await keysOf(store)).toEqual(['before']);
      expect(await readdir(path)).toEqual(['before']);
      await store.put('small', text('fits'));
      remount('size=4m');
      await store.put('big', new Uint8Array(1_000_000));
      expect(await keysOf(store)).toEqual(['before', 'big', 'small']);
    });
  });

  it('reports a disk with no inode left for directories, and rolls back', async () => {
    await withTmpfs('size=1m,nr_inodes=14', async ({ path }) => {
      const store = localStore({ root: path });
      const staged = [await store.stage('near'), await store.stage('a/b/c/d/e/f/g/h/i/j/far')];
      for (const { path: file } of staged) await writeFile(file, 'x');
      const full = { code: 'disk-full', kind: 'transient', message: expect.stringContaining(join(path, 'a/b')) };
      await expect(store.commitAll(staged)).rejects.toMatchObject(full);
      expect(await keysOf(store)).toEqual([]);
    });
  });

  it('reports a read-only disk, which can still be read', async () => {
    await withTmpfs('size=256k', async ({ path, remount }) => {
      const store = localStore({ root: join(path, 'data') });
      await store.put('a/b', text('x'));
      const staged = await store.stage('a/c');
      await writeFile(staged.path, 'y');
      remount('ro');
      const readOnly = { code: 'read-only-directory', kind: 'usage', message: expect.stringContaining(path) };
      for (const client of [store, localStore({ root: join(path, 'data') }), localStore({ root: join(path, 'new') })]) {
        await expect(client.put('a/d', text('x'))).rejects.toMatchObject({ ...readOnly, hint: expect.any(String) });
      }
      await expect(staged.commit()).rejects.toMatchObject(readOnly);
      await expect(store.delete('a/b')).rejects.toMatchObject(readOnly);
      await expect(store.sweepStaging(0, Date.now() + 1000)).rejects.toMatchObject(readOnly);
      expect(Buffer.from(await store.read('a/b')).toString()).toBe('x');
      expect(await keysOf(store)).toEqual(['a/b']);
      remount('rw');
      await store.put('a/d', text('x'));
    });
  });

  it('removes nothing of a missing root on a read-only disk', async () => {
    await withTmpfs('size=256k', async ({ path, remount }) => {
      remount('ro');
      const store = localStore({ root: join(path, 'data') });
      expect([await keysOf(store), await store.sweepStaging(0, Date.now())]).toEqual([[], 0]);
    });
  });
});
