import { describe, expect, test } from 'vitest';
import { fuzzy } from '../../framework/tui/model/fuzzy.ts';

const KEYS = ['gold/indicators', 'silver/klines', 'silver/funding_rate', 'bronze/klines_daily'];
const found = (query: string, most?: number) => fuzzy(query, KEYS, (key) => key, most).map(({ item }) => item);

describe('finding with gaps', () => {
  test('everything in its order where nothing was typed, as much as was asked for', () => {
    expect(found('')).toEqual(KEYS);
    expect(found('   ', 2)).toEqual(KEYS.slice(0, 2));
    expect(fuzzy('', KEYS, (key) => key)[0]?.positions).toEqual([]);
  });

  test('the best first', () => {
    expect(found('klines')[0]).toBe('silver/klines');
    expect(found('sil fund')).toEqual(['silver/funding_rate']);
    expect(found('gind')).toEqual(['gold/indicators']);
    expect(found('zzz')).toEqual([]);
  });

  test('says where it found what', () => {
    const [match] = fuzzy('skl', ['silver/klines'], (key) => key);
    expect(match?.positions.map((at) => 'silver/klines'[at]).join('')).toBe('skl');
    expect(match?.positions).toEqual(match?.positions.toSorted((a, b) => a - b));
  });
});
