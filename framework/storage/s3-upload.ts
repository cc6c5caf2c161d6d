import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import type { PutObjectCommandInput, S3 } from '@aws-sdk/client-s3';
import { LakehouseError } from '../common/errors.ts';
import { objectExists, storageError } from './errors.ts';
import { attempt, ifAbsent } from './files.ts';
import { s3ErrorName } from './s3-errors.ts';
import type { Found, S3Objects } from './s3-objects.ts';
import type { ObjectInfo, Staged } from './store.ts';

export interface UploaderOptions {
  readonly objects: S3Objects;
  readonly encryption: { readonly type: 'none' | 's3' | 'kms'; readonly kmsKeyId?: string | undefined };
  /** `auto`: the store refuses to overwrite. `off`: it is looked first. */
  readonly conditionalWrites: 'auto' | 'off';
  readonly multipart: { readonly thresholdMb: number; readonly partMb: number };
  /** Milliseconds between looks for an object that was put: some stores take a while to show it. */
  readonly pausesMs?: readonly number[] | undefined;
  /** Something random, which marks an object as that of one upload. */
  readonly id: () => string;
}

/** One attempt to make an object of a stage: what must be known to take it back. */
export interface Attempted {
  readonly staged: Staged;
  readonly token: string;
  /** `unknown`: the store was asked, and what it did is not known. */
  outcome: 'unasked' | 'unknown' | 'refused' | 'put';
}

export interface Made {
  readonly info: ObjectInfo;
  readonly path: string;
  readonly sha256: string;
}

/** How the bytes of a stage are sent. */
interface Body {
  send(s3: S3, params: PutObjectCommandInput): Promise<unknown>;
  /** Of all bytes, once they were sent. */
  sha256(): string;
}

const MIB = 1024 * 1024;
/** In a stage: the key whose upload in parts has begun. Some stores list uploads by their whole key only. */
const NOTE = '.upload';
/** Of the metadata of an object: which upload made it. Where the answer got lost, the next attempt finds the object in its own place. */
const TOKEN = 'lakehouse-stage';
const PAUSES_MS = [50, 100, 200, 400, 800, 1600, 3200, 3200];
/** Attempts at a key that somebody else is writing at the same moment. */
const CONFLICTS = 5;
/** Parts of one object that are sent at once. */
const PARTS_AT_ONCE = 2;

/** Makes objects of stages, each at once or not at all. */
export class Uploader {
  readonly #options: UploaderOptions;
  /** False once the store has said that it does not know how. */
  #isConditional: boolean;

  constructor(options: UploaderOptions) {
    this.#options = options;
    this.#isConditional = options.conditionalWrites === 'auto';
  }

  prepare(staged: Staged): Attempted {
    return { staged, token: this.#options.id(), outcome: 'unasked' };
  }

  /**
   * Makes the object, and waits until it can be seen.
   * @param bytes Size of the staged file.
   * @returns It, and the file it was made of with the SHA-256 of its bytes.
   * @throws `object-exists` (conflict); `object-invisible` (transient); what {@link s3Error} says.
   */
  async upload(attempted: Attempted, bytes: number): Promise<Made> {
    const { key, path } = attempted.staged;
    const body =
      bytes < this.#options.multipart.thresholdMb * MIB ? await atOnce(path) : this.#inParts(attempted.staged);
    await this.#make(attempted, body);
    return { info: await this.#visible(key, bytes), path, sha256: body.sha256() };
  }

  /** Puts bytes in the place of whatever is there. */
  async overwrite(key: string, bytes: Uint8Array): Promise<ObjectInfo> {
    await this.#put(key, (s3) => s3.putObject({ ...this.#params(key), Body: bytes, ContentLength: bytes.length }));
    // Another process may have put its own in the place of this already.
    const found = await this.#shown(key, () => true);
    if (found === undefined) throw invisible(key, this.#options.objects.root, undefined, bytes.length);
    return found.info;
  }

  /** Removes what the attempt may have made, and nothing that another did. */
  async takeBack({ staged: { key }, token, outcome }: Attempted): Promise<void> {
    const { objects } = this.#options;
    if (outcome === 'unasked' || outcome === 'refused') return;
    if (outcome === 'unknown' && (await objects.find(key))?.metadata[TOKEN] !== token) return;
    await objects.delete(key);
  }

  /** Ends the uploads in parts of a stage whose process is dead. */
  async abortNoted(directory: string): Promise<void> {
    const key = await noted(directory);
    const { objects } = this.#options;
    if (key === '') return;
    for await (const upload of objects.unfinished(key)) if (upload.key === key) await objects.abort(upload);
  }

  /** Ends those that began before and are not of these stages. Returns how many. */
  async abortOlder(beforeMs: number, stages: readonly string[]): Promise<number> {
    const { objects } = this.#options;
    const running = new Set(await Promise.all(stages.map(noted)));
    let aborted = 0;
    for await (const upload of objects.unfinished('')) {
      if (upload.initiatedMs > beforeMs || running.has(upload.key)) continue;
      await objects.abort(upload);
      aborted += 1;
    }
    return aborted;
  }

  async #make(attempted: Attempted, body: Body): Promise<void> {
    const { objects } = this.#options;
    const { staged, token } = attempted;
    const { key } = staged;
    for (let tried = 1; ; tried++) {
      const isConditional = this.#isConditional;
      // Keys have something random in them, so looking first is as good as certain.
      if (!isConditional && (await objects.find(key)) !== undefined) throw refused(attempted);
      const params = {
        ...this.#params(key),
        Metadata: { [TOKEN]: token },
        ...(isConditional && { IfNoneMatch: '*' }),
      };
      attempted.outcome = 'unknown';
      try {
        await this.#put(key, (s3) => body.send(s3, params));
        attempted.outcome = 'put';
        return;
      } catch (error) {
        const name = s3ErrorName(error);
        if (isConditional && ['NotImplemented', '501'].includes(name)) {
          this.#isConditional = false;
          continue;
        }
        if (name === 'ConditionalRequestConflict' && tried < CONFLICTS) {
          await setTimeout(50 * 2 ** tried);
          continue;
        }
        const isTaken = ['PreconditionFailed', '412'].includes(name);
        if (!isTaken && name !== 'NoSuchUpload') throw error;
        const found = await this.#shown(key, () => true);
        if (found?.metadata[TOKEN] === token) {
          attempted.outcome = 'put';
          return;
        }
        if (found !== undefined) throw refused(attempted);
        throw isTaken ? objectExists(key) : error;
      }
    }
  }

  #inParts(staged: Staged): Body {
    let hash = createHash('sha256');
    return {
      send: async (s3, params) => {
        const { Upload } = await import('@aws-sdk/lib-storage');
        const note = join(dirname(staged.path), NOTE);
        await attempt('write', note, () => writeFile(note, staged.key));
        hash = createHash('sha256');
        const upload = new Upload({
          client: s3,
          params: { ...params, Body: Readable.from(hashed(staged.path, hash), { objectMode: false }) },
          partSize: this.#options.multipart.partMb * MIB,
          queueSize: PARTS_AT_ONCE,
        });
        await upload.done();
      },
      sha256: () => hash.digest('hex'),
    };
  }

  #put<T>(key: string, request: (s3: S3) => Promise<T>): Promise<T> {
    const { connection, base } = this.#options.objects;
    return connection.call({ action: 'write', key: base + key, permission: 's3:PutObject' }, request);
  }

  #params(key: string): PutObjectCommandInput {
    const { type, kmsKeyId } = this.#options.encryption;
    return {
      ...this.#options.objects.place(key),
      ...(type === 's3' && { ServerSideEncryption: 'AES256' }),
      ...(type === 'kms' && { ServerSideEncryption: 'aws:kms' }),
      ...(kmsKeyId !== undefined && { SSEKMSKeyId: kmsKeyId }),
    };
  }

  async #visible(key: string, bytes: number): Promise<ObjectInfo> {
    const found = await this.#shown(key, ({ info }) => info.bytes === bytes);
    if (found?.info.bytes !== bytes) throw invisible(key, this.#options.objects.root, found?.info.bytes, bytes);
    return found.info;
  }

  /** The object as soon as it is what is waited for, or what there is of it in the end. */
  async #shown(key: string, isIt: (found: Found) => boolean): Promise<Found | undefined> {
    const { objects, pausesMs = PAUSES_MS } = this.#options;
    let found = await objects.find(key);
    for (const pause of pausesMs) {
      if (found !== undefined && isIt(found)) break;
      await setTimeout(pause);
      found = await objects.find(key);
    }
    return found;
  }
}

/** The key that a stage is uploading in parts; '' for none. */
function noted(directory: string): Promise<string> {
  return attempt('read', directory, () => readFile(join(directory, NOTE), 'utf8').catch(ifAbsent('')));
}

/** In memory, so that it can be sent again where an attempt fails. */
async function atOnce(path: string): Promise<Body> {
  const bytes = await attempt('read', path, () => readFile(path));
  return {
    send: (s3, params) => s3.putObject({ ...params, Body: bytes, ContentLength: bytes.length }),
    sha256: () => createHash('sha256').update(bytes).digest('hex'),
  };
}

async function* hashed(path: string, hash: ReturnType<typeof createHash>): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: MIB })) {
      hash.update(chunk);
      yield chunk;
    }
  } catch (error) {
    throw storageError(error, 'read', path);
  }
}

function refused(attempted: Attempted): LakehouseError {
  attempted.outcome = 'refused';
  return objectExists(attempted.staged.key);
}

function invisible(key: string, root: string, found: number | undefined, bytes: number): LakehouseError {
  const seen = found === undefined ? 'is not there' : `has ${found} bytes`;
  return new LakehouseError(
    'object-invisible',
    `The object '${key}' was written to ${root} with ${bytes} bytes, and ${seen}`,
    {
      kind: 'transient',
      hint: 'A lake needs a store that shows an object once it has accepted it. Run again; if it stays, use another store.',
      details: { key, bytes, found },
    },
  );
}
