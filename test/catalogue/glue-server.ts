import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What Glue keeps, as far as the tests look at it. */
export interface GlueState {
  database: Record<string, unknown> | undefined;
  readonly tables: Map<string, Table>;
  /** By table, then by values as JSON. */
  readonly partitions: Map<string, Map<string, Partition>>;
}

export interface GlueServer extends AsyncDisposable {
  readonly endpoint: string;
  readonly state: GlueState;
  /** Names of the operations in order, e.g. `GetTables`, since it was last emptied. */
  readonly asked: string[];
  /** The next request gets this answer. */
  failNext(type: string, message: string): void;
}

class Refused extends Error {
  readonly type: string;
  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}
const invalid = (message: string) => new Refused('InvalidInputException', message);

interface Body {
  readonly CatalogId?: string;
  readonly DatabaseName?: string;
  readonly DatabaseInput: Record<string, unknown>;
  readonly TableInput: Table;
  readonly TableName: string;
  readonly Name: string;
  readonly NextToken?: string;
  readonly MaxResults: number;
  readonly ExcludeColumnSchema?: boolean;
  readonly PartitionInputList: readonly Partition[];
  readonly Entries: readonly { readonly PartitionValueList: readonly string[]; readonly PartitionInput: Partition }[];
  readonly PartitionsToDelete: readonly Partition[];
}
export interface Table {
  readonly Name: string;
  readonly Parameters?: Readonly<Record<string, string>>;
  readonly PartitionKeys?: readonly { readonly Name: string }[];
  readonly StorageDescriptor?: {
    readonly Location?: string;
    readonly Columns?: readonly { readonly Name: string; readonly Type: string; readonly Comment?: string }[];
  };
}
export interface Partition {
  readonly Values: readonly string[];
  readonly StorageDescriptor: { readonly Location: string };
}

const TYPE = /^(bigint|int|double|boolean|string|date|timestamp|decimal\(\d+,\d+\))$/;
const PAGE = 40;
const NOT_FOUND = { ErrorCode: 'EntityNotFoundException', ErrorMessage: 'Partition not found.' };
/** What Glue calls a single line. */
const LINE = /^[\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}\t]*$/u;

/** Speaks the JSON protocol of AWS Glue on the loopback, remembers what it is told, and refuses what Glue would. */
export async function startGlue(): Promise<GlueServer> {
  const state: GlueState = { database: undefined, tables: new Map(), partitions: new Map() };
  const asked: string[] = [];
  const failures: { type: string; message: string }[] = [];

  const partitionsOf = (name: string) => {
    if (!state.tables.has(name)) throw new Refused('EntityNotFoundException', `Table ${name} not found.`);
    return state.partitions.get(name) as Map<string, Partition>;
  };
  const checkTable = ({ Name, PartitionKeys = [], StorageDescriptor }: Table) => {
    if (!/^[a-z0-9_]+$/.test(Name)) throw invalid(`table ${Name}`);
    const names = [...PartitionKeys, ...(StorageDescriptor?.Columns ?? [])].map((column) => column.Name);
    if (new Set(names).size !== names.length) throw invalid(`a column of ${Name} is there twice: ${names.join()}`);
    for (const { Name: column, Type, Comment = '' } of StorageDescriptor?.Columns ?? []) {
      if (!/^[a-z0-9_]+$/.test(column) || !TYPE.test(Type)) throw invalid(`column ${column} ${Type}`);
      if (Comment.length > 255 || !LINE.test(Comment)) throw invalid(`comment of ${column}: ${Comment}`);
    }
  };
  const checkPartition = (table: string, { Values, StorageDescriptor }: Partition) => {
    const { PartitionKeys = [] } = state.tables.get(table) as Table;
    if (Values.length !== PartitionKeys.length)
      throw invalid(`${Values.length} values for ${PartitionKeys.length} keys`);
    if (!StorageDescriptor.Location.startsWith('s3://')) throw invalid(StorageDescriptor.Location);
  };
  const atMost = (list: readonly unknown[], most: number) => {
    if (list.length > most || list.length === 0) throw invalid(`${list.length} entries, 1 to ${most} allowed`);
  };
  const page = <T>(all: readonly T[], token: string | undefined, most: number) => {
    const from = Number(token ?? 0);
    const items = all.slice(from, from + Math.min(most, PAGE));
    return { items, ...(from + items.length < all.length && { NextToken: String(from + items.length) }) };
  };

  const operations: Record<string, (body: Body) => object> = {
    getTables: ({ NextToken, MaxResults }) => {
      if (state.database === undefined) throw new Refused('EntityNotFoundException', 'Database lake not found.');
      if (MaxResults > 100) throw invalid('MaxResults');
      const { items, ...rest } = page([...state.tables.values()], NextToken, MaxResults);
      return { TableList: items, ...rest };
    },
    createDatabase: ({ DatabaseInput }) => {
      state.database = DatabaseInput;
      return {};
    },
    createTable: ({ TableInput }) => {
      const { Name } = TableInput;
      checkTable(TableInput);
      if (state.tables.has(Name)) throw new Refused('AlreadyExistsException', 'Table already exists.');
      state.tables.set(Name, TableInput);
      state.partitions.set(Name, new Map());
      return {};
    },
    updateTable: ({ TableInput }) => {
      const { Name } = TableInput;
      checkTable(TableInput);
      partitionsOf(Name);
      state.tables.set(Name, TableInput);
      return {};
    },
    deleteTable: ({ Name }) => {
      partitionsOf(Name);
      state.tables.delete(Name);
      state.partitions.delete(Name);
      return {};
    },
    getPartitions: ({ TableName, NextToken, MaxResults, ExcludeColumnSchema }) => {
      if (MaxResults > 1000 || ExcludeColumnSchema !== true) throw invalid('MaxResults, ExcludeColumnSchema');
      const { items, ...rest } = page([...partitionsOf(TableName).values()], NextToken, MaxResults);
      return { Partitions: items, ...rest };
    },
    batchCreatePartition: ({ TableName, PartitionInputList }) => {
      atMost(PartitionInputList, 100);
      const there = partitionsOf(TableName);
      const Errors = [];
      for (const partition of PartitionInputList) {
        checkPartition(TableName, partition);
        const key = JSON.stringify(partition.Values);
        if (there.has(key)) {
          const ErrorDetail = { ErrorCode: 'AlreadyExistsException', ErrorMessage: 'Partition already exists.' };
          Errors.push({ PartitionValues: partition.Values, ErrorDetail });
        } else there.set(key, { ...partition });
      }
      return { Errors };
    },
    batchUpdatePartition: ({ TableName, Entries }) => {
      atMost(Entries, 100);
      const there = partitionsOf(TableName);
      const Errors = [];
      for (const { PartitionValueList, PartitionInput } of Entries) {
        checkPartition(TableName, PartitionInput);
        if (there.has(JSON.stringify(PartitionValueList)))
          there.set(JSON.stringify(PartitionValueList), PartitionInput);
        else Errors.push({ PartitionValueList, ErrorDetail: NOT_FOUND });
      }
      return { Errors };
    },
    batchDeletePartition: ({ TableName, PartitionsToDelete }) => {
      atMost(PartitionsToDelete, 25);
      const there = partitionsOf(TableName);
      const missing = PartitionsToDelete.filter(({ Values }) => !there.delete(JSON.stringify(Values)));
      return { Errors: missing.map(({ Values }) => ({ PartitionValues: Values, ErrorDetail: NOT_FOUND })) };
    },
  };

  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (more: string) => {
      text += more;
    });
    request.on('end', () => {
      const answer = (status: number, body: object) =>
        response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
      const operation = String(request.headers['x-amz-target']).replace(/^AWSGlue\./, '');
      asked.push(operation);
      const failure = failures.shift();
      try {
        if (failure) throw new Refused(failure.type, failure.message);
        const signed = /^AWS4-HMAC-SHA256 Credential=\w+\/\d{8}\/eu-central-1\/glue\/aws4_request, /;
        if (!signed.test(request.headers.authorization ?? ''))
          throw new Refused('UnrecognizedClientException', 'The request is not signed for Glue in eu-central-1.');
        const body = JSON.parse(text) as Body;
        if (body.CatalogId !== '123456789012') throw invalid('CatalogId');
        if ((body.DatabaseName ?? 'lake') !== 'lake') throw invalid('DatabaseName');
        const carryOut = operations[`${operation.slice(0, 1).toLowerCase()}${operation.slice(1)}`];
        if (!carryOut) throw invalid(operation);
        answer(200, carryOut(body));
      } catch (error) {
        const { type, message } = error instanceof Refused ? error : invalid(String(error));
        answer(400, { __type: type, Message: message });
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    state,
    asked,
    failNext: (type, message) => failures.push({ type, message }),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
