import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { LakehouseError, serializeError } from '../../common/errors.ts';
import type { AssetNode } from '../../graph/graph.ts';
import { logDefinitions } from '../../materialize/definitions.ts';
import { depart } from '../../materialize/depart.ts';
import type { OpenedLake } from '../../materialize/open.ts';
import { applyFilter } from '../../partition/filter.ts';
import type { PartitionSet } from '../../partition/set.ts';
import * as sets from '../../partition/set.ts';
import { presentSet } from '../../plan/universe.ts';
import type { Context } from '../context.ts';
import { indent, plural, some } from '../format.ts';
import { findAsset, readFilter, requireMatch } from '../lake.ts';
import { setLines } from '../partitions.ts';

export interface WipeOptions {
  readonly partitions?: string;
  readonly yes?: boolean;
}

export async function run(context: Context, options: WipeOptions, asset: string): Promise<number | undefined> {
  const { console, io, globals } = context;
  return context.withLake('write', async (lake) => {
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
      return undefined;
    }
    if (!globals.json)
      console.print(
        [
          `${console.style.strong(asset)}  ${plural(count, 'partition')} to take out of the lake:`,
          ...setLines(space, set, { lines: 20, width: Math.max(console.width - 4, 30) }).map((line) => indent(line)),
          ...readers(lake, asset),
        ].join('\n'),
      );
    if (!(options.yes || (await confirmed(context)))) {
      if (!io.stdin.isTTY || globals.json)
        throw new LakehouseError('not-confirmed', `wipe ${asset}: nobody is there to ask`, {
          hint: 'Say --yes to take them out.',
        });
      console.print('Nothing was changed.');
      return undefined;
    }
    await wipe(context, lake, node, set);
    console.result(
      { asset, wiped: count },
      () =>
        `${plural(count, 'partition')} left the lake. The next run computes them again${node.definition.kind === 'source' ? ', if the source still has them' : ''}; their files go with it or with gc.`,
    );
    return undefined;
  });
}

function readers({ graph }: OpenedLake, asset: string): string[] {
  const below = graph.downstreamOf(asset);
  return below.length === 0 ? [] : [`What was made of them becomes stale in ${some(below)} and below.`];
}

async function confirmed({ io, globals }: Context): Promise<boolean> {
  if (!io.stdin.isTTY || globals.json) return false;
  const output = new Writable({
    write: (chunk, _, done) => {
      io.stderr.write(String(chunk));
      done();
    },
  });
  const lines = createInterface({ input: io.stdin, output });
  try {
    return /^y(es)?$/i.test((await lines.question('Take them out? [y/N] ')).trim());
  } finally {
    lines.close();
  }
}

async function wipe(context: Context, lake: OpenedLake, node: AssetNode, set: PartitionSet): Promise<void> {
  const { state } = lake;
  const run = lake.id();
  const { signal } = context.interrupts();
  state.append({ kind: 'run-started', run, command: context.commandLine(), selection: node.key });
  const end = (outcome: 'succeeded' | 'failed', error?: unknown) =>
    state.append({
      kind: 'run-finished',
      run,
      outcome,
      counts: { departed: sets.countOf(set) },
      ...(error !== undefined && { error: serializeError(error) }),
    });
  try {
    logDefinitions(lake);
    await depart(lake, node, { run, reason: 'wiped', set, now: lake.now(), signal });
  } catch (error) {
    end('failed', error);
    throw error;
  }
  end('succeeded');
}
