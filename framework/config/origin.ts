import type { Issue } from '../common/errors.ts';

/** Where a value was written. Lines and columns count from 1; files are relative to the working directory. */
export type Origin =
  | { readonly kind: 'default' }
  | { readonly kind: 'file'; readonly file: string; readonly line: number; readonly column: number }
  | {
      readonly kind: 'profile';
      readonly profile: string;
      readonly file: string;
      readonly line: number;
      readonly column: number;
    }
  | { readonly kind: 'dotenv'; readonly name: string; readonly file: string; readonly line: number }
  | { readonly kind: 'environment'; readonly name: string }
  | { readonly kind: 'argument'; readonly name: '--set' | '--profile' };

/** `default`, `config/lakehouse.yaml:12`, `profile production (config/profiles/production.yaml:3)`, `.env S3_BUCKET`, … */
export function formatOrigin(origin: Origin): string {
  switch (origin.kind) {
    case 'default':
      return 'default';
    case 'file':
      return `${origin.file}:${origin.line}`;
    case 'profile':
      return `profile ${origin.profile} (${origin.file}:${origin.line})`;
    case 'dotenv':
      return `${origin.file} ${origin.name}`;
    case 'environment':
      return `environment ${origin.name}`;
    case 'argument':
      return origin.name;
  }
}

/** An issue with something written at `origin`: in a file at its position, else the message says where. */
export function issueAt(origin: Origin, issue: Omit<Issue, 'at'>): Issue {
  switch (origin.kind) {
    case 'file':
    case 'profile':
      return { ...issue, at: { file: origin.file, line: origin.line, column: origin.column } };
    case 'dotenv':
      return { ...issue, message: `${issue.message} (${origin.name})`, at: { file: origin.file, line: origin.line } };
    case 'environment':
      return { ...issue, message: `${issue.message} (environment variable ${origin.name})` };
    case 'argument':
      return { ...issue, message: `${issue.message} (${origin.name})` };
    case 'default':
      return issue;
  }
}
