import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { unreferenced } from '../../framework/storage/recovery.ts';
import { ticksOf } from './fixture.ts';
import { run } from './lake.ts';
import { startChild } from './processes.ts';
import { packs, problems, tiny, versions } from './support.ts';

/** How many processes are killed; hundreds with CRASH_ROUNDS=300. */
const ROUNDS = Number(process.env.CRASH_ROUNDS ?? 25);
/** Kills between two comparisons with a lake that nothing was interrupted in. */
const KILLS = 9;

const days = ['2020-01-30', '2020-01-31', '2020-02-01', '2020-02-02', '2020-02-03'];

describe('kill -9 at random moments of a run', () => {
  test(
    `${ROUNDS} times: nothing unfinished is seen, the next run completes, and every file is that of a run without interruption`,
    async () => {
      const { lake, archive, directory } = await tiny({ now: Date.now, sets: ['processing.batchSize=3'] });
      const sets = [
        `tiny.directory=${archive.directory}`,
        'workflow.retryAttempts=0',
        'processing.batchSize=3',
        'engine.threads=1',
      ];
      const checked = new Set<string>();
      let killed = 0;
      /** How long a run that is not killed takes from its first event, ms; learned from those that end too early. */
      let span = 600;
      for (let seed = 1; killed < ROUNDS; seed++) {
        for (const symbol of ['A', 'B'])
          for (const date of days)
            if (seed === 1 || Math.random() < 0.5)
              archive.put(symbol, date, ticksOf(date, 3 + (seed % 4), seed * 100 + symbol.charCodeAt(0)));
        for (let kills = 0; kills < KILLS && killed < ROUNDS; kills++) {
          const child = startChild({ directory, sets });
          while (child.lines.length === 0 && child.process.exitCode === null) await sleep(2);
          const started = performance.now();
          await Promise.race([sleep(Math.random() * span), child.ended]);
          child.process.kill('SIGKILL');
          await child.ended;
          if (child.process.signalCode !== 'SIGKILL') {
            span = Math.max(50, (span + performance.now() - started) / 2);
            expect(child.lines.at(-1)).toMatchObject({ type: 'result', outcome: 'succeeded' });
            // Something to do for the next one.
            for (const symbol of ['A', 'B'])
              for (const date of days)
                if (Math.random() < 0.4) archive.put(symbol, date, ticksOf(date, 4, Math.floor(Math.random() * 1e6)));
          } else killed++;
          expect(await problems(lake, 'allowed', checked)).toEqual([]);
        }
        const completed = await run(lake);
        expect(completed.outcome).toBe('succeeded');
        expect((await run(lake)).counts.computed).toBe(0);
        const whole = await tiny({
          now: Date.now,
          archive: archive.directory,
          directory: `${directory}-whole-${seed}`,
        });
        await run(whole.lake);
        expect(versions(lake)).toEqual(versions(whole.lake));
        expect(packs(lake)).toEqual(packs(whole.lake));
      }
      // What the dead have left behind is known to be theirs.
      for await (const { key } of unreferenced(lake.store, '', (path) => lake.state.file(path) !== undefined))
        await lake.store.delete(key);
      await lake.store.sweepStaging(0, Date.now() + 1000);
      expect(await problems(lake)).toEqual([]);
    },
    60_000 + ROUNDS * 4000,
  );
});
