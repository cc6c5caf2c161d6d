import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseSelection, type SelectableGraph, type Selection, select } from '../../framework/graph/selection.ts';
import { type Node, selectable, shown } from './support.ts';

// a ─ b ─ c ─ d     e (alone)     b ─ f
const nodes: readonly Node[] = [
  { key: 'bronze/a', group: 'raw', kinds: ['zip'], owners: ['data team'] },
  { key: 'bronze/e', group: 'raw', kinds: ['zip', 'csv'], tags: { domain: 'market-data' } },
  { key: 'silver/b', group: 'clean', kinds: ['table'], owners: ['ann@example.org', 'data team'], tags: { slow: '' } },
  { key: 'gold/c', group: 'features', kinds: ['table'], tags: { slow: 'very', domain: 'market-data' } },
  { key: 'gold/f', group: 'features', kinds: ['table'], tags: { 'a:b': 'c,d' } },
  { key: 'platinum/d', group: 'reports', kinds: ['table'] },
];
const edges = [
  ['bronze/a', 'silver/b'],
  ['silver/b', 'gold/c'],
  ['silver/b', 'gold/f'],
  ['gold/c', 'platinum/d'],
] as const;
const graph = selectable(nodes, edges);
const letters = (keys: Iterable<string>) =>
  [...keys]
    .map((key) => key.slice(-1))
    .sort()
    .join('');

test.each<[string, string]>([
  ['silver/b', 'b'],
  ['*', 'abcdef'],
  ['gold/*', 'cf'],
  ['*/?', 'abcdef'],
  ['*/a', 'a'],
  ['silver*', 'b'],
  ['key:gold/c', 'c'],
  ['key:*/c', 'c'],
  ['"gold/c"', 'c'],
  // traversal
  ['+gold/c', 'abc'],
  ['gold/c+', 'cd'],
  ['+gold/c+', 'abcd'],
  ['1+gold/c', 'bc'],
  ['2+platinum/d', 'bcd'],
  ['9+platinum/d', 'abcd'],
  ['0+gold/c', 'c'],
  ['bronze/a+1', 'ab'],
  ['bronze/a+2', 'abcf'],
  ['bronze/a+0', 'a'],
  ['1+silver/b+1', 'abcf'],
  ['+silver/b+1', 'abcf'],
  ['1+silver/b+', 'abcdf'],
  ['+gold/*', 'abcf'],
  ['+key:gold/c', 'abc'],
  ['2+(gold/c or gold/f)', 'abcf'],
  ['(gold/c)+', 'cd'],
  ['+(1+gold/c)', 'abc'],
  ['+ gold/c', 'abc'],
  // attributes
  ['group:raw', 'ae'],
  ['group:*e*', 'bcdf'],
  ['kind:zip', 'ae'],
  ['kind:csv', 'e'],
  ['tag:slow', 'bc'],
  ['tag:slow=very', 'c'],
  ['tag:slow=', 'b'],
  ['tag:*=market-*', 'ce'],
  ['tag:dom*', 'ce'],
  ['tag:"a:b"', 'f'],
  ['tag:"a:b"="c,d"', 'f'],
  ['tag:"a:b=c,d"', 'f'],
  ['owner:ann@example.org', 'b'],
  ['owner:"data team"', 'ab'],
  ['"owner:data team"', 'ab'],
  ['group:raw+1', 'abe'],
  ['1+tag:slow', 'abc'],
  // joining
  ['gold/c or gold/f', 'cf'],
  ['gold/c, gold/f', 'cf'],
  ['gold/c,gold/f', 'cf'],
  ['group:raw and kind:csv', 'e'],
  ['not group:raw', 'bcdf'],
  ['not not group:raw', 'ae'],
  ['* and not (group:raw or platinum/d)', 'bcf'],
  ['kind:table and not tag:slow', 'df'],
  ['not kind:table or silver/b', 'abe'],
  ['bronze/a or bronze/e and kind:csv', 'ae'],
  ['(bronze/a or bronze/e) and kind:csv', 'e'],
  ['bronze/a, bronze/e and kind:csv', 'ae'],
  ['silver/b AND tag:slow Or gold/f', 'bf'],
  ['NOT kind:table', 'ae'],
  ['+gold/c and +gold/f', 'ab'],
  ['gold/c and gold/f', ''],
  ['not *', ''],
  // functions
  ['roots(*)', 'ae'],
  ['sinks(*)', 'def'],
  ['roots(+gold/c)', 'a'],
  ['sinks(+gold/*)', 'cf'],
  ['roots(gold/*)', 'cf'],
  ['ROOTS(gold/c or platinum/d)', 'c'],
  ['roots (gold/c, platinum/d)', 'c'],
  ['roots(silver/b+)+1', 'bcf'],
  ['1+sinks(silver/b+) and gold/*', 'cf'],
  // space
  ['  gold/c  ', 'c'],
  ['\tgold/c\n\tor\n\tgold/f\n', 'cf'],
  ['((gold/c))', 'c'],
])('%j selects %j', (text, expected) => {
  expect(letters(select(graph, text).keys)).toBe(expected);
});

test('in the order of the graph', () => {
  expect(select(graph, 'gold/f or +gold/c').keys).toEqual(['bronze/a', 'silver/b', 'gold/c', 'gold/f']);
});

test.each<[string, string, string]>([
  ['gold/c', 'c', 'c'],
  ['gold/*', 'cf', ''],
  ['+gold/c', 'c', 'c'],
  ['group:raw, gold/c+', 'ace', 'c'],
  ['* and not gold/c', 'abdef', ''],
  ['not gold/c', '', ''],
  ['not not gold/c', 'c', 'c'],
  ['not (gold/c and gold/f)', '', ''],
  ['+gold/c and not silver/b', 'c', 'c'],
  ['(gold/c or gold/f) and not gold/f', 'c', 'c'],
  ['roots(+gold/c)', '', ''],
  ['key:gold/c', 'c', 'c'],
])('of %j, %j are matched directly and %j by name', (text, direct, named) => {
  const selected = select(graph, text);
  expect([letters(selected.direct), letters(selected.named)]).toEqual([direct, named]);
});

test('errors point at the column of what was written', () => {
  const texts = [
    '',
    '   ',
    'gold/c or',
    'gold/c,',
    ', gold/c',
    'gold/c,,gold/f',
    'gold/c, gold/f, and',
    'and gold/c',
    'gold/c gold/f',
    'gold/c, gold/f gold/e',
    '(gold/c, gold/f',
    'gold/c)',
    '()',
    'gold/c + 1',
    'gold/c +1',
    '2 +gold/c',
    '++gold/c',
    'gold/c++',
    'gold/c+x',
    'a, b, goup:raw',
    'a, b, group:',
    'a, tag:',
    'a, "gold/c',
    'a, key:"b c',
    'roots gold/c',
    'roots()',
    'not',
    'gold/c or\n\tgold/f gold/e',
  ];
  expect(texts.map((text) => shown(() => parseSelection(text))).join('\n\n')).toMatchInlineSnapshot(`
    "bad-selection: the selection ends where an asset is expected (column 1)
      
      ^
    => Examples: silver/klines, '+gold/*', '2+gold/indicators', 'group:gold and not tag:slow'

    bad-selection: the selection ends where an asset is expected (column 4)
         
         ^
    => Examples: silver/klines, '+gold/*', '2+gold/indicators', 'group:gold and not tag:slow'

    bad-selection: the selection ends where an asset is expected (column 10)
      gold/c or
               ^
    => Examples: silver/klines, '+gold/*', '2+gold/indicators', 'group:gold and not tag:slow'

    bad-selection: the selection ends where an asset is expected (column 8)
      gold/c,
             ^
    => Examples: silver/klines, '+gold/*', '2+gold/indicators', 'group:gold and not tag:slow'

    bad-selection: ',' stands where an asset is expected (column 1)
      , gold/c
      ^
    => Examples: silver/klines, '+gold/*', '2+gold/indicators', 'group:gold and not tag:slow'

    bad-selection: ',' stands where an asset is expected (column 8)
      gold/c,,gold/f
             ^
    => Examples: silver/klines, '+gold/*', '2+gold/indicators', 'group:gold and not tag:slow'

    bad-selection: 'and' stands where an asset is expected (column 17)
      gold/c, gold/f, and
                      ^
    => Examples: silver/klines, '+gold/*', '2+gold/indicators', 'group:gold and not tag:slow'

    bad-selection: 'and' stands where an asset is expected (column 1)
      and gold/c
      ^
    => Examples: silver/klines, '+gold/*', '2+gold/indicators', 'group:gold and not tag:slow'

    bad-selection: 'gold/f' is not expected here (column 8)
      gold/c gold/f
             ^
    => Join terms with 'and', 'or' or a comma

    bad-selection: 'gold/e' is not expected here (column 16)
      gold/c, gold/f gold/e
                     ^
    => Join terms with 'and', 'or' or a comma

    bad-selection: expected ')' for the '(' in column 1 (column 16)
      (gold/c, gold/f
                     ^
    => Examples: silver/klines, '+gold/*', '2+gold/indicators', 'group:gold and not tag:slow'

    bad-selection: ')' is not expected here (column 7)
      gold/c)
            ^
    => Join terms with 'and', 'or' or a comma

    bad-selection: ')' stands where an asset is expected (column 2)
      ()
       ^
    => Examples: silver/klines, '+gold/*', '2+gold/indicators', 'group:gold and not tag:slow'

    bad-selection: '+' is not expected here (column 8)
      gold/c + 1
             ^
    => Join terms with 'and', 'or' or a comma

    bad-selection: '+' is not expected here (column 8)
      gold/c +1
             ^
    => Join terms with 'and', 'or' or a comma

    bad-selection: '+' is not expected here (column 3)
      2 +gold/c
        ^
    => Join terms with 'and', 'or' or a comma

    bad-selection: '+' stands where an asset is expected (column 2)
      ++gold/c
       ^
    => Examples: silver/klines, '+gold/*', '2+gold/indicators', 'group:gold and not tag:slow'

    bad-selection: '+' is not expected here (column 8)
      gold/c++
             ^
    => Join terms with 'and', 'or' or a comma

    bad-selection: 'x' is not expected here (column 8)
      gold/c+x
             ^
    => Join terms with 'and', 'or' or a comma

    bad-selection: 'goup:' is not something assets have (column 7)
      a, b, goup:raw
            ^
    => Did you mean 'group'?

    bad-selection: 'group:' needs a value (column 13)
      a, b, group:
                  ^
    => Examples: silver/klines, '+gold/*', '2+gold/indicators', 'group:gold and not tag:slow'

    bad-selection: 'tag:' needs a value (column 8)
      a, tag:
             ^
    => Examples: silver/klines, '+gold/*', '2+gold/indicators', 'group:gold and not tag:slow'

    bad-selection: this quote is never closed (column 4)
      a, "gold/c
         ^
    => Examples: silver/klines, '+gold/*', '2+gold/indicators', 'group:gold and not tag:slow'

    bad-selection: this quote is never closed (column 8)
      a, key:"b c
             ^
    => Examples: silver/klines, '+gold/*', '2+gold/indicators', 'group:gold and not tag:slow'

    bad-selection: 'gold/c' is not expected here (column 7)
      roots gold/c
            ^
    => Join terms with 'and', 'or' or a comma

    bad-selection: ')' stands where an asset is expected (column 7)
      roots()
            ^
    => Examples: silver/klines, '+gold/*', '2+gold/indicators', 'group:gold and not tag:slow'

    bad-selection: the selection ends where an asset is expected (column 4)
      not
         ^
    => Examples: silver/klines, '+gold/*', '2+gold/indicators', 'group:gold and not tag:slow'

    bad-selection: 'gold/e' is not expected here (column 19)
      gold/c or  gold/f gold/e
                        ^
    => Join terms with 'and', 'or' or a comma"
  `);
});

test('what matches nothing is refused, with what was meant', () => {
  const texts = [
    'gold/cc',
    '* and gold/x*',
    'group:rae',
    'tag:slwo',
    'tag:slow=vry',
    'kind:CSV',
    'owner:bob',
    'GOLD/C',
    '"and"',
  ];
  expect(texts.map((text) => shown(() => select(graph, text))).join('\n')).toMatchInlineSnapshot(`
    "nothing-selected: No asset is named 'gold/cc'
    => Did you mean 'gold/c' or 'gold/f'?
    nothing-selected: No asset is named 'gold/x*'
    => Did you mean 'gold/c' or 'gold/f'?
    nothing-selected: No asset has group 'rae'
    => Did you mean 'raw'?
    nothing-selected: No asset has tag 'slwo'
    => Did you mean 'slow'?
    nothing-selected: No asset has tag 'slow=vry'
    => Did you mean 'slow=very'?
    nothing-selected: No asset has kind 'CSV'
    => Did you mean 'csv'?
    nothing-selected: No asset has owner 'bob'
    => Known: data team, ann@example.org
    nothing-selected: No asset is named 'GOLD/C'
    => Did you mean 'gold/c' or 'gold/f'?
    nothing-selected: No asset is named 'and'
    => Known: bronze/a, bronze/e, silver/b, gold/c, gold/f, platinum/d"
  `);
});

test('an error knows the text and the column', () => {
  for (const text of ['gold/c, gold/cc', 'gold/c, goup:x']) {
    try {
      select(graph, text);
      expect.unreachable();
    } catch (error) {
      expect((error as { details: unknown }).details).toEqual({ selection: text, column: 9 });
    }
  }
});

// --- against a plain implementation, on random graphs ------------------------------------------------------------------------

/** What is written, and what it means: the two are made together and apart from the parser. */
interface Written {
  readonly text: string;
  readonly means: (keys: readonly string[], edges: readonly (readonly [string, string])[]) => ReadonlySet<string>;
}

const KEYS = ['z/a', 'z/b', 'y/a', 'y/b', 'x/c', 'x/d'];
const spaces = fc.constantFrom('', ' ', '  ', '\t');
const gaps = fc.constantFrom(' ', '  ', '\n');

const term: fc.Arbitrary<Written> = fc.oneof(
  fc.constantFrom(...KEYS).map((key) => ({ text: key, means: () => new Set([key]) })),
  fc.constantFrom('z', 'y', 'x').map((zone) => ({
    text: `${zone}/*`,
    means: (keys: readonly string[]) => new Set(keys.filter((key) => key.startsWith(`${zone}/`))),
  })),
  fc.constant({ text: '*', means: (keys: readonly string[]) => new Set(keys) }),
);

/** Sets of paths, by definition: whatever a chain of at most `steps` edges leads to. */
function steps(start: ReadonlySet<string>, many: number, pairs: readonly (readonly [string, string])[]): Set<string> {
  let reached = new Set(start);
  for (let i = 0; i < Math.min(many, 10); i++) {
    reached = new Set([...reached, ...pairs.flatMap(([a, b]) => (reached.has(a) ? [b] : []))]);
  }
  return reached;
}

const { selection } = fc.letrec<{ selection: Written; unit: Written }>((tie) => ({
  unit: fc.oneof(
    { maxDepth: 4 },
    term,
    fc.tuple(tie('selection'), spaces, spaces).map(([of, a, b]) => ({ text: `(${a}${of.text}${b})`, means: of.means })),
    fc
      .tuple(
        fc.constantFrom('', '+', '1+', '2+'),
        fc.oneof(
          term,
          tie('selection').map((s) => ({ ...s, text: `(${s.text})` })),
        ),
        fc.constantFrom('', '+', '+1', '+3'),
      )
      .map(([up, of, down]) => ({
        text: `${up}${of.text}${down}`,
        means: (keys: readonly string[], pairs: readonly (readonly [string, string])[]) => {
          const start = of.means(keys, pairs);
          const depth = (sign: string) => (sign === '' ? 0 : sign === '+' ? 10 : Number(sign.replace('+', '')));
          const back = pairs.map(([a, b]) => [b, a] as const);
          return new Set([...steps(start, depth(up), back), ...steps(start, depth(down), pairs)]);
        },
      })),
    fc.tuple(fc.constantFrom('not', 'NOT'), gaps, tie('unit')).map(([word, gap, of]) => ({
      text: `${word}${gap}${of.text}`,
      means: (keys: readonly string[], pairs: readonly (readonly [string, string])[]) => {
        const without = of.means(keys, pairs);
        return new Set(keys.filter((key) => !without.has(key)));
      },
    })),
    fc.tuple(fc.constantFrom('roots', 'sinks'), tie('selection')).map(([name, of]) => ({
      text: `${name}(${of.text})`,
      means: (keys: readonly string[], pairs: readonly (readonly [string, string])[]) => {
        const inside = of.means(keys, pairs);
        const within = pairs
          .filter(([a, b]) => inside.has(a) && inside.has(b))
          .map(([a, b]) => (name === 'roots' ? b : a));
        return new Set([...inside].filter((key) => !within.includes(key)));
      },
    })),
  ) as fc.Arbitrary<Written>,
  // `and` binds before `or` and the comma, so a row of ands joined by ors needs no parentheses.
  selection: fc
    .array(fc.array(tie('unit'), { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 })
    .chain((rows) =>
      fc.tuple(fc.constantFrom(' or ', ' OR ', ',', ' , '), fc.constantFrom(' and ', '\tAND\n')).map(([or, and]) => ({
        text: rows.map((row) => row.map((unit) => unit.text).join(and)).join(or),
        means: (keys: readonly string[], pairs: readonly (readonly [string, string])[]) => {
          const sets = rows.map((row) => row.map((unit) => unit.means(keys, pairs)));
          return new Set(keys.filter((key) => sets.some((row) => row.every((set) => set.has(key)))));
        },
      })),
    ) as fc.Arbitrary<Written>,
}));

/** Edges from earlier to later keys. */
const dag = fc
  .uniqueArray(fc.tuple(fc.nat(KEYS.length - 1), fc.nat(KEYS.length - 1)), { selector: String, maxLength: 12 })
  .map((pairs) => pairs.flatMap(([a, b]) => (a < b ? [[KEYS[a] ?? '', KEYS[b] ?? ''] as const] : [])));

test('a selection means what a plain implementation says', () => {
  fc.assert(
    fc.property(dag, selection, (pairs, { text, means }) => {
      const random: SelectableGraph = selectable(
        KEYS.map((key) => ({ key })),
        pairs,
      );
      expect(new Set(select(random, text).keys)).toEqual(means(KEYS, pairs));
    }),
    { numRuns: 2000 },
  );
});

test('any text parses or is refused with a column inside it', () => {
  const piece = fc.constantFrom(
    'a',
    'gold/c',
    '+',
    '1',
    '(',
    ')',
    ',',
    '"',
    ' ',
    'and',
    'or',
    'not',
    'tag:',
    '=',
    'roots',
    ':',
    'é',
    '*',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join('');
      try {
        const parsed: Selection = parseSelection(text);
        expect(parsed).toBeDefined();
      } catch (error) {
        const { code, details } = error as { code: string; details: { selection: string; column: number } };
        expect(code).toBe('bad-selection');
        expect(details.selection).toBe(text);
        expect(details.column).toBeGreaterThanOrEqual(1);
        expect(details.column).toBeLessThanOrEqual(text.length + 1);
      }
    }),
    { numRuns: 2000 },
  );
});
