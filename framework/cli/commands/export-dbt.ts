import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { stringify } from 'yaml';
import { dbtSources } from '../../report/dbt.ts';
import { number, plural } from '../../report/format.ts';
import { locationsOf } from '../../report/locations.ts';
import { type Context, shownPath } from '../context.ts';
import { addressesOf, leftOutText, tablesAtOnce } from '../exports.ts';
import { noLake } from '../no-lake.ts';
import { cannotWrite, wholeFile } from '../whole-file.ts';

export interface ExportDbtOptions {
  readonly output?: string;
  readonly glob?: boolean;
}

export async function run(context: Context, { output, glob = false }: ExportDbtOptions): Promise<number | undefined> {
  const { io, console } = context;
  return context.withLake('read', async (lake) => {
    const missing = await noLake(context, lake);
    if (missing !== undefined) console.warn(`${missing}: all its tables are empty.`);
    const { revision, views, tables, leftOut } = await tablesAtOnce(lake, addressesOf(lake));
    const globOf = (key: string) => `${lake.store.root}/${key}/**/*.parquet`;
    const sources = dbtSources(lake.graph, tables, locationsOf(views, glob ? globOf : undefined));
    const head = [
      `# Written by lakehouse export dbt, as of revision ${revision}. Do not edit: export again.`,
      ...leftOutText(leftOut).map((text) => `# ${text}`),
    ];
    const yaml = `${head.join('\n')}\n${stringify(sources, { lineWidth: 0 })}`;
    if (output === undefined) {
      console.result(sources, () => yaml.trimEnd());
      return undefined;
    }
    const path = resolve(io.cwd, output);
    await mkdir(dirname(path), { recursive: true }).catch((error: unknown) => {
      throw cannotWrite(path, error);
    });
    await wholeFile(path, io.random, (partial) => writeFile(partial, yaml));
    console.result({ file: path, revision, tables: tables.map(({ name }) => name), leftOut }, () =>
      [
        `${shownPath(io.cwd, path)}: ${plural(tables.length, 'table')} of ${plural(sources.sources.length, 'source')}, as of revision ${number(revision)}`,
        ...(glob ? [] : ['When a run replaces files, their external_location fails: export again.']),
      ].join('\n'),
    );
    return undefined;
  });
}
