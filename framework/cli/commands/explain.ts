import { formatIssue } from '../../common/errors.ts';
import type { OpenedLake } from '../../materialize/open.ts';
import * as ranges from '../../partition/ranges.ts';
import * as sets from '../../partition/set.ts';
import { parseKey, printKey, seriesKey } from '../../partition/space.ts';
import { type Explanation, explain, type Reason } from '../../plan/explain.ts';
import { errorLine, withoutPlace } from '../../report/errors.ts';
import { evaluateNow } from '../../report/evaluated.ts';
import { factsOf, failureOf, type PartitionFacts } from '../../report/facts.ts';
import { bytes, indent, instant, number, plural } from '../../report/format.ts';
import { freshnessNow, seriesJson, seriesText } from '../../report/freshness.ts';
import { meaningOf } from '../../report/meaning.ts';
import { unobserved } from '../../sdk/plan.ts';
import { findAsset, knownValues } from '../../sdk/select.ts';
import { withUpstream } from '../again.ts';
import { jsonText } from '../console.ts';
import type { Context } from '../context.ts';
import { FAILED } from '../failure.ts';
import { setLines } from '../partitions.ts';
import type { Style } from '../style.ts';

export async function run(
  context: Context,
  _options: object,
  asset: string,
  partition: string,
): Promise<number | undefined> {
  const { console } = context;
  return context.withLake('read', async (lake) => {
    const node = findAsset(lake.graph, asset);
    const { evaluations, view } = evaluateNow(lake);
    const ref = parseKey(node.space, partition, knownValues(evaluations.get(asset)?.series.keys() ?? []));
    const series = seriesKey(node.space, ref.values);
    const explanation = explain(lake.graph, view, evaluations, asset, series, ref.time);
    const facts = factsOf(lake, node, ref);
    const neverObserved = unobserved(lake, [asset]);
    const unknown =
      neverObserved.length === 0
        ? []
        : [
            console.style.warning(
              `  Not known: ${neverObserved.join(', ')} ${neverObserved.length === 1 ? 'was' : 'were'} never observed (${context.again('observe', withUpstream(asset))})`,
            ),
          ];
    const freshness = freshnessNow(lake, { view, evaluations, at: lake.now() }, [asset]).get(asset)?.series.get(series);
    const lag = freshness === undefined ? [] : [`  lag of its series: ${seriesText(freshness)}`];
    const none = explanation.status === 'none';
    const { all } = evaluations.get(asset)?.universe ?? { all: sets.EMPTY_SET };
    const own = sets.mapSeries(all, (times, key) => (key === series ? times : ranges.EMPTY));
    const [times] = none ? setLines(node.space, own, { lines: 1, width: Math.max(console.width - 12, 30) }) : [];
    const thereIs = times === undefined ? [] : [`  There is ${times}`];
    if (context.globals.json)
      console.print(
        jsonText(
          {
            ...withErrors(lake, explanation),
            partition: printKey(node.space, ref),
            facts,
            neverObserved,
            ...(freshness && { freshness: seriesJson(freshness) }),
          },
          2,
        ),
      );
    else
      console.print(
        [
          head(explanation, printKey(node.space, ref), node.definition.kind, console.style),
          ...unknown,
          ...thereIs,
          ...factLines(asset, facts, console.style).map((line) => indent(line)),
          ...lag,
          ...tree(lake, explanation, console.style),
        ].join('\n'),
      );
    return none ? FAILED : undefined;
  });
}

type WithError = Omit<Explanation, 'reasons'> & {
  readonly error?: unknown;
  readonly reasons: readonly (Omit<Reason, 'upstream'> & { readonly upstream: readonly WithError[] })[];
};

function withErrors(lake: OpenedLake, explanation: Explanation): WithError {
  const error = failureOf(lake, explanation);
  return {
    ...explanation,
    ...(error !== undefined && { error }),
    reasons: explanation.reasons.map((reason) => ({
      ...reason,
      upstream: reason.upstream.map((up) => withErrors(lake, up)),
    })),
  };
}

function paint(status: Explanation['status'], style: Style): string {
  if (status === 'fresh') return style.good(status);
  return status === 'failed' || status === 'blocked' ? style.bad(status) : style.warning(status);
}

function head({ asset, status }: Explanation, partition: string, kind: 'source' | 'asset', style: Style): string {
  return `${style.strong(asset)} ${partition}\n  ${paint(status, style)}: ${meaningOf(status, kind)}`;
}

function factLines(asset: string, { last, failure, checks }: PartitionFacts, style: Style): string[] {
  const lines: string[] = [];
  if (last) {
    const when =
      last.at === undefined ? '' : ` on ${instant(last.at)}${last.run === undefined ? '' : ` by run ${last.run}`}`;
    const size = [
      last.file !== undefined && last.rows > 0 && plural(last.rows, 'row'),
      last.bytes > 0 && bytes(last.bytes),
    ]
      .filter(Boolean)
      .join(', ');
    lines.push(
      `content: revision ${number(last.revision)}${when}${size === '' ? '' : `; ${size}`}`,
      style.faint(`version ${last.version}${last.file === undefined ? '' : ` in ${last.file}`}`),
    );
  }
  if (failure) {
    const when =
      failure.at === undefined
        ? ''
        : ` on ${instant(failure.at)}${failure.run === undefined ? '' : ` by run ${failure.run}`}`;
    lines.push(
      style.bad(
        `failed ${failure.attempts === 1 ? 'once' : `${failure.attempts} times in a row, last`}${when}: ${failure.error ? withoutPlace(failure.error.message, asset) : 'the event that said why was pruned'}`,
      ),
    );
    if (failure.error?.hint !== undefined) lines.push(indent(failure.error.hint));
    for (const issue of failure.error?.issues ?? []) lines.push(indent(formatIssue(issue)));
  }
  for (const { check, severity, failedRows, sample, sql } of checks) {
    lines.push(
      (severity === 'error' ? style.bad : style.warning)(`check ${check} (${severity}): ${plural(failedRows, 'row')}`),
    );
    for (const row of sample ?? []) lines.push(indent(jsonText(row)));
    if (sql !== undefined) lines.push(indent(style.faint(sql)));
  }
  return lines;
}

/** Reasons and what is behind them, each level indented. */
function tree(lake: OpenedLake, { reasons }: Explanation, style: Style): string[] {
  return reasons.flatMap((reason) => {
    const more = reason.count - reason.upstream.length;
    return [
      `  ${style.accent(reason.type)}: ${reason.message}`,
      ...reason.upstream.flatMap((up) => {
        const error = failureOf(lake, up);
        const changed =
          up.changed > 0 && reason.type === 'data' ? style.faint(`, changed at revision ${number(up.changed)}`) : '';
        return [
          `    ${style.strong(up.asset)} ${up.partition}: ${paint(up.status, style)}${changed}`,
          ...(error === undefined ? [] : [indent(style.bad(errorLine(error, up.asset)), 6)]),
          ...tree(lake, up, style).map((line) => indent(line, 4)),
        ];
      }),
      ...(more > 0 ? [style.faint(`    … and ${plural(more, 'more partition')}`)] : []),
    ];
  });
}
