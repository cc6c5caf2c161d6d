/** Plain data with the secrets taken out of all its texts: what is remembered is shown to others, and what went wrong may quote them. */
export const redacted = <T>(redact: (text: string) => string, value: T): T =>
  JSON.parse(redact(JSON.stringify(value))) as T;
