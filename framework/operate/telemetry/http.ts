import { rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { LakehouseError, serializeError } from '../../common/errors.ts';
import type { DaemonFacts } from '../watch.ts';

export interface HttpOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly facts: () => DaemonFacts;
  readonly stateDirectory: string;
  readonly pid: number;
  /** ms UTC. */
  readonly now: () => number;
  /** The text of /metrics and its type. */
  readonly metrics: () => Promise<{ readonly type: string; readonly text: string }>;
}

export interface HttpServer {
  /** e.g. `http://127.0.0.1:9464`. */
  readonly address: string;
  readonly close: () => Promise<void>;
}

/** A daemon that is active looks at what is due at least every ten seconds; much later than that, something keeps it from it. */
const TURN_OVERDUE_MS = 60_000;

/**
 * /metrics, /health (the process lives) and /ready (it does its work, or stands by to).
 * @throws LakehouseError `cannot-listen` (usage).
 */
export async function listen(options: HttpOptions): Promise<HttpServer> {
  const { host, port } = options;
  const server = createServer((request, response) => {
    answer(request, options).then(
      (given) => send(request, response, given),
      (error: unknown) => send(request, response, json(500, { error: serializeError(error).message })),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, resolve);
  }).catch((cause: unknown) => {
    throw new LakehouseError('cannot-listen', `Port ${port} of ${host} cannot be listened on`, {
      cause,
      details: { code: (cause as NodeJS.ErrnoException).code },
      hint: 'Is another daemon running? Set http.port to another one, to 0 for any, or leave it out.',
    });
  });
  const shown = host.includes(':') ? `[${host}]` : host;
  return { address: `http://${shown}:${(server.address() as AddressInfo).port}`, close: () => closed(server) };
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const json = (status: number, body: unknown): Answer => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' },
  body: `${JSON.stringify(body)}\n`,
});

function send(request: IncomingMessage, response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, headers);
  response.end(request.method === 'HEAD' ? undefined : body);
}

async function answer(request: IncomingMessage, options: HttpOptions): Promise<Answer> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    const refused = json(405, { error: 'Only GET and HEAD are understood' });
    return { ...refused, headers: { ...refused.headers, allow: 'GET, HEAD' } };
  }
  switch ((request.url ?? '').split('?', 1)[0]) {
    case '/metrics': {
      const { type, text } = await options.metrics();
      return { status: 200, headers: { 'content-type': type }, body: text };
    }
    case '/health':
      return json(200, { status: 'ok', role: options.facts().role, pid: options.pid });
    case '/ready':
      return ready(options);
    default:
      return json(404, { error: 'Not found', known: ['/metrics', '/health', '/ready'] });
  }
}

async function ready({ facts, stateDirectory, pid, now }: HttpOptions): Promise<Answer> {
  const { role, turnAt, running, waiting } = facts();
  const problems: string[] = [];
  if (role !== 'active' && role !== 'standby') problems.push(`it is ${role}`);
  if (role === 'active' && (turnAt === undefined || now() - turnAt > TURN_OVERDUE_MS))
    problems.push('it has not looked at what is due for a minute');
  // What cannot be written is known by writing.
  const probe = join(stateDirectory, `.ready-${pid}`);
  try {
    await writeFile(probe, 'ready?');
    await rm(probe, { force: true });
  } catch (error) {
    problems.push(`the state cannot be written: ${serializeError(error).message}`);
  }
  const turn = turnAt === undefined ? {} : { turn: new Date(turnAt).toISOString() };
  return json(problems.length === 0 ? 200 : 503, {
    status: problems.length === 0 ? 'ready' : 'not ready',
    role,
    running,
    waiting,
    ...turn,
    ...(problems.length > 0 && { problems }),
  });
}
