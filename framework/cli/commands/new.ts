import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LakehouseError } from '../../common/errors.ts';
import { definitionsPath } from '../../config/resolve.ts';
import type { AssetDefinition } from '../../define/model.ts';
import { type Context, shownPath } from '../context.ts';
import { planAsset } from '../scaffold/asset-plan.ts';
import { type Runner, testModule } from '../scaffold/asset-test-text.ts';
import { assetModule, specifierFor, variableOf } from '../scaffold/asset-text.ts';
import { withAsset } from '../scaffold/edit-index.ts';
import { exportsBelow } from '../scaffold/modules.ts';
import { isTaken } from '../scaffold/write.ts';
import { cannotWrite } from '../whole-file.ts';

interface Options {
  readonly from?: string;
  readonly partitions?: string;
  readonly sql?: boolean;
  readonly function?: boolean;
}

export async function run(
  context: Context,
  options: Options,
  _kind: 'asset',
  key: string,
): Promise<number | undefined> {
  const { console, io } = context;
  if (options.sql && options.function)
    throw new LakehouseError('two-forms', 'An asset is computed by a query or by a function, not by both');
  const entry = definitionsPath(await context.sources());
  const { definition } = await context.configuration();
  const exported = await exportsBelow(entry, io.importModule);
  const plan = planAsset(
    {
      key,
      form: options.function ? 'function' : 'sql',
      from: options.from,
      partitions: options.partitions?.split(',').flatMap((name) => name.trim() || []),
    },
    withUpstream(definition.assets),
    exported,
  );
  const home = dirname(entry);
  const file = join(home, `${key}.ts`);
  const project = projectOf(home);
  const test = join(project.directory, 'test', `${key}.test.ts`);
  const shown = (path: string) => shownPath(io.cwd, path);
  for (const path of [file, test]) {
    if (isTaken(path)) throw new LakehouseError('file-exists', `There is a file ${shown(path)} already`);
  }
  const variable = variableOf(key);
  const imported = [plan.input?.exported, ...plan.dimensions.map((one) => one.exported)].map((one) => one?.name);
  if ([...imported, 'runAsset', 'writeZip'].includes(variable))
    throw new LakehouseError('name-taken', `${key} would be exported as ${variable}, which it imports already`, {
      hint: 'Name it otherwise.',
    });
  const specifier = specifierFor({ from: { file } }, entry);
  const before = await readFile(entry, 'utf8');
  const after = await withAsset(entry, before, variable, specifier);
  try {
    await write(file, assetModule(plan, file));
    await write(test, testModule(plan, test, file, project.runner));
    if (after !== undefined) await write(entry, after);
  } catch (error) {
    // Neither was there before.
    for (const path of [file, test]) await rm(path, { force: true }).catch(() => {});
    throw cannotWrite(key, error);
  }
  const lines = [`import { ${variable} } from '${specifier}';`, `assets: […, ${variable}]`];
  const files = [file, test, ...(after === undefined ? [] : [entry])].map(shown);
  console.result({ key, variable, files, registered: after !== undefined, lines }, () =>
    [
      `Made ${shown(file)} and ${shown(test)}.`,
      ...(after === undefined
        ? [`Add it to ${shown(entry)}:`, ...lines.map((line) => `  ${line}`)]
        : [`Added ${variable} to ${shown(entry)}.`]),
      '',
      'Next:',
      `  say in ${shown(file)} what it is`,
      `  ${context.again('plan', key)}`,
      '  npm test',
    ].join('\n'),
  );
  return undefined;
}

/** In one step for who reads it meanwhile. */
async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const stage = `${path}.new`;
  try {
    await writeFile(stage, text, { flag: 'wx' });
    await rename(stage, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') await rm(stage, { force: true }).catch(() => {});
    throw error;
  }
}

/** These, and all that they read. */
function withUpstream(assets: readonly AssetDefinition[]): AssetDefinition[] {
  const all = new Set<AssetDefinition>(assets);
  for (const { inputs } of all) {
    for (const { alternatives } of inputs) {
      for (const { asset } of alternatives) if (asset) all.add(asset);
    }
  }
  return [...all];
}

/** Where its tests go and how they are run: by vitest where that is a dependency of the project, else by Node. */
function projectOf(home: string): { readonly directory: string; readonly runner: Runner } {
  const manifest = manifestAbove(home);
  if (manifest === undefined) return { directory: dirname(home), runner: 'node' };
  const { dependencies, devDependencies } = JSON.parse(readFileSync(manifest, 'utf8')) as Readonly<
    Record<'dependencies' | 'devDependencies', Readonly<Record<string, string>> | undefined>
  >;
  const runner = { ...dependencies, ...devDependencies }.vitest === undefined ? 'node' : 'vitest';
  return { directory: dirname(manifest), runner };
}

function manifestAbove(directory: string): string | undefined {
  const manifest = join(directory, 'package.json');
  if (existsSync(manifest)) return manifest;
  const above = dirname(directory);
  return above === directory ? undefined : manifestAbove(above);
}
