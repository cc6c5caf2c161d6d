/** What stands in the place of a secret. */
export const REDACTED = '***';

const escaped = (text: string) => JSON.stringify(text).slice(1, -1);

/** `text` without the secrets of the settings, also where they were encoded for a URL or for JSON. For logs and errors. */
export function redactText(text: string, settings: { readonly secrets: readonly string[] }): string {
  const forms = settings.secrets.flatMap((secret) => [
    secret,
    encodeURIComponent(secret),
    escaped(secret),
    // JSON that is quoted in JSON: an answer of a server in a line of the log.
    escaped(escaped(secret)),
  ]);
  // The longest first: what remains of a secret around a shorter one would give it away.
  return forms.sort((a, b) => b.length - a.length).reduce((shown, form) => shown.replaceAll(form, REDACTED), text);
}
