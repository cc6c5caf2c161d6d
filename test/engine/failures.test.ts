import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { asset } from '../../framework/define/asset.ts';
import { bigint, columns } from '../../framework/define/columns.ts';
import { sql } from '../../framework/define/sql.ts';
import { openEngine } from '../../framework/engine/engine.ts';
import { engineError } from '../../framework/engine/errors.ts';
import { compute, target, workshop } from './support.ts';

const shop = await workshop();
const asset1 = (query: string) =>
  asset('gold/heavy', {
    partitions: {},
    inputs: {},
    columns: columns({ k: bigint() }),
    sortBy: ['k'],
    query: () => sql`${sql.raw(query)}`,
  });

test('an aborted batch stops, throws the reason and leaves nothing', async () => {
  const controller = new AbortController();
  const path = shop.newPath();
  const definition = asset1('SELECT sum(a.i * b.i)::BIGINT AS k FROM range(1000000) a(i), range(1000000) b(i)');
  const work = compute(shop, definition, [target(definition, {})], [], {
    signal: controller.signal,
    packs: [{ path, targets: [0], carry: [] }],
  });
  const reason = new Error('enough');
  setTimeout(() => controller.abort(reason), 100);
  await expect(work).rejects.toBe(reason);
  expect(existsSync(path)).toBe(false);
  await expect(compute(shop, definition, [target(definition, {})], [], { signal: controller.signal })).rejects.toBe(
    reason,
  );
});

test('too little memory says which setting to raise', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'lakehouse-small-'));
  const engine = openEngine({ tempDirectory: directory, memoryLimit: '20MB', threads: 1 });
  try {
    const definition = asset1('SELECT list(i ORDER BY i)[1] AS k FROM range(20000000) t(i)');
    const work = engine.computeBatch({
      definition,
      targets: [target(definition, {})],
      inputs: [],
      packs: [{ path: join(directory, 'x.parquet'), targets: [0], carry: [] }],
      signal: new AbortController().signal,
    });
    await expect(work).rejects.toMatchObject({
      code: 'out-of-memory',
      kind: 'transient',
      hint: expect.stringContaining('engine.memoryLimit'),
    });
  } finally {
    await engine.close();
    await rm(directory, { recursive: true, force: true });
  }
});

test.each([
  ['IO Error: Could not write file "/x": No space left on device', 'disk-full', 'transient'],
  [
    'Out of Memory Error: failed to allocate data of size 32 KiB (18.6 MiB/19.0 MiB used)',
    'out-of-memory',
    'transient',
  ],
  ['IO Error: Cannot open file "/x": Permission denied', 'engine-io', 'transient'],
  ['Conversion Error: Could not convert string "x" to INT32\n\nLINE 1: SELECT', 'query-data', 'data'],
  ["Invalid Input Error: No magic bytes found at end of file '/x'", 'file-corrupt', 'data'],
  ['Binder Error: Referenced column "x" not found', 'query-invalid', 'data'],
  ['INTERNAL Error: Attempted to dereference', 'engine-internal', 'internal'],
])('%s', (message, code, kind) => {
  const error = engineError(new Error(message), 'silver/x');
  expect(error).toMatchObject({ code, kind });
  expect(error.message).toBe(`silver/x: ${message.split('\n\n')[0]}`);
});

test('a request that does not place its targets is a bug, said so', async () => {
  const definition = asset1('SELECT 1::BIGINT AS k');
  const work = shop.engine.computeBatch({
    definition,
    targets: [target(definition, {})],
    inputs: [],
    packs: [],
    signal: new AbortController().signal,
  });
  await expect(work).rejects.toMatchObject({ code: 'bad-batch', kind: 'internal' });
});
