import { describe, expect, test } from 'vitest';
import { type AssetsInput, assetsView } from '../../../framework/tui/view/assets.ts';
import { ASCII, COLOURED, PLAIN, seen } from './fitting.ts';
import { ASSETS, asset, counts, NOW, tree } from './samples.ts';

const SIZE = { columns: 80, rows: 14 };
const input = (some: Partial<AssetsInput> = {}): AssetsInput => ({
  entries: tree(ASSETS),
  cursor: 0,
  offset: 0,
  now: NOW,
  size: SIZE,
  ...some,
});
const shown = (some: Partial<AssetsInput>, theme = PLAIN) => seen(assetsView(input(some), theme));

describe('the Assets screen', () => {
  test('80 columns', () =>
    expect(shown({})).toMatchInlineSnapshot(`
      " ■ 3.7M fresh  ◪ 24.1k stale  ◧ 310 pending  □ 408 missing             7 assets
       asset                     freshness    fresh  running  not fresh          last
       ▾ binance 2               ■■■■■■■■■·╌   100%           ·412 ╌96
         binance/klines-daily    ■■■■■■■■■·╌   100%           ·412 ╌96        12m ago
         binance/klines-monthly  ■■■■■■■■■■■   100%                           12m ago
       ▾ bronze 1                ■■■■■■■■■◪□   >99%           ◪14 □176
         bronze/binance-klines   ■■■■■■■■■◪□   >99%  ▶ 93%    ◪14 □176         5m ago
       ▾ silver 2                ■■■■■◪◧□✗▣·    98%           ✗3 ▣12 ◪24.0k
         silver/klines           ■■■■■◪◧□✗▣·    98%  ▶ 17%    ✗3 ▣12 ◪24.0k    3h ago
         silver/funding          ■■■■■■■■■■■   100%                           26h ago
       ▾ gold 2                  ◪◪◪□▣▣▣▣▣▣▣     0%           ▣240 ◪120 □44
         gold/returns            ◪◪◪□▣▣▣▣▣▣▣     0%           ▣240 ◪120 □44   40d ago
         gold/universe           ┈┈┈┈┈┈┈┈┈┈┈      …
      "
    `));
  test('80 columns in ASCII', () =>
    expect(shown({}, ASCII)).toMatchInlineSnapshot(`
      " # 3.7M fresh  % 24.1k stale  ? 310 pending  o 408 missing             7 assets
       asset                     freshness    fresh  running  not fresh          last
       v binance 2               #########.-   100%           .412 -96
         binance/klines-daily    #########.-   100%           .412 -96        12m ago
         binance/klines-monthly  ###########   100%                           12m ago
       v bronze 1                #########%o   >99%           %14 o176
         bronze/binance-klines   #########%o   >99%  > 93%    %14 o176         5m ago
       v silver 2                #####%?oX!.    98%           X3 !12 %24.0k
         silver/klines           #####%?oX!.    98%  > 17%    X3 !12 %24.0k    3h ago
         silver/funding          ###########   100%                           26h ago
       v gold 2                  %%%o!!!!!!!     0%           !240 %120 o44
         gold/returns            %%%o!!!!!!!     0%           !240 %120 o44   40d ago
         gold/universe           ...........      ~
      "
    `));
  test('139 columns: more of them', () =>
    expect(shown({ size: { columns: 139, rows: 14 } })).toMatchInlineSnapshot(`
      " ■ 3.7M fresh  ◪ 24.1k stale  ◧ 310 pending  □ 408 missing  ✗ 3 failed  ▣ 252 blocked  · 824 awaiting  ╌ 96 unavailable           7 assets
       asset                     freshness         fresh  running  not fresh          last      lag  volume        partitions     rows      size
       ▾ binance 2               ■■■■■■■■■■■■■■·╌   100%           ·412 ╌96                                              1.2M           810.0 GB
         binance/klines-daily    ■■■■■■■■■■■■■■·╌   100%           ·412 ╌96        12m ago           ▄▆▆▇▆▅▄▃▅▇▇▇        1.2M           412.0 GB
         binance/klines-monthly  ■■■■■■■■■■■■■■■■   100%                           12m ago           ▃▄▆▆▇▆▅▄▃▅▇▇       41.2k           398.0 GB
       ▾ bronze 1                ■■■■■■■■■■■■■■◪□   >99%           ◪14 □176                                              1.2M     1.7G   96.4 GB
         bronze/binance-klines   ■■■■■■■■■■■■■■◪□   >99%  ▶ 93%    ◪14 □176         5m ago     9h ✓  ▄▆▆▇▆▅▄▃▅▇▇▇        1.2M     1.7G   96.4 GB
       ▾ silver 2                ■■■■■■■■■■◪◧□✗▣·    98%           ✗3 ▣12 ◪24.0k                                         1.2M     1.7G   71.2 GB
         silver/klines           ■■■■■■■■■■◪◧□✗▣·    98%  ▶ 17%    ✗3 ▣12 ◪24.0k    3h ago    33h !  ▄▆▆▇▆▅▄▃▅▇▇▇        1.2M     1.7G   71.2 GB
         silver/funding          ■■■■■■■■■■■■■■■■   100%                           26h ago     3d ✗  ▅▄▃▅▇▇▇▄▃▄▆▇       38.1k     1.2M   18.4 MB
       ▾ gold 2                  ◪◪◪◪◪□□▣▣▣▣▣▣▣▣▣     0%           ▣240 ◪120 □44                                          404    8,400  212.0 kB
         gold/returns            ◪◪◪◪◪□□▣▣▣▣▣▣▣▣▣     0%           ▣240 ◪120 □44   40d ago    41d           ▃  ▄▇         404    8,400  212.0 kB
         gold/universe           ┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈      …
      "
    `));
  test('160 columns: what the cursor is on, at the right', () =>
    expect(shown({ cursor: 6, size: { columns: 160, rows: 34 } })).toMatchInlineSnapshot(`
      " ■ 3.7M fresh  ◪ 24.1k stale  ◧ 310 pending  □ 408 missing  ✗ 3 failed  ▣ 252 blocked            7 assets  │ silver/klines
       asset                     freshness       fresh  running  not fresh          last      lag  volume        │ sql
       ▾ binance 2               ■■■■■■■■■■■■·╌   100%           ·412 ╌96                                        │
         binance/klines-daily    ■■■■■■■■■■■■·╌   100%           ·412 ╌96        12m ago           ▄▆▆▇▆▅▄▃▅▇▇▇  │ Candles of every market in one shape: times in UTC,
         binance/klines-monthly  ■■■■■■■■■■■■■■   100%                           12m ago           ▃▄▆▆▇▆▅▄▃▅▇▇  │ prices as decimals, volumes in the base and the
       ▾ bronze 1                ■■■■■■■■■■■■◪□   >99%           ◪14 □176                                        │ quote asset. Overlapping files are resolved by the
         bronze/binance-klines   ■■■■■■■■■■■■◪□   >99%  ▶ 93%    ◪14 □176         5m ago     9h ✓  ▄▆▆▇▆▅▄▃▅▇▇▇  │ newest checksum.
       ▾ silver 2                ■■■■■■■■◪◧□✗▣·    98%           ✗3 ▣12 ◪24.0k                                   │
         silver/klines           ■■■■■■■■◪◧□✗▣·    98%  ▶ 17%    ✗3 ▣12 ◪24.0k    3h ago    33h !  ▄▆▆▇▆▅▄▃▅▇▇▇  │ dimensions   exchange × market × symbol × interval
         silver/funding          ■■■■■■■■■■■■■■   100%                           26h ago     3d ✗  ▅▄▃▅▇▇▇▄▃▄▆▇  │              × date
       ▾ gold 2                  ◪◪◪◪□□▣▣▣▣▣▣▣▣     0%           ▣240 ◪120 □44                                   │ group        market
         gold/returns            ◪◪◪◪□□▣▣▣▣▣▣▣▣     0%           ▣240 ◪120 □44   40d ago    41d           ▃  ▄▇  │ owners       market-data
         gold/universe           ┈┈┈┈┈┈┈┈┈┈┈┈┈┈      …                                                           │ tags         tier=1, pii=no
                                                                                                                 │
                                                                                                                 │ running      ━━──────────  17% of 24,525 partitions
                                                                                                                 │
                                                                                                                 │ ■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■◪◧□✗▣·
                                                                                                                 │
                                                                                                                 │ ■ fresh      1,180,000   98%  ▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪
                                                                                                                 │ ◪ stale         24,012    2%  ▪
                                                                                                                 │ ◧ pending          310   <1%  ▪
                                                                                                                 │ □ missing          188   <1%  ▪
                                                                                                                 │ ✗ failed             3   <1%  ▪
                                                                                                                 │ ▣ blocked           12   <1%  ▪
                                                                                                                 │ · awaiting         412   <1%  ▪
                                                                                                                 │
                                                                                                                 │ rows         1,733,000,000
                                                                                                                 │ size         71.2 GB
                                                                                                                 │ computed     3h ago, 2026-05-08 11:03:07 UTC
                                                                                                                 │ in run       20260508T135807-4f1c
                                                                                                                 │ lag          warn, 33h late (limit 2d)
                                                                                                                 │              overdue after 2024-02-02 12:00
                                                                                                                 │ policy       what is published is there within 30h
                                                                                                                 │              of when it normally is"
    `));

  test('a heading in detail', () =>
    expect(shown({ entries: tree(ASSETS.slice(3, 5)), size: { columns: 140, rows: 16 } })).toMatchInlineSnapshot(`
      " ■ 1.2M fresh  ◪ 24.0k stale  ◧ 310 pending  □ 188 missing  ✗ 3 failed              2 assets  │ silver
       asset             freshness                fresh  running  not fresh          last      lag  │ zone of 2 assets
       ▾ silver 2        ■■■■■■■■■■■■■■■■■◪◧□✗▣·    98%           ✗3 ▣12 ◪24.0k                     │
         silver/klines   ■■■■■■■■■■■■■■■■■◪◧□✗▣·    98%  ▶ 17%    ✗3 ▣12 ◪24.0k    3h ago    33h !  │ ■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■◪◧□✗▣·
         silver/funding  ■■■■■■■■■■■■■■■■■■■■■■■   100%                           26h ago     3d ✗  │
                                                                                                    │ ■ fresh      1,218,110   98%  ▪▪▪▪▪▪▪▪▪▪▪▪
                                                                                                    │ ◪ stale         24,012    2%  ▪
                                                                                                    │ ◧ pending          310   <1%  ▪
                                                                                                    │ □ missing          188   <1%  ▪
                                                                                                    │ ✗ failed             3   <1%  ▪
                                                                                                    │ ▣ blocked           12   <1%  ▪
                                                                                                    │ · awaiting         412   <1%  ▪
                                                                                                    │
                                                                                                    │ rows         1,734,204,000
                                                                                                    │ size         71.2 GB
                                                                                                    │"
    `));

  test('a collapsed zone keeps its totals', () =>
    expect(shown({ entries: tree(ASSETS, ['binance', 'silver']) })).toMatchInlineSnapshot(`
      " ■ 3.7M fresh  ◪ 24.1k stale  ◧ 310 pending  □ 408 missing             7 assets
       asset                    freshness     fresh  running  not fresh          last
       ▸ binance 2              ■■■■■■■■■■·╌   100%           ·412 ╌96
       ▾ bronze 1               ■■■■■■■■■■◪□   >99%           ◪14 □176
         bronze/binance-klines  ■■■■■■■■■■◪□   >99%  ▶ 93%    ◪14 □176         5m ago
       ▸ silver 2               ■■■■■■◪◧□✗▣·    98%           ✗3 ▣12 ◪24.0k
       ▾ gold 2                 ◪◪◪◪□▣▣▣▣▣▣▣     0%           ▣240 ◪120 □44
         gold/returns           ◪◪◪◪□▣▣▣▣▣▣▣     0%           ▣240 ◪120 □44   40d ago
         gold/universe          ┈┈┈┈┈┈┈┈┈┈┈┈      …




      "
    `));

  test('the row of the cursor is in sight and stands out', () => {
    const lines = assetsView(input({ cursor: 9, size: { columns: 80, rows: 6 } }), PLAIN);
    expect(lines.filter((line) => line.includes('\u001b[7m')).map((line) => seen([line]).slice(0, 15))).toEqual([
      '   gold/returns',
    ]);
  });

  test('a filter is shown, what it found is marked', () => {
    const lines = assetsView(
      input({
        entries: tree(ASSETS.slice(2, 4)),
        cursor: -1,
        filter: { text: 'KL', caret: 2 },
        size: { columns: 80, rows: 8 },
      }),
      COLOURED,
    );
    expect(seen(lines)).toMatchInlineSnapshot(`
      " /KL█
       ■ 2.4M fresh  ◪ 24.0k stale  ◧ 310 pending  □ 364 missing             2 assets
       asset                    freshness     fresh  running  not fresh          last
       ▾ bronze 1               ■■■■■■■■■■◪□   >99%           ◪14 □176
         bronze/binance-klines  ■■■■■■■■■■◪□   >99%  ▶ 93%    ◪14 □176         5m ago
       ▾ silver 1               ■■■■■■◪◧□✗▣·    98%           ✗3 ▣12 ◪24.0k
         silver/klines          ■■■■■■◪◧□✗▣·    98%  ▶ 17%    ✗3 ▣12 ◪24.0k    3h ago
      "
    `);
    expect(lines[6]).toContain(`silver/${COLOURED.strong(COLOURED.accent('kl'))}ines`);
  });

  test('what is not known is said', () => {
    const rows = [
      asset('binance/klines', { kind: 'source', known: false, counts: counts({}), lastAt: undefined }),
      asset('bronze/klines', { known: false, counts: counts({ fresh: 4, stale: 2 }) }),
      asset('bronze/trades', {
        known: false,
        counts: counts({ failed: 1204, blocked: 1204, stale: 12_040, missing: 1 }),
      }),
    ];
    expect(shown({ entries: tree(rows), size: { columns: 60, rows: 9 } })).toMatchInlineSnapshot(`
      " Nothing was observed yet: press o to look at the sources.
       ■ 4 fresh  ◪ 12.0k stale  □ 1 missing             3 assets
       asset             freshness           fresh  not fresh
       ▾ binance 1       ┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈
         binance/klines  ┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈         not observed
       ▾ bronze 2        ■◪◪◪◪◪◪◪◪◪◪◪◪◪□✗✗▣    <1%  ✗1,204 ▣1,204
         bronze/klines   ■■■■■■■■■■■■◪◪◪◪◪◪    67%  ◪2 +?
         bronze/trades   ◪◪◪◪◪◪◪◪◪◪◪◪◪◪□✗✗▣     0%  ✗1,204… +?
      "
    `);
  });

  test.each([
    ['while reading', { entries: undefined }, 'Reading the lake …'],
    ['no assets', { entries: [] }, 'This lake has no assets yet.'],
    ['nothing matches', { entries: [], filter: { text: 'x\ny' } }, 'No asset matches x\\ny'],
  ])('instead of a list, %s', (_, some, sentence) => expect(shown(some)).toContain(sentence));
});
