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
    'check',
    'daemon',
    'schedules',
    'alerts',
    'ui',
    'status',
    'explain',
    'automation',
    'assets',
    'show',
    'lineage',
    'query',
    'shell',
    'export',
    'runs',
    'config',
    'verify',
    'gc',
    'wipe',
    'catalogue',
    'init',
    'new',
    'completion',
    'help',
  ]);
  expect(await complete(here, 'm')).toEqual(['materialize']);
  expect(await complete(here, 'runs', '')).toEqual(['show']);
  expect(await complete(here, 'export', '')).toEqual(['duckdb', 'dbt']);
  expect(await complete(here, 'new', '')).toEqual(['asset']);
  expect(await complete(here, 'init', '--template', '')).toEqual(['minimal', 'crypto']);
  expect(await complete(here, 'shell', '--format', 'p')).toEqual(['parquet']);
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
  expect(await complete(here, 'query', '--format=c')).toEqual(['--format=csv']);
  expect(await complete(here, 'help', 'ru')).toEqual(['runs']);
  expect(await complete(here, 'help', 'runs', '')).toEqual(['show']);
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

const has = (shell: string) => spawnSync(shell, ['--version']).error === undefined;

/** A place with a `lakehouse` that knows the answers to the cases below, and notes what it was asked. */
async function answering(): Promise<{ cwd: string; env: NodeJS.ProcessEnv; asked: () => string[] }> {
  const { cwd } = await place();
  await writeFile(join(cwd, 'notes.txt'), '');
  const program = String.raw`#!/bin/sh
{ printf '<%s>' "$@"; echo; } >> asked
for last; do :; done
case "$last" in
  pla*) printf 'plan\tshow what is stale: why, and at what cost\n' ;;
  +gold/d*) printf '+gold/days\tOne row per day.\n' ;;
  date=2024,sym*) printf 'date=2024,symbol=\n' ;;
  'symbol=AAA|B'*) printf 'symbol=AAA|BBB\n' ;;
  --set=deb*) printf '%s\tShow stack traces: yes or no.\n' --set=debug= ;;
  not*) printf ':files\n' ;;
esac
`;
  await writeFile(join(cwd, 'lakehouse'), program, { mode: 0o755 });
  const env = { PATH: `${cwd}:${process.env.PATH}`, HOME: cwd, TERM: 'dumb', LC_ALL: 'C.UTF-8' };
  return { cwd, env, asked: () => readFileSync(join(cwd, 'asked'), 'utf8').trim().split('\n') };
}

/** A command line, and what the Tab key makes of it. */
const TAB = [
  ['lakehouse pla', 'lakehouse plan '],
  ['lakehouse plan +gold/d', 'lakehouse plan +gold/days '],
  ["lakehouse plan '+gold/d", "lakehouse plan '+gold/days' "],
  ["lakehouse plan '+gold/*' -p date=2024,sym", "lakehouse plan '+gold/*' -p date=2024,symbol="],
  ['lakehouse plan -p "symbol=AAA|B', 'lakehouse plan -p "symbol=AAA|BBB" '],
  ['lakehouse plan --set=deb', 'lakehouse plan --set=debug='],
  ['lakehouse query --file not', 'lakehouse query --file notes.txt '],
  ['lakehouse nothing', 'lakehouse nothing'],
] as const;

/** Presses Tab in an interactive shell. Zsh can give a program a terminal. */
async function press(shell: 'bash' | 'zsh', script: string): Promise<{ lines: string[]; asked: string[] }> {
  const { cwd, env, asked } = await answering();
  await writeFile(join(cwd, '_lakehouse'), script);
  const setup = {
    // Its history would be written when the terminal is gone, into a directory that is being removed.
    bash: `unset HISTFILE; source ./_lakehouse; bind 'set bell-style none'; bind 'set enable-bracketed-paste off'; report() { echo "LINE<$READLINE_LINE>END"; READLINE_LINE=; }; bind -x '"\\C-x": report'; echo READY''!`,
    zsh: `fpath=($PWD $fpath); autoload -Uz compinit; compinit -u -D; report() { print -r -- "LINE<$BUFFER>END"; BUFFER=; }; zle -N report; bindkey '^X' report; bindkey '^I' complete-word; print READY''!`,
  };
  const driver = `zmodload zsh/zpty || exit 3
zpty shell "${shell === 'bash' ? 'bash --norc --noprofile -i' : 'zsh -f -i'}"
zpty -w shell "$SETUP"
zpty -r shell said '*READY!*'
for line in "$@"; do
  zpty -w -n shell "$line"$'\\t\\C-X'
  zpty -r shell said '*END*'
  print -r -- "$said"
done`;
  const { stdout, stderr, status } = spawnSync('zsh', ['-f', '-c', driver, 'driver', ...TAB.map(([line]) => line)], {
    cwd,
    env: { ...env, SETUP: setup[shell] },
    encoding: 'utf8',
    timeout: 60_000,
  });
  if (status !== 0) throw new Error(`zsh ended with ${status}: ${stdout}${stderr}`);
  return { lines: [...stdout.matchAll(/LINE<(.*)>END/g)].map(([, line = '']) => line), asked: asked() };
}

const ASKED = [
  '<__complete><pla>',
  '<__complete><plan><+gold/d>',
  '<__complete><plan><+gold/d>',
  '<__complete><plan><+gold/*><-p><date=2024,sym>',
  '<__complete><plan><-p><symbol=AAA|B>',
  '<__complete><plan><--set=deb>',
  '<__complete><query><--file><not>',
  '<__complete><nothing>',
];

describe('scripts', () => {
  const scriptOf = async (shell: string) => {
    const { code, out } = await (await place()).run(['completion', shell]);
    expect(code).toBe(0);
    return out;
  };

  test.each(['bash', 'zsh', 'fish'])('there is one for %s', async (shell) => {
    expect(await scriptOf(shell)).toContain('lakehouse __complete');
  });

  test.skipIf(!has('zsh'))('zsh completes at its prompt (needs zsh)', { timeout: 90_000 }, async () => {
    const { lines, asked } = await press('zsh', await scriptOf('zsh'));
    expect(lines).toEqual(TAB.map(([, after]) => after));
    // A shell may ask more than once.
    expect([...new Set(asked)]).toEqual([...new Set(ASKED)]);
  });

  test.skipIf(!has('zsh'))(
    'bash completes at its prompt (needs zsh, for a terminal)',
    { timeout: 90_000 },
    async () => {
      const { lines, asked } = await press('bash', await scriptOf('bash'));
      expect(lines).toEqual(TAB.map(([, after]) => after));
      expect(asked).toEqual(ASKED);
    },
  );

  test.skipIf(!has('fish'))('fish completes (needs fish)', { timeout: 90_000 }, async () => {
    const { cwd, env } = await answering();
    await writeFile(join(cwd, 'script.fish'), await scriptOf('fish'));
    const ask = 'source script.fish; for line in $argv; echo "= "(complete -C $line); end';
    const { stdout, stderr } = spawnSync('fish', ['--no-config', '-c', ask, ...TAB.map(([line]) => line)], {
      cwd,
      env,
      encoding: 'utf8',
    });
    expect({ lines: stdout.trimEnd().split('\n'), stderr }).toEqual({
      lines: [
        '= plan\tshow what is stale: why, and at what cost',
        '= +gold/days\tOne row per day.',
        '= +gold/days\tOne row per day.',
        '= date=2024,symbol=',
        '= symbol=AAA|BBB',
        '= --set=debug=\tShow stack traces: yes or no.',
        '= notes.txt',
      ],
      stderr: '',
    });
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
