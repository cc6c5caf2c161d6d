import type { Issue } from '../common/errors.ts';
import type { AssetDefinition } from './model.ts';

/** Where a definition stands, for its issues. */
export function placeOf({ module, line }: Pick<AssetDefinition, 'module' | 'line'>): Pick<Issue, 'at'> {
  if (!module?.startsWith('file:')) return {};
  const file = decodeURIComponent(new URL(module).pathname).replace(/^\/(?=[A-Za-z]:)/, '');
  return { at: { file, ...(line !== undefined && { line }) } };
}
