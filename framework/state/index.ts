import { LakehouseError } from '../common/errors.ts';
import type { Unpacked } from '../common/unpacked.ts';
import type { SeriesValues } from '../partition/space.ts';
import type { Failure } from './hot.ts';
import { type IndexUse, MutableSeries, type SeriesState, unpackedSeries } from './series.ts';

export { CHECK_FAILED, FAILED, LEFT, PRESENT, TRANSIENT } from '../plan/view.ts';
export type { Failure } from './hot.ts';
export type { SeriesState } from './series.ts';

export interface AssetState {
  /** By series key. */
  readonly series: ReadonlyMap<string, SeriesState>;
  failure(seriesKey: string, time: number): Failure | undefined;
  /** When the source was last looked at, ms UTC; undefined where it never was. */
  readonly lastObservedAt: number | undefined;
  readonly lastObservedRevision: number | undefined;
  /** When all of the source was last listed, ms UTC. */
  readonly lastAuditedAt: number | undefined;
  /** What decided then what everything is. */
  readonly lastAuditOf: string | undefined;
}

/** What the log says as of revision `head`. A snapshot: later events do not alter it. */
export interface LakeIndex {
  readonly head: number;
  /** Code versions, append-only; entry 0 is the empty string. */
  readonly codes: readonly string[];
  /** Choices of alternative inputs, append-only; entry 0 is the empty string. */
  readonly choices: readonly string[];
  asset(key: string): AssetState | undefined;
  /** Sorted. */
  assetKeys(): string[];
  /** The code version of each asset in the newest definitions that were logged. */
  readonly definitions: Readonly<Record<string, string>>;
  /** Per asset the sets of code versions that were declared to give the same; a version is in one set at most. */
  readonly accepted: Readonly<Record<string, readonly (readonly string[])[]>>;
}

export class MutableAsset implements AssetState {
  readonly epoch: number;
  readonly series: Map<string, MutableSeries>;
  lastObservedAt: number | undefined;
  lastObservedRevision: number | undefined;
  lastAuditedAt: number | undefined;
  lastAuditOf: string | undefined;

  readonly #unpacked: Unpacked;

  constructor(epoch: number, unpacked: Unpacked, from?: MutableAsset) {
    this.epoch = epoch;
    this.#unpacked = unpacked;
    this.series = new Map(from?.series);
    this.lastObservedAt = from?.lastObservedAt;
    this.lastObservedRevision = from?.lastObservedRevision;
    this.lastAuditedAt = from?.lastAuditedAt;
    this.lastAuditOf = from?.lastAuditOf;
  }

  failure(seriesKey: string, time: number): Failure | undefined {
    return this.series.get(seriesKey)?.failures?.get(time);
  }

  /** The series, ready to be written; made when it is new. */
  write(key: string, values: SeriesValues): MutableSeries {
    const found = this.series.get(key);
    if (found?.epoch === this.epoch) return found;
    const own = found?.clone(this.epoch) ?? new MutableSeries(key, values, this.epoch, this.#unpacked);
    this.series.set(key, own);
    return own;
  }

  /** Takes over everything from an asset of another index, which must have the same codes and choices. */
  copy(from: MutableAsset): void {
    this.lastObservedAt = from.lastObservedAt;
    this.lastObservedRevision = from.lastObservedRevision;
    this.lastAuditedAt = from.lastAuditedAt;
    this.lastAuditOf = from.lastAuditOf;
    for (const [key, series] of from.series) this.series.set(key, series.clone(this.epoch, this.#unpacked));
  }
}

/**
 * The index under construction. `snapshot()` costs nothing: it hands out what is there and starts a new epoch, in which
 * whatever is written is copied first.
 */
export class IndexBuilder {
  head = 0;
  readonly codes: string[] = [''];
  readonly choices: string[] = [''];
  definitions: Readonly<Record<string, string>> = {};
  accepted: LakeIndex['accepted'] = {};
  #epoch = 1;
  #assets = new Map<string, MutableAsset>();
  readonly #unpacked: Unpacked;
  readonly #numbers = { codes: new Map([['', 0]]), choices: new Map([['', 0]]) };

  constructor(use: IndexUse = 'reading') {
    this.#unpacked = unpackedSeries(use);
  }

  asset(key: string): MutableAsset | undefined {
    return this.#assets.get(key);
  }

  get assets(): ReadonlyMap<string, MutableAsset> {
    return this.#assets;
  }

  /** The asset, ready to be written. */
  write(key: string): MutableAsset {
    const found = this.#assets.get(key);
    if (found?.epoch === this.#epoch) return found;
    const own = new MutableAsset(this.#epoch, this.#unpacked, found);
    this.#assets.set(key, own);
    return own;
  }

  /** The number of a text in one of the tables, which it enters when it is new. */
  number(table: 'codes' | 'choices', text: string): number {
    const known = this.#numbers[table].get(text);
    if (known !== undefined) return known;
    const next = this[table].length;
    if (next > 0xffff) {
      throw new LakehouseError('state-full', `The log has named more than 65,535 different ${table}`, {
        kind: 'internal',
      });
    }
    this[table].push(text);
    this.#numbers[table].set(text, next);
    return next;
  }

  snapshot(): LakeIndex {
    this.#epoch++;
    const assets = this.#assets;
    this.#assets = new Map(assets);
    return {
      head: this.head,
      codes: this.codes,
      choices: this.choices,
      definitions: this.definitions,
      accepted: this.accepted,
      asset: (key) => assets.get(key),
      assetKeys: () => [...assets.keys()].sort(),
    };
  }
}
