import { type Catalogue, FORMAT } from './document.ts';

export type Entry = Catalogue['assets'][string];

export interface NextRoot {
  readonly lake: string;
  /** Revision the writer looked at before it wrote the documents. */
  readonly head: number;
  /** ms UTC. */
  readonly now: number;
  /** ms that documents stay which are no longer pointed at. */
  readonly keepMs: number;
  /** Those written anew. */
  readonly documents: ReadonlyMap<string, Entry>;
  /** Assets that are to be taken out. */
  readonly gone: readonly string[];
  /** Assets that the writer has compared with the log: what was not written anew is as of `head` too. */
  readonly known: ReadonlySet<string>;
}

/** The root after this one, and the documents that nobody reads any more. */
export function nextRoot(
  previous: Catalogue | undefined,
  { lake, head, now, keepMs, documents, gone, known }: NextRoot,
): { readonly root: Catalogue; readonly expired: readonly string[] } {
  const before = Object.entries(previous?.assets ?? {});
  const stay = before
    .filter(([asset]) => !documents.has(asset) && !gone.includes(asset))
    .map(([asset, entry]): [string, Entry] => [
      asset,
      known.has(asset) ? { ...entry, revision: Math.max(entry.revision, head) } : entry,
    ]);
  const assets = Object.fromEntries([...stay, ...documents].sort(([a], [b]) => (a < b ? -1 : 1)));
  const replaced = before
    .filter(([asset, { catalog }]) => assets[asset]?.catalog !== catalog)
    .map(([, { catalog }]) => ({ catalog, at: now }));
  const retired = Map.groupBy([...(previous?.retired ?? []), ...replaced], ({ at }) => now - at >= keepMs);
  return {
    root: {
      format: FORMAT,
      lake,
      revision: head,
      generatedAt: new Date(now).toISOString(),
      assets,
      retired: retired.get(false) ?? [],
    },
    expired: (retired.get(true) ?? []).map(({ catalog }) => catalog),
  };
}
