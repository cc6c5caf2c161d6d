import { asset, bytes, daily, defineLakehouse, source } from 'crypto-lakehouse';
import { describe, expect, test } from 'vitest';
import { HeldBytes } from '../../framework/materialize/held.ts';
import { openTestLake, run } from './lake.ts';
import { atEnd, temporaryDirectory } from './support.ts';

const never = new AbortController().signal;
/** Until everything that can go on has gone on. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Tasks of so many bytes, ended by hand; what runs. */
function stage(limit: number) {
  const held = new HeldBytes(limit);
  const running = new Map<string, () => void>();
  const begin = (name: string, size: number, signal = never) =>
    held.run(
      size,
      () => new Promise<void>((resolve) => running.set(name, resolve)).finally(() => running.delete(name)),
      signal,
    );
  const end = async (name: string) => {
    running.get(name)?.();
    await settled();
  };
  return { held, begin, end, running: () => [...running.keys()] };
}

describe('bytes in memory', () => {
  test('as many at once as there is room for, in order, so that the large get their turn', async () => {
    const { begin, end, running } = stage(10);
    for (const [name, size] of Object.entries({ a: 4, b: 4, large: 8, c: 1, d: 1 })) void begin(name, size);
    await settled();
    expect(running()).toEqual(['a', 'b']);
    await end('a');
    expect(running()).toEqual(['b']);
    await end('b');
    expect(running()).toEqual(['large', 'c', 'd']);
  });

  test('what is larger than all there is goes alone; nobody said how large: no limit', async () => {
    const { begin, end, running } = stage(10);
    for (const [name, size] of Object.entries({ a: 1, huge: 50, b: 0, c: 1 })) void begin(name, size);
    await settled();
    expect(running()).toEqual(['a']);
    await end('a');
    expect(running()).toEqual(['huge']);
    await end('huge');
    expect(running()).toEqual(['b', 'c']);
  });

  test('a failure gives its room back; whoever is told to stop waits no longer, and lets those behind it pass', async () => {
    const { held, begin, end, running } = stage(10);
    await expect(held.run(10, () => Promise.reject(new Error('no')), never)).rejects.toThrow('no');
    void begin('a', 6);
    const stop = new AbortController();
    const waiting = begin('b', 6, stop.signal);
    void begin('c', 4);
    await settled();
    expect(running()).toEqual(['a']);
    stop.abort(new Error('stop'));
    await expect(waiting).rejects.toThrow('stop');
    expect(running()).toEqual(['a', 'c']);
    await expect(begin('d', 1, stop.signal)).rejects.toThrow('stop');
    await end('a');
    expect(running()).toEqual(['c']);
  });
});

test('eight large originals are fetched one after the other, small ones at the same time', async () => {
  let now = 0;
  let most = 0;
  const GIB = 2 ** 30;
  const date = daily({ start: '2024-01-01', end: '2024-01-08' });
  const days = Array.from({ length: 8 }, (_, i) => `2024-01-0${i + 1}`);
  const files = source('x/files', {
    partitions: { date },
    observe: async function* ({ resources }) {
      for (const day of days) yield { partition: { date: day }, version: 'v1', bytes: Number(resources.size) };
    },
    read: async ({ partition }) => {
      most = Math.max(most, ++now);
      await settled();
      now--;
      return { bytes: Buffer.from(partition.key), version: 'v1' };
    },
  });
  const raw = asset('x/raw', {
    partitions: { date },
    inputs: { files },
    format: bytes({ extension: '.txt' }),
    codeVersion: '1',
    pool: 'network',
    compute: ({ inputs }) => inputs.files.bytes(),
  });
  const fetched: Record<string, unknown> = {};
  for (const size of [GIB, 1000]) {
    most = 0;
    const definition = defineLakehouse({ assets: [files, raw], resources: () => ({ size }) });
    const lake = await openTestLake(definition, await temporaryDirectory(), { sets: ['workflow.concurrencyLimit=8'] });
    atEnd(() => lake.close());
    const { counts } = await run(lake);
    fetched[size] = { computed: counts.computed, most };
  }
  expect(fetched).toEqual({ [GIB]: { computed: 8, most: 1 }, 1000: { computed: 8, most: 8 } });
});
