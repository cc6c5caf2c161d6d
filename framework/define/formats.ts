import type { Column } from './columns.ts';
import type { RawFormat } from './model.ts';

export interface TypedRawFormat<TShape> extends RawFormat {
  readonly '~shape'?: TShape;
}

/**
 * Original zip files with one CSV member each, kept byte for byte and readable as text columns of these names. Whether a
 * file has a header line is decided by its first byte: a digit is data.
 */
export function zipCsv<const TName extends string>(options: {
  readonly columns: readonly TName[];
}): TypedRawFormat<{ [K in TName]: Column<string> }> {
  return { type: 'zip-csv', extension: '.zip', columns: options.columns };
}

/** Original files that only compute functions read. */
export function bytes(options: { readonly extension: string }): TypedRawFormat<Record<never, never>> {
  return { type: 'bytes', extension: options.extension, columns: [] };
}
