import { z } from 'zod';
import type { Issue } from '../common/errors.ts';
import { didYouMean } from '../common/suggest.ts';
import { issueAt, type Origin } from './origin.ts';
import type { Entries, Leaf } from './tree.ts';
import { inOurWords } from './words.ts';

/** One value that one layer gives to one setting. */
export interface Entry {
  readonly path: readonly string[];
  readonly value: unknown;
  readonly origin: Origin;
  readonly secret: boolean;
}

/** What a layer says, and what is wrong with it. */
export interface Layer {
  readonly entries: Entry[];
  readonly issues: Issue[];
}

export function emptyLayer(): Layer {
  return { entries: [], issues: [] };
}

/** Adds `value` to the layer, and an issue for everything that is wrong with it. `originOf` finds the part meant by a path inside the value. */
export function addValue(
  layer: Layer,
  leaf: Leaf,
  value: unknown,
  originOf: (inside: readonly PropertyKey[]) => Origin,
  origin: Origin,
): void {
  layer.entries.push({ path: leaf.path, value, origin, secret: leaf.secret });
  if (leaf.isPath && typeof value === 'string' && /^(?:~|<(?!dataDir>))/.test(value)) {
    layer.issues.push(
      issueAt(originOf([]), {
        code: 'invalid-setting',
        path: leaf.path,
        message: `A path starts neither with '~' nor with a name in '<>' other than '<dataDir>'${given(leaf, value)}`,
        hint: 'Write it in full, or relative to the working directory',
      }),
    );
  }
  const result = z.safeParse(leaf.schema, value, { error: inOurWords });
  for (const issue of result.error?.issues ?? []) {
    const wrong = issue.path.reduce((part: unknown, key) => (isRecord(part) ? part[key] : undefined), value);
    layer.issues.push(
      issueAt(originOf(issue.path), {
        code: 'invalid-setting',
        path: [...leaf.path, ...issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key))],
        message: `${issue.message}${given(leaf, wrong)}`,
        hint: hintFor(leaf, issue, wrong),
      }),
    );
  }
}

/** Adds an issue, and returns false, when `key` may not be a key of the mapping. */
export function checkKey(layer: Layer, entries: Entries, key: string, origin: Origin): boolean {
  const issues = z.safeParse(entries.key, key, { error: inOurWords }).error?.issues ?? [];
  for (const issue of issues) {
    const path = [...entries.path, key];
    layer.issues.push(issueAt(origin, { code: 'invalid-setting', path, message: issue.message }));
  }
  return issues.length === 0;
}

function isRecord(value: unknown): value is Record<PropertyKey, unknown> {
  return typeof value === 'object' && value !== null;
}

function given(leaf: Leaf, value: unknown): string {
  if (value === undefined || value === null) return ', got nothing';
  if (isRecord(value)) return Array.isArray(value) ? ', got a list' : ', got a section';
  if (leaf.secret) return '';
  const text = JSON.stringify(value);
  return `, got ${text.length > 60 ? `${text.slice(0, 57)}…` : text}`;
}

function hintFor(leaf: Leaf, issue: z.core.$ZodIssue, wrong: unknown): string | undefined {
  if (wrong === null) return 'Leave it out to keep the default';
  if (issue.code === 'invalid_value' && typeof wrong === 'string') {
    const hint = didYouMean(wrong, issue.values.map(String));
    return hint?.startsWith('Known') ? undefined : hint;
  }
  if (issue.code !== 'invalid_type') return undefined;
  if (issue.expected === 'array') return `Write a list: [${leaf.secret || isRecord(wrong) ? '…' : String(wrong)}]`;
  if (issue.expected === 'string' && !isRecord(wrong)) return 'Put it in quotes';
  return undefined;
}
