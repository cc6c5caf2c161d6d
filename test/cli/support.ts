import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import {
  type AutomationCondition,
  asset,
  bytes,
  columns,
  daily,
  decimal,
  defineLakehouse,
  dynamicDimension,
  eager,
  from,
  inRange,
  integer,
  LakehouseError,
  monthly,
  overlapping,
  source,
  sql,
  text,
  timestamp,
} from 'crypto-lakehouse';
import { onTestFinished } from 'vitest';
import type { HeardSignal, Io, Output } from '../../framework/cli/io.ts';
import { main } from '../../framework/cli/main.ts';
import type { LakehouseDefinition } from '../../framework/define/lakehouse.ts';

/** 2024-02-02 12:00 UTC: January is over, its last days may still be published. */
export const NOON = Date.UTC(2024, 1, 2, 12);

export interface Screen extends Output {
  text: string;
  resize(columns: number): void;
}

export function screen(options: { readonly columns?: number; readonly rows?: number } = {}): Screen {
  const listeners = new Set<() => void>();
  let { columns } = options;
  const made: Screen = {
    text: '',
    write(more) {
      made.text += more;
    },
    isTTY: columns !== undefined,
    get columns() {
      return columns;
    },
    rows: options.rows ?? (columns === undefined ? undefined : 24),
    closed: false,
    failure: undefined,
    drained: async () => undefined,
    onResize: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    resize: (to) => {
      columns = to;
      for (const listener of listeners) listener();
    },
  };
  return made;
}

export interface Options {
  readonly definition?: LakehouseDefinition;
  readonly io?: Partial<Io>;
  readonly columns?: number;
  readonly stdin?: string;
  /** Whether a person sits at the keyboard. */
  readonly keyboard?: boolean;
}

/** A directory with a lake in it, and a way to run the command line there. */
export class Place {
  readonly cwd: string;
  readonly signals = new Map<HeardSignal, () => void>();
  exits: number[] = [];
  now = NOON;
  #chance = 0;

  constructor(atTheEnd: (remove: () => void) => void = onTestFinished) {
    this.cwd = mkdtempSync(join(tmpdir(), 'lakehouse-cli-'));
    atTheEnd(() => rmSync(this.cwd, { recursive: true, force: true }));
  }

  async run(args: readonly string[], options: Options = {}): Promise<{ code: number; out: string; err: string }> {
    const out = screen();
    const err = screen(options.columns === undefined ? {} : { columns: options.columns });
    const stdin = Object.assign(new PassThrough(), { isTTY: options.keyboard === true });
    if (options.stdin !== undefined) stdin.end(options.stdin);
    const io: Io = {
      stdout: out,
      stderr: err,
      stdin,
      env: {},
      cwd: this.cwd,
      now: () => this.now++,
      random: (count) => Uint8Array.from({ length: count }, () => (this.#chance = (this.#chance + 37) % 256)),
      host: 'here',
      pid: process.pid,
      isAlive: () => true,
      importModule: async () => ({ lakehouse: options.definition ?? this.tiny() }),
      onSignal: (signal, listener) => {
        this.signals.set(signal, listener);
        return () => this.signals.delete(signal);
      },
      exit: (code) => this.exits.push(code),
      ...options.io,
    };
    const code = await main(args, io);
    return { code, out: out.text, err: err.text };
  }

  async json(args: readonly string[], options: Options = {}): Promise<unknown> {
    const { out, err, code } = await this.run([...args, '--json'], options);
    if (out === '') throw new Error(`no output, exit code ${code}: ${err}`);
    return JSON.parse(out);
  }

  tiny(options: TinyOptions = {}): LakehouseDefinition {
    return tiny(join(this.cwd, 'in'), options);
  }

  /** One day of prices: `minute,price` lines. */
  async write(symbol: string, date: string, content: string): Promise<void> {
    await mkdir(join(this.cwd, 'in', symbol), { recursive: true });
    await writeFile(join(this.cwd, 'in', symbol, `${date}.csv`), content);
  }

  async remove(symbol: string, date: string): Promise<void> {
    await rm(join(this.cwd, 'in', symbol, `${date}.csv`));
  }
}

/**
 * A place with a config file, a definitions module to be found (tests pass its exports) and three days of two symbols. It is removed
 * when the test is over, unless told when.
 */
export async function place(atTheEnd?: (remove: () => void) => void): Promise<Place> {
  const made = new Place(atTheEnd);
  await mkdir(join(made.cwd, 'assets'));
  await writeFile(join(made.cwd, 'assets/index.ts'), '// The definition is passed in.\n');
  await writeFile(join(made.cwd, 'lakehouse.yaml'), 'workflow:\n  retryAttempts: 0\n');
  for (const symbol of ['AAA', 'BBB']) {
    for (const day of ['01', '02', '03']) await made.write(symbol, `2024-01-${day}`, `0,1${day}.5\n1,2${day}\n`);
  }
  return made;
}

const symbol = dynamicDimension();
const date = daily({ start: '2024-01-01' });
const month = monthly({ start: '2024-01' });

export interface TinyOptions {
  /** SQL factor in gold: another one is another code. */
  readonly factor?: number;
  /** Of gold by day. */
  readonly history?: '30d';
  /** Of the check that prices are not negative. Default: `warn`. */
  readonly severity?: 'warn' | 'error';
  /** By asset. Default: months are eager. */
  readonly automation?: Readonly<Record<string, AutomationCondition>>;
  /** Called before a file is read. */
  readonly beforeRead?: (symbol: string, date: string) => Promise<void> | void;
}

/** Files → raw bytes → rows → one row a day → one row a month. */
function tiny(directory: string, options: TinyOptions): LakehouseDefinition {
  const automated = (key: string) => {
    const automation = (options.automation ?? { 'gold/months': eager() })[key];
    return automation && { automation };
  };
  const files = source('files/days', {
    description: 'One text file a day.',
    partitions: { symbol, date },
    publicationLagHours: 48,
    liveForDays: 30,
    observe: async function* () {
      for (const name of (await readdir(directory).catch(() => [])).sort()) {
        for (const file of (await readdir(join(directory, name))).sort()) {
          const content = await readFile(join(directory, name, file), 'utf8');
          yield {
            partition: { symbol: name, date: file.replace('.csv', '') },
            version: content,
            bytes: content.length,
          };
        }
      }
    },
    read: async ({ partition }) => {
      await options.beforeRead?.(partition.values.symbol, partition.values.date);
      const path = join(directory, partition.values.symbol, `${partition.values.date}.csv`);
      const content = await readFile(path, 'utf8');
      return { bytes: Buffer.from(content), version: content };
    },
  });
  const raw = asset('raw/days', {
    ...automated('raw/days'),
    description: 'The files as they came.',
    partitions: { symbol, date },
    inputs: { files },
    format: bytes({ extension: '.csv' }),
    compute: ({ inputs }) => inputs.files.bytes(),
  });
  const prices = asset('silver/prices', {
    ...automated('silver/prices'),
    description: 'One row per minute.',
    group: 'prices',
    tags: { speed: 'fast' },
    owners: ['data'],
    partitions: { symbol, date },
    inputs: { raw },
    columns: columns({
      minute: integer().describe('Minute of the day.'),
      price: decimal(18, 2).describe('Price at that minute.'),
      at: timestamp(),
    }),
    sortBy: ['minute'],
    timeColumn: 'at',
    config: 'nothing: the test runner renames imports, which the code version would warn of',
    checks: [
      inRange('price', { min: 0 }, { severity: options.severity ?? 'warn', description: 'Prices are not negative.' }),
    ],
    compute: async ({ inputs, partition }) => {
      const lines = Buffer.from(await inputs.raw.bytes())
        .toString()
        .trim()
        .split('\n');
      return lines.map((line) => {
        const [minute = '', price = ''] = line.split(',');
        if (!/^-?\d+(\.\d+)?$/.test(price))
          throw new LakehouseError('malformed-row', `'${line}' is not minute,price`, {
            kind: 'data',
            hint: 'Look at the file.',
          });
        return {
          minute: Number(minute),
          price,
          at: new Date((partition.start?.getTime() ?? 0) + Number(minute) * 60_000),
        };
      });
    },
  });
  const factor = sql.raw(String(options.factor ?? 1));
  const days = asset('gold/days', {
    ...automated('gold/days'),
    ...(options.history && { history: options.history }),
    description: 'One row per day.',
    partitions: { symbol, date },
    inputs: { prices },
    columns: columns({ day: text(), low: decimal(18, 2), high: decimal(18, 2) }),
    sortBy: ['day'],
    query: (inputs, { partition }) =>
      sql`SELECT strftime(${partition.date}, '%Y-%m-%d') AS day, min(${inputs.prices.price}) * ${factor} AS low, max(${inputs.prices.price}) * ${factor} AS high FROM ${inputs.prices}`,
  });
  const months = asset('gold/months', {
    ...automated('gold/months'),
    description: 'One row per month.',
    partitions: { symbol, month },
    inputs: { days: from(days, { date: overlapping() }) },
    columns: columns({ highest: decimal(18, 2) }),
    sortBy: ['highest'],
    query: (inputs) => sql`SELECT max(${inputs.days.high}) AS highest FROM ${inputs.days}`,
  });
  return defineLakehouse({ assets: [files, raw, prices, days, months] });
}
