import { readFileSync } from 'node:fs';
import { createRequire, findPackageJSON } from 'node:module';
import { pathToFileURL } from 'node:url';
import { canonicalHash } from '../common/canonical.ts';

/**
 * Something a code version depends on outside the program: the text of a file, the version of a package seen from a module,
 * the file that a `#…` specifier of a module means.
 */
export type Question = readonly [kind: 'text' | 'version' | 'resolve', subject: string, from: string];

/** A question and a hash of its answer; null if there is none (no such file, no such package). */
export type Observation = readonly [Question, string | null];

/** The disk, asked each question once, with a record of what it said. */
export interface Disk {
  readonly ask: (...question: Question) => string | undefined;
  readonly observations: () => Observation[];
}

export function openDisk(): Disk {
  const answers = new Map<string, { readonly question: Question; readonly answer: string | undefined }>();
  return {
    ask(...question) {
      const key = question.join('\0');
      const known = answers.get(key) ?? { question, answer: look(question) };
      answers.set(key, known);
      return known.answer;
    },
    observations: () => [...answers.values()].map(({ question, answer }) => [question, digest(answer)]),
  };
}

/** Whether the disk would give the same answers now. */
export function stillHold(observations: readonly Observation[]): boolean {
  return observations.every(([question, answer]) => digest(look(question)) === answer);
}

function digest(answer: string | undefined): string | null {
  return answer === undefined ? null : canonicalHash(answer);
}

function look([kind, subject, from]: Question): string | undefined {
  try {
    if (kind === 'text') return readFileSync(subject, 'utf8');
    if (kind === 'resolve') return createRequire(from).resolve(subject);
    const manifest = findPackageJSON(subject, pathToFileURL(from));
    const parsed: unknown = manifest === undefined ? undefined : JSON.parse(readFileSync(manifest, 'utf8'));
    const version = typeof parsed === 'object' && parsed !== null && 'version' in parsed ? parsed.version : undefined;
    return typeof version === 'string' ? version : undefined;
  } catch {
    return undefined;
  }
}
