import {
  defineLakehouse,
  type PollFunction,
  type SensorDefinition,
  type SensorOptions,
  sensor,
} from 'crypto-lakehouse';
import { describe, expect, test } from 'vitest';
import { isLakehouseError, LakehouseError } from '../../framework/common/errors.ts';
import { buildGraph } from '../../framework/graph/graph.ts';
import { look, nextPoll, resolveSensors, type SensorMemory } from '../../framework/operate/sensors.ts';
import { lake } from './automation/lake.ts';

const { assets } = lake({});
const graph = buildGraph(assets, { codes: () => 'code' });
const NOW = Date.UTC(2024, 0, 1);

const made = (poll: PollFunction, options: Partial<SensorOptions> = {}): SensorDefinition =>
  sensor({ name: 'listing', every: { minutes: 5 }, select: 'silver/*', poll, ...options });
const once = (
  definition: SensorDefinition,
  memory?: SensorMemory,
  signal: AbortSignal = new AbortController().signal,
) => look(definition, memory, { graph, resources: { client: 'c' }, now: () => NOW, signal });

describe('a look', () => {
  test('gets the cursor of the one before, and what it returns is remembered', async () => {
    const seen: unknown[] = [];
    const counting = made(({ cursor, resources }) => {
      seen.push([cursor, resources]);
      return { cursor: String(Number(cursor ?? 0) + 1), skip: 'only counted' };
    });
    const first = await once(counting);
    expect(first).toEqual({
      outcome: 'skipped',
      decision: 'only counted',
      requests: [],
      memory: { polledAt: NOW, cursor: '1', failures: 0 },
      error: undefined,
    });
    expect((await once(counting, first.memory)).memory.cursor).toBe('2');
    expect(seen).toEqual([
      [undefined, { client: 'c' }],
      ['1', { client: 'c' }],
    ]);
  });

  test('without a cursor in its result the one before stays', async () => {
    const { memory } = await once(
      made(() => ({})),
      { polledAt: 1, cursor: 'kept', failures: 2 },
    );
    expect(memory).toEqual({ polledAt: NOW, cursor: 'kept', failures: 0 });
  });

  test('asks for what the sensor selects, or for something else', async () => {
    expect((await once(made(() => ({ request: true })))).requests).toEqual([
      { select: 'silver/*', partitions: undefined, reason: undefined },
    ]);
    const { decision, requests } = await once(
      made(() => ({
        request: [{ partitions: 'symbol=NEW', reason: 'new symbol' }, { select: '+gold/roll' }],
      })),
    );
    expect(requests).toEqual([
      { select: 'silver/*', partitions: 'symbol=NEW', reason: 'new symbol' },
      { select: '+gold/roll', partitions: undefined, reason: undefined },
    ]);
    expect(decision).toBe('new symbol: silver/* symbol=NEW; +gold/roll');
  });

  const memory: SensorMemory = { polledAt: NOW - 300_000, cursor: 'before', failures: 1 };
  const failedLook = async (poll: PollFunction, options: Partial<SensorOptions> = {}) => {
    const { outcome, requests, memory: after, error } = await once(made(poll, options), memory);
    expect({ outcome, requests, after }).toEqual({
      outcome: 'failed',
      requests: [],
      after: { polledAt: NOW, cursor: 'before', failures: 2 },
    });
    return error;
  };

  test('that throws is contained, and named; the cursor stays', async () => {
    expect(
      await failedLook(() => {
        throw new TypeError('no such host');
      }),
    ).toEqual({
      message: 'Sensor listing: no such host',
      code: 'sensor-failed',
      kind: 'transient',
      cause: { message: 'no such host' },
    });
    const error = await failedLook(() =>
      Promise.reject(new LakehouseError('x', 'bad key', { kind: 'usage', hint: 'Mend it.' })),
    );
    expect(error).toMatchObject({ message: 'Sensor listing: bad key', kind: 'usage', hint: 'Mend it.' });
  });

  test('that takes too long is left to itself, whether it heeds the signal or not', async () => {
    let aborted = false;
    const deaf = await failedLook(() => new Promise(() => undefined), { timeoutSeconds: 0.02 });
    expect(deaf).toMatchObject({ code: 'sensor-timeout', message: 'Sensor listing: it had no answer after 0.02 s' });
    const heeding = await failedLook(
      ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            aborted = true;
            reject(signal.reason);
          });
        }),
      { timeoutSeconds: 0.02 },
    );
    expect(heeding).toMatchObject({ code: 'sensor-timeout' });
    expect(aborted).toBe(true);
  });

  test('that returns something else than it should is told so', async () => {
    const told = async (result: unknown) => (await failedLook(() => result as never))?.message;
    expect(await told(undefined)).toBe('Sensor listing: its look returned undefined');
    expect(await told({ cursor: 5 })).toBe('Sensor listing: its cursor is a number, not a string');
    expect(await told({ cursor: 'x'.repeat(1_000_001) })).toBe('Sensor listing: its cursor has 1000001 characters');
    expect(await told({ cursor: 'new', request: { select: 'silver/dya' } })).toBe(
      "Sensor listing: No asset is named 'silver/dya'",
    );
    expect(await told({ request: { partitions: 'sybmol=A' } })).toContain("Sensor listing: partitions 'sybmol=A':");
  });

  test('that is stopped from outside has no result', async () => {
    const controller = new AbortController();
    const running = once(
      made(() => new Promise(() => undefined)),
      memory,
      controller.signal,
    );
    controller.abort(new Error('the daemon stops'));
    await expect(running).rejects.toThrow('the daemon stops');
  });
});

test('a sensor looks at once, then every so often, and again where the clock was put back', () => {
  const definition = made(() => ({}));
  const memory = { polledAt: NOW, failures: 0 };
  expect(nextPoll(definition, undefined, NOW)).toBe(NOW);
  expect(nextPoll(definition, memory, NOW + 1)).toBe(NOW + 300_000);
  expect(nextPoll(definition, memory, NOW + 900_000)).toBe(NOW + 300_000);
  expect(nextPoll(definition, memory, NOW - 1)).toBe(NOW - 1);
});

describe('sensors of a lake', () => {
  const poll = () => ({});
  test('by name', () => {
    const [b, a] = ['b', 'a'].map((name) => sensor({ name, every: { hours: 1 }, poll })) as [
      SensorDefinition,
      SensorDefinition,
    ];
    expect(resolveSensors(defineLakehouse({ assets, sensors: [b, a] }), graph)).toEqual([a, b]);
  });

  test('what is wrong is told all at once, with its place', () => {
    const sensors = [
      sensor({
        name: 'Bad Name',
        every: { seconds: 1 },
        timeoutSeconds: 0,
        action: 'run' as never,
        poll: 'x' as never,
      }),
      sensor({ name: 'twice', every: {}, poll }),
      sensor({ name: 'twice', every: { minutes: 1 }, select: 'gold/rol', poll }),
    ];
    try {
      resolveSensors(defineLakehouse({ assets, sensors }), graph);
      expect.unreachable();
    } catch (error) {
      if (!isLakehouseError(error)) throw error;
      expect(error.message.replaceAll(/\S+sensors\.test\.ts:\d+/g, '<here>')).toMatchInlineSnapshot(`
        "The sensors cannot be used:
          - <here>: Bad Name.name: 'Bad Name' is not lower case letters, digits, _ and -
            e.g. new-listings
          - <here>: Bad Name.every: is not between ten seconds and a year
            e.g. { minutes: 5 }
          - <here>: Bad Name.timeoutSeconds: 0 is not more than 0 and at most 86400
          - <here>: Bad Name.action: 'run' is not one of materialize-stale, observe, check
          - <here>: Bad Name.poll: is not a function
            async ({ cursor }) => ({ cursor, request: true })
          - <here>: twice.every: is not between ten seconds and a year
            e.g. { minutes: 5 }
          - <here>: twice: there are two sensors of this name
          - <here>: twice.select: No asset is named 'gold/rol'
            Did you mean 'gold/roll'?"
      `);
    }
  });
});
