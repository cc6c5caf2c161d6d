import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** What was seen in real files and answers of exchanges, and takes in whoever reads them. */
const traps = [
  'Spot candles have no header line, those of futures have one since 2022-08-11',
  'The day from which futures have a header is not one: it differs by symbol, and came and went',
  'In COIN-M the same words mean something else: volume is contracts, quote_volume is coins',
  'Names of columns, their number, True and true vary with market and age',
  'The last column is not always 0',
  'Spot is in microseconds from 2025 on, futures stay in milliseconds',
  'close_time is not always the end of the bar',
  'close_time before open_time',
  'Bars that open off the grid, and overlap',
  'Bars that are missing, in all sources',
  'Funding times jitter by milliseconds',
  'Times written without a zone are UTC',
  'Bars without trades are there, flat',
  'A zero is written otherwise than its neighbours',
  'The number of decimals changes within a file',
  'Amounts have more digits than a double',
  'Scientific notation, where a spreadsheet has had the file',
  'Liquidations are there twice, and were withdrawn',
  'metrics: empty ratios in quotes, rows out of order, 16 decimals',
  'Depth bands are -5 or -5.00',
  'CHECKSUM with and without a final newline',
  'Old zips are published again',
  'Listings: CHECKSUM keys among the others, also as markers; an unknown prefix is an empty 200; months have holes',
  'A file that is not there is a normal answer',
  'Coinbase: newest first, seconds, numbers with noise, holes left out',
  'Kraken: errors with status 200, another name for the pair, the open candle at the end',
  'Binance futures: 200 days at most, a start before the listing is moved, prices without decimals',
  'Rate limits, bans and refusals have codes of their own',
];

/** Titles of tests in all of this repository that begin with the trap they prove: `trap 11: …`, `traps 4 and 6: …`. */
function titles(): { file: string; title: string; proves: number[] }[] {
  const own = 'datasets/traps.test.ts';
  const files = readdirSync('test', { recursive: true, encoding: 'utf8' }).map((file) => file.replaceAll('\\', '/'));
  return files
    .filter((file) => file.endsWith('.test.ts') && file !== own)
    .sort()
    .flatMap((file) =>
      [
        ...readFileSync(`test/${file}`, 'utf8').matchAll(
          /(['"`])((?:(?!\1).)*?\btraps? (\d+(?:(?:, | and )\d+)*): (?:(?!\1).)*)\1/g,
        ),
      ].map(([, , title = '', numbers = '']) => ({ file, title, proves: numbers.split(/, | and /).map(Number) })),
    );
}

test('every trap has a test that is named after it', async () => {
  const found = titles();
  expect(found.flatMap(({ proves }) => proves).filter((number) => traps[number - 1] === undefined)).toEqual([]);
  expect(traps.map((_, i) => i + 1).filter((number) => !found.some(({ proves }) => proves.includes(number)))).toEqual(
    [],
  );
  const text = (title: string) =>
    title
      .replace(/^.*?\btraps? [\d, and]+: /, '')
      .replace(/\$\{.*/, '')
      .replace('%s', '…')
      .replaceAll('|', '\\|')
      .trim();
  const rows = traps.map((trap, i) => {
    const proofs = found
      .filter(({ proves }) => proves.includes(i + 1))
      .map(({ file, title }) => `\`${file.replace('.test.ts', '')}\` ${text(title)}`);
    return `| ${i + 1} | ${trap} | ${proofs.join('<br>')} |`;
  });
  const page = [
    '# Traps in market data',
    '',
    'What real files and answers of exchanges do, and the tests, by file below `test/`, that show it does no harm here.',
    'Written by `npx vitest run test/datasets/traps.test.ts --update=all`.',
    '',
    '| | what there is | tests |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
  await expect(page).toMatchFileSnapshot('../../docs/traps.md');
});
