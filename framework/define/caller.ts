/** A place in a module. */
export interface Site {
  /** URL of the file. */
  readonly module: string;
  /** Counted from 1, when known. */
  readonly line: number | undefined;
}

/**
 * The files on the stack above the function `below` (which runs now), nearest first: the module that calls `asset()`, then, if
 * that is a factory, the module that calls the factory, and so on. Each once, with the line of its nearest call.
 */
export function callers(below: (...args: never[]) => unknown): Site[] {
  const { prepareStackTrace, stackTraceLimit } = Error;
  const holder: { stack?: readonly NodeJS.CallSite[] } = {};
  try {
    Error.stackTraceLimit = 16;
    Error.prepareStackTrace = (_, sites) => sites;
    Error.captureStackTrace(holder, below);
    const lines = new Map<string, number | undefined>();
    for (const site of holder.stack ?? []) {
      const file = site.getFileName() ?? 'node:';
      const module = file.startsWith('file:')
        ? file.replace(/\?.*$/, '')
        : ABSOLUTE.test(file)
          ? fileUrl(file)
          : undefined;
      if (module !== undefined && !lines.has(module)) lines.set(module, site.getLineNumber() ?? undefined);
    }
    return [...lines].map(([module, line]) => ({ module, line }));
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
    Error.stackTraceLimit = stackTraceLimit;
  }
}

const ABSOLUTE = /^(\/|[A-Za-z]:[\\/])/;

/** Modules loaded by bundlers and test runners appear with a path. (The pure rooms have no node:url.) */
function fileUrl(path: string): string {
  const encoded = encodeURI(path.replaceAll('\\', '/')).replace(/[?#]/g, encodeURIComponent);
  return new URL(`file://${encoded.startsWith('/') ? '' : '/'}${encoded}`).href;
}
