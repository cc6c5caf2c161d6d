import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { lakehouse } from '../../assets/index.ts';
import type { LakehouseDefinition } from '../../framework/define/lakehouse.ts';
import type { RunRequest } from '../../framework/materialize/run.ts';
import { openTestLake, run } from '../materialize/lake.ts';
import { query } from '../real/query.ts';

/** An answer: its body with status 200, or more. */
export type Answer =
  | string
  | { readonly status: number; readonly body?: string; readonly headers?: Readonly<Record<string, string>> }
  /** The connection ends after this much of a body. */
  | { readonly cutAfter: string };

/** A server for one test; `requests` are the paths with their queries, in the order of arrival. */
export async function startAnswers(answer: (url: URL) => Answer): Promise<{ url: string; requests: string[] }> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    const given = answer(new URL(request.url ?? '', 'http://localhost'));
    response.setHeader('content-type', 'application/json');
    if (typeof given === 'string') return void response.end(given);
    if ('status' in given) return void response.writeHead(given.status, { ...given.headers }).end(given.body);
    response.setHeader('content-length', given.cutAfter.length + 1);
    response.write(given.cutAfter, () => request.socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

/** A lake for one test at this time, with settings of its own. Binance is switched off. */
export async function answeredLake(options: {
  readonly sets: readonly string[];
  readonly now: () => number;
  readonly definition?: LakehouseDefinition;
}) {
  const directory = mkdtempSync(join(tmpdir(), 'answered-'));
  const lake = await openTestLake(options.definition ?? lakehouse, join(directory, 'lake'), {
    now: options.now,
    sets: [
      'workflow.retryDelayMs=1',
      ...(options.definition ? [] : ['exchanges.binance.enabled=false']),
      ...options.sets,
    ],
  });
  onTestFinished(async () => {
    await lake.close();
    rmSync(directory, { recursive: true, force: true });
  });
  return {
    directory,
    lake,
    materialize: async (selection: string, more: Partial<RunRequest> = {}) => {
      const { events } = await run(lake, { selection, ...more });
      return events.filter((event) => event.type === 'partition-failed');
    },
    rows: (sql: string) => query(lake, sql),
  };
}
