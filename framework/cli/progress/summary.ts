import type { SerializedError } from '../../common/errors.ts';
import type { RunEvent } from '../../materialize/events.ts';
import { errorLine } from '../../report/errors.ts';
import { bytes, duration, indent, number, plural, some } from '../../report/format.ts';
import { type Held, heldLines } from '../held.ts';
import type { Style } from '../style.ts';

/** What is remembered of a run's events for the end. */
export interface Recap {
  readonly add: (event: RunEvent) => void;
  /**
   * One paragraph of counts, and what failed, each kind of failure once. `unknown`: sources that were never observed, so that
   * nobody knows what there is to compute of them. `all`: the command that lists every failure of a run.
   */
  readonly text: (style: Style, selection: string, unknown: readonly string[], all: (run: string) => string) => string;
  readonly failed: readonly { readonly asset: string; readonly partition: string; readonly error: SerializedError }[];
  /** Checks of severity `error` that failed. */
  readonly refused: readonly { readonly asset: string; readonly partition: string }[];
  /** Whether partitions that failed earlier were left alone, for nothing they depend on has changed. */
  readonly stuck: () => boolean;
  /** What was selected and could not be computed. */
  readonly held: readonly Held[];
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

interface Place {
  readonly asset: string;
  readonly partition: string;
}

/** Partitions of a kind that are named. */
const SHOWN = 3;

/** What went wrong in an asset, each kind of it once. */
function byKind<T extends Place>(list: readonly T[], kindOf: (one: T) => string): T[][] {
  return [...Map.groupBy(inOrder(list), (one) => `${one.asset}\n${kindOf(one)}`).values()];
}

/** What failed first is a matter of chance. */
function inOrder<T extends Place>(list: readonly T[]): T[] {
  return list.toSorted((a, b) => (`${a.asset} ${a.partition}` < `${b.asset} ${b.partition}` ? -1 : 1));
}

export function createRecap(): Recap {
  const failed: Failure[] = [];
  const warned: Check[] = [];
  const refused: Check[] = [];
  const held: Held[] = [];
  const changed: string[] = [];
  let end: Extract<RunEvent, { type: 'run-finished' }> | undefined;
  return {
    get failed() {
      return inOrder(failed);
    },
    get refused() {
      return inOrder(refused);
    },
    held,
    stuck: () => held.some(({ reason }) => reason === 'failed'),
    changed,
    add: (event) => {
      if (event.type === 'partition-failed') failed.push(event);
      else if (event.type === 'check-failed') (event.severity === 'error' ? refused : warned).push(event);
      else if (event.type === 'held') held.push(event);
      else if (event.type === 'asset-finished' && event.changed > 0) changed.push(event.asset);
      else if (event.type === 'run-finished') end = event;
    },
    text: (style, selection, unknown, all) => {
      const lines: string[] = [];
      const missed = held.reduce((sum, { partitions }) => sum + partitions, 0);
      if (end) lines.push(countsLine(end, missed, style, unknown.length > 0));
      if (unknown.length > 0)
        lines.push(style.warning(`Never observed, so what they have is unknown: ${unknown.join(', ')}`));
      if (held.length > 0) lines.push('', ...heldLines(held, selection, style));
      const refusals = byKind(refused, ({ check }) => check);
      const warnings = byKind(warned, ({ check }) => check);
      // Failures with one code are one thing that went wrong, whatever the message says of the partition.
      const failures = byKind(failed, ({ error }) => error.code ?? error.message);
      if (refusals.length > 0) lines.push('', style.bad('Checks that failed:'), ...refusals.map(checkLine));
      if (warnings.length > 0) lines.push('', style.warning('Checks that warn:'), ...warnings.map(checkLine));
      if (failures.length > 0)
        lines.push('', style.bad('Failed:'), ...failures.flatMap((kind) => failureLines(kind, style)));
      if (end && [...refusals, ...warnings, ...failures].some(({ length }) => length > SHOWN))
        lines.push('', style.faint(`All of them: ${all(end.run)}`));
      return lines.join('\n');
    },
  };
}

function countsLine(
  { outcome, counts, ms, run }: Extract<RunEvent, { type: 'run-finished' }>,
  held: number,
  style: Style,
  partly: boolean,
): string {
  const { computed, changed, failed, checksFailed, standing, departed, rows } = counts;
  const took = duration(ms);
  if (computed + failed + departed === 0 && outcome !== 'cancelled') {
    const what = partly ? 'what is known' : held > 0 ? 'what can be computed' : 'everything selected';
    const still = standing > 0 ? style.bad(`; ${plural(standing, 'partition')} failed before`) : '';
    return `${style.good('Nothing to do:')} ${what} is up to date${still} (${took}).`;
  }
  const parts = [
    `${plural(computed, 'partition')} computed${changed < computed ? `, ${number(changed)} of them changed` : ''}`,
    failed > 0 && style.bad(`${number(failed)} failed`),
    checksFailed > 0 && style.bad(`${plural(checksFailed, 'check')} failed`),
    held > 0 && style.warning(`${number(held)} cannot be computed now`),
    departed > 0 && `${number(departed)} left the lake`,
  ].filter(Boolean);
  const size = computed > 0 ? `; ${rows > 0 ? `${plural(rows, 'row')}, ` : ''}${bytes(counts.bytes)}` : '';
  const word = { succeeded: style.good('Done:'), failed: style.bad('Failed:'), cancelled: style.warning('Stopped:') }[
    outcome
  ];
  return `${word} ${parts.join(', ')}${size}, in ${took}. ${style.faint(`Run ${run}.`)}`;
}

/** `3 partitions: a, b, c` */
function partitionsOf(places: readonly Place[]): string {
  const names = places.map(({ partition }) => partition || '(whole asset)');
  return `${plural(places.length, 'partition')}: ${some(names, SHOWN)}`;
}

function failureLines(kind: readonly Failure[], style: Style): string[] {
  const [first] = kind;
  if (!first) return [];
  const message = errorLine(first.error, first.asset);
  const varies = kind.some(({ error }) => errorLine(error, first.asset) !== message);
  return [
    indent(`${style.strong(first.asset)}  ${partitionsOf(kind)}`),
    indent(varies ? `for example: ${message}` : message, 4),
    ...(first.error.hint === undefined ? [] : [indent(style.faint(first.error.hint), 4)]),
  ];
}

function checkLine(kind: readonly Check[]): string {
  const rows = kind.reduce((sum, { failedRows }) => sum + failedRows, 0);
  return indent(`${kind[0]?.asset}  ${kind[0]?.check}: ${plural(rows, 'row')} in ${partitionsOf(kind)}`);
}
