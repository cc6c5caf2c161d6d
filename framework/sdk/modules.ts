import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';

/** Node keeps a module for as long as a process lives, by its URL. A generation makes it another one. */
const GENERATION = /\?generation=\d+$/;

/** Directories that are read anew, by the generation they are read for. */
const directories = new Map<string, string>();
let hooked = false;

/** What a module of a directory that is read anew imports from there is of the same generation. */
function hook(): void {
  if (hooked) return;
  hooked = true;
  registerHooks({
    resolve: (specifier, context, next) => {
      const resolved = next(specifier, context);
      const [generation] = GENERATION.exec(context.parentURL ?? '') ?? [];
      const directory = generation === undefined ? undefined : directories.get(generation);
      if (directory === undefined || !resolved.url.startsWith(directory) || resolved.url.includes('/node_modules/'))
        return resolved;
      return { ...resolved, url: `${resolved.url}${generation}` };
    },
  });
}

/** The exports of a module, by absolute path; see `Host.importModule`. */
export function importModule(file: string, generation = 0): Promise<unknown> {
  const { href } = pathToFileURL(file);
  if (generation === 0) return import(href);
  hook();
  const query = `?generation=${generation}`;
  directories.set(query, new URL('.', href).href);
  return import(`${href}${query}`);
}
