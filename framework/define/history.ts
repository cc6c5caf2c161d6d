import { milliseconds, type TimeSpan } from './freshness.ts';
import type { Report } from './report.ts';

/** A length of time: `'30d'`, `'12h'`, `'45m'`, or as freshness has it. */
export type History = TimeSpan | `${number}${'d' | 'h' | 'm'}`;

const UNITS: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000 };

/** In milliseconds; what is wrong is reported. */
export function buildHistory(declared: History | undefined, report: Report): number | undefined {
  if (declared === undefined) return undefined;
  const ms = typeof declared === 'string' ? read(declared) : milliseconds(declared);
  if (Number.isFinite(ms) && ms > 0) return ms;
  report('bad-history', ['history'], 'is no length of time above zero', "Write e.g. history: '30d'");
  return undefined;
}

function read(text: string): number {
  const [, count, unit = ''] = /^(\d+(?:\.\d+)?)([dhm])$/.exec(text) ?? [];
  return Number(count) * (UNITS[unit] ?? Number.NaN);
}
