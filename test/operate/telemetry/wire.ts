import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { readSettingsSources } from '../../../framework/config/load.ts';
import { resolveSettings } from '../../../framework/config/resolve.ts';
import type { OpenedLake } from '../../../framework/materialize/open.ts';
import type { Log } from '../../../framework/operate/log.ts';
import { createTelemetry, type Telemetry } from '../../../framework/operate/telemetry/telemetry.ts';
import { atEnd } from '../../materialize/support.ts';

const own = join(import.meta.dirname, '../../../node_modules/.wire/bin/python3');
const python = process.env.WIRE_PYTHON ?? (existsSync(own) ? own : 'python3');
const imports = 'import prometheus_client, opentelemetry.proto, openlineage.client';

/** Whether programs of others are there to read with. */
export const canRead = spawnSync(python, ['-c', imports]).status === 0;
/** For the name of what is skipped without. */
export const without = canRead
  ? ''
  : ' (skipped: no readers; python3 -m venv node_modules/.wire && node_modules/.wire/bin/pip install -r test/operate/telemetry/requirements.txt)';

/** What somebody else's program makes of a text. */
export function readWith<T>(reader: 'prometheus' | 'traces' | 'metrics' | 'openlineage', text: string): T {
  const { status, stdout, stderr } = spawnSync(python, [join(import.meta.dirname, 'wire.py'), reader], {
    input: text,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as T;
}

export interface Received {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A server on this machine that writes down what it gets. `reply` may answer as it likes; by default all is well. */
export async function receiver(
  reply: (response: ServerResponse, received: Received, before: number) => void = (response) => response.end('{}'),
): Promise<{ readonly url: string; readonly received: readonly Received[] }> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      const one = { path: request.url ?? '', headers: request.headers, body };
      received.push(one);
      reply(response, one, received.length - 1);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

/** Telemetry of a lake as settings say, closed after the test; its log is in `log`. */
export async function telemetryOf(
  lake: OpenedLake,
  directory: string,
  sets: readonly string[],
  options: { readonly listen?: boolean; readonly redact?: (text: string) => string } = {},
): Promise<Telemetry & { readonly log: readonly string[] }> {
  const argv = { sets: [`dataDir=${directory}`, ...sets] };
  const { settings } = resolveSettings(readSettingsSources({ cwd: import.meta.dirname, env: {}, argv }));
  const log: string[] = [];
  const say: Log = (level, message, fields) => {
    log.push(`${level}: ${message}${fields ? ` ${JSON.stringify(fields)}` : ''}`);
  };
  const { listen = false, redact = (text) => text } = options;
  const telemetry = await createTelemetry({
    settings: settings as never,
    version: '1.2.3',
    host: 'here',
    pid: 4711,
    now: lake.now,
    log: say,
    redact,
    listen,
    ...(listen && { lake: () => lake }),
  });
  atEnd(telemetry.close);
  return { ...telemetry, log };
}
