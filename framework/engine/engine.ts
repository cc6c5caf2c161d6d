import { type Issue, isLakehouseError } from '../common/errors.ts';
import type { AssetDefinition } from '../define/model.ts';
import { compileDefinition, computeBatch, type QueryCache } from './batch.ts';
import { examineChecks } from './checks.ts';
import { type Database, openDatabase, type Session } from './duckdb.ts';
import { versioning } from './hash.ts';
import { isCarriable } from './packs.ts';
import type { BoundInput, Engine, EngineSettings, QueryReport } from './port.ts';
import { createReader } from './reader.ts';
import { makeScratch } from './scratch.ts';
import { canonicalColumns, conform } from './types.ts';
import { readBack } from './verify.ts';
import { runQuery } from './views.ts';

/** DuckDB, started when it is first needed. Its one instance serves all batches, each with a connection of its own. */
export function openEngine(settings: EngineSettings): Engine {
  const cache: QueryCache = new WeakMap();
  let opened: Promise<Database> | undefined;
  const database = (): Promise<Database> => {
    opened ??= openDatabase(settings);
    return opened;
  };
  const session = async <T>(where: string, signal: AbortSignal, use: (session: Session) => Promise<T>): Promise<T> =>
    (await database()).session(where, signal, use);
  const withScratch = async <T>(inputs: readonly BoundInput[], use: (directory: string) => Promise<T>): Promise<T> => {
    const scratch = await makeScratch(settings, inputs);
    try {
      return await use(scratch.path);
    } finally {
      await scratch.remove();
    }
  };

  return {
    computeBatch: (request) =>
      withScratch(request.inputs, (scratch) =>
        session(request.definition.key, request.signal, (s) => computeBatch(s, request, scratch, cache)),
      ),
    rewrite: async ({ definition, packs, signal }) => {
      const request = {
        definition,
        targets: [],
        inputs: [],
        packs: packs.map((pack) => ({ ...pack, targets: [] })),
        signal,
      };
      return (await session(definition.key, signal, (s) => computeBatch(s, request, '', cache))).packs;
    },
    hashPack: (definition, path, signal) =>
      session(definition.key, signal, async (s) => {
        const columns = await canonicalColumns(s, definition);
        const found = await readBack(s, {
          definition,
          columns,
          versioning: await versioning(s, columns),
          paths: [path],
          constant: {},
          checks: { predicates: [], proofs: [] },
        });
        return [...found.values()].map(({ values, time, rows, version }) => ({ values, time, rows, version }));
      }),
    carriable: (definition, paths, signal) =>
      session(definition.key, signal, async (s) => {
        const columns = await canonicalColumns(s, definition);
        const answers: boolean[] = [];
        for (const path of paths) answers.push(await isCarriable(s, definition, columns, path));
        return answers;
      }),
    examine: (definition) =>
      session(definition.key, new AbortController().signal, (s) => examine(s, definition, cache)),
    reader: (input, target, signal) =>
      createReader(
        input,
        target,
        (use) => withScratch([input], (scratch) => session(input.definition.key, signal, (s) => use(s, scratch))),
        signal,
      ),
    query: async (sql, views, signal) => runQuery(settings, await makeScratch(settings, []), sql, views, signal),
    close: async () => {
      if (opened) (await opened).close();
      opened = undefined;
    },
  };
}

async function examine(session: Session, definition: AssetDefinition, cache: QueryCache): Promise<QueryReport> {
  const issues: Issue[] = [];
  const warnings: Issue[] = [];
  const collect = async (path: string, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      if (!isLakehouseError(error) || error.kind === 'transient' || error.kind === 'internal') throw error;
      issues.push({ code: error.code, path: [definition.key, path], message: error.message, hint: error.hint });
    }
  };
  const warn = (code: string, path: string, message: string, hint?: string) =>
    warnings.push({ code, path: [definition.key, path], message, hint });
  const columns = await canonicalColumns(session, definition);
  if (definition.compute?.type === 'sql') {
    await collect('query', async () => {
      const compiled = await compileDefinition(session, { definition, inputs: firstAlternatives(definition) }, cache);
      conform(definition, columns, compiled.columns, 'q');
      for (const what of compiled.orderDependent) {
        warn(
          'order-dependent',
          'query',
          `${what} without ORDER BY may differ from run to run`,
          'Write sum(x ORDER BY t), or add decimals or integers.',
        );
      }
      if (compiled.reason !== undefined) warn('not-fused', 'query', `runs one partition at a time: ${compiled.reason}`);
    });
  }
  await collect('checks', () => examineChecks(session, definition));
  return { issues, warnings };
}

function firstAlternatives(definition: AssetDefinition): BoundInput[] {
  return definition.inputs.map(({ name, alternatives }) => ({
    name,
    definition: alternatives[0]?.asset ?? definition,
    parts: [],
    pairs: new Int32Array(),
  }));
}
