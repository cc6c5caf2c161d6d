import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, vi } from 'vitest';
import type { LakehouseDefinition } from '../../framework/define/lakehouse.ts';
import type { RunEvent } from '../../framework/materialize/events.ts';
import type { OpenedLake } from '../../framework/materialize/open.ts';
import { printKey } from '../../framework/partition/space.ts';
import { STATUSES, type Status } from '../../framework/plan/evaluate.ts';
import { makePlan, statusCounts } from '../../framework/plan/plan.ts';
import { PRESENT } from '../../framework/plan/view.ts';
import { versionHex } from '../../framework/state/events.ts';
import { Archive, type TinyOptions, tinyLake } from './fixture.ts';
import { openTestLake } from './lake.ts';

// Whole runs, some in processes of their own: seconds where there is nothing else to do, more where there is.
vi.setConfig({ testTimeout: 120_000 });

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'materialize-'));
  cleanups.push(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

export function atEnd(cleanup: () => Promise<unknown>): void {
  cleanups.push(cleanup);
}

/** After March 2020: the months before are closed. */
export const NOW = Date.parse('2020-04-10T12:00:00Z');

export interface OpenTiny extends TinyOptions {
  readonly directory?: string;
  readonly archive?: string;
  readonly sets?: readonly string[];
  readonly now?: () => number;
  readonly definition?: LakehouseDefinition;
}

export interface Tiny {
  readonly lake: OpenedLake;
  readonly archive: Archive;
  readonly directory: string;
  /** The same lake opened once more, as another process would. */
  open(options?: OpenTiny): Promise<OpenedLake>;
}

/** A tiny lake in a directory of its own, closed and removed after the test. Retries do not wait. */
export async function tiny(options: OpenTiny = {}): Promise<Tiny> {
  const root = options.directory === undefined || options.archive === undefined ? await temporaryDirectory() : '';
  const directory = options.directory ?? join(root, 'lake');
  const archive = new Archive(options.archive ?? join(root, 'archive'));
  const open = async (more: OpenTiny = {}): Promise<OpenedLake> => {
    const { definition, sets = [], now = () => NOW, ...rest } = { ...options, ...more };
    const given = [
      `tiny.directory=${archive.directory}`,
      'workflow.retryAttempts=0',
      'workflow.retryDelayMs=1',
      'engine.threads=2',
      ...sets,
    ];
    const lake = await openTestLake(definition ?? tinyLake(rest), directory, { sets: given, now });
    cleanups.push(() => lake.close());
    return lake;
  };
  return { lake: await open(), archive, directory, open };
}

/** What was computed, by asset: partitions, and how many of them changed. */
export function work(events: readonly RunEvent[]): Record<string, string> {
  const done = new Map<string, [number, number]>();
  for (const event of events) {
    if (event.type !== 'batch-finished') continue;
    const [partitions, changed] = done.get(event.asset) ?? [0, 0];
    done.set(event.asset, [partitions + event.partitions, changed + event.changed]);
  }
  return Object.fromEntries(
    [...done].sort().map(([asset, [partitions, changed]]) => [asset, `${partitions}/${changed}`]),
  );
}

/** Status counts of an asset as a plan sees it, zeros left out. */
export function status(lake: OpenedLake, asset: string): Partial<Record<Status, number>> {
  const { evaluations } = makePlan(lake.graph, lake.state.refresh(), {}, lake.now());
  const evaluation = evaluations.get(asset);
  if (!evaluation) throw new Error(`no ${asset}`);
  return Object.fromEntries(Object.entries(statusCounts(evaluation)).filter(([, n]) => n > 0));
}

/** Status of single partitions, by printed key. */
export function statuses(lake: OpenedLake, asset: string): Record<string, Status> {
  const { evaluations } = makePlan(lake.graph, lake.state.refresh(), {}, lake.now());
  const { node, series } = evaluations.get(asset) as NonNullable<ReturnType<typeof evaluations.get>>;
  const out: Record<string, Status> = {};
  for (const { values, base, length, status: codes } of series.values()) {
    for (let i = 0; i < length; i++) {
      const found = STATUSES[codes[i] as number];
      if (found && found !== 'none') out[printKey(node.space, { values, time: base + i })] = found;
    }
  }
  return out;
}

/** Data version of every present partition, as `asset key` → hex. */
export function versions(lake: OpenedLake): Record<string, string> {
  const out: Record<string, string> = {};
  const index = lake.state.refresh();
  for (const asset of lake.graph.order) {
    const node = lake.graph.node(asset);
    for (const [key, { values, base, length, flags }] of index.asset(asset)?.series ?? []) {
      const details = lake.state.details(asset, key);
      for (let i = 0; details && i < length; i++) {
        if (((flags[i] as number) & PRESENT) === 0) continue;
        out[`${asset} ${printKey(node.space, { values, time: base + i })}`] = versionHex(
          details.version,
          base + i - details.base,
        );
      }
    }
  }
  return out;
}

/** SHA-256 of every current file by where it is and its stem: names without the generation. */
export function packs(lake: OpenedLake): Record<string, string> {
  lake.state.refresh();
  return Object.fromEntries(
    [...lake.state.files()]
      .map(({ path, sha256 }): [string, string] => [path.replace(/\.[^./]+(\.\w+)$/, '$1'), sha256 ?? ''])
      .sort(),
  );
}

/** Every file below a directory, relative, sorted; state and catalogue left out. */
export function tree(directory: string, prefix = ''): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .flatMap((entry) =>
      entry.isDirectory()
        ? entry.name === '.lakehouse' || entry.name === '_catalog'
          ? []
          : tree(join(directory, entry.name), `${prefix}${entry.name}/`)
        : entry.name === '_catalog.json'
          ? []
          : [`${prefix}${entry.name}`],
    )
    .sort();
}

/** Everything that is wrong with a lake's files and log; empty for a sound one. Files in `checked` are taken to be sound, and found ones added. */
export async function problems(
  lake: OpenedLake,
  unreferenced: 'none' | 'allowed' = 'none',
  checked: Set<string> = new Set(),
): Promise<string[]> {
  const found = lake.state.integrityCheck();
  lake.state.refresh();
  const current = [...lake.state.files()].filter(({ path }) => !checked.has(path));
  for (const { path } of current) checked.add(path);
  for (const { path, bytes, sha256 } of current) {
    const local = join(lake.store.root, path);
    const stat = statSync(local, { throwIfNoEntry: false });
    if (stat === undefined) found.push(`${path} is missing`);
    else if (stat.size !== bytes) found.push(`${path} has ${stat.size} bytes instead of ${bytes}`);
    else if (createHash('sha256').update(readFileSync(local)).digest('hex') !== sha256)
      found.push(`${path} is not what was committed`);
  }
  found.push(
    ...(await wrongVersions(
      lake,
      current.map(({ path }) => path),
    )),
  );
  // What was only excluded by the settings is kept, and known to the log.
  if (unreferenced === 'none')
    found.push(
      ...tree(lake.store.root)
        .filter((path) => lake.state.file(path) === undefined)
        .map((path) => `${path} is in the tree, but not in the log`),
    );
  return found;
}

/** Partitions whose data version in the log is not that of the rows in their file. */
async function wrongVersions(lake: OpenedLake, paths: readonly string[]): Promise<string[]> {
  const engine = await lake.engine();
  const logged = versions(lake);
  const found: string[] = [];
  for (const path of paths) {
    const record = lake.state.file(path);
    const node = record && lake.graph.node(record.asset);
    if (node?.definition.storage.type !== 'table') continue;
    for (const { values, time, version } of await engine.hashPack(
      node.definition,
      join(lake.store.root, path),
      new AbortController().signal,
    )) {
      const key = `${node.key} ${printKey(node.space, { values, time })}`;
      if (logged[key] !== versionHex(version))
        found.push(`${key} in ${path} is ${versionHex(version)}, the log says ${logged[key]}`);
    }
  }
  return found;
}
