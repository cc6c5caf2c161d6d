import { isLakehouseError } from '../common/errors.ts';
import type { ObjectStore } from '../storage/store.ts';
import {
  type AssetCatalogue,
  assetCatalogueSchema,
  type Catalogue,
  catalogueSchema,
  PREFIX,
  ROOT,
} from './document.ts';

/** The catalogue of a lake; undefined where there is none that this version can go by: none at all, another lake's, a damaged one. */
export async function readCatalogue(store: ObjectStore, lake: string): Promise<Catalogue | undefined> {
  const { data } = catalogueSchema.safeParse(await readJson(store, ROOT));
  return data?.lake === lake ? data : undefined;
}

/** As {@link readCatalogue}, without assets whose documents are not there: who goes by the root does not find them either. */
export async function readWhole(store: ObjectStore, lake: string): Promise<Catalogue | undefined> {
  const catalogue = await readCatalogue(store, lake);
  if (catalogue === undefined) return undefined;
  const there = new Set<string>();
  for await (const { key } of store.list(PREFIX)) there.add(key);
  const assets: Catalogue['assets'] = {};
  // Some stores list late.
  for (const [asset, entry] of Object.entries(catalogue.assets))
    if (there.has(entry.catalog) || (await store.head(entry.catalog)) !== undefined) assets[asset] = entry;
  return { ...catalogue, assets };
}

/** What the root points at; undefined as {@link readCatalogue}. */
export async function readAssetCatalogue(
  store: ObjectStore,
  lake: string,
  key: string,
): Promise<AssetCatalogue | undefined> {
  const { data } = assetCatalogueSchema.safeParse(await readJson(store, key));
  return data?.lake === lake ? data : undefined;
}

async function readJson(store: ObjectStore, key: string): Promise<unknown> {
  try {
    return JSON.parse(Buffer.from(await store.read(key)).toString());
  } catch (error) {
    if (error instanceof SyntaxError || (isLakehouseError(error) && error.code === 'object-missing')) return undefined;
    throw error;
  }
}
