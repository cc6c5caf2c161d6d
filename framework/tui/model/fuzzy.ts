import fuzzysort from 'fuzzysort';

export interface Match<T> {
  readonly item: T;
  /** Indices of the characters that matched. */
  readonly positions: readonly number[];
}

/** The items whose text holds what was typed, with gaps, best first; all in their order where nothing was typed. */
export function fuzzy<T>(query: string, items: readonly T[], textOf: (item: T) => string, most = 200): Match<T>[] {
  if (query.trim() === '') return items.slice(0, most).map((item) => ({ item, positions: [] }));
  const prepared = items.map((item) => ({ item, text: textOf(item) }));
  return fuzzysort
    .go(query.trim(), prepared, { key: 'text', limit: most, threshold: 0.3 })
    .map(({ obj, indexes }) => ({ item: obj.item, positions: [...indexes].sort((a, b) => a - b) }));
}
