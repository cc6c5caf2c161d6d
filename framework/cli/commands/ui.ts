import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { LakehouseError } from '../../common/errors.ts';
import { resolveSchedules } from '../../operate/resolve.ts';
import { resolveSensors } from '../../operate/sensors.ts';
import { openOperate } from '../../operate/sqlite.ts';
import { findAsset } from '../../sdk/select.ts';
import { makeDirectory } from '../../storage/directories.ts';
import type { Context } from '../context.ts';
import { wantsColor } from '../style.ts';
import { disabledIn } from '../tickers.ts';

export interface UiCommandOptions {
  readonly readOnly?: boolean;
  readonly screenReader?: boolean;
  readonly theme?: 'dark' | 'light' | 'high-contrast' | 'none';
}

export async function run(context: Context, options: UiCommandOptions, asset?: string): Promise<number | undefined> {
  const { io, globals } = context;
  const { screen, stdin, env } = io;
  if (globals.json || !screen?.isTTY || !('setRawMode' in stdin))
    throw new LakehouseError('no-terminal', 'lakehouse ui draws on a terminal, and there is none', {
      hint: `For text or JSON: ${context.again('status')}, ${context.again('runs')}.`,
    });
  // As Ink's own programs are told.
  const linear = options.screenReader === true || env.INK_SCREEN_READER === 'true';
  if (env.TERM === 'dumb' && !linear)
    throw new LakehouseError('dumb-terminal', 'This terminal (TERM=dumb) cannot be drawn on', {
      hint: `Use another one, --screen-reader, which needs no drawing, or: ${context.again('status')}.`,
    });
  const { definition, loaded } = await context.configuration();
  await (await import('../../tui/prepare.ts')).prepareUi(env as Record<string, string | undefined>);
  const [{ runUi }, { createTheme }] = await Promise.all([
    import('../../tui/app/run.ts'),
    import('../../tui/view/theme.ts'),
  ]);
  if (asset !== undefined) {
    const lake = await context.openLake('read');
    findAsset(lake.graph, asset);
    await lake.close();
  }
  const { directory } = loaded.settings.state;
  const operatePath = join(directory, 'operate.sqlite');
  const { host, isAlive } = io;
  const simulated = definition.simulated(loaded.settings);
  const { signal } = context.interrupts({ say: () => undefined });
  const { abandoned } = await runUi({
    stdin: stdin as NodeJS.ReadStream,
    stdout: screen,
    open: context.openLake,
    readOnly: options.readOnly === true,
    operate: {
      read: () => (existsSync(operatePath) ? openOperate(operatePath, { host, isAlive, readOnly: true }) : undefined),
      write: async () => {
        await makeDirectory(directory);
        return openOperate(operatePath, { host, isAlive });
      },
      schedules: ({ graph }) => resolveSchedules(definition, loaded.settings, graph, io.now(), loaded.effective),
      sensors: ({ graph }) => resolveSensors(definition, graph),
      redact: context.redact,
      whereDisabled: (ticker) => disabledIn(loaded.effective, io.cwd, ticker),
    },
    asset,
    theme: createTheme(
      options.theme ?? (wantsColor(io.stdout, env, globals.color) ? 'dark' : 'none'),
      drawsUnicode(env),
    ),
    title: simulated ? 'lakehouse (simulated data)' : 'lakehouse',
    program: context.again(),
    now: io.now,
    linear,
    suspend: io.suspend ?? (async () => undefined),
    signal,
  });
  const code = context.interrupted();
  if (abandoned) io.exit(code ?? 0);
  return code;
}

/** Whether the locale says that the terminal understands UTF-8; where it says nothing it is taken to. */
function drawsUnicode(env: Readonly<Record<string, string | undefined>>): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG;
  return locale === undefined || locale === '' || /utf-?8/i.test(locale);
}
