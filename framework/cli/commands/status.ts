import type { AssetFreshness } from '../../plan/freshness.ts';
import { instant, number, plural, table } from '../../report/format.ts';
import { freshnessJson, lagText } from '../../report/freshness.ts';
import { readFilter, selectAssets } from '../../sdk/select.ts';
import { type StatusCounts, statusOf } from '../../sdk/status.ts';
import { withUpstream } from '../again.ts';
import type { Context } from '../context.ts';
import { FAILED } from '../failure.ts';

type Counts = StatusCounts;

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
    const { revision, neverObserved, rows } = statusOf(lake, keys, filter);
    const at = (ms: number | undefined) => (ms === undefined ? undefined : instant(ms));
    const list = rows.map(
      ({ lastObservedAt, lastAuditedAt, lastComputedAt, lastRun, freshness, ...row }): AssetStatus => ({
        ...row,
        ...(row.kind === 'source' && { lastObserved: at(lastObservedAt), lastAudited: at(lastAuditedAt) }),
        ...(lastRun !== undefined && { lastComputed: at(lastComputedAt), lastRun }),
        ...(freshness && { freshness }),
      }),
    );
    const assets = list.map(({ freshness, ...row }) => ({
      ...row,
      ...(freshness && { freshness: freshnessJson(freshness) }),
    }));
    console.result({ revision, neverObserved, assets }, () => textOf(context, list, neverObserved, selection));
    const bad = list.some(({ freshness }) => freshness?.status === 'overdue' || freshness?.status === 'unknown');
    return options.failOverdue && bad ? FAILED : undefined;
  });
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
