import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { rewritePacks } from '../../framework/materialize/depart.ts';
import { openFiles } from '../../framework/materialize/lake-files.ts';
import type { OpenedLake } from '../../framework/materialize/open.ts';
import { lakeViews } from '../../framework/materialize/views.ts';
import * as ranges from '../../framework/partition/ranges.ts';
import type { ChildOptions } from './child.ts';
import { ticksOf } from './fixture.ts';
import { run } from './lake.ts';
import { type Child, computed, startChild, untilStopped } from './processes.ts';
import { problems, status, type Tiny, tiny, tree, versions, work } from './support.ts';

const day = (n: number) => `2020-02-${String(n).padStart(2, '0')}`;
const SETS = ['workflow.retryAttempts=0', 'engine.threads=1'];

/** A lake on the real clock, which claims depend on. */
const real = (sets: readonly string[] = []) => tiny({ now: Date.now, sets });
const child = (
  { directory, archive }: Tiny,
  options: Partial<ChildOptions> = {},
  sets: readonly string[] = [],
): Child => startChild({ directory, ...options, sets: [`tiny.directory=${archive.directory}`, ...SETS, ...sets] });
const result = (lines: readonly Record<string, unknown>[]) => lines.at(-1);

describe.skipIf(!existsSync('/proc/self/stat'))(
  `several processes${existsSync('/proc/self/stat') ? '' : ' (SKIPPED: there is no /proc here)'}`,
  () => {
    test('case 1: crash, then revert: what other code had put down when it died is not what readers see', async () => {
      const setup = await real();
      const { lake, archive, open } = setup;
      archive.days('A', '2020-02', 1, 3);
      await run(lake);
      const before = versions(lake);
      const died = child(setup, {
        codes: { 'gold/window': '2' },
        wide: true,
        selection: 'gold/window',
        before: { asset: 'gold/window', signal: 'SIGKILL' },
      });
      await died.ended;
      expect(died.process.signalCode).toBe('SIGKILL');
      expect(
        (await problems(lake)).filter((p) => p.includes('gold/window') && p.includes('not in the log')),
      ).toHaveLength(1);
      expect(await problems(lake, 'allowed')).toEqual([]);
      const back = await open();
      expect(work((await run(back)).events)).toEqual({});
      expect(versions(back)).toEqual(before);
      expect(status(back, 'gold/window')).toEqual({ fresh: 3 });
    });

    test('case 16: lost update: two processes that recompute two days of one month pack both get theirs in', async () => {
      const setup = await real();
      const { lake, archive } = setup;
      archive.days('A', '2020-02', 1, 20);
      await run(lake);
      archive.put('A', day(5), ticksOf(day(5), 8, 500));
      const p1 = child(setup, { selection: '+silver/ticks', before: { asset: 'silver/ticks', signal: 'SIGSTOP' } }, [
        'workflow.claimTtlMs=400',
      ]);
      await untilStopped(p1);
      archive.put('A', day(6), ticksOf(day(6), 9, 600));
      // P1 has computed day 5 into a pack that carries the old day 6, and is stopped; its claim expires meanwhile.
      const p2 = await run(lake, { selection: '+silver/ticks' });
      expect(p2.outcome).toBe('succeeded');
      p1.process.kill('SIGCONT');
      expect(result(await p1.ended)).toMatchObject({ type: 'result', outcome: 'succeeded' });
      const [pack, ...more] = [...lake.state.files('silver/ticks')];
      expect([pack?.live, more]).toEqual([20, []]);
      const fresh = await real();
      fresh.archive
        .days('A', '2020-02', 1, 20)
        .put('A', day(5), ticksOf(day(5), 8, 500))
        .put('A', day(6), ticksOf(day(6), 9, 600));
      await run(fresh.lake, { selection: '+silver/ticks' });
      const silver = (of: OpenedLake) =>
        Object.fromEntries(Object.entries(versions(of)).filter(([key]) => key.startsWith('silver/')));
      lake.state.refresh();
      expect(silver(lake)).toEqual(silver(fresh.lake));
      expect(await problems(lake)).toEqual([]);
    });

    test('case 17: zombie: its append is refused, its files are removed, and it finds its work done', async () => {
      const setup = await real();
      const { lake, archive } = setup;
      archive.days('A', '2020-02', 1, 5);
      const zombie = child(setup, { selection: '+gold/window', before: { asset: 'gold/window', signal: 'SIGSTOP' } }, [
        'workflow.claimTtlMs=400',
      ]);
      await untilStopped(zombie);
      expect(tree(lake.store.root).filter((path) => path.startsWith('gold/window/'))).toHaveLength(1);
      const taken = await run(lake, { selection: '+gold/window' });
      expect(work(taken.events)).toEqual({ 'gold/window': '5/5' });
      expect(taken.events.filter((e) => e.type === 'waiting')).toEqual([
        {
          type: 'waiting',
          asset: 'gold/window',
          partitions: 5,
          heldBy: expect.stringContaining(`pid ${zombie.process.pid}`),
        },
      ]);
      zombie.process.kill('SIGCONT');
      const lines = await zombie.ended;
      expect(result(lines)).toMatchObject({ type: 'result', outcome: 'succeeded' });
      expect(computed(lines)).toEqual({ 'bronze/days': 5, 'silver/ticks': 5 });
      expect(
        [...lake.state.events({ asset: 'gold/window' })].filter(({ event }) => event.kind === 'materialized'),
      ).toHaveLength(1);
      expect(await problems(lake)).toEqual([]);
    });

    test('case 20: three processes at once: nobody is turned away, and no partition is computed twice', async () => {
      const setup = await real();
      setup.archive.days('A', '2020-01', 20, 31).days('A', '2020-02', 1, 12).days('B', '2020-02', 1, 12, 3);
      const sets = ['processing.batchSize=4'];
      const selection = '+gold/window,+gold/function';
      const all = await Promise.all(
        [child(setup, { selection }, sets), child(setup, { selection }, sets), child(setup, { selection }, sets)].map(
          (one) => one.ended,
        ),
      );
      expect(all.map(result)).toEqual(all.map(() => expect.objectContaining({ type: 'result', outcome: 'succeeded' })));
      const sum: Record<string, number> = {};
      for (const lines of all)
        for (const [asset, n] of Object.entries(computed(lines))) sum[asset] = (sum[asset] ?? 0) + n;
      expect(sum).toEqual({ 'bronze/days': 36, 'silver/ticks': 36, 'gold/window': 36, 'gold/function': 36 });
      const { lake } = setup;
      expect(work((await run(lake, { selection })).events)).toEqual({});
      expect(await problems(lake)).toEqual([]);
    });

    test('case 18: a reader during replacement and compaction sees the old month or the new one, complete', async () => {
      const setup = await real();
      const { lake, archive } = setup;
      const put = (generation: number) => {
        for (let n = 1; n <= 10; n++) archive.put('A', day(n), ticksOf(day(n), 40, 100 * generation + n));
      };
      put(0);
      await run(lake, { selection: '+silver/ticks' });
      const reader = await setup.open();
      const seen: [bigint, bigint][] = [];
      let going = true;
      const read = async () => {
        const engine = await reader.engine();
        while (going) {
          try {
            const { batches } = await engine.query(
              'SELECT count(*), count(DISTINCT date), CAST(sum(price) AS BIGINT) FROM silver.ticks',
              await lakeViews(reader, openFiles(reader)),
              new AbortController().signal,
            );
            for await (const [row] of batches) seen.push([row?.[0] as bigint, row?.[2] as bigint]);
          } catch (error) {
            // The file was replaced and removed between looking it up and opening it: it is looked up again.
            expect(['engine-io', 'file-missing', 'query-broke-off', 'query-invalid']).toContain(
              (error as { code?: string }).code,
            );
          }
        }
      };
      const reading = read();
      const sums = new Set<bigint>();
      const total = async () => {
        const { batches } = await (await lake.engine()).query(
          'SELECT CAST(sum(price) AS BIGINT) FROM silver.ticks',
          await lakeViews(lake, openFiles(lake)),
          new AbortController().signal,
        );
        for await (const [row] of batches) sums.add(row?.[0] as bigint);
      };
      await total();
      for (let generation = 1; generation <= 4; generation++) {
        put(generation);
        const child1 = await run(lake, { selection: '+silver/ticks' });
        expect(child1.outcome).toBe('succeeded');
        await total();
        const pack = { seriesKey: 'symbol=A', values: { symbol: 'A' }, name: '2020-02', times: ranges.EMPTY };
        await rewritePacks(
          lake,
          lake.graph.node('silver/ticks'),
          'compaction',
          [pack],
          lake.now(),
          new AbortController().signal,
        );
      }
      going = false;
      await reading;
      expect(seen.length).toBeGreaterThan(4);
      expect(new Set(seen.map(([rows]) => rows))).toEqual(new Set([400n]));
      expect(seen.filter(([, sum]) => !sums.has(sum))).toEqual([]);
      expect(sums.size).toBe(5);
    });
  },
);
