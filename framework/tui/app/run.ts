import { Buffer } from 'node:buffer';
import type { OpenedLake } from '../../materialize/open.ts';
import type { Theme } from '../view/theme.ts';
import { createController } from './controller.ts';
import { drawnSurface } from './drawn.ts';
import { linearSurface } from './linear.ts';
import type { OperateAccess } from './operate.ts';
import { openSession } from './session.ts';
import { quoted, workCommand } from './shell.ts';
import type { Surface } from './surface.ts';

export interface UiOptions {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly open: (mode: 'read' | 'write') => Promise<OpenedLake>;
  readonly readOnly: boolean;
  /** Without it there are no schedules. */
  readonly operate?: OperateAccess | undefined;
  /** The asset to begin with. */
  readonly asset: string | undefined;
  readonly theme: Theme;
  readonly title: string;
  /** How a shell calls this program with the settings it was given, such as `npx lakehouse --profile simulated`. */
  readonly program: string;
  readonly now: () => number;
  /** Stops this process until the shell lets it go on. */
  readonly suspend: () => Promise<void>;
  /** Tells in lines, for screen readers, instead of drawing. */
  readonly linear?: boolean;
  /** Aborted: leave now. */
  readonly signal: AbortSignal;
}

/** How it ended. */
export interface UiEnd {
  /** A run did not end when it was told to: it would keep this process alive. Nothing of it is ever visible. */
  readonly abandoned: boolean;
}

/** How long what still goes on is waited for, when the terminal has been given back. */
const PATIENCE_MS = 2_000;

/** Shows the lake on the terminal until the person leaves. The terminal is as it was afterwards, whatever happens. */
export async function runUi(options: UiOptions): Promise<UiEnd> {
  const { stdout, program, now, linear = false } = options;
  const session = await openSession({
    open: options.open,
    readOnly: options.readOnly,
    asset: options.asset,
    operate: options.operate,
    now,
    every: (ms, task) => {
      const timer = setInterval(task, ms);
      return () => clearInterval(timer);
    },
    commandLine: (request) => workCommand(request, program),
    wipeLine: (asset, partitions) =>
      [program, 'wipe', quoted(asset), ...(partitions === undefined ? [] : ['-p', quoted(partitions)])].join(' '),
  });
  let surface: Surface | undefined;
  let leaving = false;
  const quit = () => {
    // A run is asked to stop, and waited for; whoever insists leaves it behind at once: nothing unfinished is ever visible.
    if (!leaving && session.cancel()) {
      leaving = true;
      const text = 'Stopping: leaves when what is running has finished. q again leaves at once.';
      session.store.dispatch((state) => ({ ...state, message: { kind: 'info', text } }));
      void session.idle().finally(() => surface?.leave());
    } else surface?.leave();
  };
  const controller = createController({
    session,
    size: () => surface?.size() ?? { columns: 80, rows: 24 },
    now,
    program,
    copy: linear ? undefined : (text) => stdout.write(`\u001b]52;c;${Buffer.from(text).toString('base64')}\u0007`),
    quit,
    suspend: () => surface?.suspend(),
  });
  let ended = false;
  try {
    surface = (linear ? linearSurface : drawnSurface)({ ...options, session, controller });
    await surface.ended();
  } finally {
    // Whoever leaves without waiting for a run stops it now; it would go on without a screen otherwise.
    if (session.cancel()) session.cancel();
    ended = await within(
      PATIENCE_MS,
      session.idle().then(() => session.close()),
    );
  }
  return { abandoned: !ended };
}

/** Whether something comes to its end in time. Without a reference to the timer the process would end before. */
async function within(ms: number, work: Promise<void>): Promise<boolean> {
  const given = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => given.resolve(false), ms);
  try {
    return await Promise.race([work.then(() => true), given.promise]);
  } finally {
    clearTimeout(timer);
  }
}
