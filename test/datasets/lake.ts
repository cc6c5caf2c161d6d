import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { sha256Of } from '../../assets/exchanges/binance/checksum.ts';
import { type ArchiveFile, archiveKey, archiveTypes, checksumKey } from '../../assets/exchanges/binance/layout.ts';
import { lakehouse } from '../../assets/index.ts';
import { writeZip } from '../../framework/formats/zip.ts';
import { iterate } from '../../framework/partition/ranges.ts';
import type { PartitionSet } from '../../framework/partition/set.ts';
import { formatIndex } from '../../framework/partition/time.ts';
import { universes } from '../../framework/plan/universe.ts';
import { openTestLake, run } from '../materialize/lake.ts';
import { query } from '../real/query.ts';

/** First rows of real files, beside the repository; not part of it. */
export const EXCERPTS = '../shared/data/excerpts/binance-vision';
export const noExcerpts = !existsSync(EXCERPTS);
/** For the name of a suite that needs them. */
export const skipped = noExcerpts ? ' (skipped: no real files at ../shared/data)' : '';

/** The text of an excerpt. */
export const excerpt = (name: string): string => readFileSync(join(EXCERPTS, name), 'utf8');

/** A file of the archive with this CSV as its member. */
export type MirrorFile = ArchiveFile & { readonly csv: string };

/** Lays files out as the archive does, each with its CHECKSUM. */
export function writeFiles(directory: string, files: readonly MirrorFile[]): void {
  for (const { csv, ...of } of files) {
    const key = archiveKey(of);
    const path = join(directory, key);
    const name = key.slice(key.lastIndexOf('/') + 1);
    const zip = writeZip(name.replace(/\.zip$/, '.csv'), Buffer.from(csv), { modified: new Date('2024-05-01') });
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, zip);
    writeFileSync(join(directory, checksumKey(key)), `${sha256Of(zip)}  ${name}`);
  }
}

/**
 * The lake of a mirror with these files and nothing else, for one test: everything is wanted.
 * @returns `materialize` computes a selection and gives what failed; `rows` queries.
 */
export async function mirrorLake(files: readonly MirrorFile[], sets: readonly string[] = []) {
  const directory = mkdtempSync(join(tmpdir(), 'dataset-'));
  const mirror = join(directory, 'mirror');
  mkdirSync(join(mirror, 'data'), { recursive: true });
  writeFiles(mirror, files);
  const types = Object.values(archiveTypes).map(({ dataType }) => dataType);
  const lake = await openTestLake(lakehouse, join(directory, 'lake'), {
    sets: [
      `exchanges.binance.archive.directory=${mirror}`,
      'exchanges.binance.markets=[spot,um,cm]',
      'exchanges.binance.symbols=*',
      'exchanges.binance.intervals=[1m,5m,1h,1d]',
      `exchanges.binance.dataTypes=[${types.join(',')}]`,
      ...sets,
    ],
  });
  onTestFinished(async () => {
    await lake.close();
    rmSync(directory, { recursive: true, force: true });
  });
  return {
    lake,
    mirror,
    materialize: async (select: string) => {
      const result = await run(lake, { selection: select });
      const failed = result.events.filter((event) => event.type === 'partition-failed');
      return { ...result, failed };
    },
    rows: (sql: string) => query(lake, sql),
    /** The times of an asset that are there, waited for, or not to be had, all series together. */
    existing: (key: string) => {
      const { grain } = lake.graph.node(key).space.time ?? {};
      const universe = universes(lake.graph, lake.state.refresh(), Date.now()).get(key);
      const times = (set: PartitionSet | undefined) =>
        [...(set?.bySeries.values() ?? [])].flatMap((series) =>
          [...iterate(series)].map((time) => (grain ? formatIndex(grain, time) : '')),
        );
      return {
        ready: times(universe?.ready),
        awaiting: times(universe?.awaiting),
        unavailable: times(universe?.unavailable),
      };
    },
  };
}
