import { LakehouseError } from 'crypto-lakehouse';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rateLimiter } from '../../assets/exchanges/binance/rest/limiter.ts';
import { type Clock, clockAt, perMinute } from './rest-support.ts';

const START = Date.UTC(2024, 0, 1, 12, 0, 30);
const limiterAt = (clock: Clock, limits = perMinute(100)) =>
  rateLimiter({ host: 'exchange', limits, now: clock.now, sleep: clock.sleep });
const used = (weight: number) => new Headers({ 'x-mbx-used-weight-1m': String(weight) });

describe('limits by clock minute', () => {
  test('what does not fit waits for the next minute; a tenth is left to others', async () => {
    const clock = clockAt(START);
    const limiter = limiterAt(clock);
    (await limiter.enter(50, undefined))();
    (await limiter.enter(40, undefined))();
    expect(clock.waits).toEqual([]);
    (await limiter.enter(1, undefined))();
    expect(clock.waits).toEqual([30_000]);
  });

  test('what the exchange says is used counts, with what is still under way', async () => {
    const clock = clockAt(START);
    const limiter = limiterAt(clock);
    const first = await limiter.enter(5, undefined);
    const second = await limiter.enter(5, undefined);
    first(used(70)); // somebody else asks from this address: 70, and 5 that it has not seen yet
    (await limiter.enter(15, undefined))();
    expect(clock.waits).toEqual([]);
    (await limiter.enter(1, undefined))();
    expect(clock.waits).toEqual([30_000]);
    second(used(3)); // of the minute before
  });

  test('what is heavier than the limit goes alone', async () => {
    const clock = clockAt(START);
    const limiter = limiterAt(clock);
    (await limiter.enter(1, undefined))();
    (await limiter.enter(500, undefined))();
    expect(clock.waits).toEqual([30_000]);
  });

  test('several windows, of weight and of requests', async () => {
    const clock = clockAt(START);
    const limiter = limiterAt(clock, [...perMinute(1000), { counts: 'requests', windowMs: 300_000, limit: 10 }]);
    for (let i = 0; i < 10; i++) (await limiter.enter(1, undefined))();
    expect(clock.waits).toEqual([270_000]);
  });

  test('limits that the exchange gives replace those assumed, and what was used stays', async () => {
    const clock = clockAt(START);
    const limiter = limiterAt(clock);
    (await limiter.enter(60, undefined))();
    limiter.setLimits(perMinute(50));
    (await limiter.enter(1, undefined))();
    expect(clock.waits).toEqual([30_000]);
  });

  test('never more than the share within a minute, whoever asks at once', async () => {
    const requests = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(requests, async (weights) => {
        const clock = clockAt(START);
        const limiter = limiterAt(clock);
        const spent = new Map<number, number>();
        const send = async (weight: number) => {
          const leave = await limiter.enter(weight, undefined);
          const minute = Math.floor(clock.ms / 60_000);
          spent.set(minute, (spent.get(minute) ?? 0) + weight);
          leave();
        };
        await Promise.all(weights.map(send));
        expect(Math.max(...spent.values())).toBeLessThanOrEqual(90);
        expect([...spent.values()].reduce((a, b) => a + b)).toBe(weights.reduce((a, b) => a + b));
      }),
      { numRuns: 50 },
    );
  });
});

describe('being told to wait', () => {
  test('a pause holds everybody up, a ban refuses everybody at once and ends', async () => {
    const clock = clockAt(START);
    const limiter = limiterAt(clock);
    limiter.pause(START + 7000);
    (await limiter.enter(1, undefined))();
    expect(clock.waits).toEqual([7000]);
    limiter.ban(clock.ms + 120_000);
    const error = await limiter.enter(1, undefined).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(LakehouseError);
    expect(error).toMatchObject({
      ...{ code: 'rest-banned', kind: 'transient', retryAfterMs: 120_000 },
      message: 'exchange has banned this address until 2024-01-01T12:02:37.000Z',
    });
    clock.ms += 120_000;
    (await limiter.enter(1, undefined))();
    expect(clock.waits).toEqual([7000]);
  });

  test('waiting can be cancelled (with the real clock)', async () => {
    const limiter = rateLimiter({ host: 'exchange', limits: perMinute(100), now: () => START });
    limiter.pause(START + 3_600_000);
    const controller = new AbortController();
    const waiting = limiter.enter(1, controller.signal);
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });
});
