import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import {
  appendLines,
  createDelivery,
  type DeliveryOptions,
  postJson,
} from '../../../framework/operate/telemetry/delivery.ts';
import { run } from '../../materialize/lake.ts';
import { tiny } from '../../materialize/support.ts';
import { receiver, telemetryOf } from './wire.ts';

function deliveryTo(send: DeliveryOptions<number>['send'], options: Partial<DeliveryOptions<number>> = {}) {
  const told = { delivered: 0, dropped: 0 };
  const log: string[] = [];
  const delivery = createDelivery<number>({
    what: 'numbers',
    send,
    log: (level, message, fields) => log.push(`${level}: ${message} (${fields?.dropped})`),
    told: (outcome, count) => {
      told[outcome] += count;
    },
    limit: 10,
    atOnce: 3,
    delaysMs: [1, 1],
    ...options,
  });
  return { ...delivery, told, log };
}

test('everything arrives in order, what is sent at once is not too much', async () => {
  const sent: (readonly number[])[] = [];
  const { add, close, told, log } = deliveryTo(async (items) => {
    sent.push(items);
  });
  add([1]);
  add([2, 3, 4, 5, 6]);
  await close(1000);
  expect(sent).toEqual([[1], [2, 3, 4], [5, 6]]);
  expect(told).toEqual({ delivered: 6, dropped: 0 });
  expect(log).toEqual([]);
});

test('what fails is tried again, and given up some time; the rest goes on', async () => {
  let attempts = 0;
  const sent: number[] = [];
  const send = async ([item = 0]: readonly number[]) => {
    attempts++;
    if (item === 2 || (item === 1 && attempts < 3)) throw new Error('away');
    sent.push(item);
  };
  const { add, close, told, log } = deliveryTo(send, { atOnce: 1 });
  add([1, 2, 3]);
  await close(5000);
  expect(sent).toEqual([1, 3]);
  expect(attempts).toBe(3 + 3 + 1);
  expect(told).toEqual({ delivered: 2, dropped: 1 });
  expect(log).toEqual(['warn: numbers dropped: they could not be delivered (1)']);
});

test('whoever is slow gets the latest; it is said once', async () => {
  const sent: number[] = [];
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const { add, close, told, log } = deliveryTo(async (items) => {
    await gate;
    sent.push(...items);
  });
  for (let i = 0; i < 30; i++) add([i]);
  open();
  await close(1000);
  expect(sent).toEqual([0, ...Array.from({ length: 10 }, (_, i) => 20 + i)]);
  expect(told).toEqual({ delivered: 11, dropped: 19 });
  expect(log).toEqual(['warn: numbers dropped: 10 wait already (1)']);
});

test('closing waits no longer than it is to', async () => {
  const hangs = (_: readonly number[], signal: AbortSignal) => setTimeout(60_000, undefined, { signal });
  const { add, close, told } = deliveryTo(hangs);
  add([1, 2, 3, 4]);
  await close(10);
  expect(told).toEqual({ delivered: 0, dropped: 4 });
});

test('a server that answers late, badly or not at all', async () => {
  const { url, received } = await receiver((response, _, before) => {
    if (before === 0) response.writeHead(503).end();
    else if (before === 1) response.destroy();
    else response.writeHead(201).end();
  });
  const { add, close, told } = deliveryTo(postJson(`${url}/x`, { 'x-key': 'k' }), { atOnce: 1 });
  add([1, 2]);
  await close(10_000);
  expect(received.map(({ body, path, headers }) => [body, path, headers['x-key']])).toEqual(
    ['1', '1', '1', '2'].map((body) => [body, '/x', 'k']),
  );
  expect(told).toEqual({ delivered: 2, dropped: 0 });
});

test('lines are appended', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'lines-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'file');
  await appendLines(file)([{ a: 1 }, 'b\nc']);
  await appendLines(file)([2]);
  expect(readFileSync(file, 'utf8')).toBe('{"a":1}\n"b\\nc"\n2\n');
});

test('a run waits for no lineage server', async () => {
  const { lake, archive, directory } = await tiny();
  archive.days('AAA', '2020-04', 1, 1);
  const { url, received } = await receiver(() => undefined);
  const telemetry = await telemetryOf(lake, directory, [`telemetry.openLineage.url=${url}`]);
  const { outcome } = await run(lake, { selection: '+silver/ticks' }, telemetry.follow(lake, 'x'));
  expect(outcome).toBe('succeeded');
  await vi.waitFor(() => expect(received.length).toBe(1));
  expect(telemetry.log).toEqual([]);
});
