import { evaluateLake } from '../framework/plan/evaluate.ts';
import { makePlan } from '../framework/plan/plan.ts';
import { universes } from '../framework/plan/universe.ts';
import { openState } from '../framework/state/sqlite.ts';
import { benchGraph, clock } from './plan-lake.ts';

// A process of its own, as `lakehouse plan` is one: nothing is warm, and its memory is what planning needs.
const [path = '', symbols, days] = process.argv.slice(2);
const now = clock({ symbols: Number(symbols), days: Number(days) });
const ms: Record<string, number> = {};
function step<T>(name: string, work: () => T): T {
  const started = performance.now();
  const result = work();
  ms[name] = performance.now() - started;
  return result;
}

const rssBefore = process.memoryUsage().rss;
const [state, view] = step('load', () => {
  const opened = openState(path, { readOnly: true, now: () => now });
  return [opened, opened.index()] as const;
});
const graph = benchGraph();
const universe = step('universes', () => universes(graph, view, now));
step('evaluate', () => evaluateLake(graph, view, universe, () => ({ mode: 'plan' })));
const { plan } = step('plan', () => makePlan(graph, view, {}, now));
const changed = step('code', () => makePlan(benchGraph({ 'silver/ticks': 'v2' }), view, {}, now).plan);
const rss = process.memoryUsage().rss - rssBefore;
state.close();

/** The least work imaginable: ten columns of a number per partition, one pass over each that finds the newest and compares. */
const points = Number(symbols) * Number(days);
const columns = Array.from({ length: 10 }, (_, c) => new Uint32Array(points).fill(c + 1));
let stale = 0;
const pass = (): void => {
  for (let c = 1; c < columns.length; c++) {
    const [up, own] = [columns[c - 1] as Uint32Array, columns[c] as Uint32Array];
    let newest = 0;
    for (let i = 0; i < points; i++) {
      if ((up[i] as number) > newest) newest = up[i] as number;
      if ((up[i] as number) > (own[i] as number)) stale++;
    }
    if (newest === 0) stale++;
  }
};
pass();
step('yardstick', pass);
console.log(
  JSON.stringify({
    ms,
    rss,
    will: plan.will,
    may: plan.may,
    codeWill: changed.will,
    codeMay: changed.may,
    codeBatches: changed.batches,
    stale,
  }),
);
