import type { HoldStep } from '../plan/plan.ts';
import { indent, number, pad } from '../report/format.ts';
import { withUpstream } from './again.ts';
import type { Style } from './style.ts';

/** Partitions of an asset that are selected and not computed. */
export interface Held {
  readonly asset: string;
  readonly reason: HoldStep['reason'];
  readonly partitions: number;
}

/** What selecting what is upstream as well would compute. */
export const needsUpstream = ({ reason }: Pick<Held, 'reason'>): boolean => reason === 'unmet' || reason === 'pending';

function meaning(reason: Held['reason'], selection: string): string {
  const also = selection === '*' ? '' : `; '${withUpstream(selection)}' selects it too`;
  switch (reason) {
    case 'blocked':
      return 'blocked: what they read failed, or its checks did';
    case 'awaiting':
      return 'awaiting: not published yet';
    case 'unavailable':
      return 'unavailable: the source does not have them';
    case 'failed':
      return 'failed: nothing has changed since; --retry-failed tries again';
    case 'unmet':
      return `unmet: what they read is missing and not selected${also}`;
    case 'pending':
      return `pending: what they read is stale and not selected${also}`;
  }
}

/** One line per asset, with what `more` adds to it, and what the words mean once. None where nothing is held. */
export function heldLines<T extends Held>(
  held: readonly T[],
  selection: string,
  style: Style,
  more: (one: T) => readonly string[] = () => [],
): string[] {
  if (held.length === 0) return [];
  const byAsset = Map.groupBy(held, ({ asset }) => asset);
  const width = Math.max(...[...byAsset.keys()].map((key) => key.length));
  const lines = [...byAsset].flatMap(([asset, own]) => [
    `${pad(asset, width)}  ${own.map(({ reason, partitions }) => `${number(partitions)} ${reason}`).join(', ')}`,
    ...own.flatMap((one) => more(one).map((line) => indent(`${one.reason}: ${line}`, 4))),
  ]);
  const reasons = [...new Set(held.map(({ reason }) => reason))].map((reason) => meaning(reason, selection));
  return [
    style.warning('Cannot be computed now:'),
    ...[...lines, ...reasons.map((reason) => style.faint(reason))].map((line) => indent(line)),
  ];
}
