import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  all,
  asset,
  bigint,
  columns,
  daily,
  decimal,
  defineLakehouse,
  double,
  dynamicDimension,
  earlier,
  firstAvailable,
  from,
  type LakehouseDefinition,
  LakehouseError,
  monthly,
  overlapping,
  rowsWhere,
  self,
  source,
  sql,
  text,
  timestamp,
  window,
  writeZip,
  zipCsv,
} from 'crypto-lakehouse';
import { z } from 'zod';

// A lake that is small in everything but kinds: two sources, originals, a table chosen from either, and one asset per kind of input.

export interface TinyOptions {
  readonly packs?: readonly ('partition' | 'month' | 'year')[];
  /** Called before a source's bytes are read, and with what was read. */
  readonly onRead?: (key: string) => void | Promise<void>;
  /** Called before the rows of `gold/function` are read, with the files they are in, and after. */
  readonly onRows?: (key: string, paths: readonly (string | undefined)[]) => void | Promise<void>;
  readonly afterRows?: (key: string) => void | Promise<void>;
  /** Code versions other than the first, by asset. */
  readonly codes?: Readonly<Record<string, string>>;
  /** Another schema of `gold/window`. */
  readonly wide?: boolean;
  /** Of every asset. */
  readonly history?: '30d';
  readonly retry?: { readonly retries: number; readonly delayMs: number; readonly maxDelayMs: number };
}

interface Days {
  readonly directory: string;
}

const versionOf = (content: string) => createHash('sha256').update(content).digest('hex').slice(0, 12);

function listing(directory: string, kind: 'days' | 'months'): { symbol: string; period: string; content: string }[] {
  const root = join(directory, kind);
  const names = (path: string) => {
    try {
      return readdirSync(path).sort();
    } catch {
      return [];
    }
  };
  return names(root).flatMap((symbol) =>
    names(join(root, symbol))
      .filter((name) => name.endsWith('.csv'))
      .map((name) => ({ symbol, period: name.slice(0, -4), content: readFileSync(join(root, symbol, name), 'utf8') })),
  );
}

export function tinyLake(options: TinyOptions = {}): LakehouseDefinition {
  const symbol = dynamicDimension();
  const date = daily({ start: '2020-01-01' });
  const month = monthly({ start: '2020-01' });
  const packs = options.packs ?? ['partition', 'month'];
  const code = (key: string) => ({
    codeVersion: `${key} ${options.codes?.[key] ?? '1'}`,
    ...(options.retry && { retry: options.retry }),
    ...(options.history && { history: options.history }),
  });

  const read = async (directory: string, kind: 'days' | 'months', symbolName: string, period: string) => {
    await options.onRead?.(`${symbolName}/${period}`);
    const path = join(directory, kind, symbolName, `${period}.csv`);
    let content: string;
    try {
      // What a cache still has is served in place of what is listed.
      content = readFileSync(`${path}.cached`, { encoding: 'utf8', flag: 'r' });
    } catch {
      try {
        content = readFileSync(path, 'utf8');
      } catch (cause) {
        throw new LakehouseError('object-not-found', `${path} is gone`, { kind: 'transient', cause });
      }
    }
    return {
      bytes: writeZip(`${symbolName}.csv`, Buffer.from(content), { modified: new Date('2020-01-01T00:00:00Z') }),
      version: versionOf(content),
    };
  };
  const days = source('src/days', {
    partitions: { symbol, date },
    observe: async function* ({ resources }) {
      for (const { symbol: name, period, content } of listing((resources.days as Days).directory, 'days')) {
        yield { partition: { symbol: name, date: period }, version: versionOf(content), bytes: content.length };
      }
    },
    read: ({ resources, partition: { values } }) =>
      read((resources.days as Days).directory, 'days', values.symbol, values.date),
  });
  const months = source('src/months', {
    partitions: { symbol, month },
    observe: async function* ({ resources }) {
      for (const { symbol: name, period, content } of listing((resources.days as Days).directory, 'months')) {
        yield { partition: { symbol: name, month: period }, version: versionOf(content), bytes: content.length };
      }
    },
    read: ({ resources, partition: { values } }) =>
      read((resources.days as Days).directory, 'months', values.symbol, values.month),
  });

  const format = zipCsv({ columns: ['open_time', 'price', 'amount'] });
  const bronzeDays = asset('bronze/days', {
    partitions: { symbol, date },
    inputs: { archive: days },
    format,
    compute: ({ inputs }) => inputs.archive.bytes(),
    ...code('bronze/days'),
  });
  const bronzeMonths = asset('bronze/months', {
    partitions: { symbol, month },
    inputs: { archive: months },
    format,
    compute: ({ inputs }) => inputs.archive.bytes(),
    ...code('bronze/months'),
  });
  const ticks = asset('silver/ticks', {
    partitions: { symbol, date },
    inputs: { raw: firstAvailable(from(bronzeMonths, { month: overlapping() }), bronzeDays) },
    columns: columns({ open_time: timestamp(), price: decimal(18, 4), amount: double() }),
    sortBy: ['open_time'],
    timeColumn: 'open_time',
    rowwise: true,
    packs,
    checks: [rowsWhere('price_positive', ['price'], ({ price }) => sql`${price} <= 0`)],
    query: ({ raw }) =>
      sql`SELECT CAST(${raw.open_time} AS TIMESTAMP) AS open_time, CAST(${raw.price} AS DECIMAL(18, 4)) AS price, CAST(${raw.amount} AS DOUBLE) AS amount FROM ${raw}`,
    ...code('silver/ticks'),
  });
  const windowed = asset('gold/window', {
    partitions: { symbol, date },
    inputs: { ticks: from(ticks, { date: window({ days: 2 }) }) },
    columns: options.wide
      ? columns({ open_time: timestamp(), sum5: double(), rank: bigint(), note: text() })
      : columns({ open_time: timestamp(), sum5: double(), rank: bigint() }),
    sortBy: ['open_time'],
    timeColumn: 'open_time',
    packs,
    query: ({ ticks: t }, { partition }) => sql`
      SELECT open_time, sum5, rank ${options.wide ? sql`, 'x' AS note` : sql``} FROM (
        SELECT open_time, CAST(sum(price) OVER w AS DOUBLE) AS sum5, row_number() OVER (ORDER BY open_time) AS rank FROM ${t} WINDOW w AS (ORDER BY open_time ROWS 4 PRECEDING)
      ) WHERE open_time >= ${partition.start}`,
    ...code('gold/window'),
  });
  const overview = asset('gold/overview', {
    partitions: { date },
    inputs: { ticks: from(ticks, { symbol: all() }) },
    columns: columns({ name: text(), ticks: bigint(), amount: double() }),
    sortBy: ['name'],
    packs,
    query: ({ ticks: t }) =>
      sql`SELECT symbol AS name, count(*) AS ticks, sum(amount ORDER BY open_time) AS amount FROM ${t} GROUP BY symbol`,
    ...code('gold/overview'),
  });
  const monthlyGold = asset('gold/monthly', {
    partitions: { symbol, month },
    inputs: { ticks: from(ticks, { date: overlapping() }) },
    columns: columns({ ticks: bigint(), top: decimal(18, 4).nullable() }),
    sortBy: ['ticks'],
    query: ({ ticks: t }) => sql`SELECT count(*) AS ticks, max(price) AS top FROM ${t}`,
    ...code('gold/monthly'),
  });
  const chain = asset('gold/chain', {
    partitions: { symbol, date },
    inputs: { ticks, before: self({ date: earlier({ days: 1 }) }) },
    columns: columns({ total: bigint(), links: bigint() }),
    sortBy: ['total'],
    packs,
    query: ({ ticks: t, before }) =>
      sql`SELECT CAST((SELECT count(*) FROM ${t}) + coalesce((SELECT max(total) FROM ${before}), 0) AS BIGINT) AS total, CAST(1 + coalesce((SELECT max(links) FROM ${before}), 0) AS BIGINT) AS links`,
    ...code('gold/chain'),
  });
  const made = asset('gold/function', {
    partitions: { symbol, date },
    inputs: { ticks },
    columns: columns({ open_time: timestamp(), double: double() }),
    sortBy: ['open_time'],
    packs,
    compute: async ({ inputs, partition }) => {
      const paths = inputs.ticks.partitions.map(({ path }) => path);
      await options.onRows?.(partition.key, paths);
      const rows = await inputs.ticks.rows();
      await options.afterRows?.(partition.key);
      return rows.map(({ open_time, price }) => ({ open_time, double: 2 * Number(price) }));
    },
    ...code('gold/function'),
  });
  return defineLakehouse({
    assets: [windowed, overview, monthlyGold, chain, made],
    settings: { tiny: z.object({ directory: z.string(), symbols: z.array(z.string()).default(['*']) }) },
    filters: ({ tiny }) => ({ symbol: tiny.symbols }),
    resources: ({ tiny }) => ({ days: { directory: tiny.directory } satisfies Days }),
  });
}

/** Every asset that is computed, in topological order. */
export const COMPUTED = [
  'bronze/days',
  'bronze/months',
  'silver/ticks',
  'gold/chain',
  'gold/function',
  'gold/monthly',
  'gold/overview',
  'gold/window',
] as const;

/** Text of a day's file: `count` ticks, a minute apart, of prices that follow from `seed`. */
export function ticksOf(date: string, count: number, seed = 1, header = false): string {
  const lines = Array.from(
    { length: count },
    (_, i) =>
      `${date} 00:${String(i).padStart(2, '0')}:00,${((seed * 7919 + i * 104_729) % 9973) + 1}.25,0.${(seed * 31 + i * 17) % 97}`,
  );
  return `${header ? 'open_time,price,amount\n' : ''}${lines.join('\n')}${lines.length > 0 ? '\n' : ''}`;
}

/** The directory that the sources list. */
export class Archive {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
    mkdirSync(directory, { recursive: true });
  }

  put(symbol: string, period: string, content: string, kind: 'days' | 'months' = 'days'): this {
    const path = join(this.directory, kind, symbol, `${period}.csv`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return this;
  }

  remove(symbol: string, period: string, kind: 'days' | 'months' = 'days'): void {
    rmSync(join(this.directory, kind, symbol, `${period}.csv`));
  }

  /** From now on reads get this, while the listing tells of what was put; undefined: no longer. */
  cache(symbol: string, period: string, content: string | undefined): void {
    const path = join(this.directory, 'days', symbol, `${period}.csv.cached`);
    if (content === undefined) rmSync(path);
    else writeFileSync(path, content);
  }

  /** Days of one month with `count` ticks each. */
  days(symbol: string, month: string, first: number, last: number, count = 6): this {
    for (let day = first; day <= last; day++) {
      const date = `${month}-${String(day).padStart(2, '0')}`;
      this.put(symbol, date, ticksOf(date, count, day + symbol.charCodeAt(0)));
    }
    return this;
  }
}
