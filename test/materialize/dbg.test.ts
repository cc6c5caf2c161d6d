import { test } from 'vitest';
import { run } from './lake.ts';
import { tiny, status } from './support.ts';
test('dbg', async () => {
  const { lake, archive } = await tiny();
  archive.days('A', '2020-02', 1, 3);
  const first = await run(lake);
  console.log(JSON.stringify(first.events, null, 0).slice(0, 6000));
  console.log(status(lake, 'silver/ticks'), status(lake, 'src/days'));
});
