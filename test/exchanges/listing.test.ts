import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareKeys } from '../../assets/exchanges/binance/archive.ts';
import { simulatedArchive } from '../../assets/exchanges/simulated/archive.ts';
import { listingPage, listingRequest, listingXml } from '../../assets/exchanges/simulated/listing.ts';

const keysArbitrary = fc
  .uniqueArray(fc.string({ unit: fc.constantFrom('a', 'b', '/', '-', '0'), minLength: 1, maxLength: 6 }), {
    maxLength: 60,
  })
  .map((keys) => keys.sort(compareKeys));
const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', '-'), maxLength: 3 });

test('the pages together are what S3 defines: each key or common prefix once, in order, whatever the page size', () => {
  fc.assert(
    fc.property(
      keysArbitrary,
      text,
      fc.constantFrom('', '/'),
      fc.integer({ min: 1, max: 7 }),
      text,
      (keys, prefix, delimiter, maxKeys, after) => {
        const found: string[] = [];
        let token: string | undefined;
        for (let i = 0; i < 100; i++) {
          const page = listingPage(keys, { version: 2, prefix, delimiter, maxKeys, after, token });
          const both = [...page.keys, ...page.commonPrefixes].sort(compareKeys);
          expect(both.length).toBeLessThanOrEqual(maxKeys);
          found.push(...both);
          if (page.next === undefined) break;
          expect(page.next).toBe(both.at(-1));
          token = Buffer.from(page.next).toString('base64url');
        }
        // A common prefix given as `after` stands for all that is under it.
        const rollUp = (key: string): string => {
          const cut = delimiter ? key.indexOf('/', prefix.length) : -1;
          return cut === -1 ? key : key.slice(0, cut + 1);
        };
        const isCommonPrefix = after.startsWith(prefix) && after.endsWith('/') && after.length > prefix.length;
        const isPast = (key: string): boolean =>
          compareKeys(key, after) > 0 && !(isCommonPrefix && rollUp(key) === after);
        const rolled = keys.filter((key) => key.startsWith(prefix) && isPast(key)).map(rollUp);
        const expected = [...new Set(rolled)];
        expect(found).toEqual(expected);
      },
    ),
    // A key may be the very prefix that is asked for, at the end of a page.
    { numRuns: 500, examples: [[['/', '//-'], '/', '/', 1, '']] },
  );
});

const real = '../shared/data/rest/binance-s3/algo-one-daily-page1.xml';
test.skipIf(!existsSync(real))(
  'the XML has the elements of a real listing (skipped where ../shared/data is absent)',
  () => {
    const archive = simulatedArchive({
      seed: 's',
      listings: [{ market: 'spot', symbol: 'BTCUSDT' }],
      intervals: ['1m'],
      from: '2017-08-17',
      to: '2017-08-23',
    });
    const prefix = 'data/spot/daily/klines/BTCUSDT/1m/';
    const request = listingRequest(new URLSearchParams({ prefix, delimiter: '/', 'max-keys': '12' }));
    const xml = listingXml(archive, 'data.binance.vision', request, listingPage(archive.keys(), request));
    // Same elements in the same order, same keys; sizes, times and ETags are of course others.
    const shape = (text: string): string[] =>
      [...text.matchAll(/<(\w+)[^>]*>([^<\n]*)/g)].map(([, name = '', value = '']) =>
        ['ETag', 'Size', 'LastModified'].includes(name)
          ? `${name} ${value.replace(/[0-9a-f]+/g, '#')}`
          : `${name} ${value}`,
      );
    expect(shape(xml)).toEqual(shape(readFileSync(real, 'utf8')));
  },
);
