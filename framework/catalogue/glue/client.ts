import type { BatchUpdatePartitionFailureEntry, PartitionError } from '@aws-sdk/client-glue';
import { LakehouseError } from '../../common/errors.ts';
import type { GlueApi, GluePartition, GlueTable, PartitionInput } from './api.ts';

// Limits of Glue on one request.
const CREATED = 100;
const UPDATED = 100;
const DELETED = 25;
const LISTED = 1000;
const ATTEMPTS = 8;
const CONNECT_MS = 5000;
/** A connection may be silent for so long. */
const SILENT_MS = 60_000;

/** Of an access key. */
export interface GlueCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface GlueOptions {
  readonly database: string;
  readonly catalogId?: string | undefined;
  readonly region?: string | undefined;
  readonly endpoint?: string | undefined;
  /** The default chain of the AWS tools when absent. */
  readonly credentials?: GlueCredentials | undefined;
}

/** Glue over HTTP. The SDK, which takes a while to load, is loaded here; it repeats what is throttled. */
export async function glueClient({
  database,
  catalogId,
  region,
  endpoint,
  credentials,
}: GlueOptions): Promise<GlueApi> {
  const sdk = await import('@aws-sdk/client-glue');
  const client = new sdk.GlueClient({
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials !== undefined && { credentials }),
    maxAttempts: ATTEMPTS,
    retryMode: 'standard',
    requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: SILENT_MS },
  });
  const where = { CatalogId: catalogId };
  const inDatabase = { ...where, DatabaseName: database };
  const asked = async <T>(what: string, request: Promise<T>): Promise<T> => {
    try {
      return await request;
    } catch (error) {
      throw glueError(what, error);
    }
  };
  /** Batches answer that all is well and list what is not. Returns the values of those that another process was first with. */
  const all = async (what: string, request: Promise<{ readonly Errors?: Undone[] | undefined }>, byOther?: string) => {
    const { Errors = [] } = await asked(what, request);
    const [first, ...others] = Errors.filter(
      ({ ErrorDetail }) => byOther === undefined || ErrorDetail?.ErrorCode !== byOther,
    );
    if (first === undefined) return Errors.map(valuesOf);
    const { ErrorCode = 'unknown', ErrorMessage = '' } = first.ErrorDetail ?? {};
    const more = others.length > 0 ? `, and ${others.length} more` : '';
    throw glueError(what, { name: ErrorCode, message: `${ErrorMessage} (${valuesOf(first).join('/')}${more})` });
  };
  const updatePartitions = async (table: string, partitions: readonly PartitionInput[]) => {
    for (const some of chunks(partitions, UPDATED)) {
      const Entries = some.map((input) => ({ PartitionValueList: input.Values, PartitionInput: input }));
      const update = new sdk.BatchUpdatePartitionCommand({ ...inDatabase, TableName: table, Entries });
      await all(`updating partitions of ${table}`, client.send(update));
    }
  };
  return {
    tables: async () => {
      const found: GlueTable[] = [];
      try {
        for (let NextToken: string | undefined, more = true; more; more = NextToken !== undefined) {
          const page = await client.send(new sdk.GetTablesCommand({ ...inDatabase, NextToken, MaxResults: 100 }));
          for (const { Name = '', Parameters = {}, PartitionKeys = [] } of page.TableList ?? [])
            found.push({
              name: Name,
              parameters: Parameters,
              partitionKeys: PartitionKeys.map((key) => key.Name ?? ''),
            });
          NextToken = page.NextToken;
        }
      } catch (error) {
        if (error instanceof sdk.EntityNotFoundException) return undefined;
        throw glueError(`the tables of ${database}`, error);
      }
      return found;
    },
    createDatabase: async () => {
      const create = new sdk.CreateDatabaseCommand({ ...where, DatabaseInput: { Name: database } });
      await client.send(create).catch((error: unknown) => {
        // Somebody else was first.
        if (!(error instanceof sdk.AlreadyExistsException)) throw glueError(`making database ${database}`, error);
      });
    },
    createTable: async (table) => {
      await asked(
        `making table ${table.Name}`,
        client.send(new sdk.CreateTableCommand({ ...inDatabase, TableInput: table })),
      );
    },
    updateTable: async (table) => {
      const update = new sdk.UpdateTableCommand({ ...inDatabase, TableInput: table, SkipArchive: true });
      await asked(`updating table ${table.Name}`, client.send(update));
    },
    deleteTable: async (name) => {
      await asked(`removing table ${name}`, client.send(new sdk.DeleteTableCommand({ ...inDatabase, Name: name })));
    },
    partitions: async (table) => {
      const found: GluePartition[] = [];
      for (let NextToken: string | undefined, more = true; more; more = NextToken !== undefined) {
        const list = { ...inDatabase, TableName: table, NextToken, MaxResults: LISTED, ExcludeColumnSchema: true };
        const page = await asked(`the partitions of ${table}`, client.send(new sdk.GetPartitionsCommand(list)));
        for (const { Values = [], Parameters = {} } of page.Partitions ?? [])
          found.push({ values: Values, parameters: Parameters });
        NextToken = page.NextToken;
      }
      return found;
    },
    createPartitions: async (table, partitions) => {
      for (const PartitionInputList of chunks(partitions, CREATED)) {
        const create = new sdk.BatchCreatePartitionCommand({ ...inDatabase, TableName: table, PartitionInputList });
        const there = await all(`making partitions of ${table}`, client.send(create), 'AlreadyExistsException');
        const values = new Set(there.map((one) => JSON.stringify(one)));
        await updatePartitions(
          table,
          PartitionInputList.filter(({ Values }) => values.has(JSON.stringify(Values))),
        );
      }
    },
    updatePartitions,
    deletePartitions: async (table, values) => {
      for (const some of chunks(values, DELETED)) {
        const PartitionsToDelete = some.map((Values) => ({ Values: [...Values] }));
        const remove = new sdk.BatchDeletePartitionCommand({ ...inDatabase, TableName: table, PartitionsToDelete });
        await all(`removing partitions of ${table}`, client.send(remove), 'EntityNotFoundException');
      }
    },
    close: () => client.destroy(),
  };
}

type Undone = PartitionError | BatchUpdatePartitionFailureEntry;

const valuesOf = (undone: Undone): readonly string[] =>
  ('PartitionValueList' in undone ? undone.PartitionValueList : (undone as PartitionError).PartitionValues) ?? [];

function chunks<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));
}

/** What the SDK throws carries requests with their headers: only its name and its sentence go on, without ids of keys. */
function glueError(what: string, error: unknown): LakehouseError {
  const { name = 'Error', message: all = '' } = error as { readonly name?: string; readonly message?: string };
  // Of a signature that is wrong, the lines that follow are what was signed.
  const [line = ''] = all.split('\n');
  const message = line.replace(/\bA[KS]IA[A-Z0-9]{12,}/g, '***');
  const denied = /AccessDenied|UnrecognizedClient|InvalidSignature|ExpiredToken|Credentials/.test(name);
  return new LakehouseError('glue-failed', `Glue, ${what}: ${name}${message === '' ? '' : `: ${message}`}`, {
    kind: denied ? 'usage' : 'transient',
    hint: denied ? 'See the credentials and the policy in docs/catalogue.md.' : undefined,
  });
}
