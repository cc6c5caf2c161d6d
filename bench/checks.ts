import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { asset, columns, daily, double, drift } from 'crypto-lakehouse';
import { lakehouse } from '../assets/index.ts';
import { silverKlines } from '../assets/silver/klines.ts';
import type { LakehouseDefinition } from '../framework/define/lakehouse.ts';
import type { Asset } from '../framework/define/types.ts';
import { checkPartitions } from '../framework/materialize/check.ts';
import { presentSet } from '../framework/plan/universe.ts';
import { materializeAll, openBenchLake } from './lake.ts';
import { copyLake, makeInput } from './silver.ts';
import { type BenchOptions, CACHE, type Cost, type Measurement, median, medianCost, timed } from './support.ts';

/** Checks may cost this share of the materialization they guard. */
const MARK = 0.2;

/** A comparison, which is made after the run. */
const compared = asset('bench/compared', {
  partitions: { date: daily({ start: '2020-01-01' }) },
  columns: columns({ volume: double() }),
  sortBy: ['volume'],
  checks: [drift({ column: 'volume', window: { days: 30 }, max: { share: 9, deviations: 9 } })],
  compute: () => [],
});

/** The lake as far as silver/klines, with its checks or without. Checks are no part of the code version: both are the same lake. */
function lakeWith(checks: Asset['checks']): LakehouseDefinition {
  return { ...lakehouse, assets: [{ ...silverKlines, checks }] };
}

/** What the checks of silver/klines add to its materialization, and what making them again costs. */
export async function benchChecks({ quick, say }: BenchOptions): Promise<Measurement[]> {
  const [symbols, days, rounds] = quick ? [2, 60, 2] : [4, 365, 5];
  const partitions = symbols * days;
  const input = await makeInput(symbols, days, say);
  const work = await mkdtemp(join(CACHE, 'checks-'));
  try {
    const settings = [
      `exchanges.binance.archive.directory=${input.mirror}`,
      'exchanges.binance.archive.simulated=true',
      `exchanges.binance.symbols=[${input.symbols.join(', ')}]`,
      'exchanges.binance.intervals=[1m]',
    ];
    const master = join(work, 'bronze');
    await mkdir(master);
    const first = await openBenchLake(master, settings, lakeWith([]));
    await materializeAll(first, '+bronze/klines_daily');
    await first.close();

    const definitions = {
      without: lakeWith([]),
      with: lakeWith(silverKlines.checks),
      compared: lakeWith([...silverKlines.checks, ...compared.checks]),
    };
    const costs: Record<keyof typeof definitions | 'again', Cost[]> = {
      without: [],
      with: [],
      compared: [],
      again: [],
    };
    for (let round = 0; round < rounds; round++) {
      // In turns and each first now and then, for the machine is not the same machine a minute later.
      const names = ['without', 'with', 'compared'] as const;
      for (const which of [...names.slice(round % 3), ...names.slice(0, round % 3)]) {
        const directory = join(work, `round-${round}-${which}`);
        await copyLake(master, directory);
        const lake = await openBenchLake(directory, settings, definitions[which]);
        await lake.engine();
        costs[which].push(
          await timed(async () => {
            const { counts } = await materializeAll(lake, 'silver/klines');
            if (counts.computed !== partitions) throw new Error(`${counts.computed} of ${partitions} were computed`);
          }),
        );
        if (which === 'with') {
          const { key } = silverKlines;
          const targets = new Map([[key, presentSet(lake.graph.node(key), lake.state.index().asset(key))]]);
          const never = new AbortController().signal;
          costs.again.push(
            await timed(async () => {
              const control = { stopping: never, signal: never, emit: () => undefined };
              const { checks } = await checkPartitions(lake, { command: 'bench', selection: key, targets }, control);
              if (checks.some(({ checked }) => checked !== partitions)) throw new Error('not all were checked');
            }),
          );
        }
        await lake.close();
        await rm(directory, { recursive: true });
      }
      const last = (which: keyof typeof costs) => (costs[which].at(-1)?.ms ?? Number.NaN).toFixed(0);
      say(
        `round ${round + 1}: ${Object.keys(costs)
          .map((which) => `${which} ${last(which as keyof typeof costs)} ms`)
          .join(', ')}`,
      );
    }
    const ratio = (which: keyof typeof costs, unit: keyof Cost) =>
      median(costs[which].map((cost, i) => cost[unit] / (costs.without[i]?.[unit] ?? Number.NaN)));
    const each = (cost: Cost, unit: keyof Cost) => cost[unit] / partitions;
    const yardstick = 'without checks';
    return [
      { what: 'silver/klines without checks', value: each(medianCost(costs.without), 'ms'), unit: 'ms a day' },
      {
        what: `silver/klines with its ${silverKlines.checks.length} checks`,
        value: each(medianCost(costs.with), 'ms'),
        unit: 'ms a day',
        yardstick,
        ratio: ratio('with', 'ms'),
        note: `mark: ${(1 + MARK).toFixed(2)}`,
      },
      {
        what: 'the same, CPU',
        value: each(medianCost(costs.with), 'cpuMs'),
        unit: 'ms a day',
        yardstick,
        ratio: ratio('with', 'cpuMs'),
        note: `mark: ${(1 + MARK).toFixed(2)}`,
      },
      {
        what: 'and drift of volume over 30 days, CPU',
        value: each(medianCost(costs.compared), 'cpuMs'),
        unit: 'ms a day',
        yardstick,
        ratio: ratio('compared', 'cpuMs'),
      },
      {
        what: 'lakehouse check: the same checks of what is there',
        value: each(medianCost(costs.again), 'ms'),
        unit: 'ms a day',
        yardstick,
        ratio: ratio('again', 'ms'),
        note: `${ratio('again', 'cpuMs').toFixed(2)} × of its CPU`,
      },
    ];
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
