import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';

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
      file.startsWith('file:') ? [file] : isAbsolute(file) ? [pathToFileURL(file).href] : [],
    );
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** The nearest of `callerModules`; undefined if no file called the function. */
export function callerModule(below: (...args: never[]) => unknown): string | undefined {
  return callerModules(below)[0];
}
