import { type Issue, isLakehouseError } from '../../framework/common/errors.ts';
import type { AssetDefinition } from '../../framework/define/model.ts';
import { buildGraph, type GraphOptions } from '../../framework/graph/graph.ts';

/** The issues of definitions that are refused; fails the test if they are not. */
export function issuesOf(definitions: readonly AssetDefinition[], filters?: GraphOptions['filters']): readonly Issue[] {
  try {
    buildGraph(definitions, { codes: () => '', ...(filters && { filters }) });
  } catch (error) {
    if (isLakehouseError(error) && error.code === 'invalid-definitions') return error.issues;
    throw error;
  }
  throw new Error('Nothing was refused');
}

/** One line per issue: `code path: message => hint`. */
export function refused(...definitions: AssetDefinition[]): string {
  return issuesOf(definitions)
    .map(({ code, path, message, hint }) => `${code} ${path.join('.')}: ${message}${hint ? ` => ${hint}` : ''}`)
    .join('\n');
}
