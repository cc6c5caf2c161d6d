import type { SerializedError } from '../../common/errors.ts';
import type { RunEvent } from '../../materialize/events.ts';
import { errorLine } from '../failure.ts';
import { bytes, duration, indent, number, pad, plural, some } from '../format.ts';
import type { Style } from '../style.ts';

/** What is remembered of a run's events for the end. */
export interface Recap {
  readonly add: (event: RunEvent) => void;
  /**
   * One paragraph of counts, and what failed, each kind of failure once. `unknown`: sources that were never observed, so that
   * nobody knows what there is to compute of them.
   */
  readonly text: (style: Style, unknown: readonly string[]) => string;
  readonly failed: readonly { readonly asset: string; readonly partition: string; readonly error: SerializedError }[];
  /** Checks of severity `error` that failed. */
  readonly refused: readonly { readonly asset: string; readonly partition: string }[];
  /** Whether partitions that failed earlier were left alone, for nothing they depend on has changed. */
  readonly stuck: () => boolean;
  /** Assets with something new, in order. */
  readonly changed: readonly string[];
}

type Failure = Recap['failed'][number];
interface Check {
  readonly asset: string;
  readonly partition: string;
  readonly check: string;
  readonly failedRows: number;
}

/** What failed first is a matter of chance. */
function inOrder<T extends { readonly asset: string; readonly partition: string }>(list: readonly T[]): T[] {
  return list.toSorted((a, b) => (`${a.asset} ${a.partition}` < `${b.asset} ${b.partition}` ? -1 : 1));
}

export function createRecap(): Recap {
  const failed: Failure[] = [];
  const warned: Check[] = [];
  const refused: Check[] = [];
  const held: { asset: string; reason: string; partitions: number }[] = [];
  const changed: string[] = [];
  let end: Extract<RunEvent, { type: 'run-finished' }> | undefined;
  return {
    get failed() {
      return inOrder(failed);
    },
    get refused() {
      return inOrder(refused);
    },
    stuck: () => held.some(({ reason }) => reason === 'failed'),
    changed,
    add: (event) => {
      if (event.type === 'partition-failed') failed.push(event);
      else if (event.type === 'check-failed') (event.severity === 'error' ? refused : warned).push(event);
      else if (event.type === 'held') held.push(event);
      else if (event.type === 'asset-finished' && event.changed > 0) changed.push(event.asset);
      else if (event.type === 'run-finished') end = event;
    },
    text: (style, unknown) => {
      const lines: string[] = [];
      if (end) lines.push(countsLine(end, style, unknown.length > 0));
      if (unknown.length > 0)
        lines.push(style.warning(`Never observed, so what they have is unknown: ${unknown.join(', ')}`));
      if (held.length > 0) lines.push('', style.warning('Cannot be computed now:'), ...heldLines(held));
      if (refused.length > 0) lines.push('', style.bad('Checks that failed:'), ...checkLines(inOrder(refused)));
      if (warned.length > 0) lines.push('', style.warning('Checks that warn:'), ...checkLines(inOrder(warned)));
      if (failed.length > 0) lines.push('', style.bad('Failed:'), ...failureLines(inOrder(failed), style));
      return lines.join('\n');
    },
  };
}

function countsLine(
  { outcome, counts, ms, run }: Extract<RunEvent, { type: 'run-finished' }>,
  style: Style,
  partly: boolean,
): string {
  const { computed, changed, failed, held, standing, departed, rows } = counts;
  const took = duration(ms);
  if (computed + failed + departed === 0 && outcome !== 'cancelled') {
    const what = partly ? 'what is known' : held > 0 ? 'what can be computed' : 'everything selected';
    const still = standing > 0 ? style.bad(`; ${plural(standing, 'partition')} failed before`) : '';
    return `${style.good('Nothing to do:')} ${what} is up to date${still} (${took}).`;
  }
  const parts = [
    `${plural(computed, 'partition')} computed${changed < computed ? `, ${number(changed)} of them changed` : ''}`,
    failed > 0 && style.bad(`${number(failed)} failed`),
    held > 0 && style.warning(`${number(held)} cannot be computed now`),
    departed > 0 && `${number(departed)} left the lake`,
  ].filter(Boolean);
  const size = computed > 0 ? `; ${rows > 0 ? `${plural(rows, 'row')}, ` : ''}${bytes(counts.bytes)}` : '';
  const word = { succeeded: style.good('Done:'), failed: style.bad('Failed:'), cancelled: style.warning('Stopped:') }[
    outcome
  ];
  return `${word} ${parts.join(', ')}${size}, in ${took}. ${style.faint(`Run ${run}.`)}`;
}

function heldLines(
  held: readonly { readonly asset: string; readonly reason: string; readonly partitions: number }[],
): string[] {
  const byAsset = Map.groupBy(held, ({ asset }) => asset);
  const width = Math.max(...[...byAsset.keys()].map((key) => key.length));
  return [...byAsset].map(([asset, own]) =>
    indent(
      `${pad(asset, width)}  ${own.map(({ reason, partitions }) => `${number(partitions)} ${reason}`).join(', ')}`,
    ),
  );
}

/** Failures of one asset with one code are one thing that went wrong, whatever the message says of the partition. */
function failureLines(failed: readonly Failure[], style: Style): string[] {
  const groups = Map.groupBy(failed, ({ asset, error }) => `${asset}\n${error.code ?? error.message}`);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    return [
      indent(`${style.strong(first.asset)}  ${some(group.map(({ partition }) => partition || '(whole asset)'))}`),
      indent(errorLine(first.error, `${first.asset} ${first.partition}`), 4),
      ...(first.error.hint === undefined ? [] : [indent(style.faint(first.error.hint), 4)]),
    ];
  });
}

function checkLines(checks: readonly Check[]): string[] {
  const groups = Map.groupBy(checks, ({ asset, check }) => `${asset}\n${check}`);
  return [...groups.values()].map((group) => {
    const rows = group.reduce((sum, { failedRows }) => sum + failedRows, 0);
    return indent(
      `${group[0]?.asset}  ${group[0]?.check}: ${plural(rows, 'row')} in ${plural(group.length, 'partition')}: ${some(group.map(({ partition }) => partition))}`,
    );
  });
}
