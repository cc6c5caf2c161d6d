import type { RunEvent } from '../materialize/events.ts';
import { plural, some } from '../report/format.ts';

/** What a run did and why, in a sentence; or what its checks found. */
export interface Story {
  readonly add: (event: RunEvent) => void;
  /** @param stopped whether it was told to stop: what it has not done then may be stale. */
  readonly text: (stopped: boolean) => string;
  /** Checks that failed, with their partitions; empty where all passed. */
  readonly checks: () => string;
}

/** @param order of the assets in it. */
export function createStory(order: readonly string[]): Story {
  const assets = new Map<string, string>();
  const held = new Map<string, { count: number; readonly assets: Set<string> }>();
  const broken = createTally();
  const refused = createTally();
  const warned = createTally();
  let failed = 0;
  let computed = 0;
  let departed = 0;
  const checks = () =>
    [
      refused.size > 0 ? `failed: ${refused.text()}` : undefined,
      warned.size > 0 ? `failed as warnings: ${warned.text()}` : undefined,
    ]
      .filter((part) => part !== undefined)
      .join('; ');
  return {
    add: (event) => {
      if (event.type === 'asset-started') {
        const causes = Object.entries(event.causes).map(([cause, count]) => `${cause} ${count}`);
        assets.set(event.asset, `${event.asset} (${causes.join(', ')})`);
      } else if (event.type === 'held') {
        const known = held.get(event.reason) ?? { count: 0, assets: new Set() };
        known.count += event.partitions;
        known.assets.add(event.asset);
        held.set(event.reason, known);
      } else if (event.type === 'partition-failed') broken.add(event.asset, event.partition);
      else if (event.type === 'check-failed')
        (event.severity === 'error' ? refused : warned).add(`${event.asset} ${event.check}`, event.partition);
      else if (event.type === 'run-finished') ({ computed, failed, departed } = event.counts);
    },
    text: (stopped) => {
      const named = order.flatMap((key) => assets.get(key) ?? []).join(', ');
      const done = [
        computed > 0 ? `${plural(computed, 'partition')} computed: ${named}` : undefined,
        departed > 0 ? `${plural(departed, 'partition')} left` : undefined,
        failed > 0 ? `${plural(failed, 'partition')} failed: ${broken.text() || named}` : undefined,
        refused.size + warned.size > 0 ? `checks ${checks()}` : undefined,
      ].filter((part) => part !== undefined);
      const waits = [...held].map(([reason, { count, assets }]) =>
        reason === 'failed'
          ? `${count} failed (${some(order.filter((key) => assets.has(key)))})`
          : `${count} ${reason}`,
      );
      return [
        ...(stopped ? ['told to stop'] : []),
        ...(done.length > 0 || stopped ? done : ['nothing was stale']),
        ...(waits.length > 0 ? [`not now: ${waits.join(', ')}`] : []),
      ].join('; ');
    },
    checks,
  };
}

/** Partitions that are named of each thing that is wrong. */
const NAMED = 3;

/** Partitions by what is wrong with them. They fail in any order: the first by name are told, the others counted. */
function createTally() {
  const groups = new Map<string, { count: number; names: string[] }>();
  return {
    get size() {
      return groups.size;
    },
    add: (group: string, partition: string) => {
      const { count, names } = groups.get(group) ?? { count: 0, names: [] };
      groups.set(group, { count: count + 1, names: [...names, partition].sort().slice(0, NAMED) });
    },
    text: () =>
      [...groups]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([group, { count, names }]) => {
          const more = count > names.length ? ` and ${count - names.length} more` : '';
          return `${group} (${names.join(', ')}${more})`;
        })
        .join(', '),
  };
}
