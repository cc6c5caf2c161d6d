import { LakehouseError } from '../common/errors.ts';
import type { Asset } from '../define/types.ts';

/** Assets: one or some, or a selection as on the command line: `'silver/klines'`, `'+gold/*'`. */
export type Selection = string | Asset | readonly Asset[];

/** A selection as the command line writes it. @throws LakehouseError `nothing-selected` (usage) for an empty list. */
export function selectionText(selection: Selection | undefined): string | undefined {
  if (selection === undefined || typeof selection === 'string') return selection;
  const keys = [selection].flat().map(({ key }) => key);
  if (keys.length === 0)
    throw new LakehouseError('nothing-selected', 'The list of assets is empty', {
      hint: 'Leave it out for all assets.',
    });
  return keys.join(' or ');
}
