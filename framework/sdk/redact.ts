import { redactText } from '../config/redact.ts';

/** What is told to a program, without the values of secret settings. */
export type Redact = <T>(told: T) => T;

/**
 * Takes secrets out of all texts of plain data, which is copied where there are any, and of errors and their causes, which stay the
 * same objects: who aborted something recognizes the reason.
 * @param secrets as far as they are known by then.
 */
export function redactor(secrets: () => readonly string[]): Redact {
  return (told) => {
    const known = secrets();
    return known.length === 0
      ? told
      : (cleaned(told, (text) => redactText(text, { secrets: known }), new Map()) as never);
  };
}

function cleaned(value: unknown, redact: (text: string) => string, done: Map<object, unknown>): unknown {
  if (typeof value === 'string') return redact(value);
  if (typeof value !== 'object' || value === null) return value;
  const before = done.get(value);
  if (before !== undefined) return before;
  done.set(value, value);
  if (value instanceof Error) {
    for (const name of Object.getOwnPropertyNames(value)) {
      const old: unknown = Reflect.get(value, name);
      const clean = cleaned(old, redact, done);
      if (clean !== old) Reflect.set(value, name, clean);
    }
    return value;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return value;
  const entries = Object.entries(value).map(([key, one]) => [key, one, cleaned(one, redact, done)] as const);
  if (entries.every(([, one, clean]) => one === clean)) return value;
  const copy = Array.isArray(value)
    ? entries.map(([, , clean]) => clean)
    : Object.fromEntries(entries.map(([key, , clean]) => [key, clean]));
  done.set(value, copy);
  return copy;
}
