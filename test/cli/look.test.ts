import { defineLakehouse } from 'crypto-lakehouse';
import { describe, expect, test } from 'vitest';
import { place, screen } from './support.ts';

describe('assets', () => {
  test('as a table', async () => {
    const here = await place();
    const { code, out, err } = await here.run(['assets']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatchInlineSnapshot(`
      "ASSET          KIND    PARTITIONED BY  WHAT IT IS
      files/days     source  symbol/date     One text file a day.
      raw/days       raw     symbol/date     The files as they came.
      silver/prices  table   symbol/date     One row per minute.
      gold/days      table   symbol/date     One row per day.
      gold/months    table   symbol/month    One row per month.
      "
    `);
  });

  test('of a selection, as JSON', async () => {
    const here = await place();
    expect(await here.json(['assets', 'tag:speed=fast'])).toEqual([
      {
        key: 'silver/prices',
        kind: 'table',
        group: 'prices',
        tags: { speed: 'fast' },
        kinds: [],
        owners: ['data'],
        partitionedBy: ['symbol', 'date'],
        upstream: ['raw/days'],
        codeVersion: expect.stringMatching(/^[0-9a-f]{16}$/),
        freshness: [],
        description: 'One row per minute.',
      },
    ]);
  });

  test('that are not there: the nearest are named, the place in the selection is shown', async () => {
    const here = await place();
    expect(await here.run(['assets', 'silver/price'])).toEqual({
      code: 2,
      out: '',
      err: "lakehouse: No asset is named 'silver/price'\n  Did you mean 'silver/prices'?\n",
    });
    for (const zone of ['gold', 'gold/', 'glod/*', '+glod'])
      expect((await here.run(['status', zone])).err, zone).toContain("\n  Did you mean 'gold/*'?\n");
    expect(await here.run(['assets', 'gold/* and (kind:x'])).toEqual({
      code: 2,
      out: '',
      err: "lakehouse: expected ')' for the '(' in column 12 (column 19)\n  gold/* and (kind:x\n                    ^\n  Examples: silver/klines, '+gold/*', '2+gold/indicators', 'group:gold and not tag:slow'\n",
    });
    expect(await here.run(['assets', 'silver/price', '--json'])).toEqual({
      code: 2,
      out: '{"error":{"message":"No asset is named \'silver/price\'","code":"nothing-selected","kind":"usage","hint":"Did you mean \'silver/prices\'?","details":{"selection":"silver/price","column":1}}}\n',
      err: '',
    });
  });
});

describe('lineage', () => {
  test('as a tree, of what a name is made of', async () => {
    const here = await place();
    expect((await here.run(['lineage', 'gold/months'])).out).toMatchInlineSnapshot(`
      "gold/months
      └─ gold/days  (the days in it)
         └─ silver/prices  (the same partition)
            └─ raw/days  (the same partition)
               └─ files/days  (the same partition)
      "
    `);
    expect((await here.run(['lineage', '1+gold/months'])).out).toMatchInlineSnapshot(`
      "gold/months
      └─ gold/days  (the days in it)
      "
    `);
  });

  test('as mermaid and dot', async () => {
    const here = await place();
    expect((await here.run(['lineage', 'raw/days', '--format', 'mermaid'])).out).toMatchInlineSnapshot(`
      "flowchart LR
        n0[/"files/days"/]
        n1[("raw/days")]
        n0 -->|"the same partition"| n1
      "
    `);
    expect((await here.run(['lineage', 'raw/days', '--format', 'dot'])).out).toMatchInlineSnapshot(`
      "digraph lineage {
        rankdir=LR;
        node [shape=box];
        "files/days" [shape=parallelogram];
        "raw/days" [shape=cylinder];
        "files/days" -> "raw/days" [label="the same partition"];
      }
      "
    `);
  });

  test('as JSON', async () => {
    const here = await place();
    const lineage = {
      nodes: [
        { key: 'files/days', kind: 'source', group: 'files', description: 'One text file a day.' },
        { key: 'raw/days', kind: 'raw', group: 'raw', description: 'The files as they came.' },
      ],
      edges: [{ from: 'files/days', to: 'raw/days', input: 'files', reads: 'the same partition', need: 'required' }],
    };
    expect(await here.json(['lineage', 'raw/days'])).toEqual(lineage);
    expect(JSON.parse((await here.run(['lineage', 'raw/days', '-f', 'json'])).out)).toEqual(lineage);
  });
});

describe('a lake that nobody has looked at', () => {
  test('has unknown counts, not zero and not fresh', async () => {
    const here = await place();
    const { code, out } = await here.run(['status']);
    expect(code).toBe(0);
    expect(out).toMatchInlineSnapshot(`
      "ASSET          FRESH  STALE  MISSING  FAILED  LAST COMPUTED
      files/days         ?      ?        ?       ?  never observed
      raw/days           ?      ?        ?       ?  never
      silver/prices      ?      ?        ?       ?  never
      gold/days          ?      ?        ?       ?  never
      gold/months        ?      ?        ?       ?  never

      Unknown (?): files/days was never observed, so what there is to compute is not known.
        lakehouse observe
      "
    `);
    expect(await here.json(['status', 'raw/days'])).toEqual({
      revision: 0,
      neverObserved: ['files/days'],
      assets: [
        {
          asset: 'raw/days',
          kind: 'raw',
          known: false,
          counts: {
            fresh: 0,
            stale: 0,
            pending: 0,
            missing: 0,
            blocked: 0,
            awaiting: 0,
            unavailable: 0,
            failed: 0,
            leaving: 0,
            unneeded: 0,
          },
        },
      ],
    });
  });

  test('has no runs and nothing to explain', async () => {
    const here = await place();
    expect(await here.run(['runs'])).toEqual({ code: 0, out: 'There was no run yet.\n', err: '' });
    expect(await here.run(['runs', 'show', 'last'])).toEqual({
      code: 2,
      out: '',
      err: 'lakehouse: There was no run yet\n',
    });
    expect((await here.run(['explain', 'raw/days', 'symbol=AAA/date=2024-01-01'])).out).toMatchInlineSnapshot(`
      "raw/days symbol=AAA/date=2024-01-01
        none: there is no such partition
        Not known: files/days was never observed (lakehouse observe +raw/days)
        unavailable: there is no such partition: nothing upstream speaks of it
      "
    `);
  });

  test('is planned with what its sources have now, and nothing is written', async () => {
    const here = await place();
    const { code, out, err } = await here.run(['plan', '+gold/days']);
    expect({ code, err }).toEqual({ code: 0, err: 'Looking at files/days …\n' });
    expect(out).toMatchInlineSnapshot(`
      "files/days: 6 partitions seen, 6 new or changed

      raw/days  6 partitions to compute (6 missing)
          symbol=AAA|BBB/date=2024-01-01..2024-01-03
          1 batch · 6 files · 6 downloads of 84 B · time unknown (never run)
      silver/prices  6 partitions to compute (6 missing)
          symbol=AAA|BBB/date=2024-01-01..2024-01-03
          1 batch · 2 files · time unknown (never run)
      gold/days  6 partitions to compute (6 missing)
          symbol=AAA|BBB/date=2024-01-01..2024-01-03
          1 batch · 2 files · time unknown (never run)
      Cannot be computed now:
        raw/days       4 awaiting, 54 unavailable
        silver/prices  4 awaiting, 54 unavailable
        gold/days      4 awaiting, 54 unavailable
        awaiting: not published yet
        unavailable: the source does not have them

      18 partitions to compute: 3 batches, 10 files to write, 6 downloads of 84 B, time unknown. 0 fresh.
      "
    `);
    expect((await here.run(['plan', '--no-observe'])).out).toMatchInlineSnapshot(`
      "Never observed, so what they have is unknown: files/days

      Nothing can be said before the sources have been observed.
      "
    `);
    expect((await here.run(['runs'])).out).toBe('There was no run yet.\n');
  });

  test('as JSON', async () => {
    const here = await place();
    const all = 'symbol=AAA|BBB/date=2024-01-01..2024-01-03';
    expect(await here.json(['plan', '+silver/prices', '-p', 'date=2024-01-01..2024-01-05'])).toEqual({
      selection: '+silver/prices',
      revision: 1,
      observed: [{ asset: 'files/days', seen: 6, changed: 6, withdrawn: 0, audit: true, requests: 0 }],
      neverObserved: [],
      will: 12,
      may: 0,
      fresh: 0,
      batches: 2,
      files: 8,
      fetches: 6,
      downloadBytes: 84,
      estimatedMs: null,
      materialize: [
        {
          asset: 'raw/days',
          will: 6,
          may: 0,
          causes: { missing: 6 },
          batches: 1,
          files: 6,
          fetches: 6,
          downloadBytes: 84,
          estimatedMs: null,
          willPartitions: all,
          mayPartitions: '',
        },
        {
          asset: 'silver/prices',
          will: 6,
          may: 0,
          causes: { missing: 6 },
          batches: 1,
          files: 2,
          fetches: 0,
          downloadBytes: 0,
          estimatedMs: null,
          willPartitions: all,
          mayPartitions: '',
        },
      ],
      depart: [],
      hold: [
        {
          asset: 'raw/days',
          reason: 'unavailable',
          count: 4,
          partitions: 'symbol=AAA|BBB/date=2024-01-04..2024-01-05',
        },
        {
          asset: 'silver/prices',
          reason: 'unavailable',
          count: 4,
          partitions: 'symbol=AAA|BBB/date=2024-01-04..2024-01-05',
        },
      ],
      issues: [],
      unmatched: [],
    });
  });

  test('with --verbose every set is listed in full', async () => {
    const here = await place();
    for (const [i, symbol] of ['CCC', 'DDD', 'EEE', 'FFF'].entries())
      await here.write(symbol, `2024-01-0${5 + i}`, '0,1\n');
    const short = (await here.run(['plan', '+raw/days'])).out;
    expect(short).toContain('… and ');
    const long = (await here.run(['plan', '+raw/days', '--verbose'])).out;
    expect(long).not.toContain('…');
    expect(long).toContain('unavailable: symbol=CCC/');
  });
});

test('on a narrow terminal lines are cut where they tell the least', async () => {
  const here = await place();
  await here.run(['observe']);
  const on = async (...words: string[]) => {
    const stdout = screen({ columns: 60 });
    await here.run(words, { io: { stdout } });
    return stdout.text.trimEnd().split('\n');
  };
  expect(await on('status', 'files/days', '-p', 'date=2024-01-01', '--no-color')).toEqual([
    'ASSET       FRESH  STALE  MISSING  FAILED  LAST COMPUTED',
    'files/days      2      -        -       -  observed 2024-02…',
  ]);
  const runs = await on('runs', '--no-color');
  expect(runs[0]).toMatch(/^RUN {16}STARTED +TOOK {2}OUTCOME {4}PARTITIONS$/);
  expect(runs[1]).toMatch(/^\w{17} {2}2024-\S.*… .* succeeded {2}6 observed$/);
  for (let day = 5; day < 30; day += 2) await here.write('AAA', `2024-01-${String(day).padStart(2, '0')}`, '0,1\n');
  const planned = await on('plan', '+raw/days', '--no-color');
  expect(planned).toContainEqual(expect.stringMatching(/^ {4}….*2024-01-27\|2024-01-29$/));
  expect(planned.filter((line) => line.includes('2024-01') && line.length > 60)).toEqual([]);
});

describe('what is empty', () => {
  test('is not everything', async () => {
    const here = await place();
    for (const command of ['plan', 'status', 'materialize'])
      expect(await here.run([command, '-p', ''])).toEqual({
        code: 2,
        out: '',
        err: 'lakehouse: --partitions is empty\n  Write e.g. date=2024-01,symbol=BTCUSDT, or leave it out for all.\n',
      });
    for (const command of ['plan', 'status', 'materialize', 'observe', 'assets', 'lineage'])
      expect(await here.run([command, ' '])).toEqual({
        code: 2,
        out: '',
        err: "lakehouse: The selection is empty\n  Write e.g. silver/klines or '+gold/*', or leave it out for all assets.\n",
      });
    expect((await here.run(['runs'])).out).toBe('There was no run yet.\n');
  });
});

test('a wrong selection is shown as it was written', async () => {
  const here = await place();
  expect((await here.run(['lineage', 'gold/( '])).err).toContain('  gold/( \n');
});

test('of a source nothing leaves: what the settings do not want is not counted', async () => {
  const here = await place();
  await here.run(['materialize', '-q', '+raw/days']);
  const definition = defineLakehouse({ assets: here.tiny().assets, filters: () => ({ symbol: ['AAA'] }) });
  const counts = async () => {
    const { assets } = (await here.json(['status', 'files/days or raw/days'], { definition })) as {
      assets: { asset: string; counts: Record<string, number> }[];
    };
    return assets.map(({ asset, counts: { fresh, leaving } }) => ({ asset, fresh, leaving }));
  };
  expect(await counts()).toEqual([
    { asset: 'files/days', fresh: 3, leaving: 0 },
    { asset: 'raw/days', fresh: 3, leaving: 3 },
  ]);
  expect((await here.run(['materialize', '+raw/days'], { definition })).out).toContain('3 left the lake');
  expect(await counts()).toEqual([
    { asset: 'files/days', fresh: 3, leaving: 0 },
    { asset: 'raw/days', fresh: 3, leaving: 0 },
  ]);
  expect((await here.run(['show', 'files/days'], { definition })).out).not.toContain('leaving');
});

describe('partitions that are misspelt', () => {
  test('in a filter', async () => {
    const here = await place();
    expect((await here.run(['plan', 'raw/days', '-p', 'symbl=AAA'])).err).toBe(
      "lakehouse: --partitions 'symbl=AAA':\n  - symbl: There is no dimension 'symbl' among the partitions filtered\n    Did you mean 'symbol'?\n",
    );
    expect(await here.run(['plan', '+raw/days', '-q', '-p', 'symbol=AAB'])).toEqual({
      code: 2,
      out: '',
      err: "lakehouse: --partitions 'symbol=AAB' matches none of the partitions there are\n  symbol: Did you mean 'AAA'?\n",
    });
    expect((await here.run(['plan', 'raw/days', '-p', 'date=2024-13'])).err).toBe(
      "lakehouse: '2024-13' is not a time (column 6)\n  date=2024-13\n       ^\n  Write e.g. 2024-01-05, 2024-01, 2024-01..2024-03 or 2024-01-05..\n",
    );
  });

  test('in a part of a filter, which does not vanish behind the others', async () => {
    const here = await place();
    const wrong = ['-p', 'symbol=AAA|BBC'];
    const err = "lakehouse: --partitions 'symbol=AAA|BBC': There is no symbol 'BBC'\n  symbol: Did you mean 'BBB'?\n";
    expect(await here.run(['plan', '+raw/days', '-q', ...wrong])).toEqual({ code: 2, out: '', err });
    // What the sources have is known only when the run has looked at them: it goes on without.
    const begun = await here.run(['materialize', '+raw/days', ...wrong]);
    expect({ code: begun.code, warned: begun.err.split('\n').filter((line) => line.startsWith('!')) }).toEqual({
      code: 0,
      warned: ["! --partitions: There is no symbol 'BBC'. Did you mean 'BBB'?"],
    });
    for (const words of [
      ['materialize', 'raw/days'],
      ['status', 'raw/days'],
      ['wipe', 'raw/days', '--yes'],
    ])
      expect(await here.run([...words, ...wrong])).toEqual({ code: 2, out: '', err });
    expect((await here.json(['runs'])) as unknown[]).toHaveLength(1);
    const narrow = {
      definition: defineLakehouse({ assets: here.tiny().assets, filters: () => ({ symbol: ['AAA'] }) }),
    };
    expect((await here.run(['status', 'silver/prices', ...wrong], narrow)).err).toContain(
      '\n  symbol: The settings do not want it. Known: AAA\n',
    );
    expect((await here.run(['status', 'raw/days', '-p', 'symbol=AAA|C*'])).code).toBe(0);
  });

  test('in the settings: everything would leave the lake', async () => {
    const here = await place();
    await here.run(['materialize', '-q', '+silver/prices']);
    const definition = defineLakehouse({
      assets: here.tiny().assets,
      filters: () => ({ symbol: ['AAB', 'BBB', 'C*'] }),
    });
    const said = "The settings want symbol 'AAB', which is not in files/days. Did you mean 'AAA'?";
    const planned = await here.run(['plan', '+silver/prices'], { definition });
    expect(planned.err).toBe(`Looking at files/days …\nwarning: ${said}\n`);
    expect(planned.out).toContain(`
raw/days  3 partitions to leave the lake: no longer wanted by the settings
    symbol=AAA/date=2024-01-01..2024-01-03
`);
    expect(planned.out).toMatch(
      /\nNothing to compute: 6 partitions fresh, 6 to leave the lake, the rest cannot be computed now\.\n$/,
    );
    expect(await here.json(['plan', '+silver/prices'], { definition })).toMatchObject({
      depart: [
        { asset: 'raw/days', count: 3, unwanted: 3 },
        { asset: 'silver/prices', count: 3, unwanted: 3 },
      ],
      unmatched: [{ dimension: 'symbol', value: 'AAB' }],
    });
    expect((await here.run(['observe'], { definition })).err).toContain(`warning: ${said}\n`);
    expect((await here.run(['materialize', '+silver/prices'], { definition })).err).toContain(`! ${said}\n`);
    const right = defineLakehouse({ assets: here.tiny().assets, filters: () => ({ symbol: ['AAA', 'C*'] }) });
    expect((await here.run(['observe'], { definition: right })).err).toBe('Looking at files/days …\n');

    // Not the settings, but the source.
    for (const day of ['01', '02', '03']) await here.remove('BBB', `2024-01-${day}`);
    expect((await here.run(['plan', 'files/days or raw/days'])).out).toContain(
      '\nraw/days  3 partitions to leave the lake: no longer there upstream\n',
    );
  });

  test('in a key', async () => {
    const here = await place();
    await here.run(['observe']);
    expect((await here.run(['explain', 'raw/days', 'symbol=ABA/date=2024-01-01'])).err).toBe(
      "lakehouse: 'symbol' has no value 'ABA' (column 8)\n  symbol=ABA/date=2024-01-01\n         ^\n  Did you mean 'AAA'?\n",
    );
    expect(await here.run(['explain', 'raw/days', 'symbol=AAA/date=2024-01-01'])).toMatchObject({ code: 0 });
    expect(await here.run(['explain', 'raw/days', 'symbol=AAA/date=2025-01-01'])).toMatchObject({
      code: 1,
      out: expect.stringContaining(
        'none: there is no such partition\n  There is symbol=AAA/date=2024-01-01..2024-02-01\n',
      ),
    });
    expect((await here.run(['explain', 'raw/day', 'symbol=AAA'])).err).toBe(
      "lakehouse: No asset is named 'raw/day'\n  Did you mean 'raw/days'?\n",
    );
    expect((await here.run(['explain', 'raw/days', 'date=2024-01-01'])).err).toBe(
      "lakehouse: 'date=2024-01-01' does not say which 'symbol'\n  Add symbol=AAA|BBB.\n",
    );
  });
});

test('observe remembers what is there, and is a run of its own', async () => {
  const here = await place();
  const { code, out, err } = await here.run(['observe']);
  expect({ code, out, err }).toEqual({
    code: 0,
    out: 'SOURCE      SEEN  NEW OR CHANGED  WITHDRAWN  LISTED      REQUESTS\nfiles/days     6               6          0  everything         -\n',
    err: 'Looking at files/days …\n',
  });
  await here.write('AAA', '2024-01-01', '0,9\n');
  await here.remove('BBB', '2024-01-03');
  expect(await here.json(['observe', 'files/days'])).toEqual([
    { asset: 'files/days', seen: 5, changed: 1, withdrawn: 1, audit: true, requests: 0 },
  ]);
  expect((await here.run(['status', 'files/days'])).out).toMatchInlineSnapshot(`
    "ASSET       FRESH  STALE  MISSING  AWAITING  UNAVAILABLE  FAILED  LAST COMPUTED
    files/days      5      -        -         2           27       -  observed 2024-02-02 12:00:00 UTC
    "
  `);
  const runs = (await here.json(['runs'])) as { command: string; outcome: string; counts: object }[];
  expect(runs.map(({ command, outcome, counts }) => ({ command, outcome, counts }))).toEqual([
    { command: 'lakehouse observe files/days --json', outcome: 'succeeded', counts: { observed: 1 } },
    { command: 'lakehouse observe', outcome: 'succeeded', counts: { observed: 6 } },
  ]);
  expect((await here.run(['observe', 'gold/*'])).err).toBe(
    "lakehouse: 'gold/*' selects no source\n  To look at what assets are made of, write '+gold/*'\n",
  );
});

test('show tells everything about an asset', async () => {
  const here = await place();
  await here.run(['observe']);
  const { code, out } = await here.run(['show', 'silver/prices']);
  expect(code).toBe(0);
  expect(out.replace(/code [0-9a-f]{16}/, 'code …')).toMatchInlineSnapshot(`
    "silver/prices  table, code …
      One row per minute.
      group prices · tag speed=fast · owner data

    Partitions
      6 missing, 4 awaiting, 54 unavailable
      0 files, 0 B, 0 rows

    Partitioned by
      symbol: AAA, BBB
      date: every day from 2024-01-01

    Reads
      raw: raw/days (the same partition)

    Read by
      gold/days

    Columns
      COLUMN  TYPE           WHAT IT IS
      minute  INTEGER        Minute of the day.
      price   DECIMAL(18,2)  Price at that minute.
      at      TIMESTAMP
      unique and sorted by minute

    Checks
      range_price (warn): Prices are not negative.
    "
  `);
  expect(await here.json(['show', 'gold/months'])).toMatchObject({
    key: 'gold/months',
    inputs: [{ name: 'days', need: 'required', alternatives: [{ asset: 'gold/days', reads: 'the days in it' }] }],
  });
});
