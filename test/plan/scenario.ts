import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AssetDefinition } from '../../framework/define/model.ts';
import { type AssetGraph, buildGraph } from '../../framework/graph/graph.ts';
import { choiceOf } from '../../framework/materialize/bind.ts';
import { parseFilter } from '../../framework/partition/filter.ts';
import * as ranges from '../../framework/partition/ranges.ts';
import type { PartitionSet } from '../../framework/partition/set.ts';
import * as sets from '../../framework/partition/set.ts';
import { parseKey, printKey, readSeriesKey, seriesKey } from '../../framework/partition/space.ts';
import {
  type AssetEvaluation,
  type EvaluateOptions,
  evaluateAsset,
  pointsWhere,
  RUN_WILL,
  type Status,
} from '../../framework/plan/evaluate.ts';
import { explain } from '../../framework/plan/explain.ts';
import { makePlan, type Planning, type PlanRequest, statusCounts } from '../../framework/plan/plan.ts';
import { type Universe, universes } from '../../framework/plan/universe.ts';
import type { CheckOutcome, SeriesOutcome } from '../../framework/state/events.ts';
import { openState } from '../../framework/state/sqlite.ts';
import type { StateWriter } from '../../framework/state/store.ts';

/**
 * A lake without data: the real graph, log, index and planner, and partitions whose content is a word. What a partition
 * becomes is a function of its key and the versions it read, so early cutoff, code changes and failures can be played through.
 */
export class Scenario {
  readonly state: StateWriter;
  readonly #directory: string;
  graph: AssetGraph;
  now: number;
  /** Sources that the settings do not want, from now on. */
  readonly unwanted = new Set<string>();
  /** Content of a partition; default: a hash of what was read. `undefined` fails it. */
  content: (asset: string, partition: string, read: readonly string[]) => string | undefined = (_a, _p, read) =>
    read.join();
  /** What goes wrong with a partition, if anything: it fails in passing, or its data fails a blocking check. */
  mishap: (asset: string, partition: string) => 'transient' | 'check' | undefined = () => undefined;
  /** Everything that was computed, in order, as `asset partition`. */
  readonly log: string[] = [];
  readonly #content = new Map<string, string>();

  constructor(
    assets: readonly AssetDefinition[],
    options: { now: string; codes?: Record<string, string>; filters?: Record<string, string[]> },
  ) {
    this.#directory = mkdtempSync(join(tmpdir(), 'lake-'));
    this.now = Date.parse(options.now);
    this.state = openState(join(this.#directory, 'state.sqlite'), { now: () => this.now });
    this.graph = this.#graphOf(assets, options.codes, options.filters);
  }

  [Symbol.dispose](): void {
    this.state.close();
    rmSync(this.#directory, { recursive: true });
  }

  /** Other code, filters or assets from now on. */
  define(assets: readonly AssetDefinition[], codes?: Record<string, string>, filters?: Record<string, string[]>): void {
    this.graph = this.#graphOf(assets, codes, filters);
  }

  #graphOf(
    assets: readonly AssetDefinition[],
    codes: Record<string, string> = {},
    filters: Record<string, string[]> = {},
  ): AssetGraph {
    const wanted = ({ key }: AssetDefinition) => !this.unwanted.has(key);
    return buildGraph(assets, { codes: (d) => codes[d.key] ?? 'code-1', filters, wanted });
  }

  /** A source is seen with exactly these partitions (all others of it are withdrawn when `whole`). */
  observe(asset: string, seen: Record<string, string>, whole = false): void {
    const { space } = this.graph.node(asset);
    const points = Object.entries(seen).map(([key, version]) => ({ ref: parseKey(space, key), version }));
    const bySeries = Map.groupBy(points, (p) => seriesKey(space, p.ref.values));
    const outcomes = [...bySeries].map(([series, list]): SeriesOutcome => {
      const sorted = list.toSorted((a, b) => a.ref.time - b.ref.time);
      return outcome(
        series,
        sorted.map((p) => p.ref.time),
        sorted.map((p) => p.version),
      );
    });
    const before = this.present(asset);
    const now = sets.fromPoints(points.map((p) => [seriesKey(space, p.ref.values), p.ref.time] as const));
    const gone = whole ? sets.subtract(before, now) : sets.EMPTY_SET;
    for (const p of points) this.#content.set(`${asset} ${printKey(space, p.ref)}`, p.version);
    const withdrawn = [...gone.bySeries].map(([series, times]) => ({
      series,
      values: readSeriesKey(series),
      ranges: [...times.bounds],
    }));
    this.state.append({
      kind: 'observed',
      asset,
      run: 'r',
      observedAt: this.now,
      outcomes,
      ...(withdrawn.length > 0 && { withdrawn }),
    });
  }

  wipe(asset: string, filter?: string): void {
    const { space } = this.graph.node(asset);
    const set = this.set(asset, filter);
    const wiped = [...set.bySeries].map(([series, times]) => ({
      series,
      values: readSeriesKey(series),
      ranges: [...times.bounds],
    }));
    void space;
    this.state.append({ kind: 'departed', asset, run: 'r', reason: 'wiped', set: wiped });
  }

  /** Present partitions, filtered. */
  set(asset: string, filter?: string): PartitionSet {
    const { applyFilter } = filterModule;
    const present = this.present(asset);
    return filter ? applyFilter(this.graph.node(asset).space, present, parseFilter(filter)) : present;
  }

  present(asset: string): PartitionSet {
    const series = this.state.refresh().asset(asset)?.series ?? new Map();
    return sets.fromSeries(
      [...series].map(
        ([key, s]) =>
          [
            key,
            ranges.fromSorted(
              Array.from(s.flags as Uint8Array, (f, i) => (f & 1 ? s.base + i : undefined)).filter(
                (t): t is number => t !== undefined,
              ),
            ),
          ] as const,
      ),
    );
  }

  plan(request: PlanRequest & { partitions?: string } = {}): Planning {
    return makePlan(
      this.graph,
      this.state.refresh(),
      { ...request, ...(request.partitions && { filter: parseFilter(request.partitions) }) },
      this.now,
    );
  }

  /** Partitions of an asset by status, zeros left out. */
  status(asset: string): Partial<Record<Status, number>> {
    const counts = statusCounts(this.plan().evaluations.get(asset) as AssetEvaluation);
    return Object.fromEntries(Object.entries(counts).filter(([, n]) => n > 0));
  }

  /** `asset: will/may` of every step. */
  steps(request: PlanRequest & { partitions?: string } = {}): Record<string, string> {
    const { plan } = this.plan(request);
    return Object.fromEntries(
      plan.steps.flatMap((s) =>
        s.type === 'materialize' ? [[s.asset, `${sets.countOf(s.will)}/${sets.countOf(s.may)}`]] : [],
      ),
    );
  }

  explain(asset: string, partition: string) {
    const { evaluations } = this.plan();
    const { space } = this.graph.node(asset);
    const ref = parseKey(space, partition);
    return explain(this.graph, this.state.index(), evaluations, asset, seriesKey(space, ref.values), ref.time);
  }

  /** Runs a plan the way the materializer does, asset by asset, one event per asset. Returns how many were computed. */
  run(
    request: PlanRequest & { partitions?: string; between?: (asset: string, evaluation: AssetEvaluation) => void } = {},
  ): number {
    const { plan, targets } = this.plan(request);
    const evaluations = new Map<string, AssetEvaluation>();
    const universe = universes(this.graph, this.state.index(), this.now);
    const evaluate = (key: string, asked: Partial<EvaluateOptions> = {}) =>
      evaluateAsset(
        this.graph.node(key),
        universe.get(key) as Universe,
        this.state.refresh(),
        (k) => evaluations.get(k) as AssetEvaluation,
        { mode: 'execute', ...asked },
      );
    let computed = 0;
    for (const key of this.graph.order) {
      const node = this.graph.node(key);
      for (const step of plan.steps) {
        if (step.type === 'depart' && step.asset === key)
          this.state.append({
            kind: 'departed',
            asset: key,
            run: 'r',
            reason: 'excluded',
            set: [...step.set.bySeries].map(([series, times]) => ({
              series,
              values: readSeriesKey(series),
              ranges: [...times.bounds],
            })),
          });
      }
      if (node.definition.kind === 'asset' && plan.assets.includes(key)) {
        const target = targets.get(key) ?? sets.EMPTY_SET;
        const evaluation = evaluate(key, {
          ...(request.force && { force: target }),
          ...(request.retryFailed && { retryFailed: target }),
        });
        const due = sets.intersect(
          target,
          pointsWhere(evaluation, (s, i) => s.run[i] === RUN_WILL),
        );
        request.between?.(key, evaluation);
        computed += this.#compute(key, evaluation, due, universe);
      }
      evaluations.set(key, evaluate(key));
    }
    return computed;
  }

  #compute(
    key: string,
    evaluation: AssetEvaluation,
    due: PartitionSet,
    universe: ReadonlyMap<string, Universe>,
  ): number {
    const node = this.graph.node(key);
    const index = this.state.index();
    const chain = node.inputs.some((i) => i.alternatives.some((a) => a.mapping.self));
    const outcomes: SeriesOutcome[] = [];
    const failures: {
      series: string;
      values: Record<string, string>;
      time: number;
      transient: boolean;
      error: { message: string };
    }[] = [];
    const choices = new Set<string>();
    const checks: CheckOutcome[] = [];
    const made = new Set<string>();
    let computed = 0;
    for (const [series, times] of due.bySeries) {
      const values = readSeriesKey(series);
      const done: { time: number; version: string; choice: string }[] = [];
      for (const time of ranges.iterate(times)) {
        const read: string[] = [];
        for (const input of node.inputs) {
          input.alternatives.forEach((alternative, a) => {
            const chosen = evaluation.series.get(series)?.chosen.get(input.name)?.[
              time - (evaluation.series.get(series)?.base ?? 0)
            ];
            if (input.alternatives.length > 1 && chosen !== a) return;
            const { space } = this.graph.node(alternative.asset);
            const [from, to] = alternative.mapping.upstream(values, time);
            // Links of a chain are computed in order, so the earlier ones of this very batch are read as well.
            const own = alternative.mapping.self
              ? [[series, values] as const]
              : [...(index.asset(alternative.asset)?.series ?? [])].map(([k, s]) => [k, s.values] as const);
            for (const [upSeries, upValues] of own) {
              if (!alternative.mapping.joinDown(values).includes(alternative.mapping.joinUp(upValues) ?? '\0'))
                continue;
              const state = index.asset(alternative.asset)?.series.get(upSeries);
              const exists = sets.rangesOf(universe.get(alternative.asset)?.all ?? sets.EMPTY_SET, upSeries);
              for (const t of ranges.iterate(ranges.intersect(exists, ranges.range(from, to)))) {
                const name = `${alternative.asset} ${printKey(space, { values: upValues, time: t })}`;
                if (made.has(name) || ((state?.flags[t - state.base] ?? 0) & 1) !== 0)
                  read.push(this.#content.get(name) ?? '?');
              }
            }
          });
        }
        const partition = printKey(node.space, { values, time });
        const content = this.content(key, partition, read);
        this.log.push(`${key} ${partition}`);
        const mishap = this.mishap(key, partition);
        if (content === undefined || mishap === 'transient')
          failures.push({ series, values, time, transient: content !== undefined, error: { message: 'bad data' } });
        else {
          if (mishap === 'check')
            checks.push({ series, values, time, check: 'c', severity: 'error', blocking: true, failedRows: 1 });
          made.add(`${key} ${partition}`);
          this.#content.set(`${key} ${partition}`, content);
          const choice = choiceOf(evaluation, { seriesKey: series, values, time, key: partition });
          choices.add(choice);
          done.push({ time, version: content, choice });
          computed++;
        }
      }
      const table = [...choices];
      if (done.length > 0)
        outcomes.push({
          ...outcome(
            series,
            done.map((d) => d.time),
            done.map((d) => d.version),
          ),
          choice: Uint8Array.from(done, (d) => table.indexOf(d.choice)),
        });
    }
    if (outcomes.length > 0)
      this.state.append({
        kind: 'materialized',
        asset: key,
        run: 'r',
        code: node.code,
        verified: index.head,
        outcomes,
        files: [],
        choices: [...choices],
        checks,
        ...(chain && { ordered: true }),
      });
    if (failures.length > 0)
      this.state.append({ kind: 'failed', asset: key, run: 'r', code: node.code, head: index.head, failures });
    return computed;
  }
}

import * as filterModule from '../../framework/partition/filter.ts';

function outcome(series: string, times: readonly number[], versions: readonly string[]): SeriesOutcome {
  const version = new Uint8Array(16 * times.length);
  versions.forEach((v, i) => {
    version.set(createHash('sha256').update(v).digest().subarray(0, 16), 16 * i);
  });
  return {
    series,
    values: readSeriesKey(series),
    times: Int32Array.from(times),
    version,
    rows: new Uint32Array(times.length),
    bytes: new Float64Array(times.length),
    file: new Int32Array(times.length).fill(-1),
  };
}
