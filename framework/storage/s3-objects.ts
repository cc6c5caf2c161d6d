import { Readable } from 'node:stream';
import { objectMissing } from './errors.ts';
import { assertKey, isKey } from './key.ts';
import type { S3Connection } from './s3-client.ts';
import { s3ErrorName, s3Status } from './s3-errors.ts';
import type { ObjectInfo } from './store.ts';

/** What the store says of an object. */
export interface Found {
  readonly info: ObjectInfo;
  readonly etag: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
}

/** An upload in parts that was not ended. */
export interface Unfinished {
  readonly key: string;
  readonly uploadId: string;
  /** ms since 1970 UTC, by the store's clock. */
  readonly initiatedMs: number;
}

/** The objects of a bucket below one prefix, which every key given and returned is without. */
export class S3Objects {
  readonly connection: S3Connection;
  /** In front of keys: '' or a prefix that ends with `/`. */
  readonly base: string;
  /** For people: `s3://bucket/prefix`. */
  readonly root: string;
  /** Whether an answer has told that the bucket is there. */
  #isBucketKnown = false;

  constructor(connection: S3Connection, prefix: string | undefined) {
    this.connection = connection;
    this.base = prefix === undefined || prefix === '' ? '' : `${prefix.replace(/\/$/, '')}/`;
    this.root = `s3://${connection.bucket}/${this.base}`.replace(/\/$/, '');
  }

  /** Where the object is. @throws `bad-key` (usage), also for one that is too long with the prefix. */
  place(key: string): { readonly Bucket: string; readonly Key: string } {
    assertKey(key, this.base);
    return { Bucket: this.connection.bucket, Key: this.base + key };
  }

  /** undefined when there is no such object. */
  async find(key: string): Promise<Found | undefined> {
    const place = this.place(key);
    return this.connection.call({ action: 'read', key: place.Key, permission: 's3:GetObject' }, async (s3) => {
      try {
        const { ContentLength = 0, LastModified, ETag, Metadata = {} } = await s3.headObject(place);
        this.#isBucketKnown = true;
        const info = { key, bytes: ContentLength, modifiedMs: wholeSeconds(LastModified) };
        return { info, etag: ETag, metadata: Metadata };
      } catch (error) {
        if ((s3Status(error) ?? 500) >= 500) throw error;
        if (this.#isBucketKnown && isAbsent(error)) return undefined;
        // HEAD has no words: those that GET has tell a missing object from a missing bucket, and expired credentials from denied ones.
        try {
          const { Body } = await s3.getObject(place);
          if (Body instanceof Readable) Body.destroy();
        } catch (said) {
          if (!isAbsent(said)) throw said;
        }
        this.#isBucketKnown = true;
        if (isAbsent(error)) return undefined;
        throw error;
      }
    });
  }

  /**
   * The bytes of an object, all or an error.
   * @param etag Only of this version.
   * @throws `object-missing` (conflict); `connection-lost` (transient) on the way, where the stream breaks off.
   */
  async stream(key: string, etag?: string): Promise<Readable> {
    const place = this.place(key);
    const request = { action: 'read', key: place.Key, permission: 's3:GetObject' } as const;
    const { body, bytes } = await this.connection.call(request, async (s3) => {
      try {
        const { Body, ContentLength } = await s3.getObject({ ...place, ...(etag !== undefined && { IfMatch: etag }) });
        return { body: Body, bytes: ContentLength };
      } catch (error) {
        // Another version is there now, which whoever named this one does not want.
        if (isAbsent(error) || s3Status(error) === 412) throw objectMissing(key, this.root);
        throw error;
      }
    });
    if (!(body instanceof Readable)) throw new TypeError('The body of an object is a stream under Node');
    const { connection } = this;
    // One that is given up before anybody has read of it does not come to its own end.
    return Readable.from(whole(), { objectMode: false }).once('close', () => body.destroy());

    async function* whole(): AsyncGenerator<Uint8Array> {
      let read = 0;
      const chunks = body as AsyncIterable<Uint8Array>;
      const iterator = chunks[Symbol.asyncIterator]();
      try {
        for (;;) {
          const next = await connection.call(request, async () => {
            const { done, value } = await iterator.next();
            if (done && bytes !== undefined && read !== bytes)
              throw Object.assign(new Error(`${read} of ${bytes} bytes came`), { name: 'IncompleteBody' });
            return done ? undefined : value;
          });
          if (next === undefined) return;
          read += next.length;
          yield next;
        }
      } finally {
        await iterator.return?.();
      }
    }
  }

  async delete(key: string): Promise<void> {
    const place = this.place(key);
    await this.connection.call({ action: 'delete', key: place.Key, permission: 's3:DeleteObject' }, (s3) =>
      s3.deleteObject(place),
    );
  }

  /** By the UTF-8 bytes of the keys, as S3 lists. What is no key of a store is left out: markers of folders, somebody's `.staging/`. */
  async *list(prefix: string): AsyncGenerator<ObjectInfo> {
    // A name of dots, which no key has, is refused by some stores although it may go on.
    const asked = prefix.replace(/(^|\/)\.\.?$/, '$1');
    const request = { action: 'list', key: this.base + asked, permission: 's3:ListBucket' } as const;
    let token: string | undefined;
    do {
      const page = await this.connection.call(request, (s3) =>
        s3.listObjectsV2({
          Bucket: this.connection.bucket,
          Prefix: request.key,
          // XML cannot hold all that keys may.
          EncodingType: 'url',
          ...(token !== undefined && { ContinuationToken: token }),
        }),
      );
      for (const { Key, Size = 0, LastModified } of page.Contents ?? []) {
        const key = this.#keyOf(Key, page.EncodingType);
        if (key?.startsWith(prefix)) yield { key, bytes: Size, modifiedMs: wholeSeconds(LastModified) };
      }
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  /** Uploads in parts of keys that start with the prefix. Some stores (MinIO) list those of a whole key only. */
  async *unfinished(prefix: string): AsyncGenerator<Unfinished> {
    const request = { action: 'list', key: this.base + prefix, permission: 's3:ListBucketMultipartUploads' } as const;
    let marker: { KeyMarker?: string; UploadIdMarker?: string } | undefined;
    do {
      const page = await this.connection.call(request, (s3) =>
        s3.listMultipartUploads({
          Bucket: this.connection.bucket,
          Prefix: request.key,
          EncodingType: 'url',
          ...marker,
        }),
      );
      for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
        const key = this.#keyOf(Key, page.EncodingType);
        if (key !== undefined && UploadId !== undefined)
          yield { key, uploadId: UploadId, initiatedMs: Initiated?.getTime() ?? 0 };
      }
      const { NextKeyMarker, NextUploadIdMarker } = page;
      marker = page.IsTruncated
        ? {
            ...(NextKeyMarker !== undefined && { KeyMarker: decoded(NextKeyMarker, page.EncodingType) }),
            ...(NextUploadIdMarker !== undefined && { UploadIdMarker: NextUploadIdMarker }),
          }
        : undefined;
    } while (marker !== undefined);
  }

  /** Ends an upload in parts, whose parts cost until then. One that is gone already is fine. */
  async abort({ key, uploadId }: Unfinished): Promise<void> {
    const place = this.place(key);
    await this.connection.call(
      { action: 'delete', key: place.Key, permission: 's3:AbortMultipartUpload' },
      async (s3) => {
        try {
          await s3.abortMultipartUpload({ ...place, UploadId: uploadId });
        } catch (error) {
          if (s3ErrorName(error) !== 'NoSuchUpload') throw error;
        }
      },
    );
  }

  #keyOf(listed: string | undefined, encoding: string | undefined): string | undefined {
    const whole = decoded(listed ?? '', encoding);
    if (!whole.startsWith(this.base)) return undefined;
    const key = whole.slice(this.base.length);
    return isKey(key) ? key : undefined;
  }
}

/** HTTP says whole seconds, and a listing must say the same. */
function wholeSeconds(modified: Date | undefined): number {
  return Math.floor((modified?.getTime() ?? 0) / 1000) * 1000;
}

function isAbsent(error: unknown): boolean {
  return s3ErrorName(error) === 'NoSuchKey' || s3ErrorName(error) === 'NotFound' || s3ErrorName(error) === '404';
}

/** A store that does not know the encoding leaves it out, and says so. */
function decoded(text: string, encoding: string | undefined): string {
  return encoding === 'url' ? decodeURIComponent(text.replaceAll('+', ' ')) : text;
}
