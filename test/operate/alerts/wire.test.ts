import { execFileSync, spawnSync } from 'node:child_process';
import { createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { describe, expect, onTestFinished, test } from 'vitest';
import { isLakehouseError } from '../../../framework/common/errors.ts';
import type { Destination } from '../../../framework/operate/alerts/destinations.ts';
import type { Message } from '../../../framework/operate/alerts/message.ts';
import type { Notice } from '../../../framework/operate/alerts/model.ts';
import { type SendControl, send } from '../../../framework/operate/alerts/send.ts';
import { signed } from '../../../framework/operate/alerts/signature.ts';

const AT = Date.parse('2026-11-23T06:00:00Z');
const KEY = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

const notice = (title: string, more: Partial<Notice> = {}, severity: 'warn' | 'error' = 'error'): Notice => ({
  kind: 'raised',
  at: AT,
  alert: {
    key: `failures/${title}`,
    rule: 'failures',
    severity,
    title,
    text: 'two\nlines & <more>',
    subject: { kind: 'asset', name: 'gold/x' },
    since: AT - 60_000,
    fields: { partitions: 2 },
  },
  ...more,
});
const message = (...notices: Notice[]): Message => ({
  id: '1j0000000abcdefgh',
  at: AT,
  origin: { host: 'here', lake: '/lake' },
  notices: notices.length > 0 ? notices : [notice('gold/x fails')],
});

const control = (more: Partial<SendControl> = {}): SendControl => ({
  signal: new AbortController().signal,
  now: () => AT,
  maxLines: 20,
  env: { PATH: process.env.PATH },
  ...more,
});
const common = { name: 'ops', rules: undefined, severity: 'warn', timeoutMs: 10_000 } as const;

/** What went wrong, as `code: message (retryAfterMs)`. */
async function failure(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (!isLakehouseError(error)) throw error;
    return `${error.code}: ${error.message}${error.retryAfterMs === undefined ? '' : ` (${error.retryAfterMs})`}`;
  }
  return 'delivered';
}

interface Received {
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A server on this machine; each request is answered by the next of `answers`, the last one for ever. */
async function receiver(...answers: ((request: IncomingMessage, response: ServerResponse) => void)[]) {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    received.push({ headers: request.headers, body });
    (answers.length > 1 ? answers.shift() : answers[0])?.(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, received };
}
const ok = (_: IncomingMessage, response: ServerResponse) => response.end('ok');

describe('a webhook as Slack has it', () => {
  test('gets a text, with its marks escaped and every alert on one line', async () => {
    const { url, received } = await receiver(ok);
    await send(
      { ...common, type: 'slack', url },
      message(
        notice('gold/y was late', { kind: 'cleared', why: 'it is on time again' }),
        notice('a', {}, 'warn'),
        notice('b'),
        notice('c', { kind: 'reminder' }),
      ),
      control({ maxLines: 3 }),
    );
    expect(received.map(({ body }) => JSON.parse(body))).toEqual([
      {
        text: [
          'error: b, since 2026-11-23 05:59:00 UTC: two lines &amp; &lt;more&gt;',
          'warn: a, since 2026-11-23 05:59:00 UTC: two lines &amp; &lt;more&gt;',
          'over: gold/y was late, 2026-11-23 05:59:00 to 2026-11-23 06:00:00 UTC: it is on time again',
          'and 1 more',
          'lakehouse /lake on here (4 alerts: 2 new, 1 over, 1 still so)',
        ].join('\n'),
      },
    ]);
    expect(received[0]?.headers['content-type']).toBe('application/json');
  });

  test.each([
    [500, {}, 'alert-not-delivered: it answered 500 Internal Server Error: broken'],
    [503, { 'retry-after': '120' }, 'alert-not-delivered: it answered 503 Service Unavailable: broken (120000)'],
    [
      429,
      { 'retry-after': 'Mon, 23 Nov 2026 06:01:00 GMT' },
      'alert-not-delivered: it answered 429 Too Many Requests: broken (60000)',
    ],
    [404, {}, 'alert-not-delivered: it answered 404 Not Found: broken'],
    [302, { location: '/elsewhere' }, 'alert-not-delivered: it answered 302 Found: broken'],
    [400, {}, 'alert-refused: it answered 400 Bad Request: broken'],
  ])('that answers %i', async (status, headers, expected) => {
    const { url, received } = await receiver((_, response) => response.writeHead(status, headers).end('broken\n'));
    expect(await failure(send({ ...common, type: 'slack', url }, message(), control()))).toBe(expected);
    expect(received).toHaveLength(1);
  });

  test('that hangs up, is not there, says nothing, or goes on for ever', async () => {
    const slack = (url: string, timeoutMs = 10_000): Destination => ({ ...common, type: 'slack', url, timeoutMs });
    const hangsUp = await receiver((request) => request.socket.destroy());
    expect(await failure(send(slack(hangsUp.url), message(), control()))).toBe(
      'alert-not-delivered: the request failed: other side closed',
    );
    const silent = await receiver(() => undefined);
    expect(await failure(send(slack(silent.url, 100), message(), control()))).toBe(
      'alert-not-delivered: the request failed: it took too long',
    );
    const drips = await receiver((_, response) => {
      response.writeHead(500);
      const timer = setInterval(() => response.write('.'), 20);
      response.on('close', () => clearInterval(timer));
    });
    expect(await failure(send(slack(drips.url, 100), message(), control()))).toBe(
      'alert-not-delivered: the request failed: it took too long',
    );
    const gone = await failure(send(slack('http://127.0.0.1:1/secret'), message(), control()));
    expect(gone).toMatch(/^alert-not-delivered: the request failed: (?!.*secret)/);
  });
});

describe('generic JSON', () => {
  test('the signature is that of Standard Webhooks: the example of its authors', () => {
    const body = '{"test": 2432232314}';
    const at = 1_614_265_330_000;
    expect(signed(KEY, 'msg_p5jXN8AQM9LWM0D4loKWxJek', body, at)).toEqual({
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  /** As a receiver does it: by the headers and the body as they came. */
  function verified({ headers, body }: Received, now: number, seen: Set<string>): boolean {
    const [id, timestamp, signature] = ['id', 'timestamp', 'signature'].map((name) =>
      String(headers[`webhook-${name}`]),
    );
    const key = Buffer.from(KEY.slice('whsec_'.length), 'base64');
    const expected = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest();
    const given = Buffer.from(String(signature).replace('v1,', ''), 'base64');
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return false;
    if (Math.abs(now / 1000 - Number(timestamp)) > 300 || seen.has(String(id))) return false;
    seen.add(String(id));
    return true;
  }

  test('is signed anew with every attempt; a changed body, an old request and a repeated one are refused', async () => {
    const { url, received } = await receiver((_, response) => response.writeHead(500).end(), ok);
    const destination: Destination = {
      ...common,
      type: 'json',
      url,
      headers: { authorization: 'Bearer x' },
      signingKey: KEY,
    };
    expect(await failure(send(destination, message(), control()))).toMatch(/500/);
    const later = AT + 3_600_000;
    expect(await failure(send(destination, message(), control({ now: () => later })))).toBe('delivered');
    const [first, second] = received as [Received, Received];
    expect(first.body).toBe(second.body);
    expect(first.headers['webhook-id']).toBe(second.headers['webhook-id']);
    expect(first.headers.authorization).toBe('Bearer x');
    const seen = new Set<string>();
    expect(verified({ ...second, body: second.body.replace('gold', 'lead') }, later, seen)).toBe(false);
    expect(verified(first, later, seen)).toBe(false);
    expect(verified(second, later, seen)).toBe(true);
    expect(verified(second, later, seen)).toBe(false);
  });

  test('says everything there is to know, and has no signature without a key', async () => {
    const { url, received } = await receiver(ok);
    const cleared = notice('gold/y is late', { kind: 'cleared', why: 'it is on time again' });
    await send({ ...common, type: 'json', url, headers: {}, signingKey: undefined }, message(cleared), control());
    expect(received[0]?.headers['webhook-signature']).toBeUndefined();
    expect(JSON.parse(received[0]?.body ?? '')).toEqual({
      type: 'lakehouse.alerts',
      id: '1j0000000abcdefgh',
      timestamp: '2026-11-23T06:00:00.000Z',
      data: {
        origin: { host: 'here', lake: '/lake' },
        title: 'over: gold/y is late',
        alerts: [
          {
            kind: 'cleared',
            key: 'failures/gold/y is late',
            rule: 'failures',
            severity: 'error',
            title: 'gold/y is late',
            text: 'two\nlines & <more>',
            subject: { kind: 'asset', name: 'gold/x' },
            at: '2026-11-23T06:00:00.000Z',
            since: '2026-11-23T05:59:00.000Z',
            fields: { partitions: 2 },
            why: 'it is on time again',
          },
        ],
      },
    });
  });
});

describe('e-mail', () => {
  interface Mail {
    readonly user: string | undefined;
    readonly from: string;
    readonly to: readonly string[];
    readonly secure: boolean;
    readonly text: string;
  }

  async function smtp(options: SMTPServerOptions = {}) {
    const mails: Mail[] = [];
    const server = new SMTPServer({
      disabledCommands: ['STARTTLS'],
      authOptional: true,
      allowInsecureAuth: true,
      disableReverseLookup: true,
      onAuth: ({ username, password }, _session, callback) =>
        password === 'hunter2' ? callback(null, { user: username }) : callback(new Error('Invalid login')),
      onData: async (stream, { user, envelope, secure }, callback) => {
        let text = '';
        for await (const chunk of stream) text += chunk;
        mails.push({
          user,
          from: envelope.mailFrom ? envelope.mailFrom.address : '',
          to: envelope.rcptTo.map(({ address }) => address),
          secure,
          text,
        });
        callback();
      },
      ...options,
    });
    server.on('error', () => undefined);
    const listening = server.listen(0, '127.0.0.1');
    await once(listening, 'listening');
    onTestFinished(() => new Promise((resolve) => server.close(() => resolve(undefined))));
    return { port: (listening.address() as AddressInfo).port, mails };
  }

  const email = (port: number, more: Partial<Extract<Destination, { type: 'email' }>> = {}): Destination => ({
    ...common,
    type: 'email',
    host: '127.0.0.1',
    port,
    security: 'none',
    auth: { user: 'me', pass: 'hunter2' },
    from: 'Lake <lake@example.org>',
    to: ['a@example.org', 'b@example.org'],
    ...more,
  });

  test('comes to all recipients, with a Message-ID that stays the same', async () => {
    const { port, mails } = await smtp();
    for (let attempt = 0; attempt < 2; attempt++)
      expect(await send(email(port), message(notice('gold/x fails'), notice('b')), control())).toBeUndefined();
    expect(mails).toHaveLength(2);
    const [mail, again] = mails as [Mail, Mail];
    expect({ ...mail, text: '' }).toEqual({
      user: 'me',
      from: 'lake@example.org',
      to: ['a@example.org', 'b@example.org'],
      secure: false,
      text: '',
    });
    expect(mail.text).toContain('Subject: [lakehouse here] error: gold/x fails (and 1 new)\r\n');
    expect(mail.text).toContain('Message-ID: <1j0000000abcdefgh@here>\r\n');
    expect(mail.text).toContain('Auto-Submitted: auto-generated\r\n');
    expect(mail.text).toContain('Date: Mon, 23 Nov 2026 06:00:00 +0000\r\n');
    expect(mail.text.replaceAll('=\r\n', '')).toContain('error: gold/x fails, since');
    expect(/Message-ID: .*/.exec(again.text)).toEqual(/Message-ID: .*/.exec(mail.text));
  });

  test('a title cannot add headers', async () => {
    const { port, mails } = await smtp();
    await send(email(port), message(notice('x\r\nBcc: evil@example.org')), control());
    expect(mails[0]?.to).toEqual(['a@example.org', 'b@example.org']);
    expect(mails[0]?.text).not.toMatch(/^Bcc:/m);
  });

  test('a wrong password, nobody there, no TLS where it is wanted', async () => {
    const { port, mails } = await smtp();
    expect(await failure(send(email(port, { auth: { user: 'me', pass: 'x' } }), message(), control()))).toMatch(
      /^alert-not-delivered: Invalid login/,
    );
    expect(await failure(send(email(port, { security: 'starttls' }), message(), control()))).toMatch(
      /^alert-not-delivered: .*STARTTLS/,
    );
    expect(await failure(send(email(1), message(), control()))).toMatch(/^alert-not-delivered: .*ECONNREFUSED/);
    expect(mails).toEqual([]);
  });

  const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

  describe.skipIf(!hasOpenssl)('with TLS (needs the program openssl: apt-get install openssl)', () => {
    function certificate(): { readonly key: string; readonly cert: string } {
      const made = mkdtempSync(join(tmpdir(), 'alerts-'));
      onTestFinished(() => rmSync(made, { recursive: true }));
      const [key, cert] = [join(made, 'key.pem'), join(made, 'cert.pem')];
      const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
      const whose = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
      execFileSync('openssl', ['req', ...kind, ...whose, '-keyout', key, '-out', cert], { stdio: 'ignore' });
      return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
    }

    function trust(cert: string): void {
      const before = getCACertificates('default');
      setDefaultCACertificates([...before, cert]);
      onTestFinished(() => setDefaultCACertificates(before));
    }

    test.each(['starttls', 'tls'] as const)(
      '%s: a certificate that nobody vouches for is refused',
      async (security) => {
        const own = certificate();
        const { port, mails } = await smtp({ ...own, secure: security === 'tls', disabledCommands: [] });
        const destination = email(port, { security, host: 'localhost' });
        expect(await failure(send(destination, message(), control()))).toMatch(/^alert-not-delivered: .*certificate/i);
        expect(mails).toEqual([]);
        trust(own.cert);
        expect(await failure(send(destination, message(), control()))).toBe('delivered');
        expect(mails.map(({ secure, user }) => ({ secure, user }))).toEqual([{ secure: true, user: 'me' }]);
        // Of another host it proves nothing.
        expect(await failure(send({ ...destination, host: '127.0.0.1' } as Destination, message(), control()))).toMatch(
          /^alert-not-delivered: .*altnames/i,
        );
      },
    );

    test.each(['starttls', 'tls'] as const)(
      '%s: a server that falls silent is left after the timeout',
      async (security) => {
        const own = certificate();
        trust(own.cert);
        const stuck = await smtp({
          ...own,
          secure: security === 'tls',
          disabledCommands: [],
          onData: (stream) => void stream.resume(),
        });
        const destination = email(stuck.port, { security, host: 'localhost', timeoutMs: 500 });
        expect(await failure(send(destination, message(), control()))).toBe('alert-not-delivered: it took too long');
      },
    );
  });

  test('what the server refuses: one recipient, all of them, the message, for now', async () => {
    const refuse = (responseCode: number) => Object.assign(new Error('no'), { responseCode });
    const picky = await smtp({
      onRcptTo: ({ address }, _session, callback) => callback(address.startsWith('b') ? refuse(550) : null),
    });
    expect(await send(email(picky.port), message(), control())).toBe('the server refused b@example.org');
    expect(await failure(send(email(picky.port, { to: ['b@example.org'] }), message(), control()))).toMatch(
      /^alert-not-delivered: .*550/,
    );
    const never = await smtp({
      onData: (stream, _session, callback) => stream.resume().on('end', () => callback(refuse(554))),
    });
    expect(await failure(send(email(never.port), message(), control()))).toMatch(/^alert-refused: .*554/);
    const later = await smtp({
      onData: (stream, _session, callback) => stream.resume().on('end', () => callback(refuse(451))),
    });
    expect(await failure(send(email(later.port), message(), control()))).toMatch(/^alert-not-delivered: .*451/);
  });

  test('a server that falls silent at any moment is left after the timeout', async () => {
    const silent = createTcpServer();
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    onTestFinished(() => void silent.close());
    const { port } = silent.address() as AddressInfo;
    expect(await failure(send(email(port, { timeoutMs: 100 }), message(), control()))).toBe(
      'alert-not-delivered: it took too long',
    );
    const stuck = await smtp({ onData: (stream) => void stream.resume() });
    expect(await failure(send(email(stuck.port, { timeoutMs: 300 }), message(), control()))).toBe(
      'alert-not-delivered: it took too long',
    );
  });
});

describe('a command', () => {
  function directory(): string {
    const made = mkdtempSync(join(tmpdir(), 'alerts-'));
    onTestFinished(() => rmSync(made, { recursive: true }));
    return made;
  }
  const command = (command: readonly string[], timeoutMs = 20_000): Destination => ({
    ...common,
    type: 'command',
    command,
    timeoutMs,
  });
  const node = (script: string, ...args: string[]) => [process.execPath, '-e', script, ...args];

  test('gets JSON on its standard input and the gist in its environment, and no shell reads its arguments', async () => {
    const out = join(directory(), 'out.json');
    const script = `let text = ''; process.stdin.on('data', (part) => text += part).on('end', () => {
      const own = Object.entries(process.env).filter(([name]) => name.startsWith('LAKEHOUSE_ALERT_') || name === 'OWN');
      require('fs').writeFileSync(process.argv[1], JSON.stringify({ args: process.argv.slice(2), env: Object.fromEntries(own.sort()), message: JSON.parse(text) }));
    });`;
    const notices = [notice('a'), notice('b', { kind: 'cleared', why: 'so' })];
    await send(command(node(script, out, '$(id); *')), message(...notices), control({ env: { OWN: '1' } }));
    expect(JSON.parse(readFileSync(out, 'utf8'))).toEqual({
      args: ['$(id); *'],
      env: {
        LAKEHOUSE_ALERT_CLEARED: '1',
        LAKEHOUSE_ALERT_ID: '1j0000000abcdefgh',
        LAKEHOUSE_ALERT_LAKE: '/lake',
        LAKEHOUSE_ALERT_RAISED: '1',
        LAKEHOUSE_ALERT_SEVERITY: 'error',
        LAKEHOUSE_ALERT_TITLE: 'error: a (and 1 over)',
        OWN: '1',
      },
      message: expect.objectContaining({ type: 'lakehouse.alerts', id: '1j0000000abcdefgh' }),
    });
  });

  test('that fails, is missing, or reads nothing of a long message', async () => {
    expect(await failure(send(command(node("console.error('no\\nbus'); process.exit(3)")), message(), control()))).toBe(
      'alert-not-delivered: it ended with 3: no bus',
    );
    expect(await failure(send(command(['/no/such/program']), message(), control()))).toBe(
      'alert-not-delivered: it could not be started: spawn /no/such/program ENOENT',
    );
    const long = Array.from({ length: 2000 }, (_, i) => notice(`asset ${i}`));
    expect(await failure(send(command(node('')), message(...long), control()))).toBe('delivered');
  });

  test('that takes too long is ended, with all that it started', async () => {
    const file = join(directory(), 'pid');
    const script = `const child = require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => 0, 1000)'], { stdio: 'inherit' });
      require('fs').writeFileSync(process.argv[1], String(child.pid)); setInterval(() => 0, 1000);`;
    expect(await failure(send(command(node(script, file), 1_500), message(), control()))).toBe(
      'alert-not-delivered: it took too long',
    );
    const pid = Number(readFileSync(file, 'utf8'));
    const isThere = () => {
      try {
        // A dead child that nobody has waited for is still listed.
        return process.kill(pid, 0) && !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
      } catch {
        return false;
      }
    };
    for (let waited = 0; isThere() && waited < 5_000; waited += 20) await setTimeout(20);
    expect(isThere()).toBe(false);
  });
});
