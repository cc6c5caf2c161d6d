import { expect, test } from 'vitest';
import { place } from './support.ts';

const HOUR = 3_600_000;
const HIGH = "SELECT high FROM gold.days WHERE symbol = 'AAA' ORDER BY date LIMIT 1";

test('the lake is asked as it was: by run, time or revision; what is kept for that is listed, and goes in time', async () => {
  const here = await place();
  const lake = (factor: number) => ({ definition: here.tiny({ factor, history: '30d' }) });
  await here.run(['materialize', '-q', '+gold/days'], lake(1));
  const [{ run }] = (await here.json(['runs'], lake(1))) as [{ run: string }];
  const [before] = (await here.json(['query', HIGH], lake(1))) as [{ high: string }];
  const at = new Date(here.now + 1000).toISOString();
  here.now += HOUR;
  // Another table of this name, without a history.
  await here.write('BBB', '2024-01-02', '0,7\n');
  await here.run(['materialize', '-q', '+gold/days'], lake(2));
  const high = async (...asOf: string[]) => (await here.json(['query', HIGH, ...asOf], lake(2))) as unknown;
  const now = [{ high: (2 * Number(before.high)).toFixed(2) }];
  expect(await high()).toEqual(now);
  expect(await high('--as-of', 'last')).toEqual(now);
  for (const asOf of [run, run.slice(0, -3), at]) expect(await high('--as-of', asOf)).toEqual([before]);
  const told = await here.run(['query', HIGH, '--as-of', run], lake(2));
  expect(told.err).toMatch(/^As of revision \d+ of \d+\.\n$/);
  const [, revision] = /revision (\d+)/.exec(told.err) ?? [];
  expect(await high('--as-of', `@${revision}`)).toEqual([before]);
  expect(await here.run(['query', 'FROM raw.days', '--as-of', run], lake(2))).toMatchObject({
    code: 2,
    err: expect.stringMatching(
      /\nlakehouse: The files of raw\/days as of run \w+ are gone: .*\n {2}To keep replaced files .*\n$/,
    ),
  });
  expect((await here.run(['show', 'gold/days'], lake(2))).out).toMatch(/ · history 30d\n/);

  here.now += HOUR;
  const gc = await here.run(['gc', '--yes'], lake(2));
  expect(gc.out).toMatch(
    /^Removed 0 superseded .*\n(\d+) replaced files \(.*B\) can still be read, as of then or by running queries: until 20\d\d-.*\.\n$/,
  );
  expect(await here.json(['gc'], lake(2))).toMatchObject({
    superseded: 0,
    kept: { history: 2, young: 0, excluded: 0, until: expect.any(String) },
  });
  expect(await here.run(['verify', '-q'], lake(2))).toMatchObject({
    code: 0,
    out: expect.not.stringContaining('can go'),
  });

  here.now += 30 * 24 * HOUR;
  expect(await here.json(['gc', '--yes'], lake(2))).toMatchObject({ superseded: 2, kept: { history: 0 } });
  expect(await here.run(['query', HIGH, '--as-of', run], lake(2))).toMatchObject({
    code: 2,
    out: '',
    err: expect.stringMatching(
      /lakehouse: The files of gold\/days as of run \w+ are gone: its history goes back to @\d+, 20.*Z\n {2}It keeps them .*\n$/,
    ),
  });
  expect((await here.run(['query', HIGH, '--as-of', '@9999'], lake(2))).err).toMatch(
    /^lakehouse: As of @9999: the revisions of the log are @1 to @\d+\n/,
  );
});
