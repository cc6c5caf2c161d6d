import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { S3 } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe } from 'vitest';

/** The MinIO server program: of the environment, of the working copy, or of the path. */
export const minio: string | undefined = [
  process.env.LAKEHOUSE_TEST_MINIO,
  fileURLToPath(new URL('../../node_modules/.s3/minio', import.meta.url)),
  ...(process.env.PATH ?? '').split(delimiter).map((directory) => join(directory, 'minio')),
].find((path) => path !== undefined && path !== '' && existsSync(path));

export const s3Available: boolean = minio !== undefined;

/** For the names of suites: why they skip. */
export const needsS3: string = s3Available
  ? ''
  : ' (SKIPPED: needs MinIO: go install github.com/minio/minio@latest, then LAKEHOUSE_TEST_MINIO=<path>)';

/** A MinIO server of a test, with one empty bucket. */
export interface S3Server extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` */
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** The key of SSE-KMS that the server has. */
  readonly kmsKeyId: string;
  /** For tests that look at what is really there. */
  readonly client: S3;
  /** For `--set`, the keys excepted: those are in `env`. @param endpoint Another way to the server. */
  settings(prefix?: string, endpoint?: string): string[];
  /** The environment of a process that is to reach it. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** A suite on a server of its own, or skipped visibly. The server is there from `beforeAll` on. */
export function describeS3(name: string, suite: (server: () => S3Server) => void): void {
  describe.skipIf(!s3Available)(`${name}${needsS3}`, () => {
    let started: S3Server | undefined;
    beforeAll(async () => {
      started = await startS3();
    }, 60_000);
    afterAll(() => started?.stop());
    suite(() => {
      if (started === undefined) throw new Error('The S3 server is there from beforeAll on');
      return started;
    });
  });
}

/** Starts one on a free port of the loopback, with its objects in a directory of its own. */
export async function startS3(): Promise<S3Server> {
  if (minio === undefined) throw new Error(`No S3 server${needsS3}`);
  const directory = await mkdtemp(join(tmpdir(), 'lakehouse-minio-'));
  const accessKeyId = 'AKIATESTACCESSKEY123';
  const secretAccessKey = 'test/secret+access+key0123456789abcdefgh';
  const bucket = 'lake-test';
  const region = 'us-east-1';
  const { child, endpoint } = await launch(minio, directory, {
    PATH: process.env.PATH ?? '',
    HOME: directory,
    MINIO_ROOT_USER: accessKeyId,
    MINIO_ROOT_PASSWORD: secretAccessKey,
    MINIO_KMS_SECRET_KEY: `lake-key:${Buffer.alloc(32, 7).toString('base64')}`,
    MINIO_BROWSER: 'off',
    MINIO_UPDATE: 'off',
  });
  const client = new S3({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  await client.createBucket({ Bucket: bucket });
  let stopped: Promise<void> | undefined;
  const stop = async () => {
    process.off('exit', kill);
    client.destroy();
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
    await rm(directory, { recursive: true, force: true });
  };
  const server: S3Server = {
    endpoint,
    bucket,
    region,
    accessKeyId,
    secretAccessKey,
    kmsKeyId: 'lake-key',
    client,
    env: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
    settings: (prefix, by = endpoint) => [
      `s3.bucket=${bucket}`,
      `s3.region=${region}`,
      `s3.endpoint=${by}`,
      ...(prefix === undefined ? [] : [`s3.prefix=${prefix}`]),
    ],
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
    [Symbol.asyncDispose]: () => server.stop(),
  };
  return server;
}

/** A port that was free a moment ago may be another's now: then the server ends at once, and the next one is tried. */
async function launch(
  program: string,
  directory: string,
  env: Record<string, string>,
): Promise<{ child: ChildProcess; endpoint: string }> {
  let said = '';
  for (let attempt = 0; attempt < 5; attempt++) {
    const port = await freePort();
    const child = spawn(program, ['server', '--quiet', '--address', `127.0.0.1:${port}`, directory], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += String(chunk)));
    const endpoint = `http://127.0.0.1:${port}`;
    if (await answers(child, endpoint)) return { child, endpoint };
  }
  throw new Error(`The S3 server did not start:\n${said}`);
}

async function answers(child: ChildProcess, endpoint: string): Promise<boolean> {
  for (const end = Date.now() + 30_000; Date.now() < end && child.exitCode === null; ) {
    const reply = await fetch(`${endpoint}/minio/health/ready`).catch(() => undefined);
    if (reply?.ok) return true;
    await new Promise((done) => setTimeout(done, 50));
  }
  child.kill('SIGKILL');
  return false;
}

async function freePort(): Promise<number> {
  const probe = createTcpServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

/** An answer of S3 that says no. */
export function refuse(response: ServerResponse, status: number, code: string, message = 'no'): true {
  response.writeHead(status, { 'content-type': 'application/xml', 'x-amz-request-id': 'TESTREQUEST' });
  response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`);
  return true;
}

/** One request that passed a proxy. */
export interface PassedRequest {
  readonly method: string;
  /** Path and query as they were sent. */
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
}

/** A function is called once the server has done what it was asked. */
export type Intercepted = boolean | 'drop' | (() => void);

/** A way to a server that counts, and that may answer by itself. */
export interface S3Proxy extends AsyncDisposable {
  readonly endpoint: string;
  /** Everything since `clear`. */
  readonly requests: PassedRequest[];
  /** How often each method was used since `clear`, e.g. `{ GET: 2 }`. */
  counts(): Record<string, number>;
  clear(): void;
  stop(): Promise<void>;
}

/**
 * A proxy on the loopback. Signatures stay valid: nothing is changed on the way.
 * @param intercept Answers in the place of the server and says true; what it does to the response or its socket is its own matter. `drop`
 * (or a function, for whoever wants to know when) lets the server do what it is asked, and loses the answer; false lets everything pass.
 */
export async function s3Proxy(
  target: string,
  intercept: (request: PassedRequest, response: ServerResponse) => Intercepted | Promise<Intercepted> = () => false,
): Promise<S3Proxy> {
  const { hostname, port } = new URL(target);
  const requests: PassedRequest[] = [];
  const server = createServer(async (incoming, outgoing) => {
    const passed = { method: incoming.method ?? '', url: incoming.url ?? '', headers: incoming.headers };
    requests.push(passed);
    const intercepted = await intercept(passed, outgoing);
    if (intercepted === true) return;
    const forwarded = request({ hostname, port, method: passed.method, path: passed.url, headers: passed.headers });
    forwarded.on('response', (reply) => {
      if (intercepted !== false) {
        reply.resume().on('end', () => {
          if (intercepted !== 'drop') intercepted();
          outgoing.destroy();
        });
        return;
      }
      outgoing.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(outgoing);
      reply.on('error', () => outgoing.destroy());
    });
    forwarded.on('error', () => outgoing.destroy());
    outgoing.on('close', () => forwarded.destroy());
    incoming.pipe(forwarded);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = async () => {
    server.closeAllConnections();
    if (!server.listening) return;
    server.close();
    await once(server, 'close');
  };
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    counts: () =>
      Object.fromEntries(
        Object.entries(Object.groupBy(requests, ({ method }) => method)).map(([m, all]) => [m, all?.length ?? 0]),
      ),
    clear: () => requests.splice(0),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
