import { ALERT_SEVERITIES, type AlertRule, type AlertSeverity } from '../../common/alerts.ts';
import type { Settings } from '../../config/schema.ts';
import type { Notice } from './model.ts';

export type AlertSettings = Settings['alerts'];

interface Common {
  readonly name: string;
  /** Undefined for all. */
  readonly rules: readonly AlertRule[] | undefined;
  readonly severity: AlertSeverity;
  readonly timeoutMs: number;
}

/** Somebody who is told, and how. Holds secrets. */
export type Destination =
  | SlackDestination
  | JsonDestination
  | EmailDestination
  | (Common & { readonly type: 'command'; readonly command: readonly string[] });

export interface SlackDestination extends Common {
  readonly type: 'slack';
  readonly url: string;
}

export interface JsonDestination extends Common {
  readonly type: 'json';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signingKey: string | undefined;
}

export interface EmailDestination extends Common {
  readonly type: 'email';
  readonly host: string;
  readonly port: number;
  readonly security: 'starttls' | 'tls' | 'none';
  readonly auth: { readonly user: string; readonly pass: string } | undefined;
  readonly from: string;
  readonly to: readonly string[];
}

/** No name in `destinations` can be this one. */
const WEBHOOK = 'webhookUrl';
const WEBHOOK_TIMEOUT_MS = 15_000;

/** Everybody who is told, in the order of the settings. */
export function destinationsOf({ webhookUrl, destinations }: AlertSettings): Destination[] {
  const named = Object.entries(destinations).map(([name, given]) => destinationOf(name, given));
  if (webhookUrl === undefined) return named;
  const common = { name: WEBHOOK, rules: undefined, severity: 'warn', timeoutMs: WEBHOOK_TIMEOUT_MS } as const;
  return [{ ...common, type: 'slack', url: webhookUrl }, ...named];
}

function destinationOf(name: string, given: AlertSettings['destinations'][string]): Destination {
  const { type, rules, severity, timeoutSeconds, url = '', user, password, security = 'starttls' } = given;
  const common: Common = { name, rules, severity, timeoutMs: timeoutSeconds * 1000 };
  switch (type) {
    case 'slack':
      return { ...common, type, url };
    case 'json':
      return { ...common, type, url, headers: given.headers ?? {}, signingKey: given.signingKey };
    case 'email': {
      const { host = '', port = security === 'tls' ? 465 : 587, from = '', to = [] } = given;
      const auth = user === undefined || password === undefined ? undefined : { user, pass: password };
      return { ...common, type, host, port, security, auth, from, to };
    }
    case 'command':
      return { ...common, type, command: given.command ?? [] };
  }
}

/** Whether a destination wants to hear of something. Whoever was told that it is bad hears that it is over. */
export function wants({ rules, severity }: Destination, { alert }: Notice): boolean {
  const rank = (one: AlertSeverity) => ALERT_SEVERITIES.indexOf(one);
  return (rules === undefined || rules.includes(alert.rule)) && rank(alert.severity) >= rank(severity);
}

const UNITS = 'KMGTP';

/** Bytes of `500GB` (powers of 1,000) or `2TiB` (powers of 1,024). */
export function sizeOf(text: string): number {
  const [, value, unit = '', binary] = /^([\d.]+) ?([KMGTP])(i?)B$/.exec(text) ?? [];
  return Number(value) * (binary === 'i' ? 1024 : 1000) ** (UNITS.indexOf(unit) + 1);
}
