import { describe, expect, test } from 'vitest';
import { styleFor } from '../../framework/cli/style.ts';
import {
  bytes,
  displayWidth,
  duration,
  instant,
  number,
  pad,
  plural,
  some,
  table,
  truncate,
  truncateFront,
  visible,
} from '../../framework/report/format.ts';
import { screen } from './support.ts';

test('numbers for people', () => {
  expect([0, 999, 1234.4, 1_000_000].map(number)).toEqual(['0', '999', '1,234', '1,000,000']);
  expect([plural(1, 'partition'), plural(2, 'batch'), plural(0, 'day'), plural(1200, 'entry')]).toEqual([
    '1 partition',
    '2 batches',
    '0 days',
    '1,200 entries',
  ]);
  expect([0, 999, 1000, 999_949, 999_950, 12_345_678_901].map(bytes)).toEqual([
    '0 B',
    '999 B',
    '1.0 kB',
    '999.9 kB',
    '1.0 MB',
    '12.3 GB',
  ]);
  expect([0, 999.4, 999.6, 9_949, 12_000, 59_400, 60_000, 3_599_000, 3_600_000, 7_384_000].map(duration)).toEqual([
    '0 ms',
    '999 ms',
    '1.0 s',
    '9.9 s',
    '12 s',
    '59 s',
    '1m 00s',
    '59m 59s',
    '1h 00m',
    '2h 03m',
  ]);
  expect(instant(Date.UTC(2024, 0, 31, 5, 7, 9))).toBe('2024-01-31 05:07:09 UTC');
  expect(some(['a', 'b', 'c', 'd', 'e'])).toBe('a, b, c and 2 more');
});

test('widths are those of a terminal', () => {
  expect(['abc', '币安', 'e\u0301', '\u001b[31mred\u001b[39m', '🚀'].map(displayWidth)).toEqual([3, 4, 1, 3, 2]);
  expect([truncate('abcdef', 6), truncate('abcdef', 5), truncate('币安人生', 6)]).toEqual(['abcdef', 'abcd…', '币安…']);
  expect([truncateFront('abcdef', 6), truncateFront('abcdef', 5), truncateFront('币安人生', 6)]).toEqual([
    'abcdef',
    '…cdef',
    '…人生',
  ]);
  expect([pad('币', 4), pad('1', 3, 'right')]).toEqual(['币  ', '  1']);
});

test('a table has no trailing space, whatever is in it', () => {
  expect(
    table(
      [{ title: 'A' }, { title: 'N', align: 'right' }, { title: 'C' }],
      [
        ['x', '1', ''],
        ['币安', '1,000', 'end'],
      ],
    ),
  ).toBe('A         N  C\nx         1\n币安  1,000  end');
  expect(table([{ title: 'A' }], [])).toBe('A');
  // Numbers and ids are not cut: others they would be others.
  const columns = [
    { title: 'ID', whole: true },
    { title: 'N', align: 'right' as const },
    { title: 'B' },
    { title: 'C' },
  ];
  const rows = [['123456789012', '1234567890', 'abcdefghijkl', 'abcdefghijklmno']];
  const cut = (width: number) => table(columns, rows, undefined, width).split('\n')[1];
  expect([55, 54, 48, 43, 30, 10].map(cut)).toEqual([
    '123456789012  1234567890  abcdefghijkl  abcdefghijklmno',
    '123456789012  1234567890  abcdefghijkl  abcdefghijklm…',
    '123456789012  1234567890  abcdefghi…  abcdefghi…',
    '123456789012  1234567890  abcdefghijkl',
    '123456789012  1234567890',
    '123456789012  1234567890',
  ]);
});

test('control characters of data do not reach the terminal', () => {
  expect(visible('a\tb\nc\u001b[2Jd\u0007')).toBe('a\\tb\\nc\\x1b[2Jd\\x07');
});

describe('colours', () => {
  const red = (env: Record<string, string>, color = true, output = screen({ columns: 80 })) =>
    styleFor(output, env, color).bad('x') === '\u001b[31mx\u001b[39m';
  test('are for terminals', () => {
    expect([
      red({}),
      red({}, true, screen()),
      red({ TERM: 'dumb' }),
      red({ FORCE_COLOR: '1' }, true, screen()),
    ]).toEqual([true, false, false, true]);
  });
  test('NO_COLOR, FORCE_COLOR and --no-color, in rising order', () => {
    expect([
      red({ NO_COLOR: '1' }),
      red({ NO_COLOR: '' }),
      red({ NO_COLOR: '1', FORCE_COLOR: '1' }),
      red({ FORCE_COLOR: '0' }),
      red({ FORCE_COLOR: '1' }, false),
    ]).toEqual([false, true, true, false, false]);
  });
});
