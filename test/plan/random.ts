import { createHash } from 'node:crypto';
import {
  all,
  asset,
  at,
  columns,
  daily,
  dynamicDimension,
  earlier,
  firstAvailable,
  from,
  ifPresent,
  monthly,
  only,
  overlapping,
  self,
  source,
  sql,
  staticDimension,
  text,
  window,
} from 'crypto-lakehouse';
import type { AssetDefinition } from '../../framework/define/model.ts';
import { parseFilter } from '../../framework/partition/filter.ts';
import type { PlanRequest } from '../../framework/plan/plan.ts';
import type { LakeView } from '../../framework/plan/view.ts';
import {
  type Edge,
  type Fact,
  type Filter,
  type Input,
  type Kind,
  keyOf,
  type Point,
  type Request,
  SIDES,
} from './model.ts';

export const FIRST_DAY = '2020-01-29';
export const FIRST_MONTH = '2020-01';
export const SYMBOLS = ['A', 'B', 'C'];

/** Decisions read from numbers, which shrink well; 0 is the simplest one. */
export class Tape {
  readonly #numbers: readonly number[];
  #at = 0;
  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }
  /** Of 0 … n − 1. */
  below(n: number): number {
    return (this.#numbers[this.#at++] ?? 0) % n;
  }
  of<T>(...options: readonly T[]): T {
    return options[this.below(options.length)] as T;
  }
  /** Unlikely. */
  rarely(): boolean {
    return this.below(5) === 4;
  }
}

/** A few sources and two to six assets that read them and each other. */
export function randomKinds(tape: Tape): Kind[] {
  const kinds: Kind[] = [];
  const shape = (key: string, isSource: boolean): Omit<Kind, 'inputs'> => ({
    key,
    source: isSource,
    symbol: tape.below(4) !== 3,
    side: tape.rarely(),
    time: tape.of('date', 'date', 'month', 'date', isSource ? 'date' : 'none'),
    lag: tape.rarely() ? -1 : 0,
    keep: !isSource && tape.rarely(),
    chain: 0,
    publicationHours: tape.of(48, 0, 24, 240),
    liveDays: tape.of(30, 4, 60),
  });
  const sources = 1 + tape.below(2);
  for (let i = 0; i < sources; i++) kinds.push({ ...shape(`src/s${i}`, true), inputs: [] });
  const assets = 2 + tape.below(5);
  for (let i = 0; i < assets; i++) {
    const own = shape(`a/a${i}`, false);
    const inputs: Input[] = Array.from({ length: 1 + (tape.rarely() ? 1 : 0) + (tape.rarely() ? 1 : 0) }, (_, n) => {
      const first = tape.of(...kinds.toReversed());
      const like = kinds.filter((k) => k.source === first.source && k.key !== first.key);
      const others = tape.below(3) === 2 && like.length > 0 ? [tape.of(...like)] : [];
      return {
        name: `i${n}`,
        need: tape.rarely() ? 'ifPresent' : 'required',
        alternatives: [first, ...others].map((up) => randomEdge(tape, own, up)),
      };
    });
    kinds.push({ ...own, inputs, chain: own.time !== 'none' && tape.rarely() ? 1 + tape.below(3) : 0 });
  }
  return kinds;
}

function randomEdge(tape: Tape, own: Omit<Kind, 'inputs'>, up: Kind): Edge {
  const listed = (has: boolean, upHas: boolean) =>
    !upHas ? 'same' : has ? tape.of('same', 'same', 'same', 'all', 'only') : tape.of('all', 'all', 'only');
  const time =
    up.time === 'none'
      ? 'none'
      : own.time === 'none'
        ? tape.of('all', 'all', 'at')
        : own.time === up.time
          ? tape.of('same', 'same', 'window', 'overlapping', 'all', 'at')
          : tape.of('overlapping', 'overlapping', 'window', 'all');
  const [back, ahead] = time === 'window' ? [tape.of(1, 2, 5), tape.of(0, 0, 0, 2)] : [0, 0];
  return {
    up: up.key,
    time,
    back,
    ahead,
    symbol: listed(own.symbol, up.symbol),
    side: listed(own.side, up.side),
  } as Edge;
}

const shape = { columns: columns({ v: text() }), sortBy: ['v'] as const };
async function* nothing(): AsyncGenerator<never> {}

/** The declarations of which a model's kinds are the abstract. */
export function declare(kinds: readonly Kind[]): AssetDefinition[] {
  const made = new Map<string, AssetDefinition>();
  for (const kind of kinds) {
    const lag = kind.lag;
    const partitions = {
      ...(kind.symbol && { symbol: dynamicDimension() }),
      ...(kind.side && { side: staticDimension(SIDES) }),
      ...(kind.time === 'date' && { date: daily({ start: FIRST_DAY, lag }) }),
      ...(kind.time === 'month' && { month: monthly({ start: FIRST_MONTH, lag }) }),
    };
    const { publicationHours: publicationLagHours, liveDays: liveForDays } = kind;
    if (kind.source) {
      made.set(
        kind.key,
        source(kind.key, { partitions, observe: nothing, publicationLagHours, liveForDays } as never) as never,
      );
      continue;
    }
    const inputs = Object.fromEntries(
      kind.inputs.map((input) => {
        const edges = input.alternatives.map((edge) => declareEdge(edge, kinds, made));
        const spec = edges.length > 1 ? firstAvailable(...(edges as unknown as [never])) : edges[0];
        return [input.name, input.need === 'ifPresent' ? ifPresent(spec as never) : spec];
      }),
    );
    const own = kind.chain > 0 && { own: self({ [kind.time]: earlier({ partitions: kind.chain }) }) };
    const options = {
      ...shape,
      partitions,
      inputs: { ...inputs, ...own },
      keepWithdrawn: kind.keep,
      query: () => sql`SELECT 1 AS v`,
    };
    made.set(kind.key, asset(kind.key as never, options as never) as never);
  }
  return [...made.values()];
}

function declareEdge(edge: Edge, kinds: readonly Kind[], made: ReadonlyMap<string, AssetDefinition>) {
  const up = kinds.find((k) => k.key === edge.up) as Kind;
  const listed = (rule: Edge['symbol'], value: string) => (rule === 'all' ? all() : only(value));
  const time = () => {
    if (edge.time === 'window') return window({ days: edge.back, ahead: { days: edge.ahead } });
    if (edge.time === 'overlapping') return overlapping();
    return edge.time === 'all' ? all() : at(up.time === 'month' ? '2020-02' : '2020-02-01');
  };
  return from(
    made.get(edge.up) as never,
    {
      ...(up.symbol && edge.symbol !== 'same' && { symbol: listed(edge.symbol, 'A') }),
      ...(up.side && edge.side !== 'same' && { side: listed(edge.side, 'x') }),
      ...(up.time !== 'none' && edge.time !== 'same' && { [up.time]: time() }),
    } as never,
  );
}

export function timeText(kind: Kind, index: number): string | undefined {
  if (kind.time === 'none') return undefined;
  if (kind.time === 'date') return new Date(index * 86_400_000).toISOString().slice(0, 10);
  return `${1970 + Math.floor(index / 12)}-${String((index % 12) + 1).padStart(2, '0')}`;
}

/** The bare facts of the log. */
export function factsOf(kinds: readonly Kind[], view: LakeView): Map<string, Map<string, Fact>> {
  return new Map(
    kinds.map((kind) => {
      const own = new Map<string, Fact>();
      const state = view.asset(kind.key);
      for (const [series, columns] of state?.series ?? []) {
        for (let i = 0; i < columns.length; i++) {
          const flags = columns.flags[i] as number;
          if (flags === 0) continue;
          const time = timeText(kind, columns.base + i);
          const point: Point = { ...columns.values, ...(time && { time }) };
          const failure = state?.failure(series, columns.base + i);
          own.set(keyOf(point), {
            point,
            present: (flags & 1) !== 0,
            left: (flags & 2) !== 0,
            failed: (flags & 4) !== 0,
            bad: (flags & 16) !== 0,
            changed: columns.changed[i] as number,
            verified: columns.verified[i] as number,
            code: view.codes[columns.code[i] as number] as string,
            choice: view.choices[columns.choice[i] as number] as string,
            failure: failure && {
              head: failure.head,
              code: view.codes[failure.code] as string,
              transient: failure.transient,
            },
          });
        }
      }
      return [kind.key, own];
    }),
  );
}

export function randomRequest(tape: Tape, kinds: readonly Kind[]): Request {
  const term = () => ({ key: tape.of(...kinds).key, up: tape.below(2) === 0, down: tape.below(3) === 2 });
  const terms = tape.below(2) === 0 ? undefined : tape.rarely() ? [term(), term()] : [term()];
  const days = ['2020-01-31', '2020-02-02', '2020-02-05'];
  const start = tape.below(days.length);
  const dates = { from: days[start] as string, to: days[start + tape.below(days.length - start)] as string };
  const filter = tape.of<Filter | undefined>(undefined, undefined, dates, { symbol: tape.of('A', 'B') });
  return { terms, filter, force: tape.rarely(), retryFailed: tape.rarely() };
}

/** A model's request as the planner takes it; a filter on a dimension that none of the selected assets has is refused there. */
export function planRequest(request: Request): PlanRequest {
  const selection = request.terms?.map(({ key, up, down }) => `${up ? '+' : ''}${key}${down ? '+' : ''}`).join(',');
  const { symbol, from: start, to } = request.filter ?? {};
  const text = symbol !== undefined ? `symbol=${symbol}` : start !== undefined ? `date=${start}..${to}` : undefined;
  return {
    ...(selection !== undefined && { selection }),
    ...(text !== undefined && { filter: parseFilter(text) }),
    ...(request.force && { force: true }),
    ...(request.retryFailed && { retryFailed: true }),
  };
}

export const digest = (textToHash: string): string =>
  createHash('sha256').update(textToHash).digest('hex').slice(0, 12);
