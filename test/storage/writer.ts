// A process to be killed or starved by local.test.ts: `node writer.ts <root> half|silent|many|starved`.
import { type FileHandle, open, writeFile } from 'node:fs/promises';
import { isLakehouseError } from '../../framework/common/errors.ts';
import { localStore } from '../../framework/storage/local.ts';

const [root = '', mode] = process.argv.slice(2);
const owner = { host: 'here', pid: process.pid, started: performance.timeOrigin, isAlive: () => true };
const store = localStore(mode === 'silent' ? { root, owner } : { root });

// A statement that has not written anything yet.
if (mode === 'silent') {
  const staged = await store.stage('silver/silent.parquet');
  process.stdout.write(`${staged.path}\n`);
  process.stdin.once('data', async () => {
    await writeFile(staged.path, 'rows');
    await staged.commit();
    process.stdout.write('committed\n');
    process.exit();
  });
}

if (mode === 'half') {
  const staged = await store.stage('silver/half.parquet');
  const file = await open(staged.path, 'w');
  await file.write(Buffer.alloc(100_000, 1));
  process.stdout.write('written\n');
  setInterval(() => undefined, 1000);
}

if (mode === 'many') {
  for (let batch = 0; ; batch++) {
    const names = [0, 1, 2, 3].map((i) => `run=${process.pid}/batch=${batch}/${i}`);
    const staged = await Promise.all(names.map((name) => store.stage(name)));
    for (const { key, path } of staged) {
      const file = await open(path, 'w');
      for (let chunk = 0; chunk < 8; chunk++) await file.write(key.padEnd(10_000, '.'));
      await file.close();
    }
    await store.commitAll(staged);
    process.stdout.write(`${batch}\n`);
  }
}

if (mode === 'starved') {
  const staged = await store.stage('a');
  const hoard: FileHandle[] = [];
  const file = await open(staged.path, 'w');
  await file.write('x');
  await file.close();
  try {
    for (;;) hoard.push(await open('/dev/null'));
  } catch {
    // no descriptor is left
  }
  const error: unknown = await staged.commit().catch((e: unknown) => e);
  for (const handle of hoard) await handle.close();
  const after = await store.put('a', Buffer.from('later'));
  process.stdout.write(JSON.stringify([isLakehouseError(error) && [error.code, error.kind], after.bytes]));
}
