import type { PartitionInput, TableInput } from '@aws-sdk/client-glue';

export type { PartitionInput, TableInput } from '@aws-sdk/client-glue';

/** A table or partition as Glue has it, as far as it matters here. */
export interface GlueTable {
  readonly name: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly partitionKeys: readonly string[];
}
export interface GluePartition {
  readonly values: readonly string[];
  readonly parameters: Readonly<Record<string, string>>;
}

/** One database of Glue. Every method throws `glue-failed`, which says what was asked and what the answer was. */
export interface GlueApi {
  /** All its tables; undefined when there is no such database. */
  tables(): Promise<GlueTable[] | undefined>;
  createDatabase(): Promise<void>;
  createTable(table: TableInput): Promise<void>;
  updateTable(table: TableInput): Promise<void>;
  deleteTable(name: string): Promise<void>;
  partitions(table: string): Promise<GluePartition[]>;
  createPartitions(table: string, partitions: readonly PartitionInput[]): Promise<void>;
  updatePartitions(table: string, partitions: readonly PartitionInput[]): Promise<void>;
  deletePartitions(table: string, values: readonly (readonly string[])[]): Promise<void>;
  close(): void;
}
