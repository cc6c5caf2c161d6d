import { formatIssue, type Issue } from '../../common/errors.ts';
import type { AssetNode } from '../../graph/graph.ts';
import { examineAssets } from '../../materialize/examine.ts';
import type { OpenedLake } from '../../materialize/open.ts';
import * as ranges from '../../partition/ranges.ts';
import type * as sets from '../../partition/set.ts';
import type { Dimension } from '../../partition/space.ts';
import { formatIndex } from '../../partition/time.ts';
import type { AssetEvaluation } from '../../plan/evaluate.ts';
import { presentSet } from '../../plan/universe.ts';
import { evaluateNow } from '../../report/evaluated.ts';
import { bytes, indent, instant, number, plural, some, table } from '../../report/format.ts';
import { freshnessJson, freshnessLines, freshnessNow, policyText, span } from '../../report/freshness.ts';
import { countsOf, findAsset, knownValues } from '../../sdk/select.ts';
import { kindOf } from '../../sdk/status.ts';
import type { Context } from '../context.ts';
import { USAGE } from '../failure.ts';

export async function run(context: Context, _options: object, asset: string): Promise<number | undefined> {
  return context.withLake('read', async (lake) => {
    const node = findAsset(lake.graph, asset);
    const issues = await examineAssets(lake, [node.definition]);
    const shown = { ...describe(lake, node), issues };
    const json = { ...shown, freshness: shown.freshness && freshnessJson(shown.freshness) };
    context.console.result(json, () => textOf(context, shown));
    return issues.length > 0 ? USAGE : undefined;
  });
}

type Shown = ReturnType<typeof describe> & { readonly issues: readonly Issue[] };

function describe(lake: OpenedLake, node: AssetNode) {
  const { definition, code, key } = node;
  const { evaluations, view } = evaluateNow(lake);
  const evaluation = evaluations.get(key) as AssetEvaluation;
  const present = presentSet(node, view.asset(key));
  const known = knownValues(evaluation.series.keys());
  return {
    key,
    kind: kindOf(definition),
    description: definition.description,
    group: definition.group,
    tags: definition.tags,
    kinds: definition.kinds,
    owners: definition.owners,
    metadata: definition.metadata,
    codeVersion: code,
    dimensions: node.space.dimensions.map((dimension) =>
      describeDimension(dimension, dimension.type === 'time' ? [] : known.valuesOf(dimension.name)),
    ),
    columns: definition.columns,
    sortBy: definition.sortBy,
    inputs: node.inputs.map(({ name, need, alternatives }) => ({
      name,
      need,
      alternatives: alternatives.map(({ asset, mapping }) => ({ asset, reads: mapping.description })),
    })),
    downstream: lake.graph.downstreamOf(key),
    checks: definition.checks.map(({ name, description, severity, blocking }) => ({
      name,
      description,
      severity,
      blocking,
    })),
    pool: definition.pool,
    historyMs: definition.historyMs,
    lastObserved: view.asset(key)?.lastObservedAt,
    lastAudited: view.asset(key)?.lastAuditedAt,
    partitions: { ...countsOf(evaluation), times: timeSpan(node, present) },
    freshness: freshnessNow(lake, { view, evaluations, at: lake.now() }, [key]).get(key),
    ...totals(lake, key, present),
  };
}

function describeDimension(dimension: Dimension, seen: readonly string[]) {
  if (dimension.type === 'time') {
    const { name, grain, start, end } = dimension;
    return {
      name,
      type: 'time' as const,
      grain,
      start: formatIndex(grain, start),
      ...(end !== undefined && { end: formatIndex(grain, end - 1) }),
    };
  }
  return {
    name: dimension.name,
    type: dimension.type,
    values: dimension.values ?? seen,
    ...(dimension.pattern !== undefined && { filter: dimension.pattern }),
  };
}

function timeSpan({ space }: AssetNode, present: sets.PartitionSet): { first: string; last: string } | undefined {
  const times = ranges.unionAll(present.bySeries.values());
  const first = ranges.first(times);
  const last = ranges.last(times);
  if (!space.time || first === undefined || last === undefined) return undefined;
  return { first: formatIndex(space.time.grain, first), last: formatIndex(space.time.grain, last) };
}

/** Files, bytes and rows of what is there now. */
function totals({ state }: OpenedLake, key: string, present: sets.PartitionSet) {
  let files = 0;
  let size = 0;
  for (const file of state.files(key)) {
    files++;
    size += file.bytes;
  }
  let rows = 0;
  for (const [series, times] of present.bySeries) {
    const details = state.details(key, series);
    if (details) for (const time of ranges.iterate(times)) rows += details.rows[time - details.base] ?? 0;
  }
  return { files, bytes: size, rows };
}

function textOf({ console }: Context, shown: Shown): string {
  const { style } = console;
  const section = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : ['', style.strong(title), ...lines.map((line) => indent(line))];
  const facts = [
    `group ${shown.group}`,
    ...Object.entries(shown.tags).map(([name, value]) => `tag ${name}=${value}`),
    ...shown.kinds.map((kind) => `kind ${kind}`),
    ...shown.owners.map((owner) => `owner ${owner}`),
    ...(shown.historyMs === undefined ? [] : [`history ${span(shown.historyMs)}`]),
  ];
  const { times, ...counts } = shown.partitions;
  const statuses = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([status, count]) => `${number(count)} ${status}`);
  const partitions = [
    statuses.join(', ') ||
      (shown.kind === 'source' && shown.lastObserved === undefined ? 'unknown: the source was never observed' : 'none'),
  ];
  if (times) partitions.push(`${times.first} to ${times.last}`);
  if (shown.lastObserved !== undefined) partitions.push(`observed ${instant(shown.lastObserved)}`);
  if (shown.lastAudited !== undefined) partitions.push(`audited (listed in full) ${instant(shown.lastAudited)}`);
  if (shown.kind !== 'source')
    partitions.push(
      `${plural(shown.files, 'file')}, ${bytes(shown.bytes)}${shown.kind === 'table' ? `, ${plural(shown.rows, 'row')}` : ''}`,
    );
  const dimensions = shown.dimensions.map((dimension) => {
    if (dimension.type === 'time')
      return `${dimension.name}: every ${dimension.grain} from ${dimension.start}${dimension.end === undefined ? '' : ` to ${dimension.end}`}`;
    return `${dimension.name}: ${dimension.values.length > 0 ? some(dimension.values, 12) : 'no value known yet'}${dimension.filter === undefined ? '' : style.faint(` (wanted: ${dimension.filter})`)}`;
  });
  const columns =
    shown.columns.length === 0
      ? []
      : table(
          [{ title: 'COLUMN' }, { title: 'TYPE' }, { title: 'WHAT IT IS' }],
          shown.columns.map(({ name, type, nullable, description }) => [
            name,
            `${type}${nullable ? ' NULL' : ''}`,
            description ?? '',
          ]),
          style.faint,
        ).split('\n');
  const inputs = shown.inputs.map(
    ({ name, need, alternatives }) =>
      `${name}: ${alternatives.map(({ asset, reads }) => `${asset} (${reads})`).join(', else ')}${need === 'ifPresent' ? ', if present' : ''}`,
  );
  return [
    `${style.strong(shown.key)}  ${style.faint(`${shown.kind}, code ${shown.codeVersion}`)}`,
    ...(shown.description === undefined ? [] : [indent(shown.description)]),
    indent(style.faint(facts.join(' · '))),
    ...section(
      'Problems',
      shown.issues.map((issue) => style.bad(formatIssue(issue))),
    ),
    ...section('Partitions', partitions),
    ...section(
      'Freshness',
      shown.freshness
        ? [
            ...freshnessLines(shown.freshness),
            ...shown.freshness.policies.map((policy) => `policy: ${policyText(policy)}`),
          ]
        : [],
    ),
    ...section('Partitioned by', dimensions),
    ...section('Reads', inputs),
    ...section('Read by', shown.downstream),
    ...section('Columns', columns),
    ...(shown.sortBy.length > 0 ? [indent(style.faint(`unique and sorted by ${shown.sortBy.join(', ')}`))] : []),
    ...section(
      'Checks',
      shown.checks.map(
        ({ name, severity, blocking, description }) =>
          `${name} (${severity}${blocking ? ', blocking' : ''})${description === undefined ? '' : `: ${description}`}`,
      ),
    ),
  ].join('\n');
}
