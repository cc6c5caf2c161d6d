import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { LakehouseError } from '../../common/errors.ts';
import { didYouMean } from '../../common/suggest.ts';
import { publishAfter } from '../../materialize/catalogue.ts';
import { departRemoved } from '../../materialize/depart.ts';
import type { OpenedLake } from '../../materialize/open.ts';
import { recorded, wipePartitions } from '../../materialize/recorded.ts';
import { definesAny, type RemovedAsset, removedAssets } from '../../materialize/removed.ts';
import { applyFilter } from '../../partition/filter.ts';
import * as sets from '../../partition/set.ts';
import { presentSet } from '../../plan/universe.ts';
import { bytes, indent, plural, some } from '../../report/format.ts';
import { findAsset, readFilter, requireMatch } from '../../sdk/select.ts';
import { requireValues } from '../../sdk/values.ts';
import { type Context, shownPath } from '../context.ts';
import { setLines } from '../partitions.ts';

export interface WipeOptions {
  readonly partitions?: string;
  readonly yes?: boolean;
}

export async function run(context: Context, options: WipeOptions, asset: string): Promise<number | undefined> {
  return context.withLake('write', async (lake) => {
    if (lake.graph.find(asset)) return wipe(context, lake, options, asset);
    const removed = removedAssets(lake);
    const found = removed.find((one) => one.asset === asset);
    if (found) return wipeRemoved(context, lake, options, found);
    throw new LakehouseError('unknown-asset', `No asset is named '${asset}'`, {
      hint: didYouMean(asset, [...lake.graph.order, ...removed.map((one) => one.asset)]),
    });
  });
}

async function wipe(context: Context, lake: OpenedLake, options: WipeOptions, asset: string): Promise<undefined> {
  const { console } = context;
  const node = findAsset(lake.graph, asset);
  const filter = readFilter(lake.graph, [asset], options.partitions);
  // Also what the configuration no longer wants.
  const { space } = node.definition;
  const present = presentSet({ ...node, space }, lake.state.refresh().asset(asset));
  const set = filter ? applyFilter(space, present, filter) : present;
  const count = sets.countOf(set);
  if (count === 0) {
    requireMatch(lake, lake.state.index(), [asset], filter);
    console.result({ asset, wiped: 0 }, () => `${asset}: nothing to wipe, none of these partitions has content.`);
    return;
  }
  requireValues(lake, lake.state.index(), [asset], filter);
  const shown = [
    `${console.style.strong(asset)}  ${plural(count, 'partition')} to take out of the lake:`,
    ...setLines(space, set, { lines: 20, width: Math.max(console.width - 4, 30) }).map((line) => indent(line)),
    ...readers(lake, asset),
  ];
  const agreed = (answer: string) => /^y(es)?$/i.test(answer);
  if (!(await confirmed(context, options, asset, shown, 'Take them out? [y/N] ', agreed))) return;
  const { signal } = context.interrupts();
  await wipePartitions(lake, asset, set, context.commandLine(), signal);
  await publishAfter(lake, console.warn);
  console.result(
    { asset, wiped: count },
    () =>
      `${plural(count, 'partition')} left the lake. The next run computes them again${node.definition.kind === 'source' ? ', if the source still has them' : ''}; their files go with it or with gc.`,
  );
}

/** An asset that only the log knows. It may be missing from the definitions by mistake, so what is said is more, and its name is the answer. */
async function wipeRemoved(
  context: Context,
  lake: OpenedLake,
  options: WipeOptions,
  { asset, partitions, files, bytes: size }: RemovedAsset,
): Promise<undefined> {
  const { console, io, globals } = context;
  const { settings } = (await context.configuration()).loaded;
  const profile = globals.profile ?? settings.profile;
  const definitions = `${shownPath(io.cwd, settings.definitions)}${profile === undefined ? '' : ` (profile ${profile})`}`;
  if (!definesAny(lake))
    throw new LakehouseError(
      'other-definitions',
      `No asset that has content in this lake is defined in ${definitions}`,
      {
        hint: `These are probably the definitions of another lake: see definitions, profile and dataDir (${context.again('config')}). If all assets are new, compute something of them first.`,
      },
    );
  if (options.partitions !== undefined)
    throw new LakehouseError(
      'not-defined',
      `${asset} is not defined in ${definitions}, so it can only be wiped whole`,
      {
        hint: 'Leave --partitions out.',
      },
    );
  const what = `${plural(partitions, 'partition')} in ${plural(files, 'file')}, ${bytes(size)},`;
  const shown = [
    `${console.style.strong(asset)}  ${what} to take out of the lake for good:`,
    indent(`${definitions} does not define it, so nothing computes it again.`),
  ];
  const question = `Type ${asset} to take it out: `;
  if (!(await confirmed(context, options, asset, shown, question, (answer) => answer === asset))) return;
  const run = { command: context.commandLine(), selection: asset };
  const { signal } = context.interrupts();
  await recorded(
    lake,
    run,
    () => ({ departed: partitions }),
    signal,
    async (id) => departRemoved(lake, asset, id),
  );
  await publishAfter(lake, console.warn);
  console.result(
    { asset, wiped: partitions },
    () => `${plural(partitions, 'partition')} left the lake for good; the files go with the next run or with gc.`,
  );
}

function readers({ graph }: OpenedLake, asset: string): string[] {
  const below = graph.downstreamOf(asset);
  return below.length === 0 ? [] : [`What was made of them becomes stale in ${some(below)} and below.`];
}

/** Shows what is to go, and asks unless --yes was said. @throws LakehouseError `not-confirmed` (usage) when nobody is there to ask. */
async function confirmed(
  { console, io, globals }: Context,
  options: WipeOptions,
  asset: string,
  shown: readonly string[],
  question: string,
  agrees: (answer: string) => boolean,
): Promise<boolean> {
  if (!globals.json) console.print(shown.join('\n'));
  if (options.yes) return true;
  if (!io.stdin.isTTY || globals.json)
    throw new LakehouseError('not-confirmed', `wipe ${asset}: nobody is there to ask`, {
      hint: 'Say --yes to take them out.',
    });
  const output = new Writable({
    write: (chunk, _, done) => {
      io.stderr.write(String(chunk));
      done();
    },
  });
  const lines = createInterface({ input: io.stdin, output });
  try {
    if (agrees((await lines.question(question)).trim())) return true;
  } finally {
    lines.close();
  }
  console.print('Nothing was changed.');
  return false;
}
