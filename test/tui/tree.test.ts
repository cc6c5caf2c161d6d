import { describe, expect, test } from 'vitest';
import { type AssetRow, SHOWN_STATUSES, type StatusCounts } from '../../framework/tui/model/data.ts';
import { assetTree, type TreeEntry, type TreeOptions } from '../../framework/tui/model/tree.ts';

const counts = (some: Partial<StatusCounts>): StatusCounts =>
  ({ ...Object.fromEntries(SHOWN_STATUSES.map((status) => [status, 0])), ...some }) as StatusCounts;

const row = (key: string, more: Partial<AssetRow> = {}): AssetRow => ({
  key,
  kind: 'asset',
  zone: key.split('/')[0] ?? key,
  group: '',
  kinds: [],
  description: undefined,
  owners: [],
  tags: {},
  dimensions: [],
  counts: counts({}),
  known: true,
  lastAt: undefined,
  lastRun: undefined,
  nextAt: undefined,
  lag: undefined,
  volume: [],
  volumeUnit: 'rows',
  rows: 0,
  bytes: 0,
  running: undefined,
  ...more,
});

const ROWS = [
  row('src/days', { kind: 'source', group: 'files', counts: counts({ fresh: 2 }), bytes: 10 }),
  row('silver/ticks', { group: 'prices', owners: ['Data'], counts: counts({ fresh: 1, stale: 3 }), rows: 5, bytes: 7 }),
  row('silver/trades', { group: 'prices', tags: { speed: 'fast' }, counts: counts({ failed: 1 }), rows: 6, bytes: 1 }),
  row('gold/month', { kinds: ['sql'], counts: counts({ missing: 4 }) }),
];
const OPEN: TreeOptions = { by: 'zone', collapsed: new Set(), filter: '' };
const outline = (entries: readonly TreeEntry[]): string[] =>
  entries.map((entry) =>
    entry.type === 'asset'
      ? `${'  '.repeat(entry.depth)}${entry.row.key}`
      : `${entry.collapsed ? '+' : '-'} ${entry.name} ${entry.assets}`,
  );

describe('the tree of assets', () => {
  test('zones in the order of the graph, assets below them', () => {
    expect(outline(assetTree(ROWS, OPEN))).toEqual([
      '- src 1',
      '  src/days',
      '- silver 2',
      '  silver/ticks',
      '  silver/trades',
      '- gold 1',
      '  gold/month',
    ]);
  });

  test('groups instead of zones; those without one have a heading as well', () => {
    expect(outline(assetTree(ROWS, { ...OPEN, by: 'group' })).filter((line) => line.startsWith('-'))).toEqual([
      '- files 1',
      '- prices 2',
      '- (no group) 1',
    ]);
  });

  test('a heading sums up what is below, also when it is closed', () => {
    const entries = assetTree(ROWS, { ...OPEN, collapsed: new Set(['silver']) });
    expect(outline(entries)).toEqual(['- src 1', '  src/days', '+ silver 2', '- gold 1', '  gold/month']);
    expect(entries[2]).toEqual({
      type: 'zone',
      name: 'silver',
      depth: 0,
      collapsed: true,
      assets: 2,
      counts: counts({ fresh: 1, stale: 3, failed: 1 }),
      rows: 11,
      bytes: 8,
    });
  });

  test('sums are unknown as long as one of them is', () => {
    const [heading] = assetTree([row('a/x'), row('a/y', { counts: undefined })], OPEN);
    expect(heading).toMatchObject({ name: 'a', counts: undefined });
  });

  test.each([
    ['TICKS', ['silver/ticks']],
    ['silver  fast', ['silver/trades']],
    ['data', ['silver/ticks']],
    ['source', ['src/days']],
    ['sql', ['gold/month']],
    ['prices', ['silver/ticks', 'silver/trades']],
    ['silver gold', []],
  ])('the filter %s looks at all that is said of an asset', (filter, keys) => {
    const entries = assetTree(ROWS, { ...OPEN, filter });
    expect(entries.flatMap((entry) => (entry.type === 'asset' ? [entry.row.key] : []))).toEqual(keys);
  });

  test('a filter opens what is closed', () => {
    const entries = assetTree(ROWS, { ...OPEN, collapsed: new Set(['silver']), filter: 'ticks' });
    expect(outline(entries)).toEqual(['- silver 1', '  silver/ticks']);
  });

  test('no assets, no headings', () => {
    expect(assetTree([], OPEN)).toEqual([]);
  });
});
