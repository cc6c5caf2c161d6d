import type { Column } from './columns.ts';
import type { RawFormat } from './model.ts';

export interface TypedRawFormat<TShape> extends RawFormat {
  readonly '~shape'?: TShape;
}

/**
 * Original zip files with one CSV member each, kept byte for byte and readable as text columns of these names. Whether a
 * file has a header line is decided by its first byte: a digit is data.
 */
export function zipCsv<const TName extends string, const TOptional extends string = never>(options: {
  readonly columns: readonly TName[];
  /** Columns after those, which some files have and others lack; where they are lacking they are NULL. */
  readonly optional?: readonly TOptional[];
}): TypedRawFormat<{ [K in TName | TOptional]: Column<string> }> {
  return { type: 'zip-csv', extension: '.zip', ...withOptional(options) };
}

/**
 * Answers of an HTTP API, kept byte for byte as they were received: one JSON text, or several as a JSON text sequence (RFC 7464:
 * before each the byte 1E, after it a line feed; `jsonSequence` writes one). Readable as text columns of these names; a number is
 * the text that was received, `null` is NULL, what is neither text, number nor boolean is JSON.
 */
export function json<const TName extends string, const TOptional extends string = never>(options: {
  /** The elements of a row that is an array, in order, all of them; or those members of a row that is an object which are read. */
  readonly columns: readonly TName[];
  /** Further elements or members, which a row may lack: NULL there. */
  readonly optional?: readonly TOptional[];
  /**
   * Where the rows are, when the document is not itself the list of them: names joined by dots, where `*` stands for every member
   * that is a list (`result.*`).
   */
  readonly rows?: string;
}): TypedRawFormat<{ [K in TName | TOptional]: Column<string> }> {
  const { rows } = options;
  return { type: 'json', extension: '.json', ...withOptional(options), ...(rows !== undefined && { rows }) };
}

function withOptional({ columns, optional = [] }: { columns: readonly string[]; optional?: readonly string[] }): {
  columns: readonly string[];
  optional?: readonly string[];
} {
  return { columns: [...columns, ...optional], ...(optional.length > 0 && { optional }) };
}

/** Original files that only compute functions read. */
export function bytes(options: { readonly extension: string }): TypedRawFormat<Record<never, never>> {
  return { type: 'bytes', extension: options.extension, columns: [] };
}
