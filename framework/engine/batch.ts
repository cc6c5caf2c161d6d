import { rm } from 'node:fs/promises';
import { LakehouseError } from '../common/errors.ts';
import type { AssetDefinition, ColumnDefinition } from '../define/model.ts';
import { batchChecks, bindCheckInputs, checkExpressions, examineChecks, runChecks } from './checks.ts';
import { type CompiledQuery, compileQuery } from './compile.ts';
import { explainFailure } from './diagnose.ts';
import type { Session } from './duckdb.ts';
import { versioning } from './hash.ts';
import { bindInput, type InputTable } from './inputs.ts';
import { fileSize, writePack } from './packs.ts';
import { identityOf, partitionColumns, partitionValues, relationColumns } from './partitions.ts';
import type { BatchRequest, BatchResult } from './port.ts';
import { TARGET } from './render.ts';
import { stagedRows } from './rows.ts';
import {
  conformed,
  fusedQuery,
  type QueryContext,
  rowwiseGroups,
  rowwiseQuery,
  singleQuery,
  TARGETS,
} from './source.ts';
import { canonicalColumns, identifiers } from './types.ts';
import { constantValues, type ReadBack, readBack, refuseBadRows, refuseStrangers } from './verify.ts';

const STAGE = '__stage';

/** Compiled queries by asset, so that a run looks at each once. */
export type QueryCache = WeakMap<AssetDefinition, Map<string, CompiledQuery>>;

/** Computes a batch into its packs, verified; removes what it wrote when anything fails. */
export async function computeBatch(
  session: Session,
  request: BatchRequest,
  scratch: string,
  cache: QueryCache,
): Promise<BatchResult> {
  checkRequest(request);
  try {
    return await compute(session, request, scratch, cache);
  } catch (error) {
    await Promise.all(request.packs.map(({ path }) => rm(path, { force: true })));
    throw error;
  }
}

async function compute(
  session: Session,
  request: BatchRequest,
  scratch: string,
  cache: QueryCache,
): Promise<BatchResult> {
  const { definition, targets, packs } = request;
  const columns = await canonicalColumns(session, definition);
  await session.table(TARGETS, [
    { name: '__target', type: 'INTEGER', values: targets.map((_, i) => i) },
    ...partitionValues(session.driver, definition.space, targets),
  ]);
  const rowCounts: number[] = [];
  const write = async (sql: string | undefined) => {
    for (const [i, pack] of packs.entries()) {
      rowCounts.push(await writePack(session, definition, columns, pack, targets, { sql, targets: TARGETS }, i));
    }
  };
  let inputs: ReadonlyMap<string, InputTable> = new Map();
  if (targets.length === 0) await write(undefined);
  else if (request.rows !== undefined) {
    await createStage(session, columns);
    const place = new Map(request.rows.targets.map((target, ordinal) => [target, ordinal]));
    await stagedRows(request.rows.buffer).stage(session, STAGE, (target) => place.get(target));
    await write(`SELECT * FROM "${STAGE}"`);
    inputs = await bindCheckInputs(session, batchChecks(definition), request.inputs, 0, scratch, request.signal);
  } else {
    const context = await prepare(session, request, columns, scratch, cache);
    inputs = context.inputs;
    try {
      await write(await source(context));
    } catch (error) {
      throw await explainFailure(context, error);
    }
  }
  return verify(session, request, columns, inputs, rowCounts);
}

async function prepare(
  session: Session,
  request: BatchRequest,
  columns: readonly ColumnDefinition[],
  scratch: string,
  cache: QueryCache,
): Promise<QueryContext> {
  const { definition } = request;
  if (definition.compute?.type !== 'sql') {
    throw new LakehouseError('no-query', `${definition.key}: neither a query nor rows to write`, { kind: 'internal' });
  }
  const { template } = definition.compute;
  const compiled = await compileDefinition(session, request, cache);
  const inputs = new Map<string, InputTable>();
  for (const [i, input] of request.inputs.entries()) {
    inputs.set(input.name, await bindInput(session, input, i, scratch, request.signal));
  }
  return { session, request, template, compiled, columns, inputs };
}

export async function compileDefinition(
  session: Session,
  { definition, inputs }: Pick<BatchRequest, 'definition' | 'inputs'>,
  cache: QueryCache,
): Promise<CompiledQuery> {
  if (definition.compute?.type !== 'sql') {
    throw new LakehouseError('no-query', `${definition.key} has no query`, { kind: 'internal' });
  }
  const relations = new Map(inputs.map(({ name, definition: read }) => [name, relationColumns(read)]));
  const known = cache.get(definition) ?? new Map<string, CompiledQuery>();
  cache.set(definition, known);
  const key = JSON.stringify([...relations]);
  // Results are kept, not promises: those would hand one batch's cancellation to another.
  const cached = known.get(key);
  if (cached !== undefined) return cached;
  const { key: where, space, rowwise } = definition;
  const { template } = definition.compute;
  const compiled = await compileQuery(session, { where, template, space, relations, rowwise });
  known.set(key, compiled);
  return compiled;
}

/** A query for all rows of the batch. More than one statement, or more than one pack, goes through a temporary table. */
async function source(context: QueryContext): Promise<string> {
  const { session, request, compiled, columns } = context;
  const finish = (query: string) => conformed(context, compiled.columns, query);
  const stage = async (query: string) => {
    await session.run(`INSERT INTO "${STAGE}" ${finish(query)}`);
  };
  const all = `SELECT * FROM "${STAGE}"`;
  if (request.sequential !== undefined || compiled.form === 'single') {
    await createStage(session, columns);
    const ordinals = request.targets
      .map((_, i) => i)
      .sort((a, b) => (request.targets[a]?.time ?? 0) - (request.targets[b]?.time ?? 0));
    const own = request.sequential ? await ownRows(context) : () => undefined;
    for (const ordinal of ordinals) {
      const target = request.targets[ordinal];
      if (target !== undefined) await stage(singleQuery(context, ordinal, target, (input) => own(input, ordinal)));
    }
    return all;
  }
  const queries: string[] = [];
  if (compiled.form === 'fused') queries.push(fusedQuery(context));
  else for (const [i, group] of rowwiseGroups(context).entries()) queries.push(await rowwiseQuery(context, group, i));
  const [only] = queries;
  if (only !== undefined && queries.length === 1 && request.packs.length === 1) return finish(only);
  await createStage(session, columns);
  for (const query of queries) await stage(query);
  return all;
}

function createStage(session: Session, columns: readonly ColumnDefinition[]): Promise<void> {
  return session.table(STAGE, [
    { name: '__target', type: 'INTEGER', values: [] },
    ...columns.map((column) => ({ ...column, values: [] })),
  ]);
}

/** Rows of the batch's own earlier targets, as more of the self input. */
async function ownRows({
  session,
  request,
  columns,
}: QueryContext): Promise<(input: string, target: number) => string | undefined> {
  const { sequential, definition } = request;
  const own = sequential?.own ?? new Int32Array();
  const even = Array.from({ length: own.length / 2 }, (_, i) => 2 * i);
  await session.table('__own', [
    { name: 'reader', type: 'INTEGER', values: even.map((i) => own[i] ?? 0) },
    { name: 'read', type: 'INTEGER', values: even.map((i) => own[i + 1] ?? 0) },
  ]);
  const list = [
    ...partitionColumns(definition.space).map(({ name }) => `t."${name}"`),
    identifiers(columns, 's.'),
  ].join(', ');
  return (input, target) =>
    input === sequential?.selfInput
      ? `SELECT ${list}, CAST(${target} AS INTEGER) AS ${TARGET} FROM "${STAGE}" s JOIN "${TARGETS}" t ON s.${TARGET} = t.${TARGET} WHERE s.${TARGET} IN (SELECT read FROM "__own" WHERE reader = ${target})`
      : undefined;
}

/** Reads back what was written: versions, and everything that must hold of it. */
async function verify(
  session: Session,
  request: BatchRequest,
  columns: readonly ColumnDefinition[],
  inputs: ReadonlyMap<string, InputTable>,
  rowCounts: readonly number[],
): Promise<BatchResult> {
  const { targets, packs, signal } = request;
  const definition = batchChecks(request.definition);
  const kept = packs.flatMap(({ carry }) => carry.flatMap(({ keep }) => keep));
  await examineChecks(session, definition);
  const constant = constantValues(
    definition,
    [...targets, ...kept].map(({ values }) => values),
  );
  const check: ReadBack = {
    definition,
    columns,
    versioning: await versioning(session, columns),
    paths: packs.map(({ path }) => path),
    constant,
    checks: checkExpressions(definition, constant),
  };
  const found = await readBack(session, check);
  const identity = (p: { readonly values: Readonly<Record<string, string>>; readonly time: number }) =>
    identityOf(definition.space, p.values, p.time);
  refuseStrangers(definition, found, new Set([...targets, ...kept].map(identity)));
  const written = rowCounts.reduce((sum, rows) => sum + rows, 0);
  const read = [...found.values()].reduce((sum, { rows }) => sum + rows, 0);
  if (written !== read) {
    throw new LakehouseError(
      'write-verify',
      `${definition.key}: ${written} rows were written, but ${read} are in the files`,
      { kind: 'transient' },
    );
  }
  const none = check.versioning.version(0, 0n);
  for (const partition of kept) {
    const version = found.get(identity(partition))?.version ?? none;
    // What another DuckDB hashed is still carried: its rows were counted.
    const alike = partition.version && (check.versioning.comparable(partition.version) ? 16 : 4);
    if (partition.version && Buffer.compare(partition.version.slice(0, alike), version.slice(0, alike)) !== 0) {
      throw new LakehouseError(
        'file-corrupt',
        `${definition.key}: ${identity(partition)} is not in its pack as it was stored`,
        {
          kind: 'data',
          hint: 'Run `lakehouse verify`.',
        },
      );
    }
  }
  await refuseBadRows(session, check, targets, (target) => found.get(identity(target)));
  const facts = targets.map((target) => found.get(identity(target)));
  const pathOf = new Map(packs.flatMap((pack) => pack.targets.map((ordinal) => [ordinal, pack.path] as const)));
  const checked = { definition, targets, paths: targets.map((_, i) => pathOf.get(i) ?? ''), inputs, signal };
  return {
    outcomes: facts.map((fact) => ({ rows: fact?.rows ?? 0, version: fact?.version ?? none })),
    packs: await Promise.all(
      packs.map(async ({ path }, i) => ({ path, rows: rowCounts[i] ?? 0, bytes: await fileSize(path) })),
    ),
    checks: targets.length > 0 ? await runChecks(session, checked, facts, request.inputs.length) : [],
  };
}

function checkRequest({ definition, targets, packs, rows }: BatchRequest): void {
  const placed = packs.flatMap((pack) => pack.targets).sort((a, b) => a - b);
  const wrong = placed.length !== targets.length || placed.some((ordinal, i) => ordinal !== i);
  if (wrong || (rows !== undefined && rows.targets.length !== targets.length)) {
    throw new LakehouseError(
      'bad-batch',
      `${definition.key}: every target must be in exactly one pack, and have its rows`,
      { kind: 'internal' },
    );
  }
}
