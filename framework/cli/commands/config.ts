import { formatIssue } from '../../common/errors.ts';
import { describeSettings } from '../../config/describe.ts';
import { table } from '../../report/format.ts';
import { jsonText } from '../console.ts';
import type { Context } from '../context.ts';

/** Heads what is wrong with those who are to be told of alerts. */
const UNTOLD = 'These cannot be told of alerts, and so the daemon does not start:';

export async function run(context: Context, options: { readonly verbose?: boolean }): Promise<number | undefined> {
  const { console } = context;
  const { loaded, missing } = await context.settings();
  if (missing) console.warn(`${missing.message}\n  Settings that the definitions declare are left out.`);
  const settings = describeSettings(loaded);
  console.result({ configFile: loaded.configFile, settings, problems: loaded.untold }, () => {
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
    if (loaded.untold.length > 0)
      lines.push('', style.bad(UNTOLD), ...loaded.untold.map((issue) => `  - ${formatIssue(issue)}`));
    return lines.join('\n');
  });
  return undefined;
}
