import { appendFile, copyFile, readdir, rename, rm, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Asset, asset, bytes, defineLakehouse } from 'crypto-lakehouse';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openState } from '../../framework/state/sqlite.ts';
import { type Place, place } from './support.ts';

const HOURS = 3_600_000;

async function files(here: Place, folder = ''): Promise<string[]> {
  const names = await readdir(join(here.cwd, 'data', folder), { recursive: true }).catch(() => []);
  return names.filter((name) => /\.(csv|parquet)$/.test(name)).sort();
}

/** The tiny lake with some of its assets only. */
function only(here: Place, wanted: (key: string) => boolean, more: readonly Asset[] = []) {
  return { definition: defineLakehouse({ assets: [...here.tiny().assets.filter(({ key }) => wanted(key)), ...more] }) };
}

const noGold = (here: Place) => only(here, (key) => !key.startsWith('gold/'));

/** A lake with everything computed, of which gold is no longer defined. */
async function withoutGold() {
  const here = await place();
  here.now = Date.now();
  await here.run(['materialize', '-q', '+gold/days']);
  here.now += 2 * HOURS;
  return { here, defined: noGold(here) };
}

const GOLD = /\n2 files, .*B, of assets that are not defined \(any more\): gold\/days\./;

describe('assets that are no longer defined', () => {
  test('are named by gc and verify, and left alone by them and by runs', async () => {
    const { here, defined } = await withoutGold();
    const before = await files(here);
    const shown = await here.run(['gc'], defined);
    expect(shown.out).toMatch(
      /^There are no files to remove\. .*\n2 files, .* of assets that are not defined \(any more\): gold\/days\. They stay until they are wiped:\n {2}lakehouse wipe gold\/days\n$/,
    );
    expect(await here.json(['gc', '--yes', '--excluded', '--grace', '0s'], defined)).toMatchObject({
      superseded: 0,
      unknown: 0,
      notDefined: [{ asset: 'gold/days', partitions: 6, files: 2, bytes: expect.any(Number) }],
    });
    const sound = await here.run(['verify', '-q', '--deep'], defined);
    expect(sound.out).toMatch(GOLD);
    expect(sound).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^Sound: 8 current files, .*, 12 partitions\.\n/),
    });
    expect((await here.run(['materialize', '-q'], defined)).code).toBe(0);
    expect(await files(here)).toEqual(before);
    // It was only away.
    expect((await here.run(['plan', 'gold/days', '--no-observe', '-p', 'date=..2024-01-03'])).out).toBe(
      'Nothing is stale: 6 partitions fresh.\n',
    );
  });

  test('are read by verify as well', async () => {
    const { here, defined } = await withoutGold();
    const [file = ''] = await files(here, 'gold/days');
    await unlink(join(here.cwd, 'data/gold/days', file));
    expect(await here.run(['verify', '-q'], defined)).toMatchObject({
      code: 1,
      out: expect.stringContaining(`✗ gold/days/${file} is missing\n1 problem in 8 current files`),
    });
  });

  test('are wiped by name, when the name is typed once more', async () => {
    const { here, defined } = await withoutGold();
    const others = (await files(here)).filter((name) => !name.startsWith('gold/'));
    const shown =
      /^gold\/days {2}6 partitions in 2 files, .*B, to take out of the lake for good:\n {2}assets\/index\.ts does not define it, so nothing computes it again\.\n/;
    const nobody = await here.run(['wipe', 'gold/days'], defined);
    expect(nobody).toMatchObject({ code: 2, out: expect.stringMatching(shown) });
    expect(nobody.err).toContain('wipe gold/days: nobody is there to ask');
    const no = await here.run(['wipe', 'gold/days'], { ...defined, keyboard: true, stdin: 'y\n' });
    expect(no).toMatchObject({
      code: 0,
      out: expect.stringMatching(/\nNothing was changed\.\n$/),
      err: 'Type gold/days to take it out: ',
    });
    expect(await here.json(['gc'], defined)).toMatchObject({ notDefined: [{ asset: 'gold/days' }] });
    const yes = await here.run(['wipe', 'gold/days'], { ...defined, keyboard: true, stdin: 'gold/days\n' });
    expect(yes).toMatchObject({
      code: 0,
      out: expect.stringMatching(
        /\n6 partitions left the lake for good; the files go with the next run or with gc\.\n$/,
      ),
    });
    expect(await here.json(['runs', '--limit', '1'], defined)).toMatchObject([
      { selection: 'gold/days', outcome: 'succeeded', counts: { departed: 6 } },
    ]);

    // A crash may come here: what is superseded is removed by whoever tidies up next.
    expect((await files(here)).filter((name) => name.startsWith('gold/'))).toHaveLength(2);
    here.now += 2 * HOURS;
    expect(await here.json(['gc', '--yes'], defined)).toMatchObject({ superseded: 2, unknown: 0, notDefined: [] });
    expect(await files(here)).toEqual(others);
    expect(await here.run(['verify', '-q', '--deep'], defined)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^Sound: 8 current files, .*\n$/),
    });
    expect((await here.run(['wipe', 'gold/days', '--yes'], defined)).err).toContain("No asset is named 'gold/days'\n");

    // Defined again, it is made again.
    expect((await here.run(['materialize', '-q', 'gold/days'])).code).toBe(0);
    expect(await files(here, 'gold/days')).toHaveLength(2);
  });

  test('go with their excluded files', async () => {
    const { here, defined } = await withoutGold();
    const { definition } = only(here, () => true);
    const narrow = { definition: { ...definition, filters: () => ({ symbol: ['AAA'] }) } };
    expect((await here.run(['materialize', '-q', '+gold/days'], narrow)).code).toBe(0);
    expect(await files(here, 'gold/days')).toHaveLength(2);
    here.now += 2 * HOURS;
    const excluded = await here.run(['gc'], narrow);
    expect(excluded.out).toMatch(/5 files, .*, of partitions that the settings do not want are kept: --excluded\.\n$/);
    expect(await here.json(['wipe', 'gold/days', '--yes'], defined)).toEqual({ asset: 'gold/days', wiped: 3 });
    expect((await here.run(['materialize', '-q'], narrow)).code).toBe(0);
    here.now += 2 * HOURS;
    expect(await here.json(['gc', '--yes', '--excluded'], narrow)).toMatchObject({ superseded: 4 });
    expect(await here.run(['verify', '-q'], narrow)).toMatchObject({ code: 0 });
  });

  test('are wiped whole or not at all', async () => {
    const { here, defined } = await withoutGold();
    expect(await here.run(['wipe', 'gold/days', '--yes', '-p', 'symbol=AAA'], defined)).toMatchObject({
      code: 2,
      err: 'lakehouse: gold/days is not defined in assets/index.ts, so it can only be wiped whole\n  Leave --partitions out.\n',
    });
    expect((await here.run(['wipe', 'gold/day', '--yes'], defined)).err).toBe(
      "lakehouse: No asset is named 'gold/day'\n  Did you mean 'gold/days'?\n",
    );
  });

  test('are not what is missing from the definitions of another lake', async () => {
    const { here } = await withoutGold();
    const before = await files(here);
    await writeFile(join(here.cwd, 'lakehouse.yaml'), 'profiles:\n  oops: {}\n');
    const foreign = only(here, () => false, [
      asset('other/thing', {
        partitions: {},
        inputs: {},
        format: bytes({ extension: '.txt' }),
        compute: async () => Buffer.from('x'),
      }) as unknown as Asset,
    ]);
    expect((await here.run(['gc'], foreign)).out).toContain(
      '\n  No asset in this lake is defined: these are probably the definitions of another one.\n',
    );
    const { code, err } = await here.run(['wipe', 'silver/prices', '--yes', '--profile', 'oops'], foreign);
    expect({ code, err: err.split('\n')[0] }).toEqual({
      code: 2,
      err: 'lakehouse: No asset that has content in this lake is defined in assets/index.ts (profile oops)',
    });
    expect(await files(here)).toEqual(before);
  });
});

describe('verify --deep after DuckDB has come to hash otherwise', () => {
  /** Commits the first file of gold once more, as if the log had been written with other versions. */
  async function rehash(here: Place, alter: (version: Uint8Array, rows: Uint32Array) => void): Promise<string> {
    const state = openState(join(here.cwd, 'data/.lakehouse/state.sqlite'), { now: () => here.now });
    onTestFinished(() => state.close());
    const [file] = state.files('gold/days');
    const series = state
      .index()
      .asset('gold/days')
      ?.series.get(file?.series ?? '');
    const details = state.details('gold/days', file?.series ?? '');
    if (!file || !series || !details) throw new Error('there is no gold');
    const times = Int32Array.from({ length: series.length }, (_, i) => series.base + i).filter(
      (time) => details.file[time - details.base] === file.id,
    );
    const version = Uint8Array.from(
      [...times].flatMap((t) => [...details.version.slice(16 * (t - details.base), 16 * (t - details.base) + 16)]),
    );
    const rows = Uint32Array.from(times, (time) => details.rows[time - details.base] ?? 0);
    alter(version, rows);
    const path = file.path.replace('.parquet', '.again.parquet');
    await copyFile(join(here.cwd, 'data', file.path), join(here.cwd, 'data', path));
    const { values } = series;
    const bytes = new Float64Array(times.length);
    state.append({
      kind: 'materialized',
      asset: 'gold/days',
      run: 'r',
      code: 'c',
      verified: 0,
      supersedes: [file.path],
      files: [{ path, bytes: file.bytes, ...(file.sha256 !== undefined && { sha256: file.sha256 }) }],
      outcomes: [{ series: file.series, values, times, version, rows, bytes, file: new Int32Array(times.length) }],
    });
    return path;
  }
  const otherwise = (version: Uint8Array) => {
    for (let at = 0; at < version.length; at += 16) version.fill(7, at + 4, at + 16);
  };

  test('says so, and counts the rows', async () => {
    const { here } = await withoutGold();
    const path = await rehash(here, otherwise);
    const { code, out } = await here.run(['verify', '-q', '--deep']);
    expect({ code, lines: out.split('\n').slice(0, 2) }).toEqual({
      code: 0,
      lines: [
        expect.stringMatching(/^Sound: 10 current files, .*, 18 partitions\.$/),
        '1 file hashed by another DuckDB: not comparable, only the rows were checked. What is computed again is hashed by this one.',
      ],
    });
    expect(await here.json(['verify', '--deep'])).toMatchObject({ problems: [], notComparable: [path] });
    // Computed again, it is comparable.
    expect((await here.run(['materialize', '-q', '--force', 'gold/days'])).code).toBe(0);
    expect(await here.json(['verify', '--deep'])).toMatchObject({ problems: [], notComparable: [] });
  });

  test('still finds rows that are lost', async () => {
    const { here } = await withoutGold();
    const path = await rehash(here, (version, rows) => {
      otherwise(version);
      rows[0] = 2;
    });
    expect(await here.json(['verify', '--deep'])).toMatchObject({
      problems: [{ file: path, message: 'has 1 row, the log says 2' }],
      notComparable: [path],
    });
  });

  test('what is hashed as now, and differs, is damaged', async () => {
    const { here } = await withoutGold();
    const path = await rehash(here, (version) => version.fill(7, 8, 16));
    expect(await here.json(['verify', '--deep'])).toMatchObject({
      problems: [{ file: path, message: expect.stringMatching(/^has data version [0-9a-f]{32}, the log says/) }],
      notComparable: [],
    });
  });
});

test('a data directory that is not mounted is not taken for a lake that has lost everything', async () => {
  const here = await place();
  const apart = ['--set', `state.directory=${join(here.cwd, 'log')}`];
  expect((await here.run(['materialize', '-q', '+gold/days', ...apart])).code).toBe(0);
  await rename(join(here.cwd, 'data'), join(here.cwd, 'away'));
  for (const words of [['status'], ['verify'], ['gc', '--yes'], ['materialize']]) {
    const { code, err } = await here.run([...words, ...apart]);
    expect({ code, err: err.split('\n')[0] }).toEqual({
      code: 2,
      err: `lakehouse: None of the files that the log in ${join(here.cwd, 'log')} knows is in ${join(here.cwd, 'data')}, which does not say that it is their lake`,
    });
  }
  expect(await readdir(here.cwd)).not.toContain('data');
  await rename(join(here.cwd, 'away'), join(here.cwd, 'data'));
  expect((await here.run(['verify', '-q', ...apart])).code).toBe(0);
});

test('a run that finds nobody at the other end leaves nothing unfinished behind', async () => {
  const here = await place();
  const { definition } = only(here, () => true);
  const down = {
    ...definition,
    resources: () => {
      throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    },
  };
  expect((await here.run(['materialize', '-q'], { definition: down })).code).toBe(1);
  expect(await readdir(join(here.cwd, 'data'))).toEqual(['.lakehouse']);
});

describe('without definitions', () => {
  const broken = { io: { importModule: async () => Promise.reject(new TypeError('oops')) } };

  test('verify and gc do what they can, and say so', async () => {
    const { here } = await withoutGold();
    const [file = ''] = await files(here, 'silver/prices');
    const stray = join(here.cwd, 'data/silver/prices', `${file}.stray.parquet`);
    await appendFile(stray, 'x');
    await utimes(stray, 0, 0);
    here.now = Date.now() + 2 * HOURS;
    const before = await files(here);
    for (const why of ['assets/index.ts cannot be loaded: TypeError: oops', 'There is no definitions module']) {
      const said = `warning: ${why}`;
      const options = why.startsWith('There') ? {} : broken;
      if (why.startsWith('There')) await rm(join(here.cwd, 'assets'), { recursive: true });
      const sound = await here.run(['verify'], options);
      expect(sound).toMatchObject({
        code: 0,
        out: expect.stringMatching(/^Sound: 10 current files, .*\n0 superseded and 1 unknown/),
      });
      expect(sound.err).toContain(said);
      expect(sound.err).toContain('Files and log are looked at without the definitions.\n');
      expect(await here.json(['gc'], options)).toMatchObject({ unknown: 1, notDefined: [] });
    }
    expect((await here.run(['gc', '--yes'])).out).toContain('Removed 0 superseded and 1 unknown files');
    expect(await files(here)).toEqual(before.filter((name) => !stray.endsWith(name)));
  });

  test('nothing is wiped, and nothing hashed', async () => {
    const { here } = await withoutGold();
    for (const words of [
      ['wipe', 'gold/days', '--yes'],
      ['verify', '--deep'],
    ]) {
      const { code, err } = await here.run(words, broken);
      expect({ code, err: err.split('\n')[0] }).toEqual({
        code: 2,
        err: 'lakehouse: assets/index.ts cannot be loaded: TypeError: oops',
      });
    }
    expect((await stat(join(here.cwd, 'data/gold'))).isDirectory()).toBe(true);
  });
});
