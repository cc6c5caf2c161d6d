import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { place } from '../cli/support.ts';
import { kindsLake, NOON } from './kinds.ts';

const ASSETS = ['gold/months_2', 'gold/single', 'silver/hours', 'silver/kinds'];

test('lakehouse catalogue says what is there and whether it is what the log says; sync puts it right', async () => {
  const here = await place();
  here.now = NOON;
  const options = { definition: kindsLake() };
  expect((await here.run(['catalogue'], options)).out).toMatch(
    /^There is no catalogue yet\. The next run writes .*\/data\/_catalog\.json, and so does:\n {2}lakehouse catalogue sync\n$/,
  );
  await here.run(['materialize', '-q'], options);
  const shown = (await here.run(['catalogue'], options)).out.split('\n');
  expect(shown[0]).toMatch(/\/data\/_catalog\.json {2}revision \d+, 2020-02-03T12:00:/);
  expect(shown.slice(1)).toEqual([
    '',
    expect.stringMatching(/^ASSET +FILES +PARTITIONS +ROWS +SIZE +FIRST +LAST/),
    expect.stringMatching(/^gold\/months_2 +3 +3 +3 .* 2020-01 +2020-01/),
    expect.stringMatching(/^gold\/single +1 +1 +1 .* - +-/),
    expect.stringMatching(/^silver\/hours +4 +4 +4 .* 2020-02-03T08 +2020-02-03T11/),
    expect.stringMatching(/^silver\/kinds +9 +12 +36 .* 2020-01-30 +2020-02-02/),
    '',
    'It is up to date.',
    '',
  ]);

  const path = join(here.cwd, 'data/_catalog.json');
  const root = JSON.parse(await readFile(path, 'utf8'));
  delete root.assets['gold/single'];
  await writeFile(path, JSON.stringify(root));
  expect((await here.run(['catalogue'], options)).out).toContain(
    '1 asset of it is behind the log: gold/single. The next run writes them, and so does:\n  lakehouse catalogue sync\n',
  );
  expect(await here.json(['catalogue'], options)).toMatchObject({ enabled: true, path, behind: ['gold/single'] });
  expect(await here.json(['catalogue', 'sync', '--dry-run'], options)).toEqual({
    dryRun: true,
    written: ASSETS,
    glue: [],
    warnings: [],
  });
  expect(JSON.parse(await readFile(path, 'utf8'))).toEqual(root);
  expect((await here.run(['catalogue', 'sync'], options)).out).toBe(
    'Wrote the catalogue of 4 assets: gold/months_2, gold/single, silver/hours, silver/kinds.\n',
  );
  expect(await here.json(['catalogue'], options)).toMatchObject({ behind: [] });
  // Nothing of it is garbage.
  const kept = await here.json(['gc', '--yes', '--grace', '0s'], options);
  expect(kept).toMatchObject({ unknown: 0, superseded: 0 });
  expect(await here.json(['catalogue'], options)).toMatchObject({ behind: [] });
  expect((await here.run(['verify', '--deep'], options)).code).toBe(0);
});

test('wipe writes it as well; where it is switched off there is none', async () => {
  const here = await place();
  here.now = NOON;
  const options = { definition: kindsLake() };
  await here.run(['materialize', '-q'], options);
  await here.run(['wipe', '--yes', 'silver/kinds', '-p', 'name=plain'], options);
  expect(await here.json(['catalogue'], options)).toMatchObject({
    behind: [],
    catalogue: { assets: { 'silver/kinds': { statistics: { series: 2, rows: 24 } } } },
  });
  const off = ['--set', 'catalogue.enabled=false'];
  expect(await here.run(['catalogue', ...off], options)).toMatchObject({
    code: 0,
    out: 'No catalogue is kept: catalogue.enabled is false.\n',
  });
  expect(await here.run(['catalogue', 'sync', ...off], options)).toMatchObject({
    code: 2,
    err: expect.stringContaining('No catalogue is kept: catalogue.enabled is false'),
  });
  expect(await here.run(['status', '--set', 'catalogue.glue.enabled=true'], options)).toMatchObject({
    code: 2,
    err: expect.stringContaining('Only a lake on S3 can be registered in Glue'),
  });
});
