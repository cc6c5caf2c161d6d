import { expect, test } from 'vitest';
import { place } from './support.ts';

const head = (text: string) => text.split('\n').map((line) => line.trimEnd());

test('check tells what fails, how to see it, and who was held up', async () => {
  const here = await place();
  await here.write('AAA', '2024-01-02', '0,-1\n1,-2\n2,5\n');
  expect((await here.run(['materialize', '-q'])).code).toBe(0);

  const warned = await here.run(['check', '-q']);
  expect(warned.code).toBe(0);
  expect(head(warned.out)).toEqual([
    'ASSET          CHECK        SEVERITY  CHECKED  FAILED  ROWS',
    'silver/prices  range_price  warn            6       1     2',
    '',
    'silver/prices, range_price: 1 partition',
    '  symbol=AAA/date=2024-01-02: 2 rows',
    '    {"symbol":"AAA","date":"2024-01-02","minute":0,"price":"-1.00","at":"2024-01-02 00:00:00"}',
    expect.stringMatching(/^ {4}lakehouse query 'SELECT \* FROM "silver"\."prices" WHERE/),
    '',
  ]);
  // As it is printed, so it is pasted.
  const [, statement = ''] = /lakehouse query '(.*)'$/m.exec(warned.out) ?? [];
  const rows = await here.json(['query', statement.replaceAll(`'\\''`, `'`)]);
  expect(rows).toMatchObject([{ price: '-1.00' }, { price: '-2.00' }]);

  // The severity is no part of the code: nothing is computed again, but what fails holds up what reads it from now on.
  const strict = { definition: here.tiny({ severity: 'error' }) };
  expect(await here.run(['check', 'silver/*', '-p', 'symbol=BBB', '-q'], strict)).toMatchObject({ code: 0 });
  expect(await here.run(['check', '-q'], strict)).toMatchObject({ code: 1 });
  const status = (await here.json(['status', 'gold/days'], strict)) as { assets: { counts: object }[] };
  expect(status.assets[0]?.counts).toMatchObject({ fresh: 5, blocked: 1, stale: 0 });
  const explained = (await here.json(['explain', 'silver/prices', 'symbol=AAA/date=2024-01-02'], strict)) as {
    facts: { checks: object[] };
  };
  expect(explained.facts.checks).toMatchObject([{ check: 'range_price', severity: 'error', failedRows: 2 }]);

  const failed = await here.json(['check', '--failed', '--only', 'range_price'], strict);
  expect(failed).toMatchObject({
    checks: [
      {
        asset: 'silver/prices',
        check: 'range_price',
        severity: 'error',
        blocking: true,
        checked: 1,
        failed: 1,
        rows: 2,
        skipped: { stale: 0, incomplete: 0, outgrown: 0 },
        failures: [{ partition: 'symbol=AAA/date=2024-01-02', failedRows: 2, sample: [{ minute: 0 }, { minute: 1 }] }],
      },
    ],
  });
  const { out: shown } = await here.run(['runs', 'show', 'last'], strict);
  expect(shown).toContain('checked  silver/prices: 1 partition, range_price; 1 failed check');
  expect(shown).toContain('silver/prices symbol=AAA/date=2024-01-02: range_price, 2 rows');

  // And lets it go again once it no longer does.
  expect((await here.run(['check', '--failed', '-q'])).code).toBe(0);
  const after = (await here.json(['status', 'gold/days'])) as { assets: { counts: object }[] };
  expect(after.assets[0]?.counts).toMatchObject({ fresh: 6, blocked: 0 });
});

test('check refuses names that nothing has', async () => {
  const here = await place();
  expect(await here.run(['check', '--only', 'range_prise'])).toMatchObject({
    code: 2,
    err: expect.stringContaining("Nothing that is selected has a check 'range_prise'\n  Did you mean 'range_price'?"),
  });
  expect(await here.run(['check', 'gold/*'])).toMatchObject({
    code: 2,
    err: expect.stringContaining('Nothing that is selected has checks'),
  });
});
