import type { RunEvent } from '../../materialize/events.ts';
import { jsonText } from '../console.ts';
import type { Context } from '../context.ts';
import { number, plural } from '../format.ts';
import { barLines } from './bars.ts';
import { eventLine } from './lines.ts';
import { liveArea } from './live.ts';
import { advance, type Progress } from './model.ts';

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
/** Failures are all in the summary; the screen need not scroll through thousands. */
const MOST_FAILURES = 20;

export function createReporter(context: Context): Reporter {
  const { globals, io, console } = context;
  if (globals.json)
    return { emit: (event) => console.print(jsonText(event)), say: console.note, close: () => undefined };
  if (globals.quiet) return { emit: () => undefined, say: () => undefined, close: () => undefined };
  return io.stderr.isTTY && io.env.TERM !== 'dumb' ? liveReporter(context) : lineReporter(context);
}

/** Drops all but the first failures. */
function withoutFloods(): (event: RunEvent) => boolean {
  let failures = 0;
  return ({ type }) => (type !== 'partition-failed' && type !== 'check-failed') || ++failures <= MOST_FAILURES;
}

function lineReporter({ io, console }: Context): Reporter {
  const wanted = withoutFloods();
  const said = new Map<string, number>();
  let progress: Progress = [];
  return {
    emit: (event) => {
      const now = io.now();
      progress = advance(progress, event, now);
      if (event.type === 'observing' || event.type === 'asset-started') said.set(event.asset, now);
      const line = wanted(event) ? eventLine(event, console.errorStyle) : undefined;
      if (line !== undefined) console.note(line);
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
  const wanted = withoutFloods();
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
      progress = advance(progress, event, io.now());
      // What an asset did is said once, when it is done; until then there is its bar.
      const isBar = event.type === 'asset-started' || event.type === 'planned';
      const line = !isBar && wanted(event) ? eventLine(event, style) : undefined;
      if (line !== undefined) above.push(line);
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
