import { applyFilter } from '../../partition/filter.ts';
import type { PartitionSet } from '../../partition/set.ts';
import { type AssetFreshness, summarize } from '../../plan/freshness.ts';
import { evaluateNow } from '../../report/evaluated.ts';
import { instant, number, plural, table } from '../../report/format.ts';
import { freshnessJson, freshnessNow, lagText } from '../../report/freshness.ts';
import { lastRunOf, notKnown } from '../../report/latest.ts';
import { withUpstream } from '../again.ts';
import type { Context } from '../context.ts';
import { FAILED } from '../failure.ts';
import { countsOf, readFilter, requireMatch, selectAssets } from '../lake.ts';
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
  /** When all of the source was listed, not only what is new. */
  readonly lastAudited?: string | undefined;
  readonly lastComputed?: string | undefined;
  readonly lastRun?: string | undefined;
  /** Of the series asked for; undefined without a policy. */
  readonly freshness?: AssetFreshness | undefined;
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
  options: { readonly partitions?: string; readonly failOverdue?: boolean },
  selection?: string,
): Promise<number | undefined> {
  const { console } = context;
  return context.withLake('read', async (lake) => {
    const keys = selectAssets(lake.graph, selection);
    const filter = readFilter(lake.graph, keys, options.partitions);
    const { evaluations, view } = evaluateNow(lake);
    requireMatch(lake, view, keys, filter);
    const unknown = unobserved(lake, keys);
    const untold = notKnown(lake, view);
    const runs = lake.state.runs(1000);
    const late = freshnessNow(lake, { view, evaluations, at: lake.now() }, keys);
    const list = keys.flatMap((key): AssetStatus[] => {
      const evaluation = evaluations.get(key);
      if (!evaluation) return [];
      const within = filter && applyFilter(evaluation.node.space, evaluation.universe.all, filter);
      const state = view.asset(key);
      const whole = late.get(key);
      const freshness = whole && within ? ofSeries(whole, within) : whole;
      const isSource = evaluation.node.definition.kind === 'source';
      const last = isSource ? undefined : lastRunOf(key, view, runs);
      return [
        {
          asset: key,
          kind: kindOf(evaluation.node.definition),
          known: !untold.has(key),
          counts: countsOf(evaluation, within),
          ...(isSource && {
            lastObserved: state?.lastObservedAt === undefined ? undefined : instant(state.lastObservedAt),
            lastAudited: state?.lastAuditedAt === undefined ? undefined : instant(state.lastAuditedAt),
          }),
          ...(last && { lastComputed: instant(last.finishedAt ?? last.startedAt), lastRun: last.run }),
          ...(freshness && { freshness }),
        },
      ];
    });
    const assets = list.map(({ freshness, ...row }) => ({
      ...row,
      ...(freshness && { freshness: freshnessJson(freshness) }),
    }));
    console.result({ revision: view.head, neverObserved: unknown, assets }, () =>
      textOf(context, list, unknown, selection),
    );
    const bad = list.some(({ freshness }) => freshness?.status === 'overdue' || freshness?.status === 'unknown');
    return options.failOverdue && bad ? FAILED : undefined;
  });
}

/** Of the series that have partitions in a set. */
function ofSeries({ asset, policies, series, why }: AssetFreshness, { bySeries }: PartitionSet): AssetFreshness {
  const asked = [...series.values()].filter((one) => bySeries.has(one.series));
  return summarize(asset, policies, asked, why);
}

function textOf(
  { console, again }: Context,
  list: readonly AssetStatus[],
  unknown: readonly string[],
  selection: string | undefined,
): string {
  const { style } = console;
  // Of what the settings do not want there may be much; who asks for it sees it.
  const empty = (row: AssetStatus) => row.known && COLUMNS.every((column) => row.counts[column] === 0);
  const shown = selection === undefined ? list.filter((row) => !empty(row)) : list;
  const used = COLUMNS.filter((column) => ALWAYS.includes(column) || list.some(({ counts }) => counts[column] > 0));
  const measured = list.some(({ freshness }) => freshness);
  const rows = shown.map(({ asset, kind, known, counts, lastObserved, lastComputed, freshness }) => {
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
      ...(measured ? [freshness ? lagText(freshness) : ''] : []),
      last,
    ];
  });
  const lines = [
    table(
      [
        { title: 'ASSET', whole: true },
        ...used.map((column) => ({ title: column.toUpperCase(), align: 'right' as const })),
        ...(measured ? [{ title: 'LAG' }] : []),
        { title: 'LAST COMPUTED' },
      ],
      rows,
      style.strong,
      console.tableWidth,
    ),
  ];
  if (shown.length < list.length)
    lines.push(
      '',
      style.faint(`And ${plural(list.length - shown.length, 'asset')} without any partition: ${again('status', '*')}`),
    );
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
