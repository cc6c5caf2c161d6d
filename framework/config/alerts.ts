import { z } from 'zod';
import {
  ALERT_RULES,
  ALERT_SEVERITIES,
  DESTINATION_NAME,
  DESTINATION_TYPES,
  type DestinationType,
  SMTP_SECURITY,
} from '../common/alerts.ts';
import { httpUrl } from './url.ts';

const HOST = /^[A-Za-z0-9.:-]+$/;
/** As Standard Webhooks have it: 24 to 64 bytes in base64. */
const SIGNING_KEY = /^(?:whsec_)?[A-Za-z0-9+/]{32,86}={0,2}$/;

const destinationFields = z.object({
  type: z.enum(DESTINATION_TYPES).meta({
    description: 'How it is told. slack and json need url; email needs host, from and to; command needs command.',
  }),
  rules: z.array(z.enum(ALERT_RULES)).optional().meta({ description: 'What it is told of; all when absent.' }),
  severity: z.enum(ALERT_SEVERITIES).default('warn').meta({ description: 'Least severe that it is told of.' }),
  timeoutSeconds: z.number().positive().default(15).meta({ description: 'Seconds that an attempt may take.' }),
  url: httpUrl().optional().meta({ description: 'Of slack and json: address that is posted to.', secret: true }),
  headers: z
    .record(
      z.string().regex(/^[\w!#$%&'*+.^`|~-]+$/, 'This is no name of a header'),
      z.string().regex(/^[\t\x20-\x7e]*$/, 'A header is one line of ASCII'),
    )
    .optional()
    .meta({ description: 'Of json: further headers, e.g. Authorization.', secret: true }),
  signingKey: z
    .string()
    .regex(SIGNING_KEY, 'Write 24 to 64 random bytes in base64: openssl rand -base64 32')
    .optional()
    .meta({ description: 'Of json: key that messages are signed with, base64.', secret: true }),
  host: z.string().regex(HOST, 'This is no name of a host').optional().meta({ description: 'Of email: SMTP server.' }),
  port: z.int().min(1).max(65_535).optional().meta({ description: 'Of email: its port; 587, or 465 with tls.' }),
  security: z
    .enum(SMTP_SECURITY)
    .optional()
    .meta({ description: 'Of email: starttls (when absent; refuses to do without), tls, or none.' }),
  user: z.string().min(1).optional().meta({ description: 'Of email: user of the SMTP server.' }),
  password: z.string().min(1).optional().meta({ description: "Of email: the user's password.", secret: true }),
  from: z.string().min(1).optional().meta({ description: 'Of email: sender.' }),
  to: z.array(z.email()).min(1).optional().meta({ description: 'Of email: recipients.' }),
  command: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .meta({ description: 'Of command: program and arguments. There is no shell, unless it is [sh, -c, …].' }),
});

type Field = keyof z.output<typeof destinationFields>;

/** What a type needs, and what it may have besides what all have. */
const FIELDS: Readonly<Record<DestinationType, { readonly needs: readonly Field[]; readonly may: readonly Field[] }>> =
  {
    slack: { needs: ['url'], may: [] },
    json: { needs: ['url'], may: ['headers', 'signingKey'] },
    email: { needs: ['host', 'from', 'to'], may: ['port', 'security', 'user', 'password'] },
    command: { needs: ['command'], may: [] },
  };
const COMMON: readonly Field[] = ['type', 'rules', 'severity', 'timeoutSeconds'];

const destination = destinationFields.superRefine((given, { addIssue }) => {
  const { needs, may } = FIELDS[given.type];
  const wrong = (message: string, path: Field[] = []) => addIssue({ code: 'custom', message, path });
  for (const field of needs)
    if (given[field] === undefined) wrong(`A destination of type ${given.type} needs ${field}`, [field]);
  for (const field of Object.keys(given) as Field[]) {
    if (given[field] !== undefined && ![...COMMON, ...needs, ...may].includes(field))
      wrong(`A destination of type ${given.type} has no ${field}`);
  }
  if (given.user !== undefined && given.password === undefined) wrong('A user needs a password', ['password']);
  if (given.user === undefined && given.password !== undefined) wrong('A password needs a user', ['user']);
});

export const alertsSection = z
  .object({
    webhookUrl: httpUrl()
      .optional()
      .meta({
        description: 'Address of a Slack-compatible webhook: the same as a destination of type slack.',
        secret: true,
        env: ['ALERT_WEBHOOK_URL'],
      }),
    rules: z
      .array(z.enum(ALERT_RULES))
      .default([...ALERT_RULES])
      .meta({ description: 'What is alerted of.' }),
    repeatedFailures: z
      .int()
      .min(2)
      .default(3)
      .meta({ description: 'Failures in a row after which a tick or a partition fails again and again.' }),
    storageQuota: z
      .string()
      .regex(/^\d*[1-9]\d*(?:\.\d+)? ?[KMGTP]i?B$/, 'Write a size: 500GB, 2TiB')
      .optional()
      .meta({ description: 'Size the files of the lake may have in all: 500GB.' }),
    storageWarnPercent: z
      .number()
      .min(1)
      .max(100)
      .default(90)
      .meta({ description: 'Percent of the quota from which on there is a warning.' }),
    groupSeconds: z
      .number()
      .min(0)
      .max(3600)
      .default(60)
      .meta({ description: 'Seconds within which what happens becomes one message.' }),
    maxLines: z.int().positive().default(20).meta({ description: 'Alerts that a message names.' }),
    repeatHours: z
      .number()
      .min(0)
      .default(24)
      .meta({ description: 'Hours after which what still is bad is told again; 0 for never.' }),
    giveUpHours: z
      .number()
      .positive()
      .default(72)
      .meta({ description: 'Hours after which a message that cannot be delivered is dropped.' }),
    destinations: z
      .record(
        z.string().regex(DESTINATION_NAME, 'The name of a destination is lower case: letters, digits, _ and -'),
        destination,
      )
      .default({})
      .meta({ description: 'Who is told, by name.' }),
  })
  .meta({ description: 'Alerts: what the daemon tells people of, and how.' });
