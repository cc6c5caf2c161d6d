import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isLakehouseError } from '../../framework/common/errors.ts';
import { atOnce } from '../../framework/common/steps.ts';
import type { PartitionSet } from '../../framework/partition/set.ts';
import { points } from '../../framework/partition/set.ts';
import { printKey, readSeriesKey } from '../../framework/partition/space.ts';
import { type AssetEvaluation, RUN_WILL, STATUSES } from '../../framework/plan/evaluate.ts';
import { explain } from '../../framework/plan/explain.ts';
import { type EvaluatedLake, evaluateAfter } from '../../framework/plan/follow.ts';
import { makePlan, type Planning } from '../../framework/plan/plan.ts';
import { universes } from '../../framework/plan/universe.ts';
import {
  type Keys,
  type Kind,
  modelPlan,
  modelUniverses,
  modelVerdicts,
  type Request,
  SIDES,
  type World,
} from './model.ts';
import {
  declare,
  digest,
  FIRST_DAY,
  FIRST_MONTH,
  factsOf,
  planRequest,
  randomKinds,
  randomRequest,
  SYMBOLS,
  Tape,
  timeText,
} from './random.ts';
import { Scenario } from './scenario.ts';

const DAY = 86_400_000;
const EVERYTHING: Request = { terms: undefined, filter: undefined, force: false, retryFailed: false };
const RUN = ['not', 'will', 'may'];
/** Enough for every day; thousands when the planner is changed. A failure tells its whole story, so nothing is shrunk. */
const RUNS = 120;

/** Series that were evaluated while following, and those of them that were taken from before. */
const kept = { all: 0, same: 0 };

/** Everything that an evaluation says of its series. */
function described(series: AssetEvaluation['series'] | undefined): unknown {
  return Array.from(series ?? [], ([key, { base, length, status, causes, run, bits, changed, chosen, state }]) => [
    key,
    base,
    length,
    ...[status, causes, run, bits, changed].map((column) => Array.from(column).join()),
    Array.from(chosen, ([input, column]) => `${input} ${column}`),
    state?.verified.join(),
  ]);
}

/** A lake with its model. */
class Twin {
  readonly lake: Scenario;
  readonly kinds: readonly Kind[];
  readonly #definitions: ReturnType<typeof declare>;
  symbols: readonly string[] = SYMBOLS;
  #followed: EvaluatedLake | undefined;
  /** What was done, for whoever reads a counterexample. */
  readonly story: string[] = [];
  codes = new Map<string, string>();
  readonly accepted: [asset: string, from: string, to: string][] = [];

  constructor(kinds: readonly Kind[]) {
    this.kinds = kinds;
    this.#definitions = declare(kinds);
    this.lake = new Scenario(this.#definitions, { now: '2020-02-06T05:00:00Z' });
    for (const { key } of kinds) this.codes.set(key, 'code-1');
  }

  define(): void {
    const some = this.symbols.length < SYMBOLS.length && this.kinds.some((k) => k.symbol);
    this.lake.define(this.#definitions, Object.fromEntries(this.codes), some ? { symbol: [...this.symbols] } : {});
  }

  world(): World {
    const view = this.lake.state.refresh();
    const { now } = this.lake;
    return {
      kinds: this.kinds,
      symbols: this.symbols,
      sides: SIDES,
      firstDay: FIRST_DAY,
      firstMonth: FIRST_MONTH,
      now,
      head: view.head,
      codes: this.codes,
      unwanted: new Set(this.lake.unwanted),
      accepted: this.accepted,
      facts: factsOf(this.kinds, view),
    };
  }

  keys(asset: string, set: PartitionSet | undefined): string[] {
    const { space } = this.lake.graph.node(asset);
    return [...points(set ?? { bySeries: new Map() })]
      .map(([series, time]) => printKey(space, { values: readSeriesKey(series), time }))
      .sort();
  }

  plan(request: Request): Planning | undefined {
    try {
      return makePlan(this.lake.graph, this.lake.state.refresh(), planRequest(request), this.lake.now);
    } catch (error) {
      // A filter on a dimension that nothing selected has.
      if (isLakehouseError(error) && error.code === 'bad-filter') return undefined;
      throw error;
    }
  }

  /** Status, run and choice of every partition, as text by `asset key`. */
  real(asset: string, { series, node }: AssetEvaluation): Record<string, string> {
    const out: Record<string, string> = {};
    for (const one of series.values()) {
      for (let i = 0; i < one.length; i++) {
        const status = STATUSES[one.status[i] as number];
        if (status === 'none') continue;
        const choices = [...one.chosen].map(([input, column]) => `${input}=${column[i] === 255 ? '-' : column[i]}`);
        const asked = choices.length > 0 && status !== 'leaving' && status !== 'unavailable' ? ` ${choices}` : '';
        out[`${asset} ${printKey(node.space, { values: one.values, time: one.base + i })}`] =
          `${status} ${RUN[one.run[i] as number]}${asked} ${causesOf(one.causes[i] as number)}`;
      }
    }
    return out;
  }

  compare(request: Request): void {
    const planning = this.plan(request);
    if (!planning) return;
    this.story.push(`compare ${JSON.stringify(request)}`);
    const world = this.world();
    const view = this.lake.state.index();
    this.compareUniverses(world);
    const model = modelPlan(world, request);
    const real: Record<string, string> = {};
    const said: Record<string, string> = {};
    for (const kind of this.kinds) {
      Object.assign(real, this.real(kind.key, planning.evaluations.get(kind.key) as AssetEvaluation));
      for (const [key, v] of model.verdicts.get(kind.key) ?? []) {
        if (v.status === 'none') continue;
        const choices = Object.entries(v.chosen).map(([input, pick]) => `${input}=${pick ?? '-'}`);
        const causes = ['missing', 'code', 'data', 'departed', 'choice', 'forced'].filter((c) => v.causes.includes(c));
        said[`${kind.key} ${key}`] = `${v.status} ${v.run}${choices.length > 0 ? ` ${choices}` : ''} ${causes}`;
      }
    }
    expect(real).toEqual(said);
    const steps = (type: string, set: (step: never) => PartitionSet): Record<string, string[]> =>
      Object.fromEntries(
        planning.plan.steps.flatMap((s) => (s.type === type ? [[s.asset, this.keys(s.asset, set(s as never))]] : [])),
      );
    const some = (keys: Keys) =>
      Object.fromEntries([...keys].filter(([, own]) => own.size > 0).map(([asset, own]) => [asset, [...own].sort()]));
    expect(
      Object.fromEntries(
        [...planning.targets].flatMap(([asset, set]) =>
          set.bySeries.size > 0 ? [[asset, this.keys(asset, set)]] : [],
        ),
      ),
    ).toEqual(some(model.targets));
    const nonEmpty = (found: Record<string, string[]>) =>
      Object.fromEntries(Object.entries(found).filter(([, own]) => own.length > 0));
    expect(nonEmpty(steps('materialize', (s: { will: PartitionSet }) => s.will))).toEqual(some(model.will));
    expect(nonEmpty(steps('materialize', (s: { may: PartitionSet }) => s.may))).toEqual(some(model.may));
    expect(steps('depart', (s: { set: PartitionSet }) => s.set)).toEqual(some(model.departs));
    const held: Record<string, string> = {};
    for (const s of planning.plan.steps)
      if (s.type === 'hold') for (const key of this.keys(s.asset, s.set)) held[`${s.asset} ${key}`] = s.reason;
    expect(held).toEqual(
      Object.fromEntries(
        [...model.holds].flatMap(([asset, own]) => [...own].map(([key, reason]) => [`${asset} ${key}`, reason])),
      ),
    );
    // What explain says is what was evaluated.
    for (const [asset, { series, node }] of planning.evaluations) {
      const [one] = series.values();
      if (!one) continue;
      const i = one.length >> 1;
      const explained = explain(this.lake.graph, view, planning.evaluations, asset, one.key, one.base + i);
      expect(`${explained.status} ${explained.partition}`).toBe(
        `${STATUSES[one.status[i] as number]} ${printKey(node.space, { values: one.values, time: one.base + i })}`,
      );
    }
    if (request === EVERYTHING) {
      this.checkFresh(planning);
      this.follow();
    }
  }

  /** What is taken from earlier evaluations is as if it had been made anew. */
  follow(): void {
    const { graph, now } = this.lake;
    const view = this.lake.state.index();
    const followed = atOnce(evaluateAfter(graph, view, now, this.#followed));
    const anew = atOnce(evaluateAfter(graph, view, now));
    for (const [key, { series }] of followed.evaluations) {
      expect(described(series), key).toEqual(described(anew.evaluations.get(key)?.series));
    }
    // With nothing new there is nothing new.
    const again = atOnce(evaluateAfter(graph, view, now, followed));
    for (const [key, evaluation] of again.unmarked) {
      expect(evaluation, key).toBe(followed.unmarked.get(key));
      kept.all += evaluation.series.size;
      for (const [name, one] of evaluation.series) {
        if (one === this.#followed?.unmarked.get(key)?.series.get(name)) kept.same++;
      }
    }
    this.#followed = followed;
  }

  compareUniverses(world: World): void {
    const real = universes(this.lake.graph, this.lake.state.index(), this.lake.now);
    const model = modelUniverses(world);
    const told: Record<string, string> = {};
    const said: Record<string, string> = {};
    for (const { key } of this.kinds) {
      const own = real.get(key);
      for (const part of ['ready', 'awaiting', 'unavailable'] as const)
        for (const k of this.keys(key, own?.[part])) told[`${key} ${k}`] = part;
      expect(this.keys(key, own?.all)).toEqual([...(model.get(key)?.keys() ?? [])].sort());
      for (const [k, { is }] of model.get(key) ?? []) said[`${key} ${k}`] = is;
    }
    expect(told).toEqual(said);
  }

  /** Nothing is fresh while a required upstream that it reads is not. */
  checkFresh({ evaluations }: Planning): void {
    for (const { node, series } of evaluations.values()) {
      for (const one of series.values()) {
        for (let i = 0; i < one.length; i++) {
          if (STATUSES[one.status[i] as number] !== 'fresh') continue;
          for (const input of node.inputs.filter((n) => n.need === 'required')) {
            const alternative = input.alternatives[one.chosen.get(input.name)?.[i] ?? 0];
            if (!alternative) continue;
            const [from, to] = alternative.mapping.upstream(one.values, one.base + i);
            for (const up of evaluations.get(alternative.asset)?.series.values() ?? []) {
              if (!alternative.mapping.joinDown(one.values).includes(alternative.mapping.joinUp(up.values) ?? '\0'))
                continue;
              for (let u = Math.max(from - up.base, 0); u < Math.min(to - up.base, up.length); u++) {
                const status = STATUSES[up.status[u] as number] as string;
                const kept = node.keeps && status !== 'fresh';
                expect(
                  kept || ['none', 'fresh', 'unavailable'].includes(status),
                  `${node.key} is fresh, reads ${alternative.asset} that is ${status}`,
                ).toBe(true);
              }
            }
          }
        }
      }
    }
  }

  /** Runs a request, comparing what is computed at each asset's turn; what ran must have been planned. */
  run(request: Request, mishap: Scenario['mishap'], fails: (asset: string, partition: string) => boolean): void {
    const { lake } = this;
    const planning = this.plan(request);
    if (!planning) return;
    this.story.push(`run ${JSON.stringify(request)}`);
    const { plan, targets } = planning;
    lake.mishap = mishap;
    lake.content = (asset, partition, read) =>
      fails(asset, partition) ? undefined : digest(asset.endsWith('2') ? 'constant' : read.join());
    lake.log.length = 0;
    let failed = false;
    lake.run({
      ...planRequest(request),
      between: (asset, evaluation) => {
        const world = this.world();
        const within = (key: string, k: string) =>
          key === asset && new Set(this.keys(asset, targets.get(asset))).has(k);
        const model = modelVerdicts(world, modelUniverses(world), {
          mode: 'execute',
          force: request.force ? within : undefined,
          retry: request.retryFailed ? within : undefined,
        });
        const real: string[] = [];
        for (const one of evaluation.series.values()) {
          for (let i = 0; i < one.length; i++)
            if (one.run[i] === RUN_WILL)
              real.push(printKey(evaluation.node.space, { values: one.values, time: one.base + i }));
        }
        expect(real.sort()).toEqual(
          [...(model.get(asset) ?? [])]
            .filter(([, v]) => v.run === 'will')
            .map(([k]) => k)
            .sort(),
        );
      },
    });
    const planned = new Set<string>();
    const sure = new Set<string>();
    for (const step of plan.steps) {
      if (step.type !== 'materialize') continue;
      for (const key of this.keys(step.asset, step.will)) sure.add(`${step.asset} ${key}`);
      for (const key of [...this.keys(step.asset, step.will), ...this.keys(step.asset, step.may)])
        planned.add(`${step.asset} ${key}`);
    }
    const ran = new Set(lake.log);
    for (const entry of lake.log) {
      const [asset = '', partition = ''] = entry.split(' ');
      failed ||= fails(asset, partition) || mishap(asset, partition) !== undefined;
    }
    expect([...ran].filter((k) => !planned.has(k))).toEqual([]);
    if (!failed) expect([...sure].filter((k) => !ran.has(k))).toEqual([]);
    // Once more: nothing is computed but what failed in passing and what follows from that.
    if (request.force || request.retryFailed || failed) return;
    lake.log.length = 0;
    lake.run(planRequest(request));
    expect(lake.log).toEqual([]);
  }
}

function causesOf(bits: number): string {
  return ['missing', 'code', 'data', 'departed', 'choice', 'forced'].filter((_, b) => bits & (1 << b)).join();
}

/** Partitions of a source that could have been published by now. */
function publishable({ lake, kinds }: Twin, key: string): string[] {
  const kind = kinds.find((k) => k.key === key) as Kind;
  const [first, last] = kind.time === 'month' ? [600, 602] : [18_290, Math.floor(lake.now / DAY)];
  const out: string[] = [];
  for (let t = first; t < last; t++) {
    for (const symbol of kind.symbol ? SYMBOLS : [undefined]) {
      for (const side of kind.side ? SIDES : [undefined]) {
        out.push(
          [symbol && `symbol=${symbol}`, side && `side=${side}`, `${kind.time}=${timeText(kind, t)}`]
            .filter(Boolean)
            .join('/'),
        );
      }
    }
  }
  return out;
}

function act(twin: Twin, tape: Tape, step: number): void {
  const { lake, kinds } = twin;
  const sources = kinds.filter((k) => k.source);
  const assets = kinds.filter((k) => !k.source);
  const chance = (salt: string, n: number) => (text: string) =>
    Number.parseInt(digest(`${salt}${step}${text}`).slice(0, 6), 16) % n === 0;
  const calm = tape.below(2) === 0;
  switch (
    tape.of('observe', 'run', 'run', 'observe', 'time', 'code', 'wipe', 'filter', 'withdraw', 'accept', 'run', 'want')
  ) {
    case 'observe':
    case 'withdraw': {
      const { key } = tape.of(...sources);
      const few = tape.of(1, 2, 4);
      const wanted = chance('o', few);
      const known = publishable(twin, key).filter(
        (k) =>
          twin.symbols.length === SYMBOLS.length ||
          twin.symbols.some((s) => k.includes(`symbol=${s}/`)) ||
          !k.includes('symbol='),
      );
      const seen = Object.fromEntries(known.filter(wanted).map((k) => [k, tape.of('v1', 'v1', `v${step}`)]));
      const whole = few > 1 && tape.below(2) === 1;
      twin.story.push(`observe ${key} ${Object.entries(seen).join(' ')}${whole ? ' and no others' : ''}`);
      lake.observe(key, seen, whole);
      break;
    }
    case 'run': {
      const mishaps = chance('m', 6);
      const fails = chance('f', 8);
      const kind = chance('k', 2);
      twin.run(
        randomRequest(tape, kinds),
        (asset, partition) =>
          calm || !mishaps(asset + partition) ? undefined : kind(asset + partition) ? 'transient' : 'check',
        (asset, partition) => !calm && fails(asset + partition),
      );
      break;
    }
    case 'wipe':
      twin.story.push('wipe');
      lake.wipe(tape.of(...assets).key);
      break;
    case 'code':
      twin.story.push('code');
      twin.codes.set(tape.of(...assets).key, tape.of('code-2', 'code-1', 'code-3'));
      twin.define();
      break;
    case 'accept': {
      const { key } = tape.of(...assets);
      const [from, to] = [tape.of('code-1', 'code-2'), twin.codes.get(key) as string];
      twin.accepted.push([key, from, to]);
      lake.state.append({ kind: 'accepted', asset: key, run: 'r', from, to });
      break;
    }
    case 'want': {
      const { key } = tape.of(...sources);
      twin.story.push(`want or not ${key}`);
      if (!lake.unwanted.delete(key)) lake.unwanted.add(key);
      twin.define();
      break;
    }
    case 'filter':
      twin.story.push('filter');
      twin.symbols = tape.of(['A'], ['B', 'C'], SYMBOLS);
      twin.define();
      break;
    case 'time':
      twin.story.push('time');
      lake.now += tape.of(1, 2, 5, 12) * DAY;
      break;
  }
}

describe('the planner and a naive model of its specification agree', () => {
  const numbers = (max: number) =>
    fc.noBias(fc.array(fc.nat(9999), { minLength: max >> 1, maxLength: max, size: 'max' }));
  test('over random lakes and histories', { timeout: 600_000 }, () => {
    fc.assert(
      fc.property(numbers(80), fc.array(numbers(24), { minLength: 1, maxLength: 9, size: 'max' }), (graph, history) => {
        const twin = new Twin(randomKinds(new Tape(graph)));
        try {
          for (const { key, source } of twin.kinds)
            if (source)
              twin.lake.observe(
                key,
                Object.fromEntries(
                  publishable(twin, key)
                    .slice(0, 3)
                    .map((k) => [k, 'v1']),
                ),
              );
          history.forEach((decisions, step) => {
            const tape = new Tape(decisions);
            act(twin, tape, step);
            twin.compare(EVERYTHING);
            twin.compare(randomRequest(tape, twin.kinds));
          });
        } catch (error) {
          throw new Error([...twin.kinds.map((k) => JSON.stringify(k)), ...twin.story, String(error)].join('\n'), {
            cause: error,
          });
        } finally {
          twin.lake[Symbol.dispose]();
        }
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
    // Otherwise nothing would have been shown of following.
    expect(kept.same / kept.all).toBeGreaterThan(0.2);
    expect(kept.same).toBeLessThan(kept.all);
  });
});
