import { applyFilter } from '../../partition/filter.ts';
import { PRESENT } from '../../plan/view.ts';
import { instant, number, table } from '../../report/format.ts';
import type { RunRecord } from '../../state/store.ts';
import { withUpstream } from '../again.ts';
import type { Context } from '../context.ts';
import { countsOf, evaluateNow, readFilter, requireMatch, selectAssets } from '../lake.ts';
import { kindOf } from './assets.ts';
import { unobserved } from './plan.ts';

type Counts = ReturnType<typeof countsOf>;

interface AssetStatus {
  readonly asset: string;
  readonly kind: string;
  /** False where a source upstream was never observed: the counts are only what is known so far. */
  readonly known: boolean;
  readonly counts: Counts;
  readonly lastObserved?: string | undefined;
  readonly lastComputed?: string | undefined;
  readonly lastRun?: string | undefined;
}

const COLUMNS: readonly (keyof Counts)[] = [
  'fresh',
  'stale',
  'pending',
  'missing',
  'blocked',
  'awaiting',
  'unavailable',
  'failed',
  'leaving',
  'unneeded',
];
const ALWAYS: readonly string[] = ['fresh', 'stale', 'missing', 'failed'];

export async function run(
  context: Context,
  options: { readonly partitions?: string },
  selection?: string,
): Promise<number | undefined> {
  const { console } = context;
  return context.withLake('read', async (lake) => {
    const keys = selectAssets(lake.graph, selection);
    const filter = readFilter(lake.graph, keys, options.partitions);
    const { evaluations, view } = evaluateNow(lake);
    requireMatch(lake, view, keys, filter);
    const unknown = unobserved(lake, keys);
    const untold = new Set(unknown);
    for (const key of lake.graph.order) if (lake.graph.upstreamOf(key).some((up) => untold.has(up))) untold.add(key);
    const runs = lake.state.runs(1000);
    const list = keys.flatMap((key): AssetStatus[] => {
      const evaluation = evaluations.get(key);
      if (!evaluation) return [];
      const within = filter && applyFilter(evaluation.node.space, evaluation.universe.all, filter);
      const state = view.asset(key);
      const isSource = evaluation.node.definition.kind === 'source';
      const last = isSource ? undefined : lastRun(runs, newestRevision(state?.series.values() ?? []));
      return [
        {
          asset: key,
          kind: kindOf(evaluation.node.definition),
          known: !untold.has(key),
          counts: countsOf(evaluation, within),
          ...(isSource && {
            lastObserved: state?.lastObservedAt === undefined ? undefined : instant(state.lastObservedAt),
          }),
          ...(last && { lastComputed: instant(last.finishedAt ?? last.startedAt), lastRun: last.run }),
        },
      ];
    });
    console.result({ revision: view.head, neverObserved: unknown, assets: list }, () =>
      textOf(context, list, unknown, selection),
    );
    return undefined;
  });
}

/** The log position up to which the most recently computed partition had seen its inputs. */
function newestRevision(series: Iterable<{ readonly verified: Uint32Array; readonly flags: Uint8Array }>): number {
  let newest = 0;
  for (const { verified, flags } of series) {
    for (let i = 0; i < verified.length; i++)
      if ((flags[i] as number) & PRESENT && (verified[i] as number) > newest) newest = verified[i] as number;
  }
  return newest;
}

/** The run that was going on at a revision. Runs come latest first. */
function lastRun(runs: readonly RunRecord[], revision: number): RunRecord | undefined {
  return revision === 0 ? undefined : runs.find(({ startedRevision }) => startedRevision <= revision);
}

function textOf(
  { console, again }: Context,
  list: readonly AssetStatus[],
  unknown: readonly string[],
  selection: string | undefined,
): string {
  const { style } = console;
  const used = COLUMNS.filter((column) => ALWAYS.includes(column) || list.some(({ counts }) => counts[column] > 0));
  const rows = list.map(({ asset, kind, known, counts, lastObserved, lastComputed }) => {
    const last =
      kind === 'source'
        ? lastObserved === undefined
          ? 'never observed'
          : `observed ${lastObserved}`
        : (lastComputed ?? 'never');
    return [
      asset,
      ...used.map((column) =>
        known
          ? counts[column] === 0
            ? '-'
            : number(counts[column])
          : counts[column] === 0
            ? '?'
            : number(counts[column]),
      ),
      last,
    ];
  });
  const lines = [
    table(
      [
        { title: 'ASSET', whole: true },
        ...used.map((column) => ({ title: column.toUpperCase(), align: 'right' as const })),
        { title: 'LAST COMPUTED' },
      ],
      rows,
      style.strong,
      console.tableWidth,
    ),
  ];
  if (unknown.length > 0) {
    lines.push(
      '',
      style.warning(
        `Unknown (?): ${unknown.join(', ')} ${unknown.length === 1 ? 'was' : 'were'} never observed, so what there is to compute is not known.`,
      ),
      `  ${again('observe', ...(selection === undefined ? [] : [withUpstream(selection)]))}`,
    );
  }
  return lines.join('\n');
}
