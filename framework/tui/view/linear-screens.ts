import { meaningOf } from '../../report/meaning.ts';
import type { AssetRow, PartitionDetail } from '../model/data.ts';
import { columnCount, type HeatShape, type ShownHeatMap } from '../model/heat-axes.ts';
import { filterOf, type HeatState, selectionOf } from '../model/heatmap.ts';
import type { ColumnTrace, LineageInfo, LineageState } from '../model/lineage.ts';
import { type AssetEntry, kindOf } from './asset-columns.ts';
import { addCounts } from './bars.ts';
import { bytes, instant, number, plural } from './format.ts';
import { CLEAR, filtered, listed, position, reason, statuses, type Told, whenSpoken } from './linear.ts';

// --- assets ------------------------------------------------------------------------------------------------------------------

export interface AssetsTold {
  readonly entries: readonly AssetEntry[] | undefined;
  readonly cursor: number;
  readonly filter: string;
  readonly by: 'zone' | 'group';
  readonly now: number;
}

export function assetsTold({ entries, cursor, filter, by, now }: AssetsTold): Told {
  const told = { place: 'assets', title: filtered(`Assets by ${by}`, filter) };
  if (entries === undefined) return { ...told, summary: ['Reading the lake.'], focus: undefined, reading: 'all' };
  const headings = entries.flatMap((entry) => (entry.type === 'asset' ? [] : [entry]));
  const rows = entries.flatMap((entry) => (entry.type === 'asset' ? [entry.row] : []));
  const reading = headings.some(({ counts }) => counts === undefined) ? ('all' as const) : undefined;
  const entry = entries[Math.min(cursor, entries.length - 1)];
  if (!entry) {
    const nothing = filter === '' ? 'This lake has no assets yet: they are declared in code.' : `No asset. ${CLEAR}`;
    return { ...told, summary: [nothing], focus: undefined, reading };
  }
  const assets = plural(
    headings.reduce((sum, heading) => sum + heading.assets, 0),
    'asset',
  );
  const counts = addCounts(headings.flatMap((heading) => (heading.counts ? [heading.counts] : [])));
  const unknown = rows.length > 0 && rows.every(({ known }) => !known);
  const place = position(Math.min(cursor, entries.length - 1), entries.length);
  return {
    ...told,
    summary: reading
      ? [`${assets}. Working out what is fresh.`]
      : [`${assets}: ${statuses(counts)}.`, ...(unknown ? ['Nothing was observed yet: o looks at the sources.'] : [])],
    focus:
      entry.type === 'asset'
        ? listed(`${entry.row.key}: ${assetText(entry.row, now)}`, place)
        : listed(
            `${entry.type} ${entry.name}, ${entry.collapsed ? 'closed' : 'open'}: ${plural(entry.assets, 'asset')}`,
            statuses(entry.counts),
            place,
          ),
    reading,
  };
}

function assetText(row: AssetRow, now: number): string {
  const { counts, known, running, lastAt, kind, lag } = row;
  const last = lastAt === undefined ? 'never' : whenSpoken(lastAt, now);
  return listed(
    running ? `running, ${number(running.done)} of ${number(running.total)} done` : row.busy === true && 'running',
    known ? statuses(counts) : `${statuses(counts)} as far as is known, for a source was never observed`,
    kind === 'source' ? `last observed ${last}` : `last run ${last}`,
    lag && (lag.verdict === 'overdue' || lag.verdict === 'warn') && lag.told[0],
    lag?.verdict === 'unknown' && 'how late it is is not known',
    row.nextAt !== undefined && `next ${whenSpoken(row.nextAt, now)}`,
    row.rows > 0 && plural(row.rows, 'row'),
    row.bytes > 0 && bytes(row.bytes),
    kindOf(row),
  );
}

// --- lineage -----------------------------------------------------------------------------------------------------------------

export interface LineageTold {
  readonly state: LineageState;
  /** Assets of the lake. */
  readonly total: number;
  /** Of the asset in focus; undefined without one. */
  readonly info: LineageInfo | undefined;
  /** Assets it reads, and that read it. */
  readonly upstream: readonly string[];
  readonly downstream: readonly string[];
  readonly row: AssetRow | undefined;
  readonly trace: ColumnTrace | undefined;
}

export function lineageTold({ state, total, info, upstream, downstream, row, trace }: LineageTold): Told {
  const { shown, selection, message } = state;
  const problem = message && listed(message.text, message.hint);
  const part = shown.length === total ? '' : ` ${number(shown.length)} of`;
  const read = (assets: readonly string[]) => (assets.length === 0 ? 'nothing' : assets.join(', '));
  const focus =
    info &&
    listed(
      info.key,
      trace && columnText(trace, info),
      !trace && `reads ${read(upstream)}`,
      !trace && `read by ${read(downstream)}`,
      statuses(row?.counts),
    );
  return {
    place: 'lineage',
    title: `Lineage${selection === '' ? '' : ` of ${selection}`},${part} ${plural(total, 'asset')}`,
    summary: ['Left goes to what an asset reads, right to what reads it, up and down to those beside it.'],
    focus: problem === undefined ? focus : `${problem}. ${focus ?? ''}`.trim(),
    reading: row !== undefined && row.counts === undefined ? 'focus' : undefined,
  };
}

function columnText({ asset, column, upstream, downstream, unknown }: ColumnTrace, info: LineageInfo): string {
  const { type = '' } = info.columns.find(({ name }) => name === column) ?? {};
  const why = unknown.get(asset);
  const columns = (side: ReadonlyMap<string, readonly string[]>) =>
    side.size === 0 ? 'no column' : [...side].map(([key, names]) => `${key} ${names.join(' and ')}`).join(', ');
  return listed(
    `column ${column} ${type}`.trim(),
    why === undefined ? `from ${columns(upstream)}` : `from what cannot be told: ${why}`,
    `to ${columns(downstream)}`,
  );
}

// --- partitions --------------------------------------------------------------------------------------------------------------

export interface PartitionsTold {
  /** At least the cell under the cursor. */
  readonly map: ShownHeatMap;
  readonly shape: HeatShape;
  readonly state: HeatState;
  /** Of the cell's partition, or of the worst in it; undefined while it is being read, and for an empty cell. */
  readonly detail: PartitionDetail | undefined;
}

export function partitionsTold({ map, shape, state, detail }: PartitionsTold): Told {
  const by = map.columnGrain === undefined ? '' : ` by ${map.columnGrain}`;
  const title = listed(
    `Partitions of ${map.asset}`,
    map.rowDimension !== '' && `${map.rowDimension} down`,
    map.columnDimension !== '' && `${map.columnDimension}${by} to the right`,
    ...map.selectors.map(
      ({ dimension, value, of, index }) =>
        of > 1 && (index === 0 ? `all ${number(of)} of ${dimension}` : `${dimension} ${value}`),
    ),
  );
  const told = { place: 'partitions', title };
  if (map.rowCount === 0 || map.columnCount === 0) {
    const hint = map.selectors.some(({ index }) => index > 0)
      ? 'Other values of the dimensions that are on no axis may have some.'
      : 'They appear when the sources upstream have been observed.';
    return { ...told, summary: [`There are none. ${hint}`], focus: undefined };
  }
  const row = map.rows[state.row - map.firstRow];
  const at = state.column - map.firstColumn;
  const total = row?.total[at] ?? 0;
  const worst = row?.worst[at] ?? 'none';
  const why = detail && reason(detail);
  const said = why === undefined || why === '' ? worst : `${worst}: ${why}`;
  const size = `${plural(shape.rows.length, 'row')}, ${plural(columnCount(shape, state), 'column')}`;
  return {
    ...told,
    summary: [`${size}: ${statuses(map.counts)}.`],
    focus: listed(
      map.rowDimension === '' ? '' : row?.label,
      map.columns[at]?.label,
      total === 0
        ? 'no partition'
        : total === 1
          ? said
          : `${plural(total, 'partition')}, ${number(row?.fresh[at] ?? 0)} fresh, the worst ${said}`,
      state.anchor && markedText(state, shape),
    ),
    reading: total > 0 && detail === undefined ? 'focus' : undefined,
  };
}

function markedText(state: HeatState, shape: HeatShape): string {
  const { rows, columns } = selectionOf(state, shape);
  const size = `${number(rows[1] - rows[0])} by ${number(columns[1] - columns[0])}`;
  return `marked ${size}: ${filterOf(state, shape) ?? 'everything'}`;
}

/** One partition, and why it is as it is. */
export function explanationTold(detail: PartitionDetail | undefined): Told {
  if (!detail)
    return { place: 'explain', title: 'One partition', summary: ['Reading it.'], focus: undefined, reading: 'all' };
  const { asset, partition, status, kind, error, checks, causes } = detail;
  const facts = listed(
    detail.rows !== undefined && plural(detail.rows, 'row'),
    detail.bytes !== undefined && detail.bytes > 0 && bytes(detail.bytes),
    detail.computedAt !== undefined && `computed ${instant(detail.computedAt)}`,
    detail.run !== undefined && `run ${detail.run}`,
    detail.version !== undefined && `version ${detail.version}`,
    detail.codeVersion !== undefined && `code ${detail.codeVersion}`,
    detail.file !== undefined && `file ${detail.file}`,
  );
  const times = error?.attempts === 1 ? 'once' : `${number(error?.attempts ?? 0)} times in a row`;
  return {
    place: 'explain',
    title: listed(asset, partition === '' ? 'not partitioned' : partition),
    summary: [
      `${status}: ${meaningOf(status, kind)}.`,
      ...(facts === '' ? [] : [`${facts}.`]),
      ...(error ? [`It failed ${times}: ${[error.message, error.hint].filter(Boolean).join(' ')}`] : []),
      ...checks.map(({ check, severity, failedRows }) => `Check ${check}, ${severity}: ${plural(failedRows, 'row')}.`),
      ...causes.map(({ depth, text }) => (depth === 0 ? text : `level ${depth}: ${text}`)),
    ],
    focus: undefined,
  };
}
