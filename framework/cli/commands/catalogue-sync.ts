import { LakehouseError } from '../../common/errors.ts';
import { publish } from '../../materialize/catalogue.ts';
import { number, plural, some } from '../../report/format.ts';
import type { Context } from '../context.ts';
import { DONE, FAILED } from '../failure.ts';

/** Writes the catalogue, and what is in Glue, anew. */
export async function run(context: Context, options: { readonly dryRun?: boolean }): Promise<number | undefined> {
  const { console } = context;
  const dryRun = options.dryRun === true;
  return context.withLake(dryRun ? 'read' : 'write', async (lake) => {
    if (!lake.publishing.settings.enabled)
      throw new LakehouseError('no-catalogue', 'No catalogue is kept: catalogue.enabled is false', {
        hint: 'Set catalogue.enabled=true.',
      });
    const { written, changes, warnings } = await publish(lake, { rebuild: true, dryRun });
    for (const warning of warnings) console.warn(warning);
    console.result({ dryRun, written, glue: changes, warnings }, () => {
      const tables = changes.map(({ table, change, partitions: { created, updated, removed } }) => {
        const counts = Object.entries({ created, updated, removed }).filter(([, count]) => count > 0);
        const partitions = counts.map(([what, count]) => `${number(count)} ${what}`).join(', ');
        return `  ${table} ${dryRun ? 'to be ' : ''}${change}${partitions === '' ? '' : `; partitions: ${partitions}`}`;
      });
      return [
        `${dryRun ? 'To write' : 'Wrote'} the catalogue of ${plural(written.length, 'asset')}${written.length === 0 ? '' : `: ${some(written, 10)}`}.`,
        ...(lake.publishing.glue === undefined ? [] : [tables.length === 0 ? 'Glue: nothing.' : 'Glue:', ...tables]),
      ].join('\n');
    });
    return warnings.length > 0 ? FAILED : DONE;
  });
}
