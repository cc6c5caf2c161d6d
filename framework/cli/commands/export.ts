import { number, table } from '../../report/format.ts';
import type { Context } from '../context.ts';
import { addressesOf, leftOutText, tablesAtOnce } from '../exports.ts';

/** What there is to export. */
export async function run(context: Context): Promise<number | undefined> {
  const { console } = context;
  return context.withLake('read', async (lake) => {
    const { revision, tables, views, leftOut } = await tablesAtOnce(lake, addressesOf(lake));
    const rows = tables.map(({ key, name, kind }) => {
      const view = views.find(({ definition }) => definition.key === key);
      return { name, kind, files: view && 'files' in view ? view.files.length : undefined };
    });
    console.result({ revision, tables: rows, leftOut }, () =>
      [
        table(
          [{ title: 'table' }, { title: 'kind' }, { title: 'files', align: 'right' }],
          rows.map(({ name, kind, files }) => [name, kind, files === undefined ? '-' : number(files)]),
          console.style.strong,
        ),
        '',
        [`This is as of revision ${number(revision)}.`, ...leftOutText(leftOut)].join(' '),
        `As a database file: ${context.again('export', 'duckdb', 'lake.duckdb')}`,
        `As sources of dbt:  ${context.again('export', 'dbt', '--output', 'sources.yml')}`,
      ].join('\n'),
    );
    return undefined;
  });
}
