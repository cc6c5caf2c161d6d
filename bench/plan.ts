import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openState } from '../framework/state/sqlite.ts';
import { benchGraph, clock, events, FIRST_DAY, type Size } from './plan-lake.ts';
import { type BenchOptions, CACHE, type Measurement, median, timed } from './support.ts';

interface Answer {
  readonly ms: Readonly<Record<'load' | 'universes' | 'evaluate' | 'plan' | 'code' | 'yardstick', number>>;
  readonly rss: number;
  readonly will: number;
  readonly may: number;
  readonly codeWill: number;
  readonly codeMay: number;
  readonly codeBatches: number;
}

/** Planning over a large lake, from a real state file, against the least pass over dense columns that could answer anything. */
export async function benchPlan({ quick, say }: BenchOptions): Promise<Measurement[]> {
  // Whole months, 2017-01 to 2023-11.
  const size: Size = { symbols: quick ? 40 : 400, days: 2_525 };
  const perAsset = size.symbols * size.days;
  await mkdir(CACHE, { recursive: true });
  const work = await mkdtemp(join(CACHE, 'plan-'));
  try {
    const path = join(work, 'state.sqlite');
    const now = clock(size);
    const graph = benchGraph();
    const state = openState(path, { now: () => now });
    let partitions = 0;
    const append = await timed(() => {
      for (const event of events(graph, size)) {
        if ('outcomes' in event) partitions += event.outcomes.reduce((sum, { times }) => sum + times.length, 0);
        state.append(event);
      }
    });
    // One day of one symbol was published again: its cone is all there is to do.
    const last = FIRST_DAY + size.days - 1;
    const values = { symbol: 'S0000' };
    const outcome = {
      series: 'symbol=S0000',
      values,
      times: Int32Array.of(last),
      version: new Uint8Array(16),
      rows: Uint32Array.of(0),
      bytes: Float64Array.of(1),
      file: Int32Array.of(-1),
    };
    state.append({ kind: 'observed', asset: 'bench/ticks', run: 'bench', observedAt: now, outcomes: [outcome] });
    const checkpoint = await timed(() => state.checkpoint());
    state.close();
    const { size: bytes } = await stat(path);
    say(
      `${partitions.toLocaleString('en')} partitions; state file ${(bytes / 1e6).toFixed(0)} MB, appended in ${append.ms.toFixed(0)} ms, checkpoint ${checkpoint.ms.toFixed(0)} ms`,
    );

    const child = fileURLToPath(new URL('plan-process.ts', import.meta.url));
    const answers = Array.from(
      { length: quick ? 2 : 5 },
      (): Answer =>
        JSON.parse(
          execFileSync(
            process.execPath,
            ['--conditions=source', child, path, String(size.symbols), String(size.days)],
            { encoding: 'utf8' },
          ),
        ),
    );
    const [first] = answers;
    // One day of bronze surely, and everything that reads it perhaps.
    if (first?.will !== 1 || !(first.may > size.symbols) || first.codeWill < perAsset)
      throw new Error(`The plan is wrong: ${JSON.stringify(first)}`);
    const ms = (name: keyof Answer['ms']) => median(answers.map((answer) => answer.ms[name]));
    const yardstick = ms('yardstick');
    const measure = (what: string, name: keyof Answer['ms'], note = ''): Measurement => ({
      what,
      value: ms(name),
      unit: 'ms',
      yardstick: 'dense pass',
      ratio: ms(name) / yardstick,
      note: `${((1000 * ms(name)) / partitions).toFixed(3)} µs a partition${note}`,
    });
    return [
      { what: `dense pass over 10 × ${perAsset.toLocaleString('en')} numbers`, value: yardstick, unit: 'ms' },
      measure(`open the state and load the index of ${partitions.toLocaleString('en')} partitions`, 'load'),
      measure('which partitions there are', 'universes'),
      measure('status and causes of every partition', 'evaluate'),
      measure('a whole plan: one day changed', 'plan', `; ${first.will} will, ${first.may} may run`),
      measure(
        'a whole plan: new code early in the graph',
        'code',
        `; ${first.codeBatches.toLocaleString('en')} batches`,
      ),
      {
        what: 'memory of the process beyond its start',
        value: median(answers.map(({ rss }) => rss)) / 2 ** 20,
        unit: 'MiB',
      },
    ];
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
