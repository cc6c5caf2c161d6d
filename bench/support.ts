import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';

export interface BenchOptions {
  /** Small sizes, for CI: the numbers mean little, but everything runs. */
  readonly quick: boolean;
  /** Progress, for people. */
  readonly say: (text: string) => void;
}

/** One measured number. `ratio` is how it compares with the yardstick: as many times as fast, or as many times as long. */
export interface Measurement {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly yardstick?: string;
  readonly ratio?: number;
  readonly note?: string;
}

/** Where inputs that take long to make are kept between runs; removing it is safe. */
export const CACHE = join(tmpdir(), 'lakehouse-bench');

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

export interface Cost {
  readonly ms: number;
  /** Of this process, all threads. */
  readonly cpuMs: number;
}

export async function timed(work: () => unknown): Promise<Cost> {
  const started = performance.now();
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return { ms: performance.now() - started, cpuMs: (user + system) / 1000 };
}

export const medianCost = (costs: readonly Cost[]): Cost => ({
  ms: median(costs.map((c) => c.ms)),
  cpuMs: median(costs.map((c) => c.cpuMs)),
});

/** What the numbers were measured on. The load says what else was running. */
export function machine(): Record<string, string> {
  const [first] = cpus();
  return {
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    cpu: `${cpus().length} × ${first?.model ?? '?'}`,
    memory: `${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
    platform: `${process.platform} ${process.arch}, Node ${process.versions.node}`,
    load: loadavg()
      .map((one) => one.toFixed(2))
      .join(' '),
  };
}

export const digits = (value: number): string =>
  Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);

/** A Markdown table with padded columns. */
export function table(measurements: readonly Measurement[]): string {
  const rows = [
    ['what', 'measured', 'ratio', 'against', 'note'],
    ...measurements.map(({ what, value, unit, yardstick = '', ratio, note = '' }) => [
      what,
      `${digits(value)} ${unit}`,
      ratio === undefined ? '' : `${ratio.toFixed(2)} ×`,
      yardstick,
      note,
    ]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = rows.map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`);
  lines.splice(1, 0, `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`);
  return lines.join('\n');
}
