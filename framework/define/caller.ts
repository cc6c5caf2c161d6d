import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * The URL of the module that called the function `below` (which is on the stack now), e.g. the asset file that calls
 * `asset()`: however many helpers lie between, and past built-in callers such as `Array.map`. Undefined if no file called it.
 */
export function callerModule(below: (...args: never[]) => unknown): string | undefined {
  const { prepareStackTrace, stackTraceLimit } = Error;
  const holder: { stack?: readonly NodeJS.CallSite[] } = {};
  try {
    Error.stackTraceLimit = 8;
    Error.prepareStackTrace = (_, sites) => sites;
    Error.captureStackTrace(holder, below);
    const file = holder.stack?.map((site) => site.getFileName()).find((name) => name && !name.startsWith('node:'));
    if (!file) return undefined;
    return isAbsolute(file) ? pathToFileURL(file).href : file;
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
    Error.stackTraceLimit = stackTraceLimit;
  }
}
