import { isLakehouseError } from '../common/errors.ts';
import type { AssetDefinition } from '../define/model.ts';
import { quoteIdentifier } from '../define/sql.ts';
import type { ViewDefinition } from '../define/view.ts';
import { type Condition, needed } from './condition.ts';
import type { Session } from './duckdb.ts';
import { partitionColumns, RAW_COLUMNS, relationColumns, viewName } from './partitions.ts';
import type { EngineSettings, QueryNeeds, QueryOptions } from './port.ts';
import { conditionsOf, STUBS } from './prune.ts';
import { zoneOf } from './query-errors.ts';
import { openSandbox, type Sandbox } from './sandbox.ts';
import type { Scratch } from './scratch.ts';
import { explained } from './select.ts';
import { mayName, optimizedPlanOf } from './syntax.ts';
import { createTemplateView } from './views.ts';

/**
 * The optimisers that bring conditions to the scans. The others are not asked: some would conclude from the stubs what is not so of the
 * files (that they are empty, what values they have), some rewrite conditions beyond recognition, or stumble without statistics.
 */
const OPTIMIZERS = [
  'expression_rewriter',
  'filter_pullup',
  'filter_pushdown',
  'empty_result_pullup',
  'cte_filter_pusher',
  'cte_inlining',
  'regex_range',
  'deliminator',
];

type Relation = AssetDefinition | ViewDefinition;

/**
 * What a query needs, read out of its plan over empty tables in the place of assets. Where DuckDB makes no plan of it (it is wrong, or
 * several statements in one, as PIVOT), everything that it may name.
 */
export async function queryNeeds(
  settings: EngineSettings,
  scratch: Scratch,
  sql: string,
  relations: readonly Relation[],
  signal: AbortSignal,
  { allow = [] }: QueryOptions = {},
): Promise<QueryNeeds> {
  const fallback = ({ key }: { readonly key: string }) => mayName(sql, key.slice(key.lastIndexOf('/') + 1));
  const views = relations.filter((one): one is ViewDefinition => 'template' in one && fallback(one));
  const read = new Set(views.flatMap(({ inputs }) => Object.values(inputs)));
  const assets = relations.filter(
    (one): one is AssetDefinition => !('template' in one) && (fallback(one) || read.has(one)),
  );
  const stubs = new Map(assets.map((asset) => [asset.key, asset]));
  let sandbox: Sandbox;
  try {
    sandbox = await openSandbox(
      { ...settings, threads: 1 },
      scratch,
      {
        sql,
        relations,
        fill: (session) => createStubs(session, assets, views),
        files: [],
        allow,
      },
      signal,
    );
  } catch (error) {
    // A view that does not bind: the query over the files says so, if it reads it.
    if (!isLakehouseError(error) || error.kind !== 'data') throw error;
    return { of: fallback, named: fallback, unchanged: async () => true, [Symbol.asyncDispose]: async () => undefined };
  }
  const { session } = sandbox;
  const plan = async (): Promise<ReadonlyMap<string, Condition> | undefined> => {
    // What this function runs is in no plan.
    if (/json_execute_serialized_sql/i.test(sql)) return undefined;
    const found = await optimizedPlanOf(session, explained(sql) ?? sql);
    return found === undefined ? undefined : conditionsOf(found, stubs);
  };
  const text = (found: ReadonlyMap<string, Condition> | undefined) => JSON.stringify([...(found ?? [])]);
  try {
    const found = await plan();
    return {
      of: found ? ({ key }) => needed(found.get(key)) : fallback,
      named: fallback,
      unchanged: async () => text(await plan()) === text(found),
      [Symbol.asyncDispose]: () => sandbox.close(),
    };
  } catch (error) {
    await sandbox.close();
    throw error;
  }
}

/** Empty tables in the place of assets, and the views over them; from then on the session only plans. */
export async function createStubs(
  session: Session,
  assets: readonly AssetDefinition[],
  views: readonly ViewDefinition[],
): Promise<void> {
  const all = await session.rows('SELECT name FROM duckdb_optimizers()');
  const others = all.map(({ name }) => String(name)).filter((name) => !OPTIMIZERS.includes(name));
  await session.run(`SET disabled_optimizers = '${others.join(',')}'`);
  for (const asset of assets) await createStub(session, asset);
  for (const view of views) await createTemplateView(session, view);
}

async function createStub(session: Session, asset: AssetDefinition): Promise<void> {
  const columns =
    asset.storage.type === 'raw' ? [...partitionColumns(asset.space), ...RAW_COLUMNS] : relationColumns(asset);
  const stub = `${STUBS}.${quoteIdentifier(asset.key)}`;
  await session.run(`CREATE SCHEMA IF NOT EXISTS ${STUBS}`);
  await session.run(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(zoneOf(asset))}`);
  const list = columns.map(({ name, type }) => `${quoteIdentifier(name)} ${type}`).join(', ');
  await session.run(`CREATE TABLE ${stub} (${list})`);
  await session.run(`CREATE VIEW ${viewName(asset)} AS FROM ${stub}`);
}
