import { cpSync, existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { run } from './lake.ts';
import { problems, type Tiny, temporaryDirectory, tiny } from './support.ts';

const RAW = { selection: '+bronze/days' };

/** A lake whose log lies elsewhere than its data, with something in it. */
async function apart(): Promise<Tiny & { readonly log: string; readonly marker: string }> {
  const log = join(await temporaryDirectory(), 'log');
  const made = await tiny({ sets: [`state.directory=${log}`] });
  made.archive.days('A', '2020-02', 1, 3);
  await run(made.lake, RAW);
  await made.lake.close();
  return { ...made, log, marker: join(made.directory, '.lakehouse/lake.json') };
}

const other = (message: string) => ({ code: 'other-lake', kind: 'usage', message: expect.stringContaining(message) });

/** As a program that knew nothing of ids left it. */
function forget(log: string): void {
  const db = new DatabaseSync(join(log, 'state.sqlite'));
  db.exec("DELETE FROM meta WHERE key = 'lake.id'");
  db.close();
}

describe('a log and a data directory', () => {
  test('belong together from the first time on', async () => {
    const { lake, directory, open } = await tiny();
    const { id } = JSON.parse(readFileSync(join(directory, '.lakehouse/lake.json'), 'utf8')) as { id: string };
    expect(id).toMatch(/^\w{10,}$/);
    expect(lake.state.meta('id')).toBe(id);
    expect((await open()).state.meta('id')).toBe(id);
    expect(await problems(lake)).toEqual([]);
  });

  test('of two lakes are refused, and nothing is changed', async () => {
    const one = await apart();
    const two = await apart();
    await expect(one.open({ sets: [`state.directory=${two.log}`] })).rejects.toMatchObject(
      other(`The log in ${two.log} is not that of the data in ${one.directory}`),
    );
    expect(await problems(await one.open())).toEqual([]);
    expect(await problems(await two.open())).toEqual([]);
  });

  test('that is new beside data with a log are refused: two lakes would take each other’s files for garbage', async () => {
    const { open, directory, log, marker } = await apart();
    const lost = join(log, '../new');
    await expect(open({ sets: [`state.directory=${lost}`] })).rejects.toMatchObject(
      other(`The data in ${directory} have a log, and it is not in ${lost}`),
    );
    // As the message says, for those who have lost their log.
    rmSync(marker);
    const anew = await open({ sets: [`state.directory=${lost}`] });
    expect((await run(anew, RAW)).counts.computed).toBe(3);
  });

  test('are refused when the data are not there, as where a disk is not mounted', async () => {
    const { open, directory } = await apart();
    renameSync(directory, `${directory}.away`);
    const missing = {
      code: 'data-missing',
      kind: 'usage',
      message: expect.stringContaining(`is in ${directory}, which does not say`),
    };
    await expect(open()).rejects.toMatchObject(missing);
    expect(existsSync(directory)).toBe(false);
    renameSync(`${directory}.away`, directory);
    expect(await problems(await open())).toEqual([]);
  });

  test('of before there were ids get one when opened, if they are the same lake', async () => {
    const one = await apart();
    forget(one.log);
    rmSync(one.marker);
    const lake = await one.open();
    expect(JSON.parse(readFileSync(one.marker, 'utf8'))).toEqual({ id: lake.state.meta('id') });
    await lake.close();

    const two = await apart();
    forget(two.log);
    rmSync(two.marker);
    await expect(one.open({ sets: [`state.directory=${two.log}`] })).rejects.toMatchObject({ code: 'other-lake' });
    rmSync(one.marker);
    await expect(one.open({ sets: [`state.directory=${two.log}`] })).rejects.toMatchObject({ code: 'data-missing' });
    expect(existsSync(one.marker)).toBe(false);
  });

  test('are put right where only one of them has the id: a process died in between, a log was restored', async () => {
    const { open, log, marker } = await apart();
    const { id } = JSON.parse(readFileSync(marker, 'utf8')) as { id: string };
    rmSync(marker);
    await (await open()).close();
    expect(JSON.parse(readFileSync(marker, 'utf8'))).toEqual({ id });
    forget(log);
    expect((await open()).state.meta('id')).toBe(id);
  });

  test('may be copied together', async () => {
    const { directory, archive, lake } = await tiny();
    archive.days('A', '2020-02', 1, 3);
    await run(lake, RAW);
    await lake.close();
    const copy = join(await temporaryDirectory(), 'copy');
    cpSync(directory, copy, { recursive: true });
    const { lake: copied } = await tiny({ directory: copy, archive: archive.directory });
    expect(await problems(copied)).toEqual([]);
  });
});
