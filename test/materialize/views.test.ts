import { expect, test } from 'vitest';
import { parseFilter } from '../../framework/partition/filter.ts';
import { indexAt } from '../../framework/partition/time.ts';
import { query } from '../real/query.ts';
import { run } from './lake.ts';
import { tiny } from './support.ts';

test('a query shows no row twice when the code of a pack that could not be carried is accepted', async () => {
  const { lake, archive, open } = await tiny();
  archive.days('A', '2020-02', 1, 9);
  await run(lake);
  const days = 'SELECT date, count(*) FROM gold.window GROUP BY ALL ORDER BY ALL';
  const before = await query(lake, days);
  const from = lake.graph.node('gold/window').code;
  const wide = await open({ wide: true, codes: { 'gold/window': '2' } });
  await run(wide, { selection: 'gold/window', filter: parseFilter('date=2020-02-02..2020-02-03') });
  await run(wide, { selection: 'gold/window', acceptCode: [{ asset: 'gold/window', from }] });
  expect([...wide.state.files('gold/window')]).toHaveLength(2);
  expect(await query(wide, days)).toEqual(before);
});

test('a query shows no row of a partition that has left, even if its pack was not rewritten yet', async () => {
  const { lake, archive } = await tiny();
  archive.days('A', '2020-02', 1, 4).days('B', '2020-02', 1, 2);
  await run(lake);
  const days = 'SELECT symbol, date, count(*) > 0 FROM silver.ticks GROUP BY ALL ORDER BY ALL';
  const before = await query(lake, days);
  expect(before).toHaveLength(6);
  // What a process leaves behind that dies between the event and the rewriting of the pack.
  const third = indexAt('day', Date.parse('2020-02-03'));
  lake.state.append({
    kind: 'departed',
    asset: 'silver/ticks',
    run: 'died',
    reason: 'wiped',
    set: [{ series: 'symbol=A', values: { symbol: 'A' }, ranges: [third, third + 1] }],
  });
  expect(await query(lake, days)).toEqual(before.filter(([symbol, date]) => symbol !== 'A' || date !== '2020-02-03'));
  await run(lake);
  expect(await query(lake, days)).toEqual(before);
});
