import type { RunEvent } from '../../materialize/events.ts';
import { number, plural } from '../../report/format.ts';
import { jsonText } from '../console.ts';
import type { Context } from '../context.ts';
import { barLines } from './bars.ts';
import { liveArea } from './live.ts';
import { advance, type Progress } from './model.ts';
import { storyteller } from './repeats.ts';

/** Follows a run on a screen, in a log file, or as JSON. */
export interface Reporter {
  readonly emit: (event: RunEvent) => void;
  /** Says something without disturbing what is drawn. */
  readonly say: (text: string) => void;
  readonly close: () => void;
}

const FRAME_MS = 100;
/** Between two lines about one asset in a log file. */
const LINE_MS = 10_000;

export function createReporter(context: Context): Reporter {
  const { globals, io, console } = context;
  if (globals.json)
    return { emit: (event) => console.print(jsonText(event)), say: console.note, close: () => undefined };
  if (globals.quiet) return { emit: () => undefined, say: () => undefined, close: () => undefined };
  return io.stderr.isTTY && io.env.TERM !== 'dumb' ? liveReporter(context) : lineReporter(context);
}

const of = (event: RunEvent, progress: Progress) =>
  'asset' in event ? progress.find(({ asset }) => asset === event.asset) : undefined;

function lineReporter({ io, console }: Context): Reporter {
  const tell = storyteller(console.errorStyle);
  const said = new Map<string, number>();
  let progress: Progress = [];
  return {
    emit: (event) => {
      const now = io.now();
      for (const line of tell(event, of(event, progress))) console.note(line);
      progress = advance(progress, event, now);
      if (event.type === 'observing' || event.type === 'asset-started') said.set(event.asset, now);
      if (event.type !== 'batch-finished' || now - (said.get(event.asset) ?? now) < LINE_MS) return;
      const one = progress.find(({ asset }) => asset === event.asset);
      if (!one || one.done + one.failed >= one.total) return;
      said.set(event.asset, now);
      console.note(`${one.asset}: ${number(one.done + one.failed)} of ${plural(one.total, 'partition')}`);
    },
    say: console.note,
    close: () => undefined,
  };
}

function liveReporter({ io, console }: Context): Reporter {
  const area = liveArea(io.stderr);
  const style = console.errorStyle;
  const tell = storyteller(style);
  let progress: Progress = [];
  let above: string[] = [];
  const draw = () => {
    const width = Math.max((io.stderr.columns ?? 80) - 1, 10);
    const height = Math.max((io.stderr.rows ?? 24) - 2, 1);
    area.draw(barLines(progress, io.now(), width, height, style), above);
    above = [];
  };
  const timer = setInterval(draw, FRAME_MS);
  timer.unref();
  const forget = io.stderr.onResize(draw);
  return {
    emit: (event) => {
      // What an asset did is said once, when it is done; until then there is its bar.
      if (event.type !== 'asset-started' && event.type !== 'planned') above.push(...tell(event, of(event, progress)));
      progress = advance(progress, event, io.now());
    },
    say: (text) => {
      above.push(text);
      draw();
    },
    close: () => {
      clearInterval(timer);
      forget();
      progress = [];
      draw();
    },
  };
}
