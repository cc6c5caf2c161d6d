import { observe } from '../materialize/observe.ts';
import type { OpenedLake } from '../materialize/open.ts';
import type { Observed } from '../materialize/recorded.ts';
import type { ObservedEvent } from '../state/events.ts';
import { applyEvent } from '../state/fold.ts';
import { IndexBuilder, type LakeIndex, MutableAsset } from '../state/index.ts';
import { packEvent } from '../state/packed.ts';

/** The index as it would be after sources have been observed, and how large what is new there is. */
export interface Preview {
  readonly view: LakeIndex;
  readonly observed: readonly Observed[];
  readonly events: readonly ObservedEvent[];
}

/** Looks at the sources among `keys` and folds what is new into a copy of the index. Nothing is written. */
export async function previewSources(
  lake: OpenedLake,
  keys: readonly string[],
  signal: AbortSignal,
  say: (asset: string) => void,
): Promise<Preview> {
  const observed: Observed[] = [];
  const events: ObservedEvent[] = [];
  for (const key of keys) {
    const node = lake.graph.node(key);
    if (node.definition.kind !== 'source' || !node.wanted) continue;
    say(key);
    const { event, warning: _, ...found } = await observe(lake, node, 'plan', signal);
    observed.push({ asset: key, ...found, audit: event.audit === true });
    events.push(event);
  }
  return { view: withObserved(lake.state.refresh(), events), observed, events };
}

function withObserved(index: LakeIndex, events: readonly ObservedEvent[]): LakeIndex {
  const builder = new IndexBuilder();
  builder.head = index.head;
  for (const event of events) {
    const from = index.asset(event.asset);
    if (from instanceof MutableAsset) builder.write(event.asset).copy(from);
    const changed = event.outcomes.map(({ times }) => new Uint8Array(times.length).fill(1));
    applyEvent(builder, packEvent({ revision: builder.head + 1, at: event.observedAt, event, changed, firstFile: 0 }));
  }
  const copied = builder.snapshot();
  return { ...index, head: copied.head, asset: (key) => copied.asset(key) ?? index.asset(key) };
}
