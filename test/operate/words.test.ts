import { asset, bytes, daily, defineLakehouse, sensor } from 'crypto-lakehouse';
import { expect, test } from 'vitest';
import { resolveSettings } from '../../framework/config/resolve.ts';
import { schedule } from '../../framework/define/schedule.ts';
import { buildGraph } from '../../framework/graph/graph.ts';
import { poolSettings } from '../../framework/materialize/pools.ts';
import { resolveSchedules } from '../../framework/operate/resolve.ts';
import { sourcesOf } from '../config/support.ts';

const one = asset('a/b', {
  partitions: { date: daily({ start: '2024-01-01' }) },
  inputs: {},
  format: bytes({ extension: '.txt' }),
  codeVersion: '1',
  compute: async () => new Uint8Array(),
});
const declared = schedule({ name: 'declared', cron: '@daily', priority: 2, tags: { team: 'a' } });
const definition = defineLakehouse({ assets: [one], schedules: [declared] });
const settingsOf = (config: string) => resolveSettings(sourcesOf({ config })).settings;

test('priority and tags of schedules are said in code or in the settings, which alter them', () => {
  const graph = buildGraph(definition.assets, { codes: () => '' });
  const found = (config: string) =>
    resolveSchedules(definition, settingsOf(config), graph, 0).map(({ name, priority, tags }) => [
      name,
      priority,
      tags,
    ]);
  expect(found('')).toEqual([['declared', 2, { team: 'a' }]]);
  expect(
    found(`schedules:
  declared: { priority: -1, tags: { by: me } }
  other: { cron: '@daily' }
`),
  ).toEqual([
    ['declared', -1, { by: 'me' }],
    ['other', 0, undefined],
  ]);
});

test('what is wrong with them is said at the field', () => {
  const bad = { priority: 1.5, tags: { '1': 'a', b: '' } };
  const issues = [
    ...schedule({ name: 'x', cron: '@daily', ...bad }).issues,
    ...sensor({ name: 'x', every: { minutes: 1 }, poll: () => ({}), ...bad }).issues,
  ].map(({ path, message }) => `${path?.join('.')}: ${message}`);
  const expected = [
    'x.priority: 1.5 is not a whole number',
    "x.tags: '1' is not a letter and then letters, digits, _ . / and -, 63 at most",
    "x.tags: 'b' has no value",
  ];
  expect(issues).toEqual([...expected, ...expected]);
});

test('a rate has a minute unless it says otherwise, and needs no size of its pool', () => {
  const settings = settingsOf(`workflow:
  concurrencyLimit: 5
  pools: { binance: 3 }
  rates:
    binance: { starts: 100 }
    other: { starts: 1, perSeconds: 0.5 }
`);
  expect(poolSettings(settings)).toEqual({
    slots: { default: 2, binance: 3 },
    defaultSlots: 5,
    rates: { binance: { starts: 100, perSeconds: 60 }, other: { starts: 1, perSeconds: 0.5 } },
  });
});

test.each([
  ['workflow: { rates: { binance: 3 } }', 'workflow.rates.binance'],
  ['workflow: { rates: { binance: { perSeconds: 3 } } }', 'workflow.rates.binance.starts'],
  ['workflow: { rates: { Binance: { starts: 3 } } }', 'workflow.rates.Binance'],
  ["schedules: { a: { cron: '@daily', tags: { '': x } } }", 'schedules.a.tags'],
])('%s is refused, with its place', (config, place) => {
  expect(() => settingsOf(config)).toThrow(place);
});
