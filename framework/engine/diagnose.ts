import { isLakehouseError, LakehouseError } from '../common/errors.ts';
import { quoteIdentifier } from '../define/sql.ts';
import { guardOf } from './errors.ts';
import { jsonRow } from './json.ts';
import { partitionColumns } from './partitions.ts';
import { CARRIED_COLUMNS } from './render.ts';
import {
  pairsOf,
  type QueryContext,
  type RowwiseGroup,
  rowwiseGroups,
  rowwiseInput,
  singleQuery,
  tracedQuery,
  withinPart,
} from './source.ts';
import { identifiers } from './types.ts';

// A batch runs fast and says little when it fails; what follows looks again, at the failing part alone, to say where it is.

/** The error with the file, the partition and the rows that are to blame, as far as they can be found. */
export async function explainFailure(context: QueryContext, error: unknown): Promise<unknown> {
  if (!isLakehouseError(error) || error.kind !== 'data') return error;
  const guard = guardOf(error);
  if (guard?.guard === 'span') return outsidePart(context, guard.ordinal);
  if (guard?.guard === 'dimension') return otherDimension(context, guard.ordinal);
  return csvFailure(context, error) ?? (await valueFailure(context, error)) ?? error;
}

async function outsidePart(context: QueryContext, ordinal: number): Promise<LakehouseError> {
  const { session, request } = context;
  const { definition } = request;
  const input = rowwiseInput(context).input;
  const part = input.parts[ordinal];
  const outside = `FROM (\n${await tracedQuery(context, groupOf(context, ordinal), new Set([ordinal]))}\n) WHERE NOT ${withinPart(definition)}`;
  const [total] = await session.rows(`SELECT count(*) AS n ${outside}`);
  const sample = (await session.rows(`SELECT * EXCLUDE (${identifiers(CARRIED_COLUMNS)}) ${outside} LIMIT 3`)).map(
    jsonRow,
  );
  const where = `${input.definition.key} ${part?.key} (${part?.path})`;
  return new LakehouseError(
    'rows-outside-partition',
    `${definition.key}: ${String(total?.n)} rows of ${where} have a '${definition.timeColumn}' outside that partition: ${sample.map((row) => JSON.stringify(row)).join(', ')}`,
    {
      kind: 'data',
      details: { asset: definition.key, targets: targetsOf(context, ordinal), file: part?.path, sample },
    },
  );
}

async function otherDimension(context: QueryContext, ordinal: number): Promise<LakehouseError> {
  const { session, request, compiled } = context;
  const { definition, targets } = request;
  const target = targets[ordinal];
  const said = partitionColumns(definition.space).filter(({ name }) =>
    compiled.columns.some((column) => column.name === name),
  );
  const list = said.map(({ name }) => quoteIdentifier(name)).join(', ');
  const found =
    target === undefined || compiled.form === 'rowwise'
      ? []
      : await session.rows(
          `SELECT DISTINCT ${list} FROM (\n${singleQuery(context, ordinal, target)}\n) ORDER BY ALL LIMIT 3`,
        );
  return new LakehouseError(
    'rows-outside-partition',
    `${definition.key} ${target?.key}: the query's ${said.map(({ name }) => `'${name}'`).join(', ')} differ from the partition's${found.length > 0 ? `: ${found.map((row) => JSON.stringify(jsonRow(row))).join(', ')}` : ''}`,
    {
      kind: 'data',
      hint: 'Partition columns are added by the framework: leave them out of the query, or give the partition’s own values.',
      details: { asset: definition.key, targets: [ordinal] },
    },
  );
}

/** A CSV that DuckDB refused: the original file in place of the temporary one. */
function csvFailure(context: QueryContext, error: LakehouseError): LakehouseError | undefined {
  const path = /^\s*file = (.+)$/m.exec(error.message)?.[1];
  if (path === undefined) return undefined;
  for (const table of context.inputs.values()) {
    const part = table.partOfFile(path);
    if (part === undefined) continue;
    const line = /CSV Error on Line: (\d+)/.exec(error.message)?.[1];
    const columns = /Expected Number of Columns: (\d+) Found: (\d+)/.exec(error.message);
    const what = columns ? `has ${columns[2]} columns where ${columns[1]} were expected` : 'is not valid CSV';
    const text = /Original Line: (.*)/.exec(error.message)?.[1];
    const ordinal = table.input.parts.indexOf(part);
    return new LakehouseError(
      columns ? 'csv-columns' : 'csv-invalid',
      `${part.path} (${table.input.definition.key} ${part.key}): ${line === undefined ? 'a line' : `line ${line}`} ${what}${text === undefined ? '' : `: ${text}`}`,
      {
        kind: 'data',
        cause: error,
        details: {
          asset: context.request.definition.key,
          targets: pairsOf(table).flatMap(([target, p]) => (p === ordinal ? [target] : [])),
          file: part.path,
        },
      },
    );
  }
  return undefined;
}

/** A value that could not be converted: the file it is in, found by halving. Only where rows can be traced to files. */
async function valueFailure(context: QueryContext, error: LakehouseError): Promise<LakehouseError | undefined> {
  const { session, compiled, request } = context;
  if (compiled.form !== 'rowwise' || error.code !== 'query-data') return undefined;
  const { input } = rowwiseInput(context);
  const fails = async (parts: readonly number[]): Promise<LakehouseError | undefined> => {
    try {
      const query = await tracedQuery(context, groupOf(context, parts[0] ?? 0), new Set(parts));
      await session.rows(`SELECT sum(hash(${identifiers(compiled.columns)})) FROM (\n${query}\n)`);
      return undefined;
    } catch (failure) {
      if (isLakehouseError(failure) && failure.code === 'query-data') return failure;
      throw failure;
    }
  };
  for (const group of rowwiseGroups(context)) {
    const wanted = new Set(group.targets);
    let parts = [
      ...new Set(pairsOf(rowwiseInput(context)).flatMap(([target, part]) => (wanted.has(target) ? [part] : []))),
    ];
    let last = parts.length > 0 ? await fails(parts) : undefined;
    if (last === undefined) continue;
    while (parts.length > 1) {
      const half = parts.slice(0, parts.length >> 1);
      const failure = await fails(half);
      parts = failure ? half : parts.slice(half.length);
      last = failure ?? last;
    }
    const [ordinal = 0] = parts;
    const part = input.parts[ordinal];
    return new LakehouseError(error.code, `${last.message} (in ${part?.path}, ${input.definition.key} ${part?.key})`, {
      kind: 'data',
      cause: last.cause,
      details: { asset: request.definition.key, targets: targetsOf(context, ordinal), file: part?.path },
    });
  }
  return undefined;
}

function targetsOf(context: QueryContext, part: number): number[] {
  return pairsOf(rowwiseInput(context)).flatMap(([target, p]) => (p === part ? [target] : []));
}

function groupOf(context: QueryContext, part: number): RowwiseGroup {
  const targets = new Set(targetsOf(context, part));
  const groups = rowwiseGroups(context);
  const group = groups.find((candidate) => candidate.targets.some((target) => targets.has(target))) ?? groups[0];
  if (group === undefined) throw new LakehouseError('bad-batch', 'A batch without targets', { kind: 'internal' });
  return group;
}
