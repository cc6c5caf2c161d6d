import type { MaterializedEvent, NewEvent, PackedSet, SeriesOutcome } from '../../framework/state/events.ts';
import { versionHex } from '../../framework/state/events.ts';
import { CHECK_FAILED, FAILED, LEFT, PRESENT, TRANSIENT } from '../../framework/state/index.ts';

interface Point {
  changed: number;
  verified: number;
  code: string;
  choice: string;
  flags: number;
  failure?: { head: number; code: string; transient: boolean; revision: number; attempts: number };
  version?: string;
  rows?: number;
  path?: string;
  revision?: number;
}

/** The fold rules written down a second time, one object per partition, as plainly as possible. */
export class Model {
  head = 0;
  definitions: Record<string, string> = {};
  /** By asset and code: the codes that give the same. */
  readonly same = new Map<string, Set<string>>();
  readonly points = new Map<string, Point>();

  #point(asset: string, series: string, time: number): Point {
    const key = `${asset}|${series}|${time}`;
    const found = this.points.get(key) ?? { changed: 0, verified: 0, code: '', choice: '', flags: 0 };
    this.points.set(key, found);
    return found;
  }

  #enter(event: { asset: string }, outcome: SeriesOutcome, i: number, more: Partial<Point>): void {
    const point = this.#point(event.asset, outcome.series, outcome.times[i] as number);
    const version = versionHex(outcome.version, i);
    if ((point.flags & PRESENT) === 0 || point.version !== version) point.changed = this.head;
    const { failure: _cleared, path: _left, ...rest } = point;
    this.points.set(`${event.asset}|${outcome.series}|${outcome.times[i]}`, {
      ...rest,
      code: '',
      choice: '',
      ...more,
      flags: PRESENT,
      version,
      revision: this.head,
    });
  }

  #leave(asset: string, set: PackedSet): void {
    for (const { series, ranges } of set) {
      for (const [key, point] of this.points) {
        const [a, s, time] = key.split('|');
        if (a !== asset || s !== series) continue;
        const inside = ranges.some(
          (lo, r) => r % 2 === 0 && Number(time) >= lo && Number(time) < (ranges[r + 1] as number),
        );
        if (!inside) continue;
        const was = point.flags & (PRESENT | LEFT);
        const changed = (point.flags & PRESENT) !== 0 ? this.head : point.changed;
        this.points.set(key, { changed, verified: point.verified, code: '', choice: '', flags: was === 0 ? 0 : LEFT });
      }
    }
  }

  #materialized(event: MaterializedEvent): void {
    for (const outcome of event.outcomes) {
      for (let i = 0; i < outcome.times.length; i++) {
        this.#enter(event, outcome, i, {
          verified: event.ordered === true ? this.head : event.verified,
          code: event.code,
          choice: event.choices?.[outcome.choice?.[i] ?? -1] ?? '',
          rows: outcome.rows[i] as number,
          ...(event.files[outcome.file[i] as number] && {
            path: event.files[outcome.file[i] as number]?.path as string,
          }),
        });
      }
    }
    for (const check of event.checks ?? []) {
      if (check.blocking && check.severity === 'error' && check.failedRows > 0) {
        this.#point(event.asset, check.series, check.time).flags |= CHECK_FAILED;
      }
    }
  }

  apply(event: NewEvent): void {
    this.head++;
    switch (event.kind) {
      case 'materialized':
        this.#materialized(event);
        break;
      case 'checked': {
        const holds = (series: string, time: number) =>
          event.set.some(
            (part) =>
              part.series === series &&
              part.ranges.some((lo, r) => r % 2 === 0 && time >= lo && time < (part.ranges[r + 1] as number)),
          );
        const passed: string[] = [];
        for (const [key, point] of this.points) {
          const [asset, series = '', time] = key.split('|');
          const counts = (point.flags & PRESENT) !== 0 && (point.revision as number) <= event.head;
          if (asset === event.asset && counts && holds(series, Number(time))) passed.push(key);
        }
        for (const key of passed) if (event.decisive) (this.points.get(key) as Point).flags &= ~CHECK_FAILED;
        for (const one of event.failures) {
          const key = `${event.asset}|${one.series}|${one.time}`;
          if (passed.includes(key) && one.blocking && one.severity === 'error')
            (this.points.get(key) as Point).flags |= CHECK_FAILED;
        }
        break;
      }
      case 'observed':
        for (const outcome of event.outcomes) {
          for (let i = 0; i < outcome.times.length; i++)
            this.#enter(event, outcome, i, { verified: this.head, rows: 0 });
        }
        this.#leave(event.asset, event.withdrawn ?? []);
        break;
      case 'departed':
        this.#leave(event.asset, event.set);
        break;
      case 'failed':
        for (const { series, time, transient } of event.failures) {
          const point = this.#point(event.asset, series, time);
          point.flags = (point.flags & ~TRANSIENT) | FAILED | (transient ? TRANSIENT : 0);
          const attempts = (point.failure?.attempts ?? 0) + 1;
          point.failure = { head: event.head, code: event.code, transient, revision: this.head, attempts };
        }
        break;
      case 'accepted':
        for (const [key, point] of this.points) {
          const ours = key.startsWith(`${event.asset}|`) && (point.flags & PRESENT) !== 0;
          if (ours && point.code === event.from) point.code = event.to;
        }
        this.#join(event.asset, event.from, event.to);
        break;
      case 'compacted':
        for (const part of event.moved) {
          part.times.forEach((time, i) => {
            this.#point(event.asset, part.series, time).path = event.files[part.file[i] as number]?.path as string;
          });
        }
        break;
      case 'definitions':
        this.definitions = { ...this.definitions, ...event.versions };
        break;
    }
  }

  #join(asset: string, from: string, to: string): void {
    const of = (code: string) => this.same.get(`${asset}|${code}`) ?? [code];
    const joined = new Set([...of(from), ...of(to)]);
    for (const code of joined) this.same.set(`${asset}|${code}`, joined);
  }

  describe(): unknown {
    const points = [...this.points].filter(([, point]) => point.flags !== 0).sort(([a], [b]) => (a < b ? -1 : 1));
    return JSON.parse(
      JSON.stringify({
        head: this.head,
        definitions: this.definitions,
        same: [...this.same].map(([key, codes]) => `${key}: ${[...codes].sort()}`).sort(),
        points: Object.fromEntries(points),
      }),
    );
  }
}
