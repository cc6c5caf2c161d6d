/** How long a batch of an asset took. */
export interface BatchTime {
  readonly run: string;
  readonly partitions: number;
  readonly ms: number;
  /** When it was committed, ms UTC. */
  readonly endedAt: number;
}

/**
 * How long batches take, in milliseconds, judged by earlier ones of the same asset: for each the median time of its partitions, but no
 * less than the shortest batch there was, and all of it divided by how many ran at the same time. Undefined without earlier ones.
 * @param planned partitions of each batch.
 */
export function estimateMs(earlier: readonly BatchTime[], planned: readonly number[]): number | undefined {
  const made = earlier.filter(({ partitions }) => partitions > 0);
  if (made.length === 0) return undefined;
  const each = medianMs(made);
  const least = Math.min(...made.map(({ ms }) => ms));
  const busy = planned.reduce((sum, partitions) => sum + Math.max(partitions * each, least), 0);
  return busy / Math.min(concurrency(made), Math.max(planned.length, 1));
}

/** Per partition. Every partition counts, not every batch: what a statement costs by itself must not be counted for each. */
function medianMs(batches: readonly BatchTime[]): number {
  const each = batches.map(({ ms, partitions }) => ({ ms: ms / partitions, partitions })).sort((a, b) => a.ms - b.ms);
  let rest = each.reduce((sum, { partitions }) => sum + partitions, 0) / 2;
  for (const { ms, partitions } of each) {
    rest -= partitions;
    if (rest <= 0) return ms;
  }
  return 0;
}

/** Batches at work at once, on average; a run with only one says nothing about it. */
function concurrency(batches: readonly BatchTime[]): number {
  let busy = 0;
  let span = 0;
  for (const own of Map.groupBy(batches, ({ run }) => run).values()) {
    if (own.length < 2) continue;
    busy += own.reduce((sum, { ms }) => sum + ms, 0);
    span += Math.max(...own.map(({ endedAt }) => endedAt)) - Math.min(...own.map(({ endedAt, ms }) => endedAt - ms));
  }
  return span > 0 ? Math.max(busy / span, 1) : 1;
}
