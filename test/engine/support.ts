import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { AssetDefinition } from '../../framework/define/model.ts';
import { openEngine } from '../../framework/engine/engine.ts';
import type {
  BatchRequest,
  BatchResult,
  BatchTarget,
  BoundInput,
  BoundPart,
  BufferedRows,
  Engine,
  EngineSettings,
} from '../../framework/engine/port.ts';
import { writeZip } from '../../framework/formats/zip.ts';
import { sha16, target } from './support-data.ts';

/** A directory and an engine for one test file, both gone afterwards. */
export async function workshop(settings: Partial<EngineSettings> = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'lakehouse-engine-'));
  const engines: Engine[] = [];
  const open = (more: Partial<EngineSettings> = {}): Engine => {
    const engine = openEngine({
      tempDirectory: directory,
      scratchDirectory: directory,
      threads: 2,
      ...settings,
      ...more,
    });
    engines.push(engine);
    return engine;
  };
  const engine = open();
  afterAll(async () => {
    for (const each of engines) await each.close();
    await rm(directory, { recursive: true, force: true });
  });
  let files = 0;
  const newPath = (extension = '.parquet') => join(directory, `file-${++files}${extension}`);
  return { directory, engine, open, newPath };
}
export type Workshop = Awaited<ReturnType<typeof workshop>>;

/** A raw partition: a zip with this text as its one member. */
export async function zipPart(
  shop: Workshop,
  definition: AssetDefinition,
  partition: Readonly<Record<string, string>>,
  csv: string,
): Promise<BoundPart> {
  const bytes = writeZip('data.csv', new TextEncoder().encode(csv), { modified: new Date('2024-01-02T00:00:00Z') });
  return rawPart(shop, definition, partition, bytes);
}

export async function rawPart(
  shop: Workshop,
  definition: AssetDefinition,
  partition: Readonly<Record<string, string>>,
  bytes: Uint8Array,
): Promise<BoundPart> {
  const path = shop.newPath('.zip');
  await writeFile(path, bytes);
  return { ...target(definition, partition), path, version: sha16(bytes) };
}

/** Rows as compute functions would have returned them. */
export async function buffer(
  engine: Engine,
  definition: AssetDefinition,
  targets: readonly BatchTarget[],
  rows: readonly (readonly object[])[],
): Promise<BufferedRows> {
  const into = await engine.rowBuffer(definition, new AbortController().signal);
  rows.forEach((list, i) => {
    into.add(i, targets[i]?.key ?? '', list);
  });
  return { buffer: into, targets: rows.map((_, i) => i) };
}

/** Computes targets into one new pack. */
export async function compute(
  shop: Workshop,
  definition: AssetDefinition,
  targets: readonly BatchTarget[],
  inputs: readonly BoundInput[] = [],
  more: Omit<Partial<BatchRequest>, 'rows'> & { engine?: Engine; rows?: readonly (readonly object[])[] } = {},
): Promise<BatchResult> {
  const { engine = shop.engine, rows, ...rest } = more;
  const buffered = rows && { rows: await buffer(engine, definition, targets, rows) };
  return engine.computeBatch({
    ...buffered,
    definition,
    targets,
    inputs,
    packs: [{ path: shop.newPath(), targets: targets.map((_, i) => i), carry: [] }],
    signal: new AbortController().signal,
    ...rest,
  });
}

/** The same inputs cut down to one target. */
export function onlyTarget(inputs: readonly BoundInput[], ordinal: number): BoundInput[] {
  return inputs.map((input) => {
    const mine: number[] = [];
    for (let i = 0; i < input.pairs.length; i += 2) if (input.pairs[i] === ordinal) mine.push(input.pairs[i + 1] ?? 0);
    return {
      ...input,
      parts: mine.flatMap((j) => input.parts[j] ?? []),
      pairs: Int32Array.from(mine.flatMap((_, i) => [0, i])),
    };
  });
}

/** A pack as input parts of these partitions. */
export function partsOf(result: BatchResult, targets: readonly BatchTarget[], pack = 0): BoundPart[] {
  return targets.map((t, i) => ({ ...t, path: result.packs[pack]?.path ?? '', version: result.outcomes[i]?.version }));
}

export const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('hex');

/** Rows of files as text values, through a view. */
export async function rowsOf(
  shop: Workshop,
  definition: AssetDefinition,
  files: readonly string[],
  order = 'ALL',
): Promise<unknown[][]> {
  const [zone, ...name] = definition.key.split('/');
  const result = await shop.engine.query(
    `SELECT * FROM "${zone}"."${name.join('/')}" ORDER BY ${order}`,
    [{ definition, files }],
    new AbortController().signal,
  );
  const rows: unknown[][] = [];
  for await (const batch of result.batches) rows.push(...batch.map((row) => [...row]));
  return rows;
}

export { bind, samePartition, sha16, target } from './support-data.ts';
