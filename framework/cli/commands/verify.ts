import { tmpdir } from 'node:os';
import { LakehouseError } from '../../common/errors.ts';
import { comparableVersions } from '../../engine/hash.ts';
import { exclusions, spareFiles } from '../../materialize/commit.ts';
import { type FreshFile, freshFile, lengthsOf, readsAll } from '../../materialize/fresh.ts';
import type { OpenedLake } from '../../materialize/open.ts';
import { definesAny, type RemovedAsset, removedAssets } from '../../materialize/removed.ts';
import * as sets from '../../partition/set.ts';
import { printSet } from '../../partition/set.ts';
import { printKey } from '../../partition/space.ts';
import { PRESENT } from '../../plan/view.ts';
import { bytes, indent, number, plural } from '../../report/format.ts';
import { versionHex } from '../../state/events.ts';
import type { FileRecord } from '../../state/store.ts';
import type { Context } from '../context.ts';
import { DONE, FAILED } from '../failure.ts';
import { removedLines, withFiles } from '../files.ts';
import { noLake } from '../no-lake.ts';
import { unknownObjects } from '../unknown.ts';

interface Problem {
  readonly asset?: string;
  readonly file?: string;
  readonly partition?: string;
  readonly message: string;
}

/** What puts damaged files right: the partitions that lie in them, to be wiped and computed again. */
interface Repair {
  readonly asset: string;
  /** For `--partitions`; '*' of an asset without dimensions. */
  readonly partitions: string;
}

interface Found {
  /** Current files of assets that are defined, or of all where the definitions are not known. */
  readonly files: number;
  readonly bytes: number;
  readonly partitions: number;
  readonly problems: readonly Problem[];
  /** As far as the assets are defined. */
  readonly repair: readonly Repair[];
  /** Files whose columns are no longer those of the asset: their partitions are stale, and cannot be hashed anew. */
  readonly notHashed: readonly string[];
  /** Files with partitions whose data version another DuckDB made: their rows were counted, and their content was not compared. */
  readonly notComparable: readonly string[];
  /** What is there of assets that are not defined (any more). Their files were read as well. */
  readonly notDefined: readonly RemovedAsset[];
  readonly unreferenced: readonly { readonly path: string; readonly bytes: number }[];
  readonly superseded: readonly { readonly path: string; readonly bytes: number }[];
}

export async function run(context: Context, options: { readonly deep?: boolean }): Promise<number | undefined> {
  const { console } = context;
  const { signal } = context.interrupts();
  const deep = options.deep === true;
  const use = async (lake: OpenedLake, defined: boolean) => {
    const missing = await noLake(context, lake);
    if (missing !== undefined) throw new LakehouseError('no-lake', missing, { hint: 'Look at the setting dataDir.' });
    const found = await verify(context, lake, deep, defined, signal);
    console.result(found, () => textOf(context, found, deep, lake));
    return found.problems.length > 0 ? FAILED : DONE;
  };
  // What is in a file can only be told by the definition of its asset.
  return deep ? context.withLake('read', (lake) => use(lake, true)) : withFiles(context, 'read', use);
}

async function verify(
  { console, settings }: Context,
  lake: OpenedLake,
  deep: boolean,
  defined: boolean,
  signal: AbortSignal,
): Promise<Found> {
  const { state, store } = lake;
  const directories = [(await settings()).loaded.settings.engine.tempDirectory, tmpdir()];
  const notDefined = defined ? removedAssets(lake).filter((asset) => asset.files > 0) : [];
  const removed = new Set(notDefined.map(({ asset }) => asset));
  const problems: Problem[] = state.integrityCheck().map((message) => ({ message }));
  const notHashed: string[] = [];
  const notComparable: string[] = [];
  let files = 0;
  let size = 0;
  let partitions = 0;
  for (const asset of state.index().assetKeys()) {
    const current = [...state.files(asset)];
    if (current.length === 0) continue;
    console.note(`${asset}: ${plural(current.length, 'file')}`);
    const inFile = deep && !removed.has(asset) ? partitionsByFile(lake, asset) : new Map<number, LoggedPartition[]>();
    const lengths = await lengthsOf(store, asset);
    for (const file of current) {
      signal.throwIfAborted();
      if (!removed.has(asset)) {
        files++;
        size += file.bytes;
      }
      const expected = inFile.get(file.id) ?? [];
      const length = lengths.get(file.path) ?? (await store.head(file.path))?.bytes;
      const whole = length === file.bytes;
      const reads = whole && (deep || readsAll(store));
      await using there = reads ? await freshFile(store, file, directories) : undefined;
      const isGone = reads && there === undefined;
      const problem = whole && !isGone ? otherBytes(file, there) : otherLength(file, isGone ? undefined : length);
      // A run may have replaced the file while it was read: then it is not the log's any more.
      if (problem !== undefined) {
        state.refresh();
        if ((state.file(file.id)?.live ?? 0) > 0) problems.push({ asset, file: file.path, message: problem });
        continue;
      }
      if (!deep || !there || removed.has(asset)) continue;
      partitions += expected.length;
      const deeper = await sameContent(lake, file, expected, there, signal);
      if (deeper === undefined) notHashed.push(file.path);
      else problems.push(...deeper.problems.map((problem) => ({ asset, file: file.path, ...problem })));
      if (deeper?.comparable === false) notComparable.push(file.path);
    }
  }
  const unreferenced = [];
  for await (const { key: path, bytes: length } of unknownObjects(lake)) unreferenced.push({ path, bytes: length });
  const isExcluded = exclusions(lake);
  const replaced = spareFiles(lake, lake.now()).filter((file) => !isExcluded(file));
  const superseded = replaced.map(({ path, bytes: length }) => ({
    path,
    bytes: length,
  }));
  return {
    files,
    bytes: size,
    partitions,
    problems,
    repair: repairOf(lake, problems),
    notHashed,
    notComparable,
    notDefined,
    unreferenced,
    superseded,
  };
}

const otherLength = (file: FileRecord, length: number | undefined): string =>
  length === undefined ? 'is missing' : `has ${number(length)} bytes, the log says ${number(file.bytes)}`;

const otherBytes = (file: FileRecord, there: FreshFile | undefined): string | undefined =>
  there && file.sha256 !== undefined && there.sha256 !== file.sha256
    ? `has SHA-256 ${there.sha256}, the log says ${file.sha256}`
    : undefined;

interface LoggedPartition {
  readonly series: string;
  readonly time: number;
  readonly key: string;
  readonly rows: number;
  readonly version: Uint8Array;
}

function partitionsByFile({ state, graph }: OpenedLake, asset: string): Map<number, LoggedPartition[]> {
  const out = new Map<number, LoggedPartition[]>();
  const space = graph.find(asset)?.definition.space;
  for (const [key, { base, length, flags, values }] of state.index().asset(asset)?.series ?? []) {
    const details = state.details(asset, key);
    for (let i = 0; details && space && i < length; i++) {
      const at = base + i - details.base;
      const file = details.file[at] ?? -1;
      if (((flags[i] as number) & PRESENT) === 0 || file < 0) continue;
      const logged = {
        series: key,
        time: base + i,
        key: printKey(space, { values, time: base + i }),
        rows: details.rows[at] ?? 0,
        version: details.version.slice(16 * at, 16 * at + 16),
      };
      const list = out.get(file);
      if (list) list.push(logged);
      else out.set(file, [logged]);
    }
  }
  return out;
}

interface Content {
  readonly problems: readonly Omit<Problem, 'asset' | 'file'>[];
  /** False where a version says only how many rows there are, because another DuckDB made it. */
  readonly comparable: boolean;
}

/** What differs between a file's content and the log; undefined where it cannot be told any more. */
async function sameContent(
  lake: OpenedLake,
  file: FileRecord,
  expected: readonly LoggedPartition[],
  { path, sha256 }: FreshFile,
  signal: AbortSignal,
): Promise<Content | undefined> {
  const definition = lake.graph.find(file.asset)?.definition;
  if (!definition) return undefined;
  if (definition.storage.type === 'raw') {
    const problems = expected
      .filter(({ version }) => !sha256.startsWith(versionHex(version)))
      .map(({ key, version }) => ({
        partition: key,
        message: `does not have the data version ${versionHex(version)}`,
      }));
    return { problems, comparable: true };
  }
  const engine = await lake.engine();
  const [same] = await engine.carriable(definition, [path], signal);
  if (!same) return undefined;
  const found = new Map(
    (await engine.hashPack(definition, path, signal)).map((one) => [printKey(definition.space, one), one]),
  );
  const problems: Omit<Problem, 'asset' | 'file'>[] = [];
  let comparable = true;
  for (const { key, rows, version } of expected) {
    const one = found.get(key);
    found.delete(key);
    if ((one?.rows ?? 0) !== rows)
      problems.push({ partition: key, message: `has ${plural(one?.rows ?? 0, 'row')}, the log says ${number(rows)}` });
    else if (one && !comparableVersions(one.version, version)) comparable = false;
    else if (one && versionHex(one.version) !== versionHex(version))
      problems.push({
        partition: key,
        message: `has data version ${versionHex(one.version)}, the log says ${versionHex(version)}`,
      });
  }
  for (const [key, { rows }] of found)
    problems.push({ partition: key, message: `has ${plural(rows, 'row')} here, where the log has none of it` });
  return { problems, comparable };
}

/** In topological order, so that what is computed again reads what has been. */
function repairOf(lake: OpenedLake, problems: readonly Problem[]): Repair[] {
  const { graph, state } = lake;
  const damaged = new Set(problems.map(({ file }) => file));
  return graph.order.flatMap((asset) => {
    if (!problems.some((problem) => problem.asset === asset)) return [];
    const { space } = graph.node(asset).definition;
    const ids = new Set([...state.files(asset)].flatMap(({ id, path }) => (damaged.has(path) ? [id] : [])));
    const points = [...partitionsByFile(lake, asset)].flatMap(([id, list]) =>
      ids.has(id) ? list.map(({ series, time }) => [series, time] as const) : [],
    );
    return printSet(space, sets.fromPoints(points))
      .split('\n')
      .flatMap((partitions) => (partitions === '' ? [] : [{ asset, partitions }]));
  });
}

/** Pairs of commands that are shown. */
const REPAIRS = 10;

function repairLines({ again }: Context, { problems, repair }: Found): string[] {
  if (!problems.some(({ file }) => file !== undefined)) return [];
  const intro = 'Take what is damaged out of the lake and compute it again:';
  if (repair.length === 0)
    return [
      indent(`${intro} ${again('wipe', '<asset>', '--partitions', '<partition>')}, then ${again('materialize')}.`),
    ];
  const more = repair.length - REPAIRS;
  return [
    indent(intro),
    ...repair.slice(0, REPAIRS).flatMap(({ asset, partitions }) => {
      const words = [asset, ...(partitions === '*' ? [] : ['--partitions', partitions])];
      return [indent(again('wipe', ...words), 4), indent(again('materialize', ...words), 4)];
    }),
    ...(more > 0 ? [indent(`… and ${number(more)} more of each: ${again('verify', '--json')}, "repair"`, 4)] : []),
  ];
}

function textOf(context: Context, found: Found, deep: boolean, lake: OpenedLake): string {
  const { console, again } = context;
  const { style } = console;
  const lines: string[] = [];
  for (const { asset, file, partition, message } of found.problems) {
    lines.push(
      `${style.bad('✗')} ${[file ?? asset, partition].filter(Boolean).join(' ')}${(file ?? asset) ? ' ' : ''}${message}`,
    );
  }
  const read = `${plural(found.files, 'current file')}, ${bytes(found.bytes)}${deep ? `, ${plural(found.partitions, 'partition')}` : ''}`;
  lines.push(
    found.problems.length === 0
      ? `${style.good('Sound:')} ${read}.`
      : style.bad(`${plural(found.problems.length, 'problem')} in ${read}.`),
  );
  lines.push(...repairLines(context, found));
  if (!deep && !readsAll(lake.store))
    lines.push(style.faint(`Only lengths were compared. To fetch and read the files: ${again('verify', '--deep')}`));
  if (found.notHashed.length > 0)
    lines.push(
      style.faint(
        `${plural(found.notHashed.length, 'file')} made by other code, with other columns: read, but not hashed anew.`,
      ),
    );
  if (found.notComparable.length > 0)
    lines.push(
      style.faint(
        `${plural(found.notComparable.length, 'file')} hashed by another DuckDB: not comparable, only the rows were checked. What is computed again is hashed by this one.`,
      ),
    );
  lines.push(...removedLines(context, found.notDefined, definesAny(lake)));
  const spare = [...found.unreferenced, ...found.superseded].reduce((sum, { bytes: length }) => sum + length, 0);
  if (found.unreferenced.length + found.superseded.length > 0) {
    lines.push(
      style.faint(
        `${number(found.superseded.length)} superseded and ${number(found.unreferenced.length)} unknown files, ${bytes(spare)}, can go: ${again('gc')}`,
      ),
    );
  }
  return lines.join('\n');
}
