import type { Engine, LakeView, QueryResult } from '../engine/port.ts';

/** How often a query is asked again because a run replaced the files that it was to read. */
const ATTEMPTS = 5;

/**
 * Asks, and gives the result to `use`, after which it is closed. A run may replace files while they are being read: then they are looked
 * up and everything is done again, unless what was used cannot be taken back.
 * @param views looks up the files as they are now.
 * @param final whether `use` has done what cannot be done again.
 * @throws what the engine and `use` throw; the signal's reason.
 */
export async function queryAnew<T>(
  engine: Engine,
  views: () => Promise<readonly LakeView[]>,
  sql: string,
  signal: AbortSignal,
  use: (result: QueryResult) => Promise<T>,
  final: () => boolean = () => false,
): Promise<T> {
  let found = await views();
  for (let attempt = 1; ; attempt++) {
    try {
      const result = await engine.query(sql, found, signal);
      try {
        return await use(result);
      } finally {
        await result.close();
      }
    } catch (error) {
      if (final() || signal.aborted || attempt === ATTEMPTS) throw error;
      const fresh = await views();
      if (pathsOf(fresh) === pathsOf(found)) throw error;
      found = fresh;
    }
  }
}

const pathsOf = (views: readonly LakeView[]): string =>
  views
    .flatMap((view) =>
      'files' in view ? view.files : 'partitions' in view ? view.partitions.map(({ path }) => path) : [],
    )
    .join('\n');
