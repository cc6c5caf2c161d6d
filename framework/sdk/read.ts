import { LakehouseError } from '../common/errors.ts';
import { didYouMean } from '../common/suggest.ts';
import type { AssetDefinition } from '../define/model.ts';
import { quoteIdentifier } from '../define/sql.ts';
import { relationColumns, viewName } from '../engine/partitions.ts';
import type { OpenedLake } from '../materialize/open.ts';
import type { PartitionRef } from '../partition/space.ts';
import { formatIndex } from '../partition/time.ts';
import { askedOf } from './filter.ts';
import { pointsOf, presentNow, rowsOf } from './present.ts';
import { lakeQuery, type Question, type Reading } from './query.ts';
import { originalRows, originalsOf } from './raw.ts';
import type { AnyPartitions, AskOptions, LakeQuery, LakeRead, ReadOptions } from './types.ts';

type Key = Readonly<Record<string, string>>;

/** A read as `lake.sql` finds it again. */
export interface KnownRead {
  readonly asset: string;
  /** Of which lake. */
  readonly reading: Reading;
  /** @throws LakehouseError `no-such-partition` (usage). */
  readonly check: (lake: OpenedLake) => void;
}
const known = new WeakMap<object, KnownRead>();
export const knownRead = (value: object): KnownRead | undefined => known.get(value);

/** @throws LakehouseError `bad-filter`, `unknown-column`, `not-a-table` (usage). */
export function readAsset<TRow>(
  reading: Reading,
  definition: AssetDefinition,
  partitions: Exclude<AnyPartitions, string> | undefined,
  { columns, ordered = true }: ReadOptions,
): LakeRead<TRow, Key> {
  const { key, kind, storage } = definition;
  if (kind === 'source')
    throw new LakehouseError('not-a-table', `${key} is a source: what it has is outside of the lake`, {
      hint: 'Read an asset that is made of it.',
    });
  const asked = askedOf(definition, partitions);
  const chosen = chosenColumns(definition, columns);
  const relation = `SELECT ${chosen.map(quoteIdentifier).join(', ')} FROM ${viewName(definition)} WHERE ${asked.condition}`;
  const check = ({ state }: OpenedLake) => asked.check(state.index().asset(key));
  const question: Question = {
    sql: ordered ? `${relation}\nORDER BY ${orderOf(definition)}` : relation,
    needs: (one) => one.key === key && asked.needs,
    check,
  };
  const present = async () => {
    const lake = await reading.lake();
    return { lake, set: presentNow(lake, key, asked) };
  };
  const table = lakeQuery<TRow>(reading, () => question);
  const rows: LakeQuery<TRow> =
    storage.type === 'raw'
      ? originalRows(reading, definition, asked, chosen)
      : {
          ...table,
          count: async (options = {}) => {
            if (options.asOf !== undefined) return table.count(options);
            // The log knows it.
            const { lake, set } = await present();
            return rowsOf(lake, key, set);
          },
        };
  const read: LakeRead<TRow, Key> = {
    ...rows,
    get sql() {
      return tableOnly(definition, relation);
    },
    partitions: async () => pointsOf((await present()).set).map((point) => keyOf(definition, point)),
    originals: ({ signal }: AskOptions = {}) =>
      originalsOf(reading, definition, asked, signal, (point) => keyOf(definition, point)),
  };
  known.set(read, { asset: key, reading, check });
  return read;
}

function tableOnly({ key, storage }: AssetDefinition, relation: string): string {
  if (storage.type === 'table') return relation;
  throw new LakehouseError('not-a-table', `${key} keeps original files, which a query cannot read`, {
    hint: 'Use rows() or originals(), or read the table that is made of them.',
  });
}

function chosenColumns(definition: AssetDefinition, columns: readonly string[] | undefined): string[] {
  const all = relationColumns(definition).map(({ name }) => name);
  if (columns !== undefined && !Array.isArray(columns)) throw new TypeError('columns is a list of names');
  const wrong = columns?.find((name) => !all.includes(name));
  if (wrong !== undefined)
    throw new LakehouseError('unknown-column', `${definition.key} has no column '${wrong}'`, {
      hint: didYouMean(wrong, all),
    });
  return columns === undefined || columns.length === 0 ? all : [...columns];
}

/** As compute functions have them. */
function orderOf({ space, sortBy }: AssetDefinition): string {
  const names = [...(space.time ? [space.time.name] : []), ...space.listed.map(({ name }) => name), ...sortBy];
  return names.map(quoteIdentifier).join(', ');
}

function keyOf({ space: { dimensions } }: AssetDefinition, { values, time }: PartitionRef): Key {
  return Object.fromEntries(
    dimensions.map((one) => [one.name, one.type === 'time' ? formatIndex(one.grain, time) : (values[one.name] ?? '')]),
  );
}
