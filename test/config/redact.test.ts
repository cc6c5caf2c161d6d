import { expect, test } from 'vitest';
import { z } from 'zod';
import { describeSettings } from '../../framework/config/describe.ts';
import { redactText } from '../../framework/config/redact.ts';
import { resolveSettings } from '../../framework/config/resolve.ts';
import { failure, sourcesOf } from './support.ts';

const loaded = resolveSettings(
  sourcesOf({
    config: 's3: { accessKeyId: AKIAFILE, bucket: lake }\nalerts: { webhookUrl: https://example.org/T0/from-file }\n',
    dotenv: 'AWS_SECRET_ACCESS_KEY=a/b+c"d\n',
    env: { ALERT_WEBHOOK_URL: 'https://example.org/T0/from-env', AWS_SESSION_TOKEN: 'AKIAFILEandmore' },
  }),
  {},
);

test('the list of settings shows that a secret is set and by what, not what it is', () => {
  const rows = describeSettings(loaded);
  const shown = rows
    .filter(({ name }) =>
      /^(?:s3\.(?:bucket|endpoint|accessKeyId|secretAccessKey|sessionToken)$|alerts\.webhookUrl)/.test(name),
    )
    .map((row) => [row.name, row.value, row.origin]);
  expect(shown).toEqual([
    ['s3.bucket', 'lake', 'lakehouse.yaml:1'],
    ['s3.endpoint', undefined, 'default'],
    ['s3.accessKeyId', '***', 'lakehouse.yaml:1'],
    ['s3.secretAccessKey', '***', '.env AWS_SECRET_ACCESS_KEY'],
    ['s3.sessionToken', '***', 'environment AWS_SESSION_TOKEN'],
    ['alerts.webhookUrl', '***', 'environment ALERT_WEBHOOK_URL'],
  ]);
  expect(JSON.stringify(rows)).not.toMatch(/AKIA|from-env|a\/b/);
});

test('the settings themselves hold the secrets', () => {
  expect(loaded.settings.s3).toMatchObject({
    bucket: 'lake',
    accessKeyId: 'AKIAFILE',
    secretAccessKey: 'a/b+c"d',
    sessionToken: 'AKIAFILEandmore',
  });
});

test('what an extension marks is a secret, wherever in the schema it is marked', () => {
  const extension = {
    token: z.string().meta({ secret: true }).optional().describe('A token'),
    keys: z.array(z.string()).default(['hunter3']).meta({ secret: true }),
    users: z
      .record(z.string(), z.object({ pin: z.int() }))
      .default({})
      .meta({ secret: true }),
  };
  const secret = resolveSettings(
    sourcesOf({ config: 'users: { me: { pin: 7744 } }', env: { LAKEHOUSE__TOKEN: 'hunter2' } }),
    extension,
  );
  expect(secret.secrets).toEqual(['7744', 'hunter2', 'hunter3']);
  const rows = describeSettings(secret).slice(-3);
  expect(rows.map((row) => [row.name, row.value, row.description])).toEqual([
    ['token', '***', 'A token'],
    ['keys', '***', undefined],
    ['users.me.pin', '***', undefined],
  ]);
  const config = 'keys: hunter2\nusers: { me: { pin: hunter2 } }';
  expect(failure(() => resolveSettings(sourcesOf({ config }), extension))).not.toContain('hunter2');
});

test('texts lose the secrets of every layer, plain, encoded for a URL and as JSON, the longest first', () => {
  const text = [
    'POST https://example.org/T0/from-env failed, before https://example.org/T0/from-file; bucket lake',
    `key a/b+c"d, ?k=${encodeURIComponent('a/b+c"d')}, ${JSON.stringify({ key: 'a/b+c"d' })}`,
    'AKIAFILEandmore AKIAFILE',
  ].join('\n');
  expect(redactText(text, loaded)).toBe(
    'POST *** failed, before ***; bucket lake\nkey ***, ?k=***, {"key":"***"}\n*** ***',
  );
  expect(redactText('nothing', { secrets: [] })).toBe('nothing');
});
