import { LakehouseError } from '../../common/errors.ts';
import { didYouMean } from '../../common/suggest.ts';
import type { LakehouseDefinition } from '../../define/lakehouse.ts';
import type { AssetDefinition } from '../../define/model.ts';
import { type AssetGraph, type AssetNode, buildGraph } from '../../graph/graph.ts';
import * as ranges from '../../partition/ranges.ts';
import type { PartitionSet } from '../../partition/set.ts';
import * as sets from '../../partition/set.ts';
import { parseSet, printSet } from '../../partition/set.ts';
import { readSeriesKey } from '../../partition/space.ts';
import { selfMapping } from '../../plan/chain.ts';
import { markUnneeded } from '../../plan/demand.ts';
import { type AssetEvaluation, evaluateLake, withStatus } from '../../plan/evaluate.ts';
import { universes } from '../../plan/universe.ts';
import type { NewEvent, SeriesOutcome } from '../../state/events.ts';
import { applyEvent } from '../../state/fold.ts';
import { IndexBuilder, type LakeIndex } from '../../state/index.ts';
import { packEvent } from '../../state/packed.ts';
import type { AutomationCursor } from './cursor.ts';
import { whyNothing } from './explain.ts';
import { checkConditions } from './issues.ts';
import { type AutomationDecision, automationTick } from './tick.ts';

/** What one evaluation in a test came to. Sets of partitions are texts, as `--partitions` has them: `symbol=A|B/date=2024-01-01..2024-01-03`. */
export interface TestedAutomation {
  /** By asset; only those of which something is requested. */
  readonly requested: Readonly<Record<string, string>>;
  /** By asset: why nothing of it is requested. */
  readonly why: Readonly<Record<string, readonly string[]>>;
  /** By asset, with the tree of its condition as it was evaluated. */
  readonly decisions: ReadonlyMap<string, AutomationDecision>;
}

/**
 * A lake without data, in memory, for tests of automation: says what is there and what happens, and asks what would be requested.
 * Partitions are texts like `symbol=A|B/date=2024-01-01..2024-01-03`, or `*` for the one of an asset without dimensions.
 */
export interface AutomationTester {
  /** The clock; it only goes where it is put. */
  now: Date;
  /** Partitions are seen at a source: new, or (seen before) with other content. */
  observe(source: string, partitions: string): void;
  /** Partitions are computed and have content that they had not. Default: all that are missing or stale. */
  materialize(asset: string, partitions?: string): void;
  /** An attempt to compute them failed: for their data, or in passing. */
  fail(asset: string, partitions: string, options?: { readonly passing?: boolean }): void;
  /** The asset has other code from now on. */
  changeCode(asset: string): void;
  /** A run was asked for these; nothing, once it has ended. */
  begin(asset: string, partitions: string): void;
  end(): void;
  /** One tick of the daemon; the next one goes on from it. */
  evaluate(): TestedAutomation;
  /** The same for the first time: as when the daemon has never seen these conditions. */
  forget(): void;
}

/**
 * For tests of a lake's automation:
 *
 *     const tester = automationTester(lakehouse, { now: '2024-03-01T08:00Z' });
 *     tester.observe('binance/days', 'symbol=BTCUSDT/date=2024-02-28..2024-02-29');
 *     expect(tester.evaluate().requested).toEqual({ 'bronze/days': 'symbol=BTCUSDT/date=2024-02-29' });
 *
 * @throws LakehouseError for definitions that cannot be used, assets that are not there, and texts that are no partitions.
 */
export function automationTester(
  lakehouse: Pick<LakehouseDefinition, 'assets'>,
  options: { readonly now: string | Date; readonly filters?: Readonly<Record<string, readonly string[]>> },
): AutomationTester {
  const codes = new Map<string, number>();
  const codeOf = ({ key }: Pick<AssetDefinition, 'key'>) => `code ${codes.get(key) ?? 1}`;
  const build = () =>
    buildGraph(lakehouse.assets, { codes: codeOf, ...(options.filters && { filters: options.filters }) });
  let graph = build();
  const builder = new IndexBuilder();
  let index: LakeIndex = builder.snapshot();
  let cursors: ReadonlyMap<string, AutomationCursor> = new Map();
  const running = new Map<string, PartitionSet>();
  const run = 'test';

  const nodeOf = (key: string): AssetNode => {
    const node = graph.find(key);
    if (node) return node;
    throw new LakehouseError('unknown-asset', `No asset is named '${key}'`, { hint: didYouMean(key, graph.order) });
  };
  const append = (event: NewEvent): void => {
    const changed = 'outcomes' in event ? event.outcomes.map(({ times }) => new Uint8Array(times.length).fill(1)) : [];
    const at = tester.now.getTime();
    builder.head++;
    applyEvent(builder, packEvent({ revision: builder.head, at, event, changed, firstFile: 0 }));
    index = builder.snapshot();
  };
  const evaluations = (): ReadonlyMap<string, AssetEvaluation> => evaluated(graph, index, tester.now.getTime());

  const tester: AutomationTester = {
    now: new Date(options.now),
    observe: (key, text) => {
      const { space } = nodeOf(key);
      const outcomes = outcomesOf(parseSet(space, text));
      append({ kind: 'observed', asset: key, run, observedAt: tester.now.getTime(), outcomes });
    },
    materialize: (key, text) => {
      const node = nodeOf(key);
      const evaluation = evaluations().get(key) as AssetEvaluation;
      const set = text === undefined ? withStatus(evaluation, 'missing', 'stale') : parseSet(node.space, text);
      append({
        kind: 'materialized',
        asset: key,
        run,
        code: node.code,
        verified: index.head,
        outcomes: outcomesOf(set),
        files: [],
        // Links of a chain are computed in their order.
        ordered: selfMapping(node.inputs) !== undefined,
      });
    },
    fail: (key, text, { passing = false } = {}) => {
      const node = nodeOf(key);
      const failures = [...sets.points(parseSet(node.space, text))].map(([series, time]) => ({
        series,
        values: readSeriesKey(series),
        time,
        transient: passing,
        error: { message: 'said by a test' },
      }));
      append({ kind: 'failed', asset: key, run, code: node.code, head: index.head, failures });
    },
    changeCode: (key) => {
      codes.set(nodeOf(key).key, (codes.get(key) ?? 1) + 1);
      graph = build();
    },
    begin: (key, text) => {
      const set = parseSet(nodeOf(key).space, text);
      running.set(key, sets.union(running.get(key) ?? sets.EMPTY_SET, set));
    },
    end: () => running.clear(),
    evaluate: () => {
      const now = tester.now.getTime();
      checkConditions(graph, now);
      const tick = automationTick({
        graph,
        evaluations: evaluations(),
        head: index.head,
        now,
        cursors,
        inProgress: running,
      });
      // As they come back from where the daemon keeps them.
      cursors = new Map([...tick.cursors].map(([key, cursor]) => [key, JSON.parse(JSON.stringify(cursor))]));
      const decisions = [...tick.decisions.values()];
      return {
        requested: Object.fromEntries(
          [...tick.requests].map(([key, set]) => [key, printSet(graph.node(key).space, set, '; ')]),
        ),
        why: Object.fromEntries(
          decisions.filter((one) => sets.isEmpty(one.request)).map((one) => [one.asset, whyNothing(one, now)]),
        ),
        decisions: tick.decisions,
      };
    },
    forget: () => {
      cursors = new Map();
    },
  };
  return tester;
}

function evaluated(graph: AssetGraph, index: LakeIndex, now: number): ReadonlyMap<string, AssetEvaluation> {
  const found = evaluateLake(graph, index, universes(graph, index, now), () => ({ mode: 'plan' }));
  return markUnneeded(graph, found).evaluations;
}

function outcomesOf(set: PartitionSet): SeriesOutcome[] {
  return [...set.bySeries].map(([series, own]) => {
    const times = Int32Array.from(ranges.iterate(own));
    return {
      series,
      values: readSeriesKey(series),
      times,
      version: new Uint8Array(16 * times.length),
      rows: new Uint32Array(times.length),
      bytes: new Float64Array(times.length),
      file: new Int32Array(times.length).fill(-1),
    };
  });
}
