import type { RunEvent } from '../../materialize/events.ts';
import { errorLine } from '../../report/errors.ts';
import { plural } from '../../report/format.ts';
import type { Style } from '../style.ts';
import { eventLine } from './lines.ts';
import type { AssetProgress } from './model.ts';

/** Kinds of failure that are told as they come. The end tells them all. */
const MOST = 20;

/**
 * What a run's events give to read, line by line. Of failures that say the same only the first is told: how many there are is
 * said when their asset is done.
 */
export function storyteller(style: Style): (event: RunEvent, before: AssetProgress | undefined) => string[] {
  const repeats = new Map<string, { readonly asset: string; count: number }>();
  const waiting = new Set<string>();
  let kinds = 0;
  return (event, before) => {
    const line = eventLine(event, style, before);
    const lines = line === undefined ? [] : [line];
    switch (event.type) {
      case 'partition-failed':
      case 'check-failed': {
        if (line === undefined) return lines;
        const kind = `${event.asset}\n${event.type === 'check-failed' ? event.check : errorLine(event.error, event.asset)}`;
        const known = repeats.get(kind);
        if (known) known.count++;
        else repeats.set(kind, { asset: event.asset, count: 0 });
        if (known || ++kinds > MOST + 1) return [];
        return kinds > MOST ? ['… and others, which the end tells'] : lines;
      }
      // Every batch waits for itself.
      case 'waiting': {
        const kind = `${event.asset}\n${event.heldBy}`;
        if (waiting.has(kind)) return [];
        waiting.add(kind);
        return lines;
      }
      case 'asset-finished':
        for (const [kind, { asset }] of repeats) if (asset === event.asset) repeats.delete(kind);
        return lines;
      // What failed as a whole was never begun, so nothing said that it is done.
      case 'run-finished':
        return [...repeats.values()]
          .filter(({ count }) => count > 0)
          .map(({ asset, count }) => `${style.bad('✗')} ${asset}: the same for ${plural(count, 'more partition')}`);
      default:
        return lines;
    }
  };
}
