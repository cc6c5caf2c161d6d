import { LakehouseError } from '../common/errors.ts';
import type { AssetDefinition } from './model.ts';
import { misplacedPlaceholder } from './placeholders.ts';
import { relation } from './relations.ts';
import type { SqlTemplate } from './sql.ts';
import type { Asset, Relation, TypesOf } from './types.ts';

/** A query over whole assets that has a name: it has no files and no partitions, and is evaluated when it is asked. */
export interface ViewDefinition {
  /** `zone/name`; `zone.name` in a query. */
  readonly key: string;
  readonly description: string | undefined;
  /** What it reads, by the name in the query. */
  readonly inputs: Readonly<Record<string, AssetDefinition>>;
  readonly template: SqlTemplate;
}

type Names<TAsset> = keyof TypesOf<TAsset>['dims'] | keyof TypesOf<TAsset>['shape'];

/**
 * Declares a view: `` view('silver/all', { inputs: { a, b }, query: ({ a, b }) => sql`FROM ${a} UNION ALL BY NAME FROM ${b}` }) ``. In
 * the query an input stands for all rows of an asset, dimensions included. Not for computing: assets cannot read it.
 * @throws LakehouseError `bad-view` (usage), and what the query throws for a column that there is not.
 */
export function view<const TInputs extends Readonly<Record<string, Asset>>>(
  key: string,
  options: {
    readonly description?: string;
    readonly inputs: TInputs;
    readonly query: (
      inputs: {
        readonly [K in keyof TInputs]: Relation<Names<TInputs[K]> & string>;
      },
    ) => SqlTemplate;
  },
): ViewDefinition {
  const { description, inputs, query } = options;
  const relations = Object.entries(inputs).map(([name, { columns, space, storage }]) => {
    if (storage.type !== 'table') throw badView(key, `its input '${name}' is no table`);
    return [
      name,
      relation(
        name,
        [...space.dimensions, ...columns].map((column) => column.name),
      ),
    ] as const;
  });
  const template = query(Object.fromEntries(relations) as unknown as Parameters<typeof query>[0]);
  const problem = misplacedPlaceholder(template);
  if (problem !== undefined) throw badView(key, problem);
  if (template.parts.some(({ type }) => type === 'partition')) throw badView(key, 'a view has no partitions');
  return { key, description, inputs, template };
}

/**
 * Looks whether views fit the assets of a lakehouse: their names are their own, and all they read is listed.
 * @throws LakehouseError `bad-view` (usage).
 */
export function checkViews(views: readonly ViewDefinition[], assets: readonly AssetDefinition[]): void {
  const taken = new Set(assets.map(({ key }) => key));
  for (const { key, inputs } of views) {
    if (!/^[a-z][a-z0-9_]*\/[a-z][a-z0-9_]*$/.test(key)) throw badView(key, 'it is not named zone/name');
    if (taken.has(key)) throw badView(key, 'something else has this name');
    taken.add(key);
    const missing = Object.values(inputs).find((asset) => !assets.includes(asset));
    if (missing) throw badView(key, `${missing.key} is not listed in defineLakehouse({ assets })`);
  }
}

const badView = (key: string, problem: string): LakehouseError =>
  new LakehouseError('bad-view', `The view ${key} cannot be made: ${problem}`);
