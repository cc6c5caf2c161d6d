import {
  type AssetRow,
  SHOWN_STATUSES,
  type ShownStatus,
  type StatusCounts,
} from '../../../framework/tui/model/data.ts';
import type { AssetEntry, AssetHeading } from '../../../framework/tui/view/assets.ts';
import { addCounts } from '../../../framework/tui/view/bars.ts';
import type { HelpGroup } from '../../../framework/tui/view/help.ts';
import type { Candidate } from '../../../framework/tui/view/palette.ts';

// A lake as it may look on a working day. Every instant is given from this one.
export const NOW = Date.UTC(2026, 4, 8, 14, 3, 7);
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export function counts(some: Partial<Record<ShownStatus, number>>): StatusCounts {
  return Object.fromEntries(SHOWN_STATUSES.map((status) => [status, some[status] ?? 0])) as Record<ShownStatus, number>;
}

/** A steady volume with a weekly wave, the same each time. */
const POLICY = ['what is published is there within 30h of when it normally is'];
const volume = (base: number, count = 60) =>
  Array.from({ length: count }, (_, i) =>
    Math.round(base * (1 + 0.5 * Math.sin((i / 7) * 2 * Math.PI) + (i % 5) / 10)),
  );

export function asset(key: string, row: Partial<AssetRow> = {}): AssetRow {
  return {
    key,
    kind: 'asset',
    zone: key.slice(0, Math.max(key.indexOf('/'), 0)),
    group: 'market',
    kinds: ['sql'],
    description: undefined,
    owners: [],
    tags: {},
    dimensions: ['symbol', 'date'],
    counts: counts({ fresh: 100 }),
    known: true,
    lastAt: NOW - 5 * MINUTE,
    lastRun: '20260508T135807-4f1c',
    nextAt: undefined,
    lag: undefined,
    volume: [],
    volumeUnit: 'rows',
    rows: 0,
    bytes: 0,
    running: undefined,
    ...row,
  };
}

export const ASSETS: readonly AssetRow[] = [
  asset('binance/klines-daily', {
    kind: 'source',
    kinds: ['zip', 'csv'],
    dimensions: ['market', 'symbol', 'interval', 'date'],
    description: 'One zip per symbol, interval and day in the public archive, with a checksum beside each.',
    counts: counts({ fresh: 1_204_310, awaiting: 412, unavailable: 96 }),
    lastAt: NOW - 12 * MINUTE,
    volume: volume(40_000_000),
    volumeUnit: 'bytes',
    bytes: 412_000_000_000,
  }),
  asset('binance/klines-monthly', {
    kind: 'source',
    kinds: ['zip', 'csv'],
    counts: counts({ fresh: 41_220 }),
    lastAt: NOW - 12 * MINUTE,
    volume: volume(900_000_000, 24),
    volumeUnit: 'bytes',
    bytes: 398_000_000_000,
  }),
  asset('bronze/binance-klines', {
    kinds: ['raw'],
    counts: counts({ fresh: 1_204_120, stale: 14, missing: 176 }),
    lag: {
      ms: 9 * HOUR,
      verdict: 'on-time',
      told: ['9h late (limit 30h)', 'newest content date=2024-01-31'],
      policies: POLICY,
    },
    volume: volume(40_000_000),
    volumeUnit: 'bytes',
    rows: 1_733_000_000,
    bytes: 96_400_000_000,
    running: { done: 176, total: 190 },
  }),
  asset('silver/klines', {
    description:
      'Candles of every market in one shape: times in UTC, prices as decimals, volumes in the base and the quote asset. Overlapping files are resolved by the newest checksum.',
    owners: ['market-data'],
    tags: { tier: '1', pii: 'no' },
    dimensions: ['exchange', 'market', 'symbol', 'interval', 'date'],
    counts: counts({
      fresh: 1_180_000,
      stale: 24_012,
      pending: 310,
      missing: 188,
      failed: 3,
      blocked: 12,
      awaiting: 412,
    }),
    lastAt: NOW - 3 * HOUR,
    lag: {
      ms: 33 * HOUR,
      verdict: 'warn',
      told: ['warn, 33h late (limit 2d)', 'overdue after 2024-02-02 12:00'],
      policies: POLICY,
    },
    volume: volume(900_000),
    rows: 1_733_000_000,
    bytes: 71_200_000_000,
    running: { done: 4_120, total: 24_525 },
  }),
  asset('silver/funding', {
    counts: counts({ fresh: 38_110 }),
    lastAt: NOW - 26 * HOUR,
    lag: { ms: 3 * DAY, verdict: 'overdue', told: ['overdue, 3d late (limit 30h)'], policies: POLICY },
    volume: volume(1_200, 30),
    rows: 1_204_000,
    bytes: 18_400_000,
  }),
  asset('gold/returns', {
    counts: counts({ stale: 120, missing: 44, blocked: 240 }),
    lastAt: NOW - 40 * DAY,
    lag: { ms: 41 * DAY, verdict: 'no-policy', told: [], policies: [] },
    volume: [3, 0, 0, 4, 8],
    rows: 8_400,
    bytes: 212_000,
  }),
  asset('gold/universe', { counts: undefined, lastAt: undefined, lastRun: undefined, dimensions: [] }),
];

export function heading(name: string, rows: readonly AssetRow[], more: Partial<AssetHeading> = {}): AssetHeading {
  const known = rows.flatMap((row) => (row.counts ? [row.counts] : []));
  return {
    type: 'zone',
    name,
    depth: 0,
    collapsed: false,
    assets: rows.length,
    counts: known.length === 0 ? undefined : addCounts(known),
    rows: rows.reduce((sum, row) => sum + row.rows, 0),
    bytes: rows.reduce((sum, row) => sum + row.bytes, 0),
    ...more,
  };
}

export function tree(rows: readonly AssetRow[], collapsed: readonly string[] = []): AssetEntry[] {
  return [...Map.groupBy(rows, ({ zone }) => zone)].flatMap(([zone, some]): AssetEntry[] => [
    heading(zone, some, { collapsed: collapsed.includes(zone) }),
    ...(collapsed.includes(zone) ? [] : some.map((row): AssetEntry => ({ type: 'asset', row, depth: 1 }))),
  ]);
}

export const HELP: readonly HelpGroup[] = [
  {
    title: 'Everywhere',
    bindings: [
      { keys: ['1', '…', '7'], label: 'screens', description: 'Show a screen' },
      { keys: [':'], label: 'command', description: 'Go to anything or do anything by typing a part of its name' },
      { keys: ['esc'], label: 'back', description: 'Back to where one came from' },
      { keys: ['?'], label: 'help', description: 'These keys' },
      { keys: ['q', 'ctrl-c'], label: 'quit', description: 'Leave; what runs goes on until it can stop' },
    ],
  },
  {
    title: 'Lists',
    bindings: [
      { keys: ['j', '↓'], label: 'down', description: '' },
      { keys: ['k', '↑'], label: 'up', description: '' },
      { keys: ['/'], label: 'filter', description: 'Show only what contains some words' },
    ],
  },
  {
    title: 'Assets',
    bindings: [
      { keys: ['m'], label: 'materialize', description: 'Show what is to be computed and what it costs, then do it' },
      {
        keys: ['o'],
        label: 'observe',
        description: 'Look at the sources',
        disabledReason: 'the lake was opened read-only',
      },
      { keys: ['w'], label: 'wipe', description: 'Take data out of the lake' },
    ],
  },
];

export const CANDIDATES: readonly Candidate[] = [
  { label: 'materialize', kind: 'command', key: 'm', description: 'compute what is chosen', positions: [0, 1] },
  { label: 'silver/market-makers', kind: 'asset', positions: [7, 8] },
  { label: 'observe sources matching', kind: 'command', key: 'o', positions: [16, 17], disabledReason: 'read-only' },
];
