import { appendFile, readdir, readFile, rm, stat, truncate, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { listenToInterrupts } from '../../framework/cli/interrupts.ts';
import type { Io } from '../../framework/cli/io.ts';
import type { RunEvent } from '../../framework/materialize/events.ts';
import { type Place, place } from './support.ts';

/** Times and ids differ from run to run. */
function steady(text: string): string {
  return text
    .replace(/\b\d+(\.\d+)? (ms|s)\b/g, '… ms')
    .replace(/\b1h[0-9a-z]{15}\b/g, '<id>')
    .replace(/\b[0-9a-f]{32}\b/g, '<version>')
    .replace(/\d+(\.\d+)? (kB|B)\b/g, '… B');
}

const day = (n: number, more: string[] = []) => ['-p', `date=2024-01-0${n}`, ...more];

async function filesOf(here: Place, asset: string): Promise<string[]> {
  const root = join(here.cwd, 'data', asset);
  const names = await readdir(root, { recursive: true }).catch(() => []);
  return names
    .filter((name) => /\.\w+$/.test(name))
    .map((name) => join(root, name))
    .sort();
}

describe('materialize', () => {
  test('computes what is missing, says so, and then nothing', async () => {
    const here = await place();
    const first = await here.run(['materialize']);
    expect(first.code).toBe(0);
    expect(steady(first.out)).toMatchInlineSnapshot(`
      "Done: 18 partitions computed, 14 cannot be computed now; 18 rows, … B, in … ms. Run <id>.

      Cannot be computed now:
        raw/days       4 awaiting
        silver/prices  4 awaiting
        gold/days      4 awaiting
        gold/months    2 awaiting
        awaiting: not published yet

      Next:
        lakehouse status
        lakehouse query 'SELECT * FROM gold.days LIMIT 10'
        lakehouse lineage gold/days
      "
    `);
    expect(steady(first.err)).toMatchInlineSnapshot(`
      "files/days: 6 partitions seen, 6 new or changed (… ms)
      18 partitions to compute, in 3 batches
      raw/days: computing 6 partitions (6 missing)
      ✓ raw/days: 6 computed (… ms)
      silver/prices: computing 6 partitions (6 missing)
      ✓ silver/prices: 6 computed (… ms)
      gold/days: computing 6 partitions (6 missing)
      ✓ gold/days: 6 computed (… ms)
      "
    `);
    const second = await here.run(['materialize']);
    expect(second.code).toBe(0);
    expect(steady(second.out)).toMatchInlineSnapshot(`
      "Nothing to do: what can be computed is up to date (… ms).

      Cannot be computed now:
        raw/days       4 awaiting
        silver/prices  4 awaiting
        gold/days      4 awaiting
        gold/months    2 awaiting
        awaiting: not published yet
      "
    `);
    expect((await here.run(['materialize', '--quiet'])).out).toBe('');
    expect((await here.run(['plan', '--no-observe', '+gold/days', ...day(1)])).out).toBe(
      'Nothing is stale: 6 partitions fresh.\n',
    );
    expect((await here.run(['status', ...day(2)])).out).toMatchInlineSnapshot(`
      "ASSET          FRESH  STALE  MISSING  AWAITING  FAILED  LAST COMPUTED
      files/days         2      -        -         -       -  observed 2024-02-02 12:00:00 UTC
      raw/days           2      -        -         -       -  2024-02-02 12:00:00 UTC
      silver/prices      2      -        -         -       -  2024-02-02 12:00:00 UTC
      gold/days          2      -        -         -       -  2024-02-02 12:00:00 UTC
      gold/months        -      -        -         2       -  never
      "
    `);
  });

  test('exits with 1 for partitions that cannot be computed yet, if they are required', async () => {
    const here = await place();
    expect((await here.run(['materialize', '-q', '+gold/days', ...day(1), '--require-complete'])).code).toBe(0);
    expect(
      (await here.run(['materialize', '-q', '+gold/days', '-p', 'date=2024-01-31', '--require-complete'])).code,
    ).toBe(1);
  });

  test('prints one event per line as JSON', async () => {
    const here = await place();
    const { code, out, err } = await here.run(['materialize', '+raw/days', ...day(1), '--json']);
    const events = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as RunEvent);
    expect({ code, err, types: events.map(({ type }) => type) }).toEqual({
      code: 0,
      err: '',
      types: [
        'run-started',
        'observing',
        'observed',
        'planned',
        'asset-started',
        'batch-finished',
        'asset-finished',
        'run-finished',
      ],
    });
    expect(events.at(-1)).toMatchObject({ outcome: 'succeeded', counts: { computed: 2, changed: 2, failed: 0 } });
  });

  test('--dry-run is plan', async () => {
    const here = await place();
    expect((await here.run(['materialize', '--dry-run'])).out).toBe((await here.run(['plan'])).out);
    expect((await here.run(['runs'])).out).toBe('There was no run yet.\n');
  });

  test('reports failures once per kind, goes on elsewhere, and exits with 1', async () => {
    const here = await place();
    for (const n of [1, 2, 3]) await here.write('AAA', `2024-01-0${n}`, `0,${n}\n1,oops\n`);
    const { code, out, err } = await here.run(['materialize', '+gold/days']);
    expect(code).toBe(1);
    expect(steady(out)).toMatchInlineSnapshot(`
      "Failed: 12 partitions computed, 3 failed, 15 cannot be computed now; 9 rows, … B, in … ms. Run <id>.

      Cannot be computed now:
        raw/days       4 awaiting
        silver/prices  4 awaiting
        gold/days      3 blocked, 4 awaiting
        awaiting: not published yet
        blocked: what they read failed, or its checks did

      Failed:
        silver/prices  3 partitions: symbol=AAA/date=2024-01-01, symbol=AAA/date=2024-01-02, symbol=AAA/date=2024-01-03
          '1,oops' is not minute,price [malformed-row]
          Look at the file.

      Next:
        lakehouse explain silver/prices symbol=AAA/date=2024-01-01
        lakehouse materialize +gold/days --retry-failed
      "
    `);
    // What says the same is told once, and how many there are when the asset is done.
    expect(
      steady(err)
        .split('\n')
        .filter((line) => line.startsWith('✗'))
        .map((line) => line.replace(/date=[\d-]+/, 'date=…')),
    ).toEqual([
      "✗ silver/prices symbol=AAA/date=…: '1,oops' is not minute,price [malformed-row]",
      '✗ silver/prices: 3 computed, 3 failed (… ms)',
    ]);

    const explained = await here.run(['explain', 'gold/days', 'symbol=AAA,date=2024-01-02']);
    expect(steady(explained.out)).toMatchInlineSnapshot(`
      "gold/days symbol=AAA/date=2024-01-02
        blocked: cannot be computed: what it reads failed
        missing: it was never computed, or has been removed
        blocked: what it reads failed, or waits for something that did
          silver/prices symbol=AAA/date=2024-01-02: failed
            '1,oops' is not minute,price [malformed-row]
            missing: it was never computed, or has been removed
            failed: the last attempt failed, and nothing it depends on has changed since
      "
    `);
    expect(
      steady((await here.run(['explain', 'silver/prices', 'symbol=AAA,date=2024-01-02'])).out),
    ).toMatchInlineSnapshot(`
      "silver/prices symbol=AAA/date=2024-01-02
        failed: the last attempt failed
        failed once on 2024-02-02 12:00:00 UTC by run <id>: '1,oops' is not minute,price
          Look at the file.
        missing: it was never computed, or has been removed
        failed: the last attempt failed, and nothing it depends on has changed since
      "
    `);
    expect(await here.json(['explain', 'gold/days', 'symbol=AAA,date=2024-01-02'])).toMatchObject({
      asset: 'gold/days',
      partition: 'symbol=AAA/date=2024-01-02',
      status: 'blocked',
      reasons: [
        { type: 'missing' },
        {
          type: 'blocked',
          count: 1,
          upstream: [{ asset: 'silver/prices', status: 'failed', error: { code: 'malformed-row' } }],
        },
      ],
      facts: { checks: [] },
    });

    // Again: nothing has changed, so nothing is tried; what failed is not forgotten.
    const again = await here.run(['materialize', '+gold/days']);
    expect({ code: again.code, first: steady(again.out).split('\n')[0] }).toEqual({
      code: 1,
      first: 'Nothing to do: what can be computed is up to date; 3 partitions failed before (… ms).',
    });
    expect((await here.run(['materialize', '-q', '+gold/days', '--retry-failed'])).code).toBe(1);
    await here.write('AAA', '2024-01-01', '0,1\n');
    expect((await here.run(['materialize', '-q', '+gold/days'])).code).toBe(1);
    expect((await here.run(['status', 'silver/prices'])).out).toMatchInlineSnapshot(`
      "ASSET          FRESH  STALE  MISSING  AWAITING  UNAVAILABLE  FAILED  LAST COMPUTED
      silver/prices      4      -        -         4           54       2  2024-02-02 12:00:00 UTC
      "
    `);
  });

  test('names the first of many that failed, and says how to see all', async () => {
    const here = await place();
    await here.write('AAA', '2024-01-04', '0,1\n');
    const definition = here.tiny({
      beforeRead: (symbol, date) => {
        if (symbol === 'AAA') throw new Error(date === '2024-01-04' ? 'gone' : 'broken');
      },
    });
    const { out } = await here.run(['materialize', '+raw/days'], { definition });
    const [, id] = /Run (\S+)\./.exec(out) ?? [];
    expect(steady(out)).toContain(
      '\n  raw/days  4 partitions: symbol=AAA/date=2024-01-01, symbol=AAA/date=2024-01-02, symbol=AAA/date=2024-01-03 and 1 more\n    for example: broken [compute-failed]\n\nAll of them: lakehouse runs show <id>\n',
    );
    const { events } = (await here.json(['runs', 'show', id ?? ''])) as { events: { failures?: unknown[] }[] };
    expect(events.flatMap(({ failures = [] }) => failures)).toHaveLength(4);
  });

  test('partitions that a check refused are no success', async () => {
    const here = await place();
    await here.write('AAA', '2024-01-01', '0,-5\n1,-6\n');
    const definition = here.tiny({ severity: 'error' });
    const { code, out, err } = await here.run(['materialize', '+gold/days', ...day(1)], { definition });
    expect(code).toBe(1);
    expect(
      steady(err)
        .split('\n')
        .filter((line) => /^[✗✓]/.test(line)),
    ).toEqual([
      '✓ raw/days: 2 computed (… ms)',
      '✗ silver/prices symbol=AAA/date=2024-01-01: check range_price failed for 2 rows',
      '✗ silver/prices: 2 computed, 1 check failed (… ms)',
      '✓ gold/days: 1 computed (… ms)',
    ]);
    expect(steady(out)).toMatch(/^Failed: 5 partitions computed, 1 check failed, 1 cannot be computed now; /);
    expect(await here.json(['runs'])).toMatchObject([{ counts: { checksFailed: 1 } }]);
    expect((await here.run(['runs'])).out).toContain('1 check failed');
  });

  test('the commands it suggests mean the same as what was asked', async () => {
    const here = await place();
    await writeFile(join(here.cwd, 'a b.yaml'), 'workflow:\n  retryAttempts: 0\n');
    const asked = ['--config', 'a b.yaml', '--set', 'engine.threads=1'];
    const settings = "--config 'a b.yaml' --set engine.threads=1";
    const nextOf = (out: string) => (out.split('\nNext:\n  ')[1] ?? '').trimEnd().split('\n  ');

    const done = await here.run(['materialize', '+gold/*', ...day(1), ...asked]);
    expect(nextOf(done.out)).toEqual([
      `lakehouse status '+gold/*' --partitions date=2024-01-01 ${settings}`,
      `lakehouse query 'SELECT * FROM gold.days LIMIT 10' ${settings}`,
      `lakehouse lineage gold/days ${settings}`,
    ]);

    const failing = here.tiny({
      beforeRead: () => {
        throw new Error('broken');
      },
    });
    const forced = await here.run(['materialize', '+gold/*', '--force', '--no-observe', ...day(1), ...asked], {
      definition: failing,
    });
    expect(nextOf(forced.out)).toEqual([
      `lakehouse explain raw/days symbol=AAA/date=2024-01-01 ${settings}`,
      `lakehouse materialize '+gold/*' --partitions date=2024-01-01 --force --no-observe ${settings}`,
    ]);

    const there = await place();
    const wanted = ['+raw/days', '--require-complete', ...day(2)];
    const failed = await there.run(['materialize', ...wanted], { definition: failing });
    const again = 'lakehouse materialize +raw/days --partitions date=2024-01-02 --retry-failed --require-complete';
    expect(nextOf(failed.out)).toEqual(['lakehouse explain raw/days symbol=AAA/date=2024-01-02', again]);
    expect(nextOf((await there.run(['materialize', ...wanted], { definition: failing })).out)).toEqual([
      'lakehouse plan +raw/days --partitions date=2024-01-02 --verbose',
      again,
    ]);

    const stopped = here.tiny({ beforeRead: () => here.signals.get('SIGINT')?.() });
    const interrupted = await here.run(['materialize', '+raw/days', '--force', ...day(3)], { definition: stopped });
    expect(nextOf(interrupted.out)).toEqual(['lakehouse materialize +raw/days --partitions date=2024-01-03 --force']);

    const empty = await place();
    const both = 'silver/prices or gold/days';
    expect((await empty.run(['plan', both, '--force', ...day(1), '-q'])).out).toContain(
      `\n    lakehouse plan '+(${both})' --partitions date=2024-01-01 --force\n`,
    );
    expect((await empty.run(['status', both])).out).toContain(`\n  lakehouse observe '+(${both})'\n`);
  });

  test('says what it did not compute because what that reads is stale, or missing, and not selected', async () => {
    const here = await place();
    for (let day = 4; day <= 31; day++) await here.write('AAA', `2024-01-${String(day).padStart(2, '0')}`, '0,1\n');
    here.now = Date.UTC(2024, 1, 5);
    const aaa = ['-p', 'symbol=AAA,date=2024-01'];
    await here.run(['materialize', '-q', '+gold/months', ...aaa]);
    await here.run(['wipe', 'silver/prices', '-y', '-q', '-p', 'symbol=AAA,date=2024-01-05']);

    // Of gold/days one day is to be computed, and cannot be; of what is above it nobody knows.
    const nothing = await here.run(['materialize', 'gold/days', ...aaa, '--require-complete']);
    expect({ code: nothing.code, out: steady(nothing.out) }).toEqual({
      code: 1,
      out: `Nothing to do: what can be computed is up to date (… ms).

Cannot be computed now:
  gold/days  1 unmet
  unmet: what they read is missing and not selected; '+gold/days' selects it too

Next:
  lakehouse materialize +gold/days --partitions symbol=AAA,date=2024-01 --require-complete
`,
    });
    const months = ['gold/months', '-p', 'symbol=AAA'];
    expect((await here.run(['plan', ...months])).out).toBe(`Cannot be computed now:
  gold/months  1 pending
  pending: what they read is stale and not selected; '+gold/months' selects it too

Nothing to compute: 0 partitions fresh, the rest cannot be computed now.
`);
    expect(await here.run(['materialize', ...months, '--require-complete'])).toMatchObject({
      code: 1,
      out: expect.stringContaining('\n  gold/months  1 pending\n'),
    });
    expect(await here.run(['materialize', ...months])).toMatchObject({ code: 0 });
    expect((await here.run(['runs', '--limit', '1'])).out).toContain('1 not computed');
    expect((await here.run(['runs', 'show', 'last'])).out).toContain(
      '\n  lakehouse plan gold/months --verbose  says what could not be computed, and why\n',
    );

    // Also when there is something else to do.
    await here.run(['wipe', 'raw/days', '-y', '-q', '-p', 'symbol=AAA,date=2024-01-02']);
    const more = ['raw/days or gold/months', '-p', 'symbol=AAA', '--require-complete'];
    const some = await here.run(['materialize', ...more]);
    expect({ code: some.code, out: steady(some.out) }).toMatchObject({
      code: 1,
      out: expect.stringMatching(/^Done: 1 partition computed(.|\n)*\n {2}gold\/months +1 pending\n/),
    });
    expect((await here.run(['materialize', '-q', '+gold/months', ...aaa, '--require-complete'])).code).toBe(0);
  });

  test('warns of checks', async () => {
    const here = await place();
    await here.write('AAA', '2024-01-01', '0,-5\n1,-6\n');
    const { code, out } = await here.run(['materialize', '+silver/prices']);
    expect(code).toBe(0);
    expect(steady(out)).toContain(
      '\nChecks that warn:\n  silver/prices  range_price: 2 rows in 1 partition: symbol=AAA/date=2024-01-01\n',
    );
    expect((await here.run(['explain', 'silver/prices', 'symbol=AAA/date=2024-01-01'])).out).toContain(
      'check range_price (warn): 2 rows\n',
    );
  });

  test('an edited query is computed again for its code, and --accept-code keeps what is there', async () => {
    const here = await place();
    await here.run(['materialize']);
    const edited = { definition: here.tiny({ factor: 2 }) };
    expect((await here.run(['plan', 'gold/days'], edited)).out).toContain('6 partitions to compute (6 code)');
    const accepted = await here.run(['materialize', '--accept-code', 'gold/days'], edited);
    expect({
      code: accepted.code,
      err: accepted.err.split('\n')[0],
      first: steady(accepted.out).split('\n')[0],
    }).toEqual({
      code: 0,
      err: 'gold/days: 6 partitions accepted as what the code gives now',
      first: 'Nothing to do: what can be computed is up to date (… ms).',
    });
    expect((await here.run(['plan', 'gold/days', '--no-observe', ...day(1)], edited)).out).toBe(
      'Nothing is stale: 2 partitions fresh.\n',
    );
    const twice = await here.run(['materialize', '--accept-code', 'gold/days'], edited);
    expect({ ...twice, err: twice.err.replace(/[0-9a-f]{16}/, '…') }).toEqual({
      code: 2,
      out: '',
      err: 'lakehouse: --accept-code gold/days: there is nothing to accept, no partition was made by other code than there is now (…)\n',
    });
    expect((await here.run(['materialize', '--accept-code', 'gold/day'], edited)).err).toBe(
      "lakehouse: No asset is named 'gold/day'\n  Did you mean 'gold/days'?\n",
    );
  });

  test('what is wrong with the request is found before a run is begun', async () => {
    const here = await place();
    expect((await here.run(['materialize', 'gold/day'])).code).toBe(2);
    expect((await here.run(['materialize', '-p', 'symbl=AAA'])).code).toBe(2);
    expect((await here.run(['runs'])).out).toBe('There was no run yet.\n');
    expect((await here.run(['materialize', '+raw/days', '-p', 'symbol=AAB'])).code).toBe(2);
  });

  test('does not call up to date what nobody has looked at', async () => {
    const here = await place();
    const { code, out } = await here.run(['materialize', 'raw/days']);
    expect({ code, out: steady(out) }).toEqual({
      code: 0,
      out: 'Nothing to do: what is known is up to date (… ms).\nNever observed, so what they have is unknown: files/days\n\nNext:\n  lakehouse observe +raw/days\n',
    });
    expect((await here.run(['observe', '+raw/days'])).code).toBe(0);
    expect((await here.run(['materialize', 'raw/days'])).out).toContain('Done: 6 partitions computed');
  });

  test('a source that fails to list is an error of its own', async () => {
    const here = await place();
    await here.run(['materialize']);
    await rm(join(here.cwd, 'in'), { recursive: true });
    const { code, err } = await here.run(['materialize']);
    expect(code).toBe(1);
    expect(err).toContain(
      'lakehouse: files/days lists nothing, but 6 partitions were seen there before\n  If the source really is empty now, say so: lakehouse wipe files/days.',
    );
  });
});

describe('an interrupt', () => {
  test('once: what is running finishes, and the exit code says so', async () => {
    const here = await place();
    let reads = 0;
    const definition = here.tiny({ beforeRead: () => void (reads++ === 0 && here.signals.get('SIGINT')?.()) });
    const { code, out, err } = await here.run(['materialize'], { definition });
    expect({ code, reads }).toEqual({ code: 130, reads: 6 });
    expect(err).toContain('Stopping: what is running finishes, nothing new starts. Press Ctrl-C again to stop now.\n');
    expect(steady(out)).toMatchInlineSnapshot(`
      "Stopped: 6 partitions computed, 4 cannot be computed now; … B, in … ms. Run <id>.

      Cannot be computed now:
        raw/days  4 awaiting
        awaiting: not published yet

      Next:
        lakehouse materialize
      "
    `);
    expect((await here.run(['status', 'raw/days', 'silver/prices'].slice(0, 2))).out).toContain('raw/days      6');
    expect(here.exits).toEqual([]);
  });

  test('that arrives twice within 100 ms is one; a second one stops now, and nothing unfinished is kept', async () => {
    const here = await place();
    const send = () => here.signals.get('SIGINT')?.();
    let reads = 0;
    const definition = here.tiny({
      beforeRead: () => {
        if (reads++ > 0) return;
        send();
        send();
        here.now += 200;
        send();
      },
    });
    const { code, err } = await here.run(['materialize', '--no-color'], { definition });
    expect(code).toBe(130);
    expect(err.split('\n').slice(-5)).toEqual([
      expect.stringContaining('raw/days: computing 6'),
      'Stopping: what is running finishes, nothing new starts. Press Ctrl-C again to stop now.',
      'Stopping now.',
      'Stopped. Nothing unfinished was kept; run it again to go on.',
      '',
    ]);
    expect(await filesOf(here, 'raw/days')).toEqual([]);
    expect((await here.run(['materialize', '-q', '+gold/days'])).code).toBe(0);
    expect((await here.run(['verify', '--deep'])).code).toBe(0);
  });

  test('SIGTERM stops now', async () => {
    const here = await place();
    const definition = here.tiny({ beforeRead: () => here.signals.get('SIGTERM')?.() });
    expect((await here.run(['materialize', '-q'], { definition })).code).toBe(143);
    expect(await here.json(['runs'])).toMatchObject([{ outcome: 'cancelled' }]);
  });
});

test('a process that does not heed an interrupt is ended', () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  for (const [signals, code, after] of [
    [['SIGTERM'], 143, 5000],
    [['SIGINT', 'SIGINT'], 130, 5000],
    [['SIGINT', 'SIGINT', 'SIGINT'], 130, 0],
  ] as const) {
    const listeners = new Map<string, () => void>();
    const exits: number[] = [];
    let now = 0;
    const onSignal = (signal: string, listener: () => void) => {
      listeners.set(signal, listener);
      return () => listeners.delete(signal);
    };
    const interrupts = listenToInterrupts(
      { now: () => (now += 200), onSignal, exit: (exit: number) => exits.push(exit) } as unknown as Io,
      true,
      () => undefined,
    );
    for (const signal of signals) listeners.get(signal)?.();
    expect([interrupts.stopping.aborted, interrupts.signal.aborted]).toEqual([true, true]);
    vi.advanceTimersByTime(Math.max(after - 1, 0));
    expect(exits).toEqual(after === 0 ? [code] : []);
    vi.advanceTimersByTime(2);
    expect(exits).toEqual([code]);
    interrupts.dispose();
    expect(listeners.size).toBe(0);
  }
});

describe('runs', () => {
  test('are listed and shown', async () => {
    const here = await place();
    await here.run(['materialize', '+silver/prices', ...day(1)]);
    expect(steady((await here.run(['runs'])).out).replace(/ {2,}/g, '  ')).toMatchInlineSnapshot(`
      "RUN  STARTED  TOOK  OUTCOME  PARTITIONS  COMMAND
      <id>  2024-02-02 12:00:00 UTC  … ms  succeeded  4 computed, 4 changed  lakehouse materialize +silver/prices -p date=2024-01-01
      "
    `);
    const shown = await here.run(['runs', 'show', 'last']);
    expect(steady(shown.out)).toMatchInlineSnapshot(`
      "<id>  succeeded  started 2024-02-02 12:00:00 UTC, took … ms
        lakehouse materialize +silver/prices -p date=2024-01-01
        4 computed, 4 changed

           1  2024-02-02 12:00:00 UTC  started
           3  2024-02-02 12:00:00 UTC  observed files/days: 6 new or changed
           4  2024-02-02 12:00:00 UTC  computed raw/days: 2 partitions, 2 changed; 2 files, … B
           5  2024-02-02 12:00:00 UTC  computed silver/prices: 2 partitions, 2 changed; 2 files, … B
           6  2024-02-02 12:00:00 UTC  finished succeeded
      "
    `);
    const [{ run = '' } = {}] = (await here.json(['runs'])) as { run: string }[];
    expect((await here.run(['runs', 'show', run.slice(0, 10)])).out).toBe(shown.out);
    expect(await here.json(['runs', 'show', run])).toMatchObject({
      run,
      outcome: 'succeeded',
      events: [
        { kind: 'run-started' },
        { kind: 'observed' },
        { kind: 'materialized', asset: 'raw/days' },
        { kind: 'materialized', asset: 'silver/prices' },
        { kind: 'run-finished' },
      ],
    });
    expect((await here.run(['runs', 'show', 'zzz'])).code).toBe(2);
  });
});

describe('a run in which something went wrong', () => {
  test('is shown with the partitions and checks, as many as can be read', async () => {
    const here = await place();
    for (let n = 1; n <= 25; n++) await here.write('CCC', `2024-01-${String(n).padStart(2, '0')}`, '0,oops\n');
    await here.write('AAA', '2024-01-02', '0,-5\n1,-6\n');
    await here.write('BBB', '2024-01-03', '0,-5\n');
    const run = async (severity: 'warn' | 'error') => {
      const definition = here.tiny({ severity });
      const { out } = await here.run(['materialize', '+silver/prices', '--force'], { definition });
      expect(out).toMatch(/\nAll of them: lakehouse runs show \S+\n/);
      return here.run(['runs', 'show', 'last'], { definition });
    };
    const { out } = await run('error');
    const part = (title: string) => out.split(`\n${title}:\n`)[1]?.split('\n\n')[0]?.split('\n');
    expect(part('Checks that failed')).toEqual([
      '  silver/prices symbol=AAA/date=2024-01-02: range_price, 2 rows',
      '  silver/prices symbol=BBB/date=2024-01-03: range_price, 1 row',
    ]);
    const failed = part('Failed') ?? [];
    expect(failed).toHaveLength(21);
    expect(failed[0]).toMatch(
      /^ {2}silver\/prices symbol=CCC\/date=2024-01-\d\d: '0,oops' is not minute,price \[malformed-row\]$/,
    );
    expect(failed[20]).toMatch(/^ {2}… and 5 more: lakehouse runs show \w{17} --json$/);
    expect((await run('warn')).out).toContain(
      '\nChecks that warn:\n  silver/prices symbol=AAA/date=2024-01-02: range_price, 2 rows\n',
    );
    // Without definitions nobody knows that times are days.
    const importModule = async () => Promise.reject(new TypeError('oops'));
    const blind = await here.run(['runs', 'show', 'last'], { io: { importModule } });
    expect(blind).toMatchObject({
      code: 0,
      out: expect.stringMatching(/\n {2}silver\/prices symbol=AAA \(time \d+\): range_price/),
    });
  });

  test('has the same kind of instants everywhere in JSON, and no JSON in texts', async () => {
    const here = await place();
    await here.run(['observe']);
    const instant = expect.stringMatching(/^2024-02-02T12:00:00\.\d{3}Z$/);
    expect(await here.json(['runs'])).toMatchObject([
      { startedAt: instant, finishedAt: instant, outcome: 'succeeded' },
    ]);
    expect(await here.json(['runs', 'show', 'last'])).toMatchObject({
      startedAt: instant,
      finishedAt: instant,
      events: [
        { at: instant },
        { at: instant, observedAt: instant, detail: { 'symbol=AAA': { 19723: '0,101.5\n1,201\n' }, 'symbol=BBB': {} } },
        { at: instant },
      ],
    });
  });
});

describe('query', () => {
  const sql =
    'SELECT symbol, count(*) AS n, sum(price) AS total, NULL AS nothing FROM silver.prices GROUP BY 1 ORDER BY 1';

  test('prints a table, csv, json and ndjson', async () => {
    const here = await place();
    await here.run(['materialize', '-q', '+silver/prices']);
    expect(await here.run(['query', sql])).toEqual({
      code: 0,
      out: 'symbol  n   total  nothing\nAAA     6  913.50     NULL\nBBB     6  913.50     NULL\n2 rows\n',
      err: '',
    });
    expect((await here.run(['query', sql, '-f', 'csv'])).out).toBe(
      'symbol,n,total,nothing\r\nAAA,6,913.50,\r\nBBB,6,913.50,\r\n',
    );
    const rows = [
      { symbol: 'AAA', n: 6, total: '913.50', nothing: null },
      { symbol: 'BBB', n: 6, total: '913.50', nothing: null },
    ];
    expect(await here.json(['query', sql])).toEqual(rows);
    expect(JSON.parse((await here.run(['query', sql, '-f', 'json'])).out)).toEqual(rows);
    expect(
      (await here.run(['query', sql, '-f', 'ndjson'])).out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(rows);
    expect((await here.run(['query', 'SELECT 1 WHERE false', '-f', 'json'])).out).toBe('[]\n');
  });

  test('values that formats find hard', async () => {
    const here = await place();
    const hard = `SELECT 'a,"b' || chr(10) AS t, '' AS empty, 9007199254740993::BIGINT AS big, 'nan'::DOUBLE AS nan, [1, 2] AS list, {'a': DATE '2024-01-01'} AS struct, chr(27) || '[2J' AS escape`;
    expect((await here.run(['query', hard, '-f', 'csv'])).out.split('\r\n')[1]).toBe(
      '"a,""b\n","",9007199254740993,NaN,"[1,2]","{""a"":""2024-01-01""}",\u001b[2J',
    );
    expect((await here.run(['query', hard, '-f', 'ndjson'])).out).toBe(
      '{"t":"a,\\"b\\n","empty":"","big":9007199254740993,"nan":"NaN","list":[1,2],"struct":{"a":"2024-01-01"},"escape":"\\u001b[2J"}\n',
    );
    expect((await here.run(['query', hard])).out).toContain('a,"b\\n');
    expect((await here.run(['query', hard])).out).not.toContain('\u001b[2J');
  });

  test('limits rows, reads files and standard input, writes files', async () => {
    const here = await place();
    expect(await here.run(['query', 'SELECT i FROM range(5) t(i)', '--limit', '2'])).toEqual({
      code: 0,
      out: 'i\n0\n1\n2 rows\n',
      err: 'Only the first 2 rows are shown; --limit 0 shows all.\n',
    });
    expect((await here.run(['query', 'FROM range(3000)', '-f', 'csv'])).out.split('\r\n')).toHaveLength(3002);
    const long = await here.run(['query', 'FROM range(1001)']);
    expect({ lines: long.out.split('\n').length, err: long.err }).toEqual({
      lines: 1003,
      err: 'Only the first 1,000 rows are shown; --limit 0 shows all.\n',
    });
    await writeFile(join(here.cwd, 'q.sql'), 'SELECT 1 AS one');
    expect((await here.run(['query', '--file', 'q.sql', '-f', 'csv'])).out).toBe('one\r\n1\r\n');
    expect((await here.run(['query', '--file', '-', '-f', 'csv'], { stdin: 'SELECT 2 AS two' })).out).toBe(
      'two\r\n2\r\n',
    );
    expect(await here.run(['query', 'FROM range(2)', '-f', 'csv', '-o', 'out.csv'])).toEqual({
      code: 0,
      out: '',
      err: '',
    });
    expect(await readFile(join(here.cwd, 'out.csv'), 'utf8')).toBe('range\r\n0\r\n1\r\n');
    expect((await here.run(['query', 'FROM range(2)', '-o', 'no/such/out.csv'])).code).toBe(1);
    expect((await readdir(here.cwd)).filter((name) => name.endsWith('.partial'))).toEqual([]);
  });

  test('refuses what it cannot run', async () => {
    const here = await place();
    expect(await here.run(['query'])).toEqual({
      code: 2,
      out: '',
      err: 'lakehouse: There is no statement\n  lakehouse query "SELECT …", or lakehouse query --file report.sql\n',
    });
    expect((await here.run(['query', 'SELECT 1', '--file', 'x'])).code).toBe(2);
    expect((await here.run(['query', 'FROM silver.price'])).err).toBe(
      "lakehouse: There is no table 'silver.price'\n  Did you mean 'silver.prices'?\n",
    );
    expect((await here.run(['query', 'SELEC 1'])).code).toBe(2);
    expect((await here.run(['query', "COPY (SELECT 1) TO 'x.csv'"])).code).toBe(2);
  });

  test('original files are there as a list', async () => {
    const here = await place();
    await here.run(['materialize', '-q', '+raw/days', ...day(1)]);
    expect(await here.json(['query', 'SELECT symbol, date, bytes FROM raw.days ORDER BY 1'])).toEqual([
      { symbol: 'AAA', date: '2024-01-01', bytes: 14 },
      { symbol: 'BBB', date: '2024-01-01', bytes: 14 },
    ]);
  });

  test('stops when nobody reads any more', async () => {
    const here = await place();
    let text = '';
    const stdout = {
      write: (more: string) => {
        text += more;
      },
      isTTY: false,
      columns: undefined,
      rows: undefined,
      get closed() {
        return text.length > 0;
      },
      failure: undefined,
      drained: async () => undefined,
      onResize: () => () => undefined,
    };
    expect((await here.run(['query', 'FROM range(1000000000)', '-f', 'csv'], { io: { stdout } })).code).toBe(0);
    expect(text.length).toBeLessThan(1_000_000);
  });
});

describe('verify', () => {
  test('finds a file that is missing, cut, or altered', async () => {
    const here = await place();
    await here.run(['materialize', '-q', '+gold/days']);
    expect((await here.run(['verify', '-q'])).out).toMatch(/^Sound: 10 current files, .* kB\.\n$/);
    expect((await here.run(['verify', '-q', '--deep'])).out).toMatch(
      /^Sound: 10 current files, .* kB, 18 partitions\.\n$/,
    );
    const [gold = '', silver = '', raw = ''] = await Promise.all(
      ['gold/days', 'silver/prices', 'raw/days'].map(async (asset) => (await filesOf(here, asset))[0]),
    );
    await unlink(gold);
    await truncate(silver, 100);
    await writeFile(raw, (await readFile(raw, 'utf8')).replace('0', '9'));
    const { code, out } = await here.run(['verify', '-q']);
    expect(code).toBe(1);
    const short = (path: string) => path.slice(join(here.cwd, 'data').length + 1);
    const lines = out.split('\n');
    expect(lines[0]).toBe(`✗ ${short(gold)} is missing`);
    expect(lines[1]).toMatch(/^✗ raw\/days\/symbol=AAA\/.* has SHA-256 [0-9a-f]{64}, the log says [0-9a-f]{64}$/);
    expect(lines[2]).toMatch(/^✗ silver\/prices\/.* has 100 bytes, the log says [\d,]+$/);
    expect(lines[3]).toMatch(/^3 problems in 10 current files/);
    expect(await here.json(['verify'])).toMatchObject({
      problems: [{ asset: 'gold/days', message: 'is missing' }, { asset: 'raw/days' }, { asset: 'silver/prices' }],
      repair: [
        { asset: 'raw/days', partitions: 'symbol=AAA/date=2024-01-01' },
        { asset: 'silver/prices' },
        { asset: 'gold/days' },
      ],
    });

    // And what it advises helps.
    const all = 'symbol=AAA/date=2024-01-01..2024-01-03';
    const advised = lines.filter((line) => line.startsWith('    lakehouse ')).map((line) => line.trim());
    expect(advised).toEqual([
      'lakehouse wipe raw/days --partitions symbol=AAA/date=2024-01-01',
      'lakehouse materialize raw/days --partitions symbol=AAA/date=2024-01-01',
      `lakehouse wipe silver/prices --partitions ${all}`,
      `lakehouse materialize silver/prices --partitions ${all}`,
      `lakehouse wipe gold/days --partitions ${all}`,
      `lakehouse materialize gold/days --partitions ${all}`,
    ]);
    for (const line of advised) {
      const [, command = '', ...words] = line.split(' ');
      expect((await here.run([command, '-q', ...(command === 'wipe' ? ['--yes'] : []), ...words])).code).toBe(0);
    }
    expect((await here.run(['verify', '-q', '--deep'])).code).toBe(0);
  });
});

describe('gc', () => {
  test('shows what it would remove, and removes it when told', async () => {
    const here = await place();
    here.now = Date.now();
    await here.write('AAA', new Date(here.now - 3 * 86_400_000).toISOString().slice(0, 10), '0,1\n');
    await here.run(['materialize', '-q', '+silver/prices']);
    const [file = ''] = await filesOf(here, 'silver/prices');
    const stray = `${file}.stray.parquet`;
    const young = `${file}.young.parquet`;
    const foreign = join(here.cwd, 'data', 'notes.txt');
    for (const path of [stray, young, foreign]) await appendFile(path, 'x'.repeat(100));
    here.now += 2 * 3_600_000;
    await utimes(young, new Date(here.now), new Date(here.now));

    const shown = await here.run(['gc']);
    expect(shown.out).toContain('To remove: 0 superseded and 1 unknown files, 100 B.');
    expect(shown.out).toContain('lakehouse gc --yes\n');
    expect(shown.out).toContain('\n1 file (100 B) is younger than 1 hour and stays for now: lakehouse gc --grace 0s\n');
    expect(await here.json(['gc'])).toMatchObject({
      unknown: 1,
      kept: { files: 1, bytes: 100, excluded: 0, young: 1 },
    });
    expect((await stat(stray)).size).toBe(100);
    const { code, out } = await here.run(['gc', '--yes']);
    expect({ code, removed: out.trim().split('\n').at(-2) }).toEqual({
      code: 0,
      removed: 'Removed 0 superseded and 1 unknown files, 100 B; 0 unfinished writes; 0 old events.',
    });
    await expect(stat(stray)).rejects.toThrow('ENOENT');
    expect((await stat(young)).size + (await stat(foreign)).size).toBe(200);
    here.now += 10_000;
    expect(await here.json(['gc', '--yes', '--grace', '0s'])).toMatchObject({ removed: true, unknown: 1 });
    expect((await here.run(['gc', '--dry-run', '--yes'])).code).toBe(2);
  });

  test('says that there are files which are only too young', async () => {
    const here = await place();
    here.now = Date.now();
    await here.run(['materialize', '-q', '+silver/prices']);
    await here.run(['wipe', 'silver/prices', '-y', '-q', '-p', 'symbol=AAA']);
    const { out } = await here.run(['gc', '--grace', '90m']);
    expect(out).toMatch(
      /^There are no other files to remove\. .*\n1 file \(.* B\) is younger than 90 minutes and stays for now: lakehouse gc --grace 0s\n$/,
    );
    expect(await here.json(['gc'])).toMatchObject({ superseded: 0, kept: { files: 1, young: 1 } });
    here.now += 1000;
    expect(await here.json(['gc', '--yes', '--grace', '0s'])).toMatchObject({ superseded: 1, kept: { files: 0 } });
  });

  test("removes nothing when the log knows of no file: it is another lake's", async () => {
    const here = await place();
    here.now = Date.now();
    await here.write('AAA', new Date(here.now - 3 * 86_400_000).toISOString().slice(0, 10), '0,1\n');
    await here.run(['materialize', '-q', '+silver/prices']);
    const files = [...(await filesOf(here, 'silver/prices')), ...(await filesOf(here, 'raw/days'))];
    expect(files.length).toBeGreaterThan(1);
    here.now += 2 * 3_600_000;
    const elsewhere = ['--set', `state.directory=${join(here.cwd, 'elsewhere')}`];
    expect(await here.run(['gc', '--yes', ...elsewhere])).toMatchObject({
      code: 2,
      err: expect.stringContaining(`The data in ${join(here.cwd, 'data')} have a log, and it is not in`),
    });
    // Data of before there were ids.
    await unlink(join(here.cwd, 'data/.lakehouse/lake.json'));
    expect(await here.run(['gc', '--yes', ...elsewhere])).toMatchObject({
      code: 2,
      err: expect.stringContaining('The log knows of no file at all'),
    });
    for (const path of files) expect((await stat(path)).isFile()).toBe(true);
  });
});

describe('wipe', () => {
  test('asks first, and does nothing without an answer', async () => {
    const here = await place();
    await here.run(['materialize', '-q', '+gold/days']);
    expect(await here.run(['wipe', 'silver/prices', ...day(2)])).toEqual({
      code: 2,
      out: 'silver/prices  2 partitions to take out of the lake:\n  symbol=AAA|BBB/date=2024-01-02\nWhat was made of them becomes stale in gold/days and below.\n',
      err: 'lakehouse: wipe silver/prices: nobody is there to ask\n  Say --yes to take them out.\n',
    });
    const no = await here.run(['wipe', 'silver/prices', ...day(2)], { keyboard: true, stdin: 'n\n' });
    expect({ code: no.code, last: no.out.trim().split('\n').at(-1), err: no.err }).toEqual({
      code: 0,
      last: 'Nothing was changed.',
      err: 'Take them out? [y/N] ',
    });
    const yes = await here.run(['wipe', 'silver/prices', ...day(2)], { keyboard: true, stdin: 'y\n' });
    expect({ code: yes.code, last: yes.out.trim().split('\n').at(-1) }).toEqual({
      code: 0,
      last: '2 partitions left the lake. The next run computes them again; their files go with it or with gc.',
    });
    expect(await here.json(['query', 'SELECT DISTINCT date FROM silver.prices ORDER BY 1'])).toEqual([
      { date: '2024-01-01' },
      { date: '2024-01-03' },
    ]);
    expect((await here.run(['verify', '-q', '--deep'])).code).toBe(0);
    expect((await here.run(['materialize', '-q', '+gold/days'])).code).toBe(0);
    expect((await here.run(['plan', 'gold/days', '--no-observe', ...day(2)])).out).toBe(
      'Nothing is stale: 2 partitions fresh.\n',
    );
  });

  test('says when there is nothing, and when the filter is wrong', async () => {
    const here = await place();
    await here.run(['materialize', '-q', '+raw/days']);
    expect((await here.run(['wipe', 'silver/prices', '--yes'])).out).toBe(
      'silver/prices: nothing to wipe, none of these partitions has content.\n',
    );
    expect((await here.run(['wipe', 'raw/days', '--yes', '-p', 'symbol=AAC'])).err).toBe(
      "lakehouse: --partitions 'symbol=AAC' matches none of the partitions there are\n  symbol: Did you mean 'AAA'?\n",
    );
    expect(await here.json(['wipe', 'raw/days', '--yes', '-p', 'symbol=AAA'])).toEqual({ asset: 'raw/days', wiped: 3 });
  });
});
