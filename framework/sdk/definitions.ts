import { existsSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isLakehouseError, LakehouseError } from '../common/errors.ts';
import { isLakehouse, type LakehouseDefinition } from '../define/lakehouse.ts';
import type { Host } from './host.ts';

const EXAMPLE = 'It exports what the lake is: export const lakehouse = defineLakehouse({ assets: […] })';

/**
 * The lakehouse that a definitions module exports as `lakehouse` or by default.
 * @throws LakehouseError (usage) `no-definitions`, `definitions-failed`, `no-lakehouse`, `two-frameworks`.
 */
export async function loadDefinition(
  file: string,
  { importModule, cwd }: Pick<Host, 'importModule' | 'cwd'>,
): Promise<LakehouseDefinition> {
  const shown = relative(cwd, file);
  if (!existsSync(file)) {
    throw new LakehouseError('no-definitions', `There is no definitions module ${shown}`, {
      hint: `Say where it is: --set definitions=path/to/index.ts, or 'definitions:' in lakehouse.yaml (relative to the working directory).\n${EXAMPLE}`,
    });
  }
  let exported: Readonly<Record<string, unknown>>;
  try {
    exported = (await importModule(file)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw importError(error, shown, cwd);
  }
  const found = exported.lakehouse ?? exported.default;
  if (isLakehouse(found)) return found;
  if (typeof found === 'object' && found !== null && 'assets' in found) {
    throw new LakehouseError(
      'two-frameworks',
      `${shown} exports a lakehouse that this framework did not make: there are two copies of it`,
      {
        hint: "Import 'crypto-lakehouse' in the definitions from the package whose `lakehouse` you run; `npm ls crypto-lakehouse` shows the copies.",
      },
    );
  }
  const names = Object.keys(exported);
  throw new LakehouseError(
    'no-lakehouse',
    `${shown} exports ${names.length > 0 ? `only ${names.join(', ')}` : 'nothing'}, and no 'lakehouse'`,
    { hint: EXAMPLE },
  );
}

function importError(error: unknown, shown: string, cwd: string): LakehouseError {
  const known = isLakehouseError(error);
  const name = error instanceof Error && error.name !== 'Error' && !known ? `${error.name}: ` : '';
  const message = error instanceof Error ? error.message : String(error);
  const at = ownFrame(error, cwd);
  return new LakehouseError(
    'definitions-failed',
    `${shown} cannot be loaded: ${name}${message}${at === undefined ? '' : `\n  at ${at}`}`,
    {
      hint: known ? error.hint : hintFor(error),
      issues: known ? error.issues : [],
      cause: error,
    },
  );
}

function hintFor(error: unknown): string | undefined {
  switch ((error as NodeJS.ErrnoException | undefined)?.code) {
    case 'ERR_MODULE_NOT_FOUND':
      return 'Relative imports need their extension (./x.ts); packages must be installed.';
    case 'ERR_UNKNOWN_FILE_EXTENSION':
      return 'Definitions are .ts or .js files; .tsx is not supported by Node.';
    case 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX':
      return 'Node removes types only: no enum, namespace or parameter properties.';
    default:
      return undefined;
  }
}

const FRAME = /(file:\/\/[^\s()]+|\/[^\s():]+|[A-Za-z]:\\[^\s():]+):(\d+)(?::(\d+))?/;

/** `assets/silver/klines.ts:12:3`: the first line of the stack that is in a file of the user's. */
function ownFrame(error: unknown, cwd: string): string | undefined {
  for (const line of (error instanceof Error ? (error.stack ?? '') : '').split('\n')) {
    const [, where = '', row, column] = FRAME.exec(line) ?? [];
    if (where === '' || line.includes('node:') || /[\\/]node_modules[\\/]/.test(where)) continue;
    const path = where.startsWith('file:') ? fileURLToPath(where) : where;
    // The framework's own frames lie between the mistake and the file that made it.
    if (path.startsWith(FRAMEWORK)) continue;
    return `${relative(cwd, path)}:${row}${column === undefined ? '' : `:${column}`}`;
  }
  return undefined;
}

/** `framework/` of the sources, `dist/` when built: the directory of this module, or the one above `sdk/`. */
const FRAMEWORK =
  resolve(import.meta.dirname, import.meta.dirname.endsWith('sdk') ? '..' : '.') +
  (process.platform === 'win32' ? '\\' : '/');
