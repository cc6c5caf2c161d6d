import { expect, test } from 'vitest';
import { askedWords } from '../../framework/cli/again.ts';
import { place } from './support.ts';

test('runs bear tags, and are found by them', async () => {
  const here = await place();
  const tagged = ['--tag', 'reason=back=fill', '--tag', 'team=a'];
  const { code } = await here.run(['materialize', '-p', 'date=2024-01-01', ...tagged]);
  expect(code).toBe(0);
  await here.run(['materialize', '-p', 'date=2024-01-02']);
  const found = (await here.json(['runs', '--tag', 'team=a'])) as { run: string; tags: unknown }[];
  expect(found.map(({ tags }) => tags)).toEqual([{ reason: 'back=fill', team: 'a' }]);
  expect(await here.json(['runs'])).toHaveLength(2);
  const { out } = await here.run(['runs']);
  expect(out).toMatch(/^RUN .* TAGS +COMMAND/);
  expect(out).toContain('reason=back=fill, team=a  lakehouse materialize');
  expect((await here.run(['runs', 'show', found[0]?.run ?? ''])).out).toContain('  tags: reason=back=fill, team=a\n');
  expect((await here.run(['runs', '--tag', 'team=b'])).out).toBe('No run has the tags team=b.\n');
});

test('without tags the list of runs is as narrow as ever', async () => {
  const here = await place();
  await here.run(['materialize', '-p', 'date=2024-01-01']);
  expect((await here.run(['runs'])).out).not.toContain('TAGS');
});

test('the events of a run say its tags', async () => {
  const here = await place();
  const { out } = await here.run(['materialize', '-p', 'date=2024-01-01', '--tag', 'team=a', '--json']);
  expect(JSON.parse(out.split('\n')[0] ?? '')).toMatchObject({ type: 'run-started', tags: { team: 'a' } });
});

test.each([
  ['team', "--tag 'team': 'team' has no value"],
  ['=a', "--tag '=a': '' is not a letter and then letters, digits, _ . / and -, 63 at most"],
  ['team=a\nb', "'team' has a value of more than a line or 256 characters"],
])('a tag that is none is refused: %j', async (tag, message) => {
  const here = await place();
  const { code, err } = await here.run(['materialize', '--tag', tag]);
  expect([code, err]).toEqual([2, expect.stringContaining(message)]);
  expect(err).toContain('Write --tag key=value, e.g. --tag reason=backfill');
});

test('a command that is suggested has the same tags', () => {
  expect(askedWords('silver/prices', { observe: true, tag: ['team=a', 'reason=b'] })).toEqual([
    'silver/prices',
    '--tag',
    'team=a',
    '--tag',
    'reason=b',
  ]);
});
