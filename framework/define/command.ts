/** An argument or option value of a command: text, several texts, or a switch. */
export type CommandValue = string | readonly string[] | boolean | undefined;

/** What a command of a lakehouse was given. */
export interface CommandCall {
  /** By long name in camel case: `--start-date` is `startDate`. */
  readonly options: Readonly<Record<string, CommandValue>>;
  /** The effective settings, those of the assets included. */
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface CommandOption {
  /** `--symbols <symbols...>`, `-s, --start-date <date>`; without a value it is a switch. */
  readonly flags: string;
  /** In lower case and without a full stop. */
  readonly description: string;
  readonly choices?: readonly string[];
  /** Has to be given. */
  readonly required?: boolean;
}

/** A command in the words of a lake's own field, which stands for another command line. */
export interface CommandDefinition {
  /** The words it is called with: `ingest klines`. */
  readonly name: string;
  /** In lower case and without a full stop. */
  readonly summary: string;
  readonly description?: string | undefined;
  readonly options?: readonly CommandOption[] | undefined;
  readonly examples?: readonly string[] | undefined;
  /**
   * The words after `lakehouse` that it stands for, e.g. `['materialize', '+silver/klines', '--partitions', 'symbol=BTCUSDT']`.
   * @throws LakehouseError (usage) for values that mean nothing.
   */
  readonly becomes: (call: CommandCall) => readonly string[];
}

/**
 * Declares a command of this lakehouse: `lakehouse ingest klines --symbols BTCUSDT`. It is carried out as the command line it becomes,
 * which is shown, so there is nothing that it can do and others cannot.
 */
export function command(name: string, options: Omit<CommandDefinition, 'name'>): CommandDefinition {
  return { name, ...options };
}
