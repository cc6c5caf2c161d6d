import { cpSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { simulatedArchive } from '../../assets/exchanges/simulated/archive.ts';
import { writeMirror } from '../../assets/exchanges/simulated/mirror.ts';
import { lakehouse } from '../../assets/index.ts';
import { openTestLake, run } from '../materialize/lake.ts';

const SOURCES = { selection: 'binance/*' };
const BRONZE = { selection: '+bronze/klines_daily' };
const present = { 'binance/klines_daily_archive': 6, 'bronze/klines_daily': 6 };

/** The crypto lakehouse over a mirror of three days of two symbols. */
async function mirrored() {
  const home = await mkdtemp(join(tmpdir(), 'unmounted-'));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const mirror = join(home, 'mirror');
  const archive = simulatedArchive({
    seed: 'unmounted',
    from: '2024-01-10',
    to: '2024-01-12',
    intervals: ['1h'],
    listings: [
      { market: 'spot', symbol: 'BTCUSDT' },
      { market: 'spot', symbol: 'ETHUSDT' },
    ],
  });
  await writeMirror(archive, mirror);
  const lake = await openTestLake(lakehouse, join(home, 'lake'), {
    sets: [
      `exchanges.binance.archive.directory=${mirror}`,
      'exchanges.binance.intervals=[1h]',
      'workflow.retryAttempts=0',
    ],
    now: () => Date.UTC(2024, 0, 20),
  });
  onTestFinished(() => lake.close());
  const counts = () =>
    Object.fromEntries(
      Object.keys(present).map((key) => [
        key,
        [...(lake.state.refresh().asset(key)?.series.values() ?? [])].reduce(
          (sum, { flags }) => sum + flags.filter((flag) => (flag & 1) !== 0).length,
          0,
        ),
      ]),
    );
  return { lake, mirror, counts };
}

test('a mirror that vanishes, in whatever way, withdraws nothing', async () => {
  const { lake, mirror, counts } = await mirrored();
  expect((await run(lake, BRONZE)).outcome).toBe('succeeded');
  expect(counts()).toEqual(present);
  renameSync(mirror, `${mirror}.away`);

  const ways: readonly [how: string, kind: string, () => void][] = [
    ['not there', 'usage', () => undefined],
    ['an empty mount point', 'usage', () => mkdirSync(mirror)],
    ['an empty data/', 'usage', () => mkdirSync(join(mirror, 'data'), { recursive: true })],
    ['empty folders of series', 'transient', () => emptied(`${mirror}.away`, mirror)],
    ['an empty folder of a market', 'transient', () => mkdirSync(join(mirror, 'data/spot'), { recursive: true })],
  ];
  for (const [how, kind, leave] of ways) {
    leave();
    for (const request of [SOURCES, BRONZE])
      await expect(run(lake, request), how).rejects.toMatchObject({ kind, message: expect.stringMatching(/lists? /) });
    // Nor does what cannot be read count as bad data.
    await run(lake, { ...BRONZE, observe: false, force: true }).catch(() => undefined);
    const failed = [...lake.state.events()].flatMap(({ event }) => (event.kind === 'failed' ? event.failures : []));
    expect(
      failed.filter(({ transient }) => !transient),
      how,
    ).toEqual([]);
    expect(counts(), how).toEqual(present);
    rmSync(mirror, { recursive: true, force: true });
  }

  renameSync(`${mirror}.away`, mirror);
  expect((await run(lake, BRONZE)).outcome).toBe('succeeded');
  expect(counts()).toEqual(present);
});

test('a symbol whose folder is empty is no error', async () => {
  const { lake, mirror, counts } = await mirrored();
  const folder = join(mirror, 'data/spot/daily/klines/ETHUSDT/1h');
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
  expect((await run(lake, BRONZE)).outcome).toBe('succeeded');
  expect(counts()).toEqual({ 'binance/klines_daily_archive': 3, 'bronze/klines_daily': 3 });
});

/** The folders of a tree without its files. */
function emptied(from: string, to: string): void {
  cpSync(from, to, { recursive: true, filter: (path) => !/\.(zip|CHECKSUM)$/.test(path) });
}
