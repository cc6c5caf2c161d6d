import type { Context } from './context.ts';

/** `options` by their camel-cased names, then the arguments. Returns the exit code, 0 when undefined. */
export type Run = (context: Context, options: never, ...args: never[]) => Promise<number | undefined>;

/** What carries out a command, by the words it is called with; loaded when it is chosen. */
export const loaders: Readonly<Record<string, () => Promise<{ readonly run: Run }>>> = {
  plan: () => import('./commands/plan.ts'),
  materialize: () => import('./commands/materialize.ts'),
  observe: () => import('./commands/observe.ts'),
  check: () => import('./commands/check.ts'),
  status: () => import('./commands/status.ts'),
  explain: () => import('./commands/explain.ts'),
  assets: () => import('./commands/assets.ts'),
  show: () => import('./commands/show.ts'),
  lineage: () => import('./commands/lineage.ts'),
  query: () => import('./commands/query.ts'),
  ui: () => import('./commands/ui.ts'),
  runs: () => import('./commands/runs.ts'),
  'runs show': () => import('./commands/runs-show.ts'),
  daemon: () => import('./commands/daemon.ts'),
  schedules: () => import('./commands/schedules.ts'),
  'schedules ticks': () => import('./commands/schedules-ticks.ts'),
  'schedules pause': () => import('./commands/schedules-pause.ts'),
  'schedules resume': () => import('./commands/schedules-resume.ts'),
  'schedules run': () => import('./commands/schedules-run.ts'),
  automation: () => import('./commands/automation.ts'),
  'automation explain': () => import('./commands/automation-explain.ts'),
  alerts: () => import('./commands/alerts.ts'),
  'alerts test': () => import('./commands/alerts-test.ts'),
  config: () => import('./commands/config.ts'),
  verify: () => import('./commands/verify.ts'),
  gc: () => import('./commands/gc.ts'),
  wipe: () => import('./commands/wipe.ts'),
  completion: () => import('./commands/completion.ts'),
  __complete: () => import('./commands/complete.ts'),
};
