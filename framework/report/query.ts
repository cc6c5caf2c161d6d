import type { LakeView, Needed, QueryOptions, QueryResult } from '../engine/port.ts';
import type { AsOf } from '../materialize/history.ts';
import type { Lake } from '../materialize/lake.ts';
import { type LakeFiles, openFiles } from '../materialize/lake-files.ts';
import { lakeViews } from '../materialize/views.ts';
import type { StateReader } from '../state/store.ts';

/** How often a query is asked again because a run replaced the files that it was to read. */
const ATTEMPTS = 5;

/** What a query needs of a lake. */
export type Queried = Pick<Lake<StateReader>, 'engine' | 'store' | 'state'>;

/** One SELECT over the assets of a lake. */
export interface LakeQuestion extends QueryOptions {
  readonly sql: string;
  /** The files as of an earlier revision. */
  readonly asOf?: AsOf | undefined;
  /** What is needed of each asset, for those who know; it is read out of the statement otherwise. */
  readonly needs?: ((definition: { readonly key: string }) => Needed) | undefined;
}

/** What a query reads of an asset. */
export interface Scan {
  readonly asset: string;
  /** Files of the asset, as of when it is asked. */
  readonly lake: number;
  /** Those of them that are opened, and their bytes. */
  readonly files: number;
  readonly bytes: number;
}

/**
 * Asks a lake, of which only the files are opened that can hold what the statement asks for, and gives the result to `use` as
 * {@link queryAnew} does.
 * @throws what the engine, `lakeViews` and `use` throw; the signal's reason.
 */
export async function askLake<T>(
  lake: Lake<StateReader>,
  { sql, asOf, needs, ...options }: LakeQuestion,
  signal: AbortSignal,
  use: (result: QueryResult, scans: readonly Scan[]) => Promise<T>,
  final?: () => boolean,
): Promise<T> {
  if (needs) {
    const views = (files: LakeFiles) => lakeViews(lake, files, needs, asOf);
    return queryAnew(lake, views, sql, signal, use, final, options);
  }
  const assets = lake.graph.order.map((key) => lake.graph.node(key).definition);
  const relations = [...lake.definition.views, ...assets.filter(({ kind }) => kind !== 'source')];
  for (let attempt = 1; ; attempt++) {
    await using needed = await (await lake.engine()).needs(sql, relations, signal, options);
    // Text may be compared with the time to the microsecond, which is never the same.
    const restless = attempt === ATTEMPTS;
    const views = (files: LakeFiles) => lakeViews(lake, files, restless ? needed.named : needed.of, asOf);
    // For a statement that runs the clock stands still: it needs what was found a moment before, unless a day or an hour began.
    const asked = async (result: QueryResult, scans: readonly Scan[]) =>
      restless || (await needed.unchanged()) ? { used: await use(result, scans) } : undefined;
    const answered = await queryAnew(lake, views, sql, signal, asked, final, options);
    if (answered) return answered.used;
  }
}

/**
 * Asks, and gives the result to `use`, after which it is closed. A run may replace files while they are being read: then they are looked
 * up and everything is done again, unless what was used cannot be taken back.
 * @param views looks up the files as they are now; those it opens stay until the result is closed.
 * @param final whether `use` has done what cannot be done again.
 * @throws what the engine and `use` throw; the signal's reason.
 */
export async function queryAnew<T>(
  lake: Queried,
  views: (files: LakeFiles) => Promise<readonly LakeView[]>,
  sql: string,
  signal: AbortSignal,
  use: (result: QueryResult, scans: readonly Scan[]) => Promise<T>,
  final: () => boolean = () => false,
  options?: QueryOptions,
): Promise<T> {
  let failed: { readonly error: unknown; readonly opened: string } | undefined;
  for (let attempt = 1; ; attempt++) {
    await using files = openFiles(lake);
    const found = await views(files);
    const opened = [...files.opened()].sort().join('\n');
    // What failed of the very same files would fail again.
    if (failed?.opened === opened) throw failed.error;
    try {
      const result = await (await lake.engine()).query(sql, found, signal, options);
      try {
        return await use(result, scansOf(found));
      } finally {
        await result.close();
      }
    } catch (error) {
      if (final() || signal.aborted || attempt === ATTEMPTS) throw error;
      failed = { error, opened };
    }
  }
}

const scansOf = (views: readonly LakeView[]): Scan[] =>
  views.flatMap((view) => ('files' in view && view.scan ? [{ asset: view.definition.key, ...view.scan }] : []));
