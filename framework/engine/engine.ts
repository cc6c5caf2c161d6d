import { computeBatch, type QueryCache } from './batch.ts';
import { writeDatabase } from './database-file.ts';
import { type Database, openDatabase, type Session } from './duckdb.ts';
import { examine } from './examine.ts';
import { versioning } from './hash.ts';
import { queryNeeds } from './needs.ts';
import { isCarriable } from './packs.ts';
import type { BoundInput, Engine, EngineSettings } from './port.ts';
import { createReaders } from './reader.ts';
import { recheck } from './recheck.ts';
import { remoteLacking } from './remote.ts';
import { createRowBuffer } from './rows.ts';
import { makeScratch } from './scratch.ts';
import { canonicalColumns } from './types.ts';
import { readBack } from './verify.ts';
import { runQuery } from './views.ts';

/** DuckDB, started when it is first needed. Its one instance serves all batches, each with a connection of its own. */
export function openEngine(settings: EngineSettings): Engine {
  const cache: QueryCache = new WeakMap();
  const readers = new WeakMap<BoundInput, ReturnType<typeof createReaders>>();
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
    remote: async () => {
      const { remote } = settings;
      if (!remote) return { scope: undefined, why: 'the settings say so' };
      const { lacking: why } = await database();
      if (why === undefined) return { scope: remote.scope };
      if (remote.required) throw remoteLacking(remote, why);
      return { scope: undefined, why };
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
    check: (request) =>
      withScratch(request.inputs, (scratch) =>
        session(request.definition.key, request.signal, (s) => recheck(s, request, scratch)),
      ),
    examine: (definition) =>
      session(definition.key, new AbortController().signal, (s) => examine(s, definition, cache)),
    rowBuffer: (definition, signal) =>
      session(definition.key, signal, async (s) =>
        createRowBuffer(s, definition, await canonicalColumns(s, definition)),
      ),
    reader: (input, target, signal) => {
      const known = readers.get(input);
      const readerOf =
        known ??
        createReaders(
          input,
          (use) => withScratch([input], (scratch) => session(input.definition.key, signal, (s) => use(s, scratch))),
          signal,
        );
      readers.set(input, readerOf);
      return readerOf(target);
    },
    query: async (sql, views, signal, options) =>
      runQuery(settings, await makeScratch(settings, []), sql, views, signal, options),
    needs: async (sql, relations, signal, options) =>
      queryNeeds(settings, await makeScratch(settings, []), sql, relations, signal, options),
    writeDatabase: (request, signal) => session('export', signal, (s) => writeDatabase(s, request)),
    close: async () => {
      if (opened) (await opened).close();
      opened = undefined;
    },
  };
}
