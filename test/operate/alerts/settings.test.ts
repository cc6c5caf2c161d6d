import { expect, test } from 'vitest';
import { describeSettings } from '../../../framework/config/describe.ts';
import { redactText } from '../../../framework/config/redact.ts';
import { refuseUntold, resolveSettings } from '../../../framework/config/resolve.ts';
import { destinationsOf, sizeOf } from '../../../framework/operate/alerts/destinations.ts';
import { failure, sourcesOf } from '../../config/support.ts';

const KEY = 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwAAAAAAAAAAA=';
const config = `alerts:
  destinations:
    ops: { type: slack, url: https://example.org/T0/hunter1, severity: error }
    pager: { type: json, url: https://example.org/p, signingKey: ${KEY}, headers: { Authorization: Bearer hunter2 } }
    mail: { type: email, host: smtp.example.org, user: me, password: hunter3, from: a@example.org, to: [b@example.org] }
    desk: { type: command, command: [notify-send, lake], rules: [runs, freshness], timeoutSeconds: 2 }
`;

test('destinations of every type, and the one of the environment', () => {
  const env = { ALERT_WEBHOOK_URL: 'https://example.org/hook', ALERTS__DESTINATIONS__OPS__TIMEOUT_SECONDS: '3' };
  const { settings } = resolveSettings(sourcesOf({ config, env }), {});
  const common = { rules: undefined, severity: 'warn', timeoutMs: 15_000 };
  expect(destinationsOf(settings.alerts)).toEqual([
    { ...common, name: 'webhookUrl', type: 'slack', url: 'https://example.org/hook' },
    {
      ...common,
      name: 'ops',
      type: 'slack',
      url: 'https://example.org/T0/hunter1',
      severity: 'error',
      timeoutMs: 3000,
    },
    {
      ...common,
      name: 'pager',
      type: 'json',
      url: 'https://example.org/p',
      headers: { Authorization: 'Bearer hunter2' },
      signingKey: KEY,
    },
    {
      ...common,
      name: 'mail',
      type: 'email',
      host: 'smtp.example.org',
      port: 587,
      security: 'starttls',
      auth: { user: 'me', pass: 'hunter3' },
      from: 'a@example.org',
      to: ['b@example.org'],
    },
    {
      ...common,
      name: 'desk',
      type: 'command',
      command: ['notify-send', 'lake'],
      rules: ['runs', 'freshness'],
      timeoutMs: 2000,
    },
  ]);
});

test('a destination may come from the environment alone, its secrets too', () => {
  const env = {
    ALERTS__DESTINATIONS__OPS__TYPE: 'json',
    ALERTS__DESTINATIONS__OPS__URL: 'https://example.org/x',
    ALERTS__DESTINATIONS__OPS__SIGNING_KEY: KEY,
  };
  const loaded = resolveSettings(sourcesOf({ env }), {});
  expect(destinationsOf(loaded.settings.alerts)).toMatchObject([{ name: 'ops', type: 'json', signingKey: KEY }]);
  expect(loaded.secrets).toEqual(['https://example.org/x', KEY]);
});

test('no secret of a destination is shown', () => {
  const loaded = resolveSettings(sourcesOf({ config }), {});
  const shown = JSON.stringify(describeSettings(loaded));
  expect(shown).not.toMatch(/hunter|MfKQ|example\.org\/[Tp]/);
  expect(redactText(`POST https://example.org/T0/hunter1 Bearer hunter2 ${KEY} hunter3`, loaded)).toBe(
    'POST *** *** *** ***',
  );
});

test('what a destination needs, and what it has not, is said where it was written', () => {
  const wrong = `alerts:
  destinations:
    a: { type: slack }
    b: { type: slack, url: https://example.org/, to: [x@example.org] }
    c: { type: email, host: h, from: f, to: [x@example.org], user: me }
    d: { type: command, url: https://example.org/ }
`;
  const loaded = resolveSettings(sourcesOf({ config: wrong }), {});
  expect(failure(() => refuseUntold(loaded))).toMatchInlineSnapshot(`
    "invalid-settings (usage) The settings are wrong:
      - lakehouse.yaml:3:10: alerts.destinations.a.url: A destination of type slack needs url
        Secrets may be given in the environment or .env: ALERTS__DESTINATIONS__A__URL
      - lakehouse.yaml:4:10: alerts.destinations.b: A destination of type slack has no to
      - lakehouse.yaml:5:10: alerts.destinations.c.password: A user needs a password
        Secrets may be given in the environment or .env: ALERTS__DESTINATIONS__C__PASSWORD
      - lakehouse.yaml:6:10: alerts.destinations.d.command: A destination of type command needs command
      - lakehouse.yaml:6:10: alerts.destinations.d: A destination of type command has no url"
  `);
});

test('values that no destination can have', () => {
  const wrong = `alerts:
  storageQuota: much
  destinations:
    Ops: { type: slack, url: https://example.org/ }
    a: { type: pigeon }
    b: { type: json, url: ftp://example.org/hunter2, signingKey: hunter2hunter2, headers: { 'a b': c } }
    c: { type: email, host: 'smtp://h', from: f, to: [nobody], port: 0 }
`;
  const said = failure(() => resolveSettings(sourcesOf({ config: wrong }), {}));
  expect(said).toMatchInlineSnapshot(`
    "invalid-settings (usage) The settings are wrong:
      - lakehouse.yaml:2:17: alerts.storageQuota: Write a size: 500GB, 2TiB, got "much"
      - lakehouse.yaml:4:5: alerts.destinations.Ops: The name of a destination is lower case: letters, digits, _ and -
      - lakehouse.yaml:5:16: alerts.destinations.a.type: Expected one of slack, json, email, command, got "pigeon"
      - lakehouse.yaml:6:27: alerts.destinations.b.url: Expected an http or https URL
      - lakehouse.yaml:6:66: alerts.destinations.b.signingKey: Write 24 to 64 random bytes in base64: openssl rand -base64 32
      - lakehouse.yaml:6:93: alerts.destinations.b.headers.a b: This is no name of a header
      - lakehouse.yaml:7:29: alerts.destinations.c.host: This is no name of a host, got "smtp://h"
      - lakehouse.yaml:7:55: alerts.destinations.c.to.0: Expected an e-mail address, got "nobody"
      - lakehouse.yaml:7:70: alerts.destinations.c.port: Expected at least 1, got 0"
  `);
  expect(said).not.toContain('hunter2');
});

test('only whoever tells needs what is told with: everything else goes on without those of whom something is missing', () => {
  const lacking = `alerts:
  destinations:
    ops: { type: slack }
    mail: { type: email, host: h, from: f, to: [x@example.org], user: me }
    desk: { type: command, command: [notify-send, lake] }
`;
  const loaded = resolveSettings(sourcesOf({ config: lacking, env: { ALERT_WEBHOOK_URL: 'hunter2' } }), {});
  expect(destinationsOf(loaded.settings.alerts).map(({ name }) => name)).toEqual(['desk']);
  const said = failure(() => refuseUntold(loaded));
  expect(said).toMatchInlineSnapshot(`
    "invalid-settings (usage) The settings are wrong:
      - alerts.webhookUrl: Expected an http or https URL (environment variable ALERT_WEBHOOK_URL)
      - lakehouse.yaml:3:12: alerts.destinations.ops.url: A destination of type slack needs url
        Secrets may be given in the environment or .env: ALERTS__DESTINATIONS__OPS__URL
      - lakehouse.yaml:4:13: alerts.destinations.mail.password: A user needs a password
        Secrets may be given in the environment or .env: ALERTS__DESTINATIONS__MAIL__PASSWORD"
  `);
  expect(said).not.toContain('hunter2');
  // They stay among the settings that are shown, and their secrets secret.
  expect(loaded.secrets).toContain('hunter2');
  expect(JSON.stringify(describeSettings(loaded))).toContain('alerts.destinations.ops.type');
  const env = {
    ALERTS__DESTINATIONS__OPS__URL: 'https://example.org/x',
    ALERTS__DESTINATIONS__MAIL__PASSWORD: 'hunter2',
  };
  const whole = resolveSettings(sourcesOf({ config: lacking, env }), {});
  expect(whole.untold).toEqual([]);
  expect(destinationsOf(whole.settings.alerts).map(({ name }) => name)).toEqual(['ops', 'mail', 'desk']);
  expect(() => refuseUntold(whole)).not.toThrow();
});

test.each([
  ['500GB', 500e9],
  ['2TiB', 2 * 1024 ** 4],
  ['1.5 MB', 1.5e6],
])('%s is %i bytes', (text, expected) => {
  expect(sizeOf(text)).toBe(expected);
});
