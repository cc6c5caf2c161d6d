/**
 * URLs of the files on the stack above the function `below` (which runs now), nearest first: the module that calls `asset()`,
 * then, if that is a factory, the module that calls the factory, and so on.
 */
export function callerModules(below: (...args: never[]) => unknown): string[] {
  const { prepareStackTrace, stackTraceLimit } = Error;
  const holder: { stack?: readonly NodeJS.CallSite[] } = {};
  try {
    Error.stackTraceLimit = 16;
    Error.prepareStackTrace = (_, sites) => sites;
    Error.captureStackTrace(holder, below);
    const files = new Set(holder.stack?.map((site) => site.getFileName() ?? 'node:'));
    return [...files].flatMap((file) =>
      file.startsWith('file:') ? [file] : ABSOLUTE.test(file) ? [fileUrl(file)] : [],
    );
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

/** The nearest of `callerModules`; undefined if no file called the function. */
export function callerModule(below: (...args: never[]) => unknown): string | undefined {
  return callerModules(below)[0];
}
