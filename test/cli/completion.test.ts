import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Place, place } from './support.ts';

const complete = async (here: Place, ...words: string[]) => {
  const { code, out, err } = await here.run(['__complete', ...words]);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t')[0]);
};

test('commands, subcommands and options', async () => {
  const here = await place();
  expect(await complete(here, '')).toEqual([
    'plan',
    'materialize',
    'observe',
    'status',
    'explain',
    'assets',
    'show',
    'lineage',
    'query',
    'runs',
    'config',
    'verify',
    'gc',
    'wipe',
    'completion',
  ]);
  expect(await complete(here, 'm')).toEqual(['materialize']);
  expect(await complete(here, 'runs', '')).toEqual(['show']);
  expect(await complete(here, 'gc', '--')).toEqual([
    '--dry-run',
    '--excluded',
    '--yes',
    '--grace',
    '--config',
    '--profile',
    '--set',
    '--json',
    '--quiet',
    '--debug',
    '--no-color',
  ]);
  expect(await complete(here, 'lineage', '--format', '')).toEqual(['tree', 'mermaid', 'dot', 'json']);
  expect(await complete(here, 'query', '-f', 'c')).toEqual(['csv']);
  expect(await complete(here, 'completion', '')).toEqual(['bash', 'zsh', 'fish']);
  expect(await complete(here, 'query', '--file', 'x')).toEqual([':files']);
  expect((await here.run(['__complete', 'pl'])).out).toBe(
    'plan\tshow what is stale, why, and what computing it would cost\n',
  );
});

test('assets, with what stands before the name', async () => {
  const here = await place();
  expect(await complete(here, 'show', '')).toEqual([
    'files/days',
    'raw/days',
    'silver/prices',
    'gold/days',
    'gold/months',
  ]);
  expect(await complete(here, 'plan', '+gold/')).toEqual(['+gold/days', '+gold/months']);
  expect(await complete(here, '--json', 'lineage', '2+s')).toEqual(['2+silver/prices']);
  expect(await complete(here, 'materialize', '--accept-code', 'raw')).toEqual(['raw/days']);
});

test('partitions, settings, profiles and runs', async () => {
  const here = await place();
  await here.run(['observe']);
  expect(await complete(here, 'plan', 'raw/days', '-p', '')).toEqual(['date=', 'symbol=']);
  expect(await complete(here, 'plan', 'raw/days', '-p', 'date=2024-01,sym')).toEqual(['date=2024-01,symbol=']);
  expect(await complete(here, 'plan', '-p', 'symbol=AAA|B')).toEqual(['symbol=AAA|BBB']);
  expect(await complete(here, 'explain', 'gold/months', 'symbol=BBB/')).toEqual([
    'symbol=BBB/month=',
    'symbol=BBB/symbol=',
  ]);
  expect(await complete(here, 'plan', '--set', 'engine.')).toEqual([
    'engine.memoryLimit=',
    'engine.threads=',
    'engine.tempDirectory=',
  ]);
  expect(await complete(here, 'runs', 'show', 'l')).toEqual(['last']);
  expect(await complete(here, 'runs', 'show', '1')).toHaveLength(1);
});

test('offers nothing where nothing can be known, and never an error', async () => {
  const here = await place();
  expect(await complete(here, 'show', 'raw/days', '')).toEqual([]);
  expect(await complete(here, 'nonsense', '')).toEqual([]);
  await writeFile(join(here.cwd, 'lakehouse.yaml'), 'a: [');
  expect(await complete(here, 'show', '')).toEqual([]);
});

describe('scripts', () => {
  test.each(['bash', 'zsh', 'fish'])('%s is there, and parses where the shell is', async (shell) => {
    const here = await place();
    const { code, out } = await here.run(['completion', shell]);
    expect(code).toBe(0);
    expect(out).toContain('lakehouse __complete');
    const parsed = spawnSync(shell, ['-n'], { input: out, encoding: 'utf8' });
    if (parsed.error === undefined)
      expect({ status: parsed.status, err: parsed.stderr }).toEqual({ status: 0, err: '' });
  });

  test('bash completes words with = and + in them', async () => {
    const here = await place();
    const { out } = await here.run(['completion', 'bash']);
    const script = (line: string) => `
lakehouse() { printf '<%s>' "$@" > "$ASKED"; printf '%s\\tnote\\n' "\${ANSWERS[@]}"; }
${out}
COMP_LINE=${JSON.stringify(line)} COMP_POINT=\${#COMP_LINE}
ANSWERS=(date=2024,symbol=AAA date=2024,symbol=ABB)
compopt() { printf 'compopt %s\\n' "$*"; }
_lakehouse 2>/dev/null
printf '%s\\n' "\${COMPREPLY[@]}"`;
    const asked = join(here.cwd, 'asked');
    const bash = (line: string) =>
      spawnSync('bash', ['-c', script(line)], { encoding: 'utf8', env: { ...process.env, ASKED: asked } }).stdout;
    expect(bash('lakehouse plan +raw/days -p date=2024,symbol=A')).toBe('AAA\nABB\n');
    expect(readFileSync(asked, 'utf8')).toBe('<__complete><plan><+raw/days><-p><date=2024,symbol=A>');
    bash('lakehouse show ');
    expect(readFileSync(asked, 'utf8')).toBe('<__complete><show><>');
  });
});
