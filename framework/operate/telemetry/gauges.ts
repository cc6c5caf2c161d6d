import { type EventLoopUtilization, monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { Attributes, Meter, Observable } from '@opentelemetry/api';
import type { DaemonFacts } from '../watch.ts';
import type { Surveyed } from './survey.ts';

const GB = 1e9;
/** The event loop is looked at this often; its delays are measured with that. */
const RESOLUTION_MS = 20;
const lateness = (nanoseconds: number) => Math.max(nanoseconds / 1e9 - RESOLUTION_MS / 1000, 0);

/** What is looked up when somebody asks. Returns what ends it. */
export function createGauges(
  meter: Meter,
  options: {
    readonly surveyed: () => Promise<Surveyed | undefined>;
    /** Undefined outside the daemon. */
    readonly facts: () => DaemonFacts | undefined;
    readonly pricePerGbMonth: number;
    readonly now: () => number;
  },
): () => void {
  const { surveyed, facts, pricePerGbMonth, now } = options;
  const known: Observable[] = [];
  const gauge = (name: string, unit: string, description: string): Observable => {
    const made = meter.createObservableGauge(name, { unit, description });
    known.push(made);
    return made;
  };
  const partitions = gauge('lakehouse.partitions', '{partition}', 'Partitions by status.');
  const lag = gauge('lakehouse.freshness.lag', 's', 'How late the worst series of an asset is.');
  const limit = gauge('lakehouse.freshness.limit', 's', 'How late it may be.');
  const series = gauge('lakehouse.freshness.series', '{series}', 'Series of an asset by freshness.');
  const stored = gauge('lakehouse.storage.size', 'By', 'Size of the files of the lake.');
  const files = gauge('lakehouse.storage.files', '{file}', 'Files of the lake.');
  const cost = gauge(
    'lakehouse.storage.monthly_cost',
    '{currency}',
    'What the files cost a month, as the settings say.',
  );
  const stateSize = gauge('lakehouse.state.size', 'By', 'Size of the event log on disk.');
  const revision = gauge('lakehouse.state.revision', '{event}', 'Events appended to the log so far.');
  const surveyAge = gauge('lakehouse.survey.age', 's', 'How old the numbers about the whole lake are.');
  const surveyTook = gauge('lakehouse.survey.duration', 's', 'How long it took to find them out.');
  const active = gauge(
    'lakehouse.daemon.active',
    '{daemon}',
    '1 for the daemon that is active, 0 for one standing by.',
  );
  const turnAge = gauge('lakehouse.daemon.turn.age', 's', 'How long ago it last decided what is due.');
  const running = gauge('lakehouse.runs.running', '{run}', 'Runs that are going on.');
  const waiting = gauge('lakehouse.runs.waiting', '{run}', 'Runs that wait for their turn.');
  const circuitOpen = gauge(
    'lakehouse.circuit.open',
    '{source}',
    '1 for a source that does not answer and is left alone, 0 for one that is asked.',
  );
  const memory = gauge('process.memory.usage', 'By', 'Memory of the process.');
  const heap = gauge('v8js.memory.heap.used', 'By', 'Memory of JavaScript objects.');
  const uptime = gauge('process.uptime', 's', 'How long the process has been running.');
  const delay = gauge('nodejs.eventloop.delay', 's', 'How late timers were since the last look.');
  const busy = gauge('nodejs.eventloop.utilization', '1', 'Share of the time that the event loop was busy.');
  const cpu = meter.createObservableCounter('process.cpu.time', { unit: 's', description: 'CPU time of the process.' });

  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  let before: EventLoopUtilization = performance.eventLoopUtilization();
  meter.addBatchObservableCallback(
    async (result) => {
      const say = (observable: Observable, value: number, attributes: Attributes = {}) =>
        result.observe(observable, value, attributes);
      say(memory, process.memoryUsage.rss());
      say(heap, process.memoryUsage().heapUsed);
      say(uptime, process.uptime());
      const { user, system } = process.cpuUsage();
      say(cpu, user / 1e6, { 'cpu.mode': 'user' });
      say(cpu, system / 1e6, { 'cpu.mode': 'system' });
      // Without a sample its numbers are no times.
      if (delays.count > 0) {
        for (const quantile of [50, 99])
          say(delay, lateness(delays.percentile(quantile)), { quantile: `${quantile / 100}` });
        say(delay, lateness(delays.max), { quantile: '1' });
        delays.reset();
      }
      const since = performance.eventLoopUtilization(before);
      before = performance.eventLoopUtilization();
      say(busy, since.utilization);

      const daemon = facts();
      if (daemon) {
        say(active, daemon.role === 'active' ? 1 : 0);
        say(running, daemon.running);
        say(waiting, daemon.waiting);
        if (daemon.role === 'active')
          for (const [source, open] of daemon.sources ?? []) say(circuitOpen, open ? 1 : 0, { source });
        if (daemon.turnAt !== undefined) say(turnAge, (now() - daemon.turnAt) / 1000);
      }

      const found = await surveyed();
      if (!found) return;
      const { survey, at, ms } = found;
      say(surveyAge, (now() - at) / 1000);
      say(surveyTook, ms / 1000);
      say(stateSize, survey.stateBytes);
      say(revision, survey.revision);
      for (const { asset, partitions: counts, freshness } of survey.assets) {
        for (const [status, count] of Object.entries(counts)) say(partitions, count, { asset, status });
        if (!freshness) continue;
        if (freshness.lagMs !== undefined) say(lag, freshness.lagMs / 1000, { asset });
        if (freshness.limitMs !== undefined) say(limit, freshness.limitMs / 1000, { asset });
        for (const [status, count] of Object.entries(freshness.series)) say(series, count, { asset, status });
      }
      const costs = new Map<string, number>();
      for (const { asset, state, files: count, bytes } of survey.storage) {
        const zone = asset.slice(0, asset.indexOf('/'));
        say(stored, bytes, { zone, asset, state });
        say(files, count, { zone, asset, state });
        costs.set(zone, (costs.get(zone) ?? 0) + (bytes / GB) * pricePerGbMonth);
      }
      if (pricePerGbMonth > 0) for (const [zone, price] of costs) say(cost, price, { zone });
    },
    [...known, cpu],
  );
  return () => delays.disable();
}
