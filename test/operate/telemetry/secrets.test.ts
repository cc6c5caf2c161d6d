import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Io } from '../../../framework/cli/io.ts';
import { createLog } from '../../../framework/cli/logs.ts';
import { LakehouseError, serializeError } from '../../../framework/common/errors.ts';
import { redactText } from '../../../framework/config/redact.ts';
import { resolveSettings } from '../../../framework/config/resolve.ts';
import { frameworkShape } from '../../../framework/config/schema.ts';
import { childOf, type Setting, settingTree } from '../../../framework/config/tree.ts';
import { logRunEvent } from '../../../framework/operate/log.ts';
import { sourcesOf } from '../../config/support.ts';

// A value for every setting that is secret. One that is new and has none here fails the test below.
const config = `
s3: { accessKeyId: 'AKIA key/1+2=', secretAccessKey: "two\\nlines of \\"secret\\"", sessionToken: 'tök\\en%20 & more' }
telemetry:
  otlp: { headers: { authorization: 'Bearer otlp-secret', x-key: "it's-a-secret" } }
  openLineage: { apiKey: 'lineage<secret>' }
alerts:
  webhookUrl: https://hooks.example/T0/alert-secret?a=b&c=d
  destinations:
    chat: { type: slack, url: 'https://hooks.example/chat-secret' }
    api: { type: json, url: 'https://u:json-secret@api.example/', headers: { x-token: header-secret }, signingKey: c2lnbmluZ2tleXNpZ25pbmdrZXlzaWduaW5na2V5 }
    mail: { type: email, host: mail.example, from: a@b.example, to: [c@d.example], user: u, password: 'mail "secret"' }
`;
const loaded = resolveSettings(sourcesOf({ config }));

/** Paths of everything secret, `*` for a name that whoever writes the settings chooses. */
function secretPaths(setting: Setting, path: readonly string[] = []): string[] {
  if (setting.kind === 'section')
    return [...setting.children].flatMap(([key, child]) => secretPaths(child, [...path, key]));
  if (setting.kind === 'entries') {
    const value = childOf(setting, 'name');
    return value ? secretPaths(value, [...path, '*']) : [];
  }
  return setting.secret ? [path.join('.')] : [];
}

/** The texts in a value at a path. */
function textsAt(value: unknown, [key, ...rest]: readonly string[]): string[] {
  if (value === undefined) return [];
  if (key === undefined)
    return typeof value === 'object' && value !== null ? Object.values(value).map(String) : [String(value)];
  if (key === '*') return Object.values(value as object).flatMap((one) => textsAt(one, rest));
  return textsAt((value as Record<string, unknown>)[key], rest);
}

const paths = secretPaths(settingTree(frameworkShape, false));
const secrets = paths.flatMap((path) => textsAt(parse(config), path.split('.')));

test('there is an example of every secret', () => {
  expect(paths.length).toBeGreaterThanOrEqual(9);
  expect(paths.filter((path) => textsAt(parse(config), path.split('.')).length === 0)).toEqual([]);
  expect(new Set(loaded.secrets)).toEqual(new Set(secrets));
});

/** What is written for these, in all the ways there are. */
function written(say: (log: ReturnType<typeof createLog>) => void): string[] {
  return [
    { isTTY: false, json: false, color: false },
    { isTTY: true, json: true, color: false },
    { isTTY: true, json: false, color: false },
    { isTTY: true, json: false, color: true },
  ].map(({ isTTY, json, color }) => {
    let text = '';
    const stdout = {
      isTTY,
      write: (more: string) => {
        text += more;
      },
    };
    const io = { stdout, pid: 1, host: 'here', now: () => 0 } as unknown as Io;
    say(createLog(io, { level: 'trace', json, color, redact: (line) => redactText(line, loaded) }));
    return text;
  });
}

describe.each(secrets.map((secret) => [secret]))('%j', (secret) => {
  const forms = [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), ...secret.split('\n')];

  test('is in no line of the log', () => {
    const cause = new Error(`inside ${secret}`);
    const error = new LakehouseError('x', `It failed with ${secret}`, {
      hint: `Use ${encodeURIComponent(secret)}`,
      details: { deep: [{ secret, json: JSON.stringify({ secret }) }] },
      cause,
    });
    const texts = written((log) => {
      log('error', `said ${secret}`, { plain: secret, [secret]: 1, list: [secret], err: error, stack: error.stack });
      log('warn', `GET https://x.example/?key=${encodeURIComponent(secret)}`, { error: serializeError(error) });
      logRunEvent(
        log,
        { type: 'partition-failed', asset: 'a/b', partition: secret, error: serializeError(error) },
        { run: 'r' },
      );
      logRunEvent(log, { type: 'warning', asset: 'a/b', message: secret, hint: secret }, {});
      log('info', 'last');
    });
    for (const text of texts) {
      expect(text).toContain('last');
      expect(text).toContain('***');
      expect(forms.filter((form) => text.includes(form))).toEqual([]);
    }
  });
});

test('a line says which run, asset and partition it is about', () => {
  const [json = ''] = written((log) =>
    logRunEvent(
      log,
      { type: 'partition-failed', asset: 'a/b', partition: 'date=2024-01-01', error: { message: 'no', code: 'bad' } },
      { schedule: 'nightly', run: 'r1' },
    ),
  );
  expect(JSON.parse(json)).toEqual({
    level: 'error',
    time: '1970-01-01T00:00:00.000Z',
    pid: 1,
    host: 'here',
    schedule: 'nightly',
    run: 'r1',
    event: 'partition-failed',
    asset: 'a/b',
    partition: 'date=2024-01-01',
    error: { message: 'no', code: 'bad' },
    message: 'no',
  });
});
