// The words of alerts, which the configuration file says as well.

/** What there may be to be told of; `docs/guide.md` says when each of them is raised and cleared. */
export const ALERT_RULES = [
  'runs',
  'failures',
  'freshness',
  'checks',
  'retries',
  'storage',
  'restart',
  'reload',
  'circuit',
] as const;
export type AlertRule = (typeof ALERT_RULES)[number];

/** From the less to the more severe. */
export const ALERT_SEVERITIES = ['warn', 'error'] as const;
export type AlertSeverity = (typeof ALERT_SEVERITIES)[number];

/** How an alert is brought to people: `slack` also to what understands its webhooks (Mattermost, Rocket.Chat). */
export const DESTINATION_TYPES = ['slack', 'json', 'email', 'command'] as const;
export type DestinationType = (typeof DESTINATION_TYPES)[number];

export const SMTP_SECURITY = ['starttls', 'tls', 'none'] as const;

export const DESTINATION_NAME = /^[a-z][a-z0-9_-]*$/;
