import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { canMount, noTmpfs, withTmpfs } from '../storage/tmpfs.ts';
import { ticksOf } from './fixture.ts';
import { run } from './lake.ts';
import { problems, status, temporaryDirectory, tiny } from './support.ts';

describe.skipIf(!canMount)(`disks${noTmpfs}`, () => {
  test('full during a run: said so, nothing half written, and the next run goes on where there is room again', async () => {
    await withTmpfs('size=24m', async ({ path }) => {
      const archive = join(await temporaryDirectory(), 'archive');
      const { lake, archive: source } = await tiny({ directory: path, archive, sets: ['workflow.retryAttempts=1'] });
      const ballast = join(path, 'ballast');
      source.days('A', '2020-02', 1, 3);
      await run(lake);
      const outcomes: string[] = [];
      for (const [n, room] of [0, 8, 24, 60, 120, 240, 20_000].entries()) {
        for (let d = 1; d <= 3; d++) source.put('A', `2020-02-0${d}`, ticksOf(`2020-02-0${d}`, 50, 10 * n + d));
        const { bavail, bsize } = statfsSync(path);
        writeFileSync(ballast, Buffer.alloc(Math.max(bavail * bsize - room * 1024, 0)));
        const outcome = await run(lake).then(
          (result) => result.outcome,
          (error: unknown) => error,
        );
        rmSync(ballast);
        if (typeof outcome === 'string') outcomes.push(outcome);
        else {
          expect(outcome).toMatchObject({ name: 'LakehouseError', kind: 'transient', code: 'disk-full' });
          outcomes.push('disk-full');
        }
        expect(await problems(lake)).toEqual([]);
        expect((await run(lake)).outcome).toBe('succeeded');
        expect(status(lake, 'gold/window')).toEqual({ fresh: 3 });
        expect((await run(lake)).counts).toMatchObject({ computed: 0, failed: 0 });
      }
      expect(outcomes[0]).toBe('disk-full');
      expect(outcomes.at(-1)).toBe('succeeded');
      await lake.close();
    });
  });

  test('read-only: refused before any work, at opening and at running', async () => {
    await withTmpfs('size=8m', async (disk) => {
      const archive = join(await temporaryDirectory(), 'archive');
      const { lake, archive: source, open } = await tiny({ directory: disk.path, archive });
      source.days('A', '2020-02', 1, 2);
      await run(lake);
      await lake.close();
      disk.remount('ro');
      await expect(open()).rejects.toMatchObject({ kind: 'usage' });
      disk.remount('rw');
    });
    await withTmpfs('size=8m', async (disk) => {
      const root = await temporaryDirectory();
      const { lake, archive: source } = await tiny({
        directory: disk.path,
        archive: join(root, 'archive'),
        sets: [`state.directory=${join(root, 'state')}`, `engine.tempDirectory=${join(root, 'tmp')}`],
      });
      source.days('A', '2020-02', 1, 2);
      disk.remount('ro');
      const { head } = lake.state.refresh();
      await expect(run(lake)).rejects.toMatchObject({ code: 'read-only-directory', kind: 'usage' });
      expect(lake.state.refresh().head).toBe(head);
      disk.remount('rw');
      expect((await run(lake)).outcome).toBe('succeeded');
      await lake.close();
    });
  });
});
