import { expect, test } from 'vitest';
import { mirrorLake } from './lake.ts';

test('every query compiles, is computed for many partitions at once, and always gives the same', async () => {
  const { lake } = await mirrorLake([]);
  const engine = await lake.engine();
  const said: string[] = [];
  for (const key of lake.graph.order) {
    const { definition } = lake.graph.node(key);
    if (definition.storage.type !== 'table' || definition.compute?.type !== 'sql') continue;
    const { issues, warnings } = await engine.examine(definition);
    said.push(...[...issues, ...warnings].map(({ message }) => `${key}: ${message}`));
  }
  expect(said).toEqual([]);
});
