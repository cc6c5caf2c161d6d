import type { Issue } from '../common/errors.ts';

/** Notes one problem with a definition: nothing is thrown while declaring. `path` starts below the asset's key. */
export type Report = (code: string, path: readonly string[], message: string, hint?: string) => void;

export function reporter(key: string, issues: Issue[]): Report {
  return (code, path, message, hint) => {
    issues.push({ code, path: [key, ...path], message, ...(hint !== undefined && { hint }) });
  };
}

const NAME = /^(?!__)[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Names of columns, dimensions and inputs stand in SQL and in directories: plain words, and different ones even where case does
 * not count.
 */
export function checkNames(
  names: readonly string[],
  what: string,
  path: (name: string) => readonly string[],
  report: Report,
): void {
  const seen = new Map<string, string>();
  for (const name of names) {
    if (!NAME.test(name)) {
      report(
        'bad-name',
        path(name),
        `${what} is named in letters, digits and _, and does not start with a digit or __`,
      );
    }
    const other = seen.get(name.toLowerCase());
    if (other === name) report('duplicate-name', path(name), `${what} of this name is there twice`);
    else if (other !== undefined) {
      report('case-collision', path(name), `differs from '${other}' only in case, which SQL and some disks do not see`);
    }
    seen.set(name.toLowerCase(), name);
  }
}
