import { canonicalHash } from '../common/canonical.ts';
import { LakehouseError } from '../common/errors.ts';
import type { AssetGraph, AssetNode } from '../graph/graph.ts';
import type { NewEvent } from '../state/events.ts';
import type { FileRecord, StateReader } from '../state/store.ts';
import { parallel } from '../storage/parallel.ts';
import type { ObjectStore, Staged } from '../storage/store.ts';
import { type Declared, declaredOf } from './declared.ts';
import { type AssetCatalogue, type Catalogue, FORMAT, PREFIX, ROOT } from './document.ts';
import { readAssetCatalogue, readWhole } from './read.ts';
import { type Entry, nextRoot } from './root.ts';
import { describeSeries, isUnchanged, type Partly, statisticsOf } from './series.ts';

const ATTEMPTS = 10;
/** A bucket takes its time for each. */
const REMOVED_AT_ONCE = 16;
/** What a root that somebody has just read may point at stays at least so long. */
const RETIRED_MS = 600_000;
/** What no root points at belongs to a writer that is about to, or that died. */
const ORPHANED_MS = 3_600_000;

/** What the catalogue is made from. */
export interface CatalogueSource {
  readonly graph: AssetGraph;
  readonly state: StateReader;
  readonly store: ObjectStore;
  readonly now: () => number;
  /** A fresh random name. */
  readonly id: () => string;
}

export interface CatalogueOptions {
  /** Originals too, not only tables. */
  readonly originals: boolean;
  /** Every partition is listed, not only ranges. */
  readonly partitions: boolean;
  /** ms that superseded files stay in the tree. */
  readonly keepMs: number;
  readonly partly: Partly;
  /** Everything is described anew, whatever is there. */
  readonly rebuild?: boolean;
}

export interface CatalogueUpdate {
  readonly catalogue: Catalogue;
  /** Assets whose documents were written anew, or taken out. Empty: it was up to date, and nothing was written. */
  readonly written: readonly string[];
}

/**
 * Brings the catalogue up to what the log says, by what is there and what the log has of later: only documents of assets whose files
 * or declaration have changed are written, then the root, in one piece. Whoever has written looks at the log once more, and
 * begins anew if something came in between: of several writers the last is never behind the log it has seen, and what a writer that
 * died has left behind is put right by the next.
 * @throws LakehouseError `catalogue-behind` (transient) when others are always faster; what the store throws.
 */
export async function updateCatalogue(lake: CatalogueSource, options: CatalogueOptions): Promise<CatalogueUpdate> {
  const id = lake.state.meta('id') ?? '';
  const written = new Set<string>();
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const previous = await readWhole(lake.store, id);
    const { head } = lake.state.refresh();
    const anew = options.rebuild === true && attempt === 1;
    const due = dueAssets(lake, options, anew ? undefined : previous);
    const gone = Object.keys(previous?.assets ?? {}).filter((asset) => isGone(lake, options, asset));
    if (previous && due.length === 0 && gone.length === 0) return { catalogue: previous, written: [...written].sort() };

    const documents = await writeDocuments(lake, options, id, due, anew ? undefined : previous);
    const now = lake.now();
    const keepMs = Math.max(options.keepMs, RETIRED_MS);
    const known = new Set(cataloguedNodes(lake, options).map(({ key }) => key));
    const { root, expired } = nextRoot(previous, { lake: id, head, now, keepMs, documents, gone, known });
    await lake.store.overwrite(ROOT, Buffer.from(`${JSON.stringify(root, undefined, 2)}\n`));
    await parallel(REMOVED_AT_ONCE)(expired, (catalog) => lake.store.delete(catalog));
    if (anew) await removeOrphans(lake, root);
    for (const asset of [...documents.keys(), ...gone]) written.add(asset);
    if (dueAssets(lake, options, root).length === 0) return { catalogue: root, written: [...written].sort() };
  }
  throw tooSlow();
}

/** Assets of which the catalogue does not say what the log and the definitions say. */
export function behind(
  lake: CatalogueSource,
  options: Pick<CatalogueOptions, 'originals' | 'partitions'>,
  catalogue: Catalogue | undefined,
): string[] {
  lake.state.refresh();
  return dueAssets(lake, options, catalogue).map(({ node }) => node.key);
}

const tooSlow = () =>
  new LakehouseError('catalogue-behind', `${ROOT} could not be brought up to the log: others were always faster`, {
    kind: 'transient',
  });

interface Due {
  readonly node: AssetNode;
  readonly declared: Declared;
  readonly hash: string;
}

function cataloguedNodes(
  { graph }: Pick<CatalogueSource, 'graph'>,
  { originals }: Pick<CatalogueOptions, 'originals'>,
): AssetNode[] {
  return graph.order
    .map((key) => graph.node(key))
    .filter(({ definition }) => definition.kind === 'asset' && (originals || definition.storage.type === 'table'));
}

function dueAssets(
  { graph, state }: CatalogueSource,
  options: Pick<CatalogueOptions, 'originals' | 'partitions'>,
  catalogue: Catalogue | undefined,
): Due[] {
  const { head } = state.refresh();
  const [oldest] = state.events({ limit: 1 });
  const forgotten = (oldest?.revision ?? head + 1) - 1;
  return cataloguedNodes({ graph }, options).flatMap((node) => {
    const declared = declaredOf(node);
    const hash = canonicalHash([declared, options.partitions]).slice(0, 16);
    const entry = catalogue?.assets[node.key];
    const current =
      entry !== undefined &&
      entry.declared === hash &&
      (entry.revision >= head || (entry.revision >= forgotten && !isTouched(state, node.key, entry.revision)));
    return current ? [] : [{ node, declared, hash }];
  });
}

/** Whether files of an asset, what lives in them, or what is said of their code may have changed since a revision. */
function isTouched(state: StateReader, asset: string, after: number): boolean {
  return (['materialized', 'compacted', 'departed', 'accepted'] as const).some((kind) =>
    has(state, asset, kind, after),
  );
}

const has = (state: StateReader, asset: string, kind: NewEvent['kind'], after: number): boolean =>
  [...state.events({ asset, kind, after, limit: 1 })].length > 0;

/** An asset that is not to be there any more. Files of one that these definitions do not know may be another process's. */
function isGone({ graph, state }: CatalogueSource, { originals }: CatalogueOptions, asset: string): boolean {
  const definition = graph.find(asset)?.definition;
  if (definition) return definition.kind === 'source' || (!originals && definition.storage.type !== 'table');
  for (const _ of state.files(asset)) return false;
  return true;
}

async function writeDocuments(
  lake: CatalogueSource,
  options: CatalogueOptions,
  id: string,
  due: readonly Due[],
  previous: Catalogue | undefined,
): Promise<Map<string, Entry>> {
  const documents = new Map<string, Entry>();
  const staged: Staged[] = [];
  try {
    for (const { node, declared, hash } of due) {
      const known = previous?.assets[node.key]?.catalog;
      const before = known === undefined ? undefined : await readAssetCatalogue(lake.store, id, known);
      const document = describeAsset(lake, options, id, node, declared, before);
      const stage = await lake.store.stage(`${PREFIX}${node.key}.${lake.id()}.json`);
      staged.push(stage);
      await stage.write(Buffer.from(`${JSON.stringify(document)}\n`));
      const { statistics, revision, storage } = document;
      documents.set(node.key, { catalog: stage.key, revision, declared: hash, storage, statistics });
    }
    await lake.store.commitAll(staged);
  } finally {
    await Promise.all(staged.map((stage) => stage.discard()));
  }
  return documents;
}

function describeAsset(
  { state }: CatalogueSource,
  { partitions: each, partly }: CatalogueOptions,
  lake: string,
  node: AssetNode,
  declared: Declared,
  before: AssetCatalogue | undefined,
): AssetCatalogue {
  // What is said of times depends on the grain, and of code on what is accepted as the same.
  const comparable =
    canonicalHash(before?.partitionedBy ?? null) === canonicalHash(declared.partitionedBy) &&
    !has(state, node.key, 'accepted', before?.revision ?? 0);
  const old = new Map((comparable ? before : undefined)?.series.map((one) => [one.series, one]));
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const { head } = state.refresh();
    const bySeries = Map.groupBy<string, FileRecord>(state.files(node.key), (file) => file.series);
    const series = [...bySeries]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, files]) => {
        const same = old.get(key);
        if (same && (same.partitions !== undefined) === each && isUnchanged(same, files)) return same;
        return describeSeries(state, node, key, files, partly, each);
      });
    // Between two pages of files another process may have replaced some, and details are as of now.
    if (state.refresh().head !== head && isTouched(state, node.key, head)) continue;
    return {
      format: FORMAT,
      lake,
      asset: node.key,
      revision: head,
      ...declared,
      statistics: statisticsOf(series),
      series,
    };
  }
  throw tooSlow();
}

/** Documents that no root points at, of writers that died. */
async function removeOrphans({ store, now }: CatalogueSource, { assets, retired }: Catalogue): Promise<void> {
  const known = new Set([...Object.values(assets), ...retired].map(({ catalog }) => catalog));
  for await (const { key, modifiedMs } of store.list(PREFIX))
    if (!known.has(key) && now() - modifiedMs >= ORPHANED_MS) await store.delete(key);
}
