export interface FunctionCode {
  /** SHA-256 in hex of what the function does, blind to comments, layout, types and file names. */
  readonly hash: string;
  /**
   * `module`: the function and all local code it reaches. `function-only`: its own text alone, for it was found neither in
   * the module nor in a local module imported from there (bundled, evaluated, bound).
   */
  readonly scope: 'module' | 'function-only';
  /**
   * What the hash could not see, sorted; empty if it saw everything: variables of an enclosing function or loop, whose values
   * should be declared as `config`; `import()` of a computed name; modules that cannot be read; `[native code]`.
   */
  readonly captures: readonly string[];
  /** Absolute paths of the local files whose code was hashed, sorted. */
  readonly files: readonly string[];
}
