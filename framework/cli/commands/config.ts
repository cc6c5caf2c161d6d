import { formatIssue, serializeError } from '../../common/errors.ts';
import { describeSettings } from '../../config/describe.ts';
import type { Settings } from '../../config/schema.ts';
import { table } from '../../report/format.ts';
import { readsText, type TableReads, tableReads } from '../../report/reads.ts';
import { jsonText } from '../console.ts';
import type { Context } from '../context.ts';

/** Heads what is wrong with those who are to be told of alerts. */
const UNTOLD = 'These cannot be told of alerts, and so the daemon does not start:';

export async function run(context: Context, options: { readonly verbose?: boolean }): Promise<number | undefined> {
  const { console } = context;
  const { loaded, missing } = await context.settings();
  if (missing) console.warn(`${missing.message}\n  Settings that the definitions declare are left out.`);
  const settings = describeSettings(loaded);
  const reads = await readsOf(loaded.settings);
  console.result({ configFile: loaded.configFile, settings, problems: loaded.untold, ...(reads && { reads }) }, () => {
    const { style } = console;
    const shown = (value: unknown) => (value === undefined ? '-' : typeof value === 'string' ? value : jsonText(value));
    const lines = [
      style.faint(loaded.configFile === undefined ? 'No config file.' : `Config file: ${loaded.configFile}`),
      '',
    ];
    if (options.verbose) {
      for (const { name, value, origin, description, env } of settings) {
        lines.push(
          `${style.strong(name)} = ${shown(value)}  ${style.faint(`(${origin})`)}`,
          `  ${description ?? ''}`,
          style.faint(`  environment: ${env.join(', ')}`),
        );
      }
    } else {
      const rows = settings.map(({ name, value, origin }) => [name, shown(value), origin]);
      lines.push(table([{ title: 'SETTING' }, { title: 'VALUE' }, { title: 'FROM' }], rows, style.strong));
    }
    if (reads) lines.push('', 'problem' in reads ? style.bad(reads.problem) : readsText(reads));
    if (loaded.untold.length > 0)
      lines.push('', style.bad(UNTOLD), ...loaded.untold.map((issue) => `  - ${formatIssue(issue)}`));
    return lines.join('\n');
  });
  return undefined;
}

/** What `auto` comes to on this machine; a lake in a directory has no such question, and nothing is started for it. */
async function readsOf(settings: Settings): Promise<TableReads | { readonly problem: string } | undefined> {
  if (settings.s3.bucket === undefined) return undefined;
  const { startEngine } = await import('../../materialize/engine.ts');
  const engine = await startEngine(settings, 'read');
  try {
    return await tableReads(settings, async () => engine);
  } catch (error) {
    return { problem: serializeError(error).message };
  } finally {
    await engine.close();
  }
}
