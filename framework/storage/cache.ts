import { createHash } from 'node:crypto';
import { copyFile, link, mkdir, open, readdir, rename, rm, stat, unlink, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { LakehouseError } from '../common/errors.ts';
import { DirectoryTree, hardLink } from './directories.ts';
import { errnoOf, objectMissing } from './errors.ts';
import { attempt, ifAbsent, ignore } from './files.ts';
import { assertKey } from './key.ts';
import type { StageOwner } from './owner.ts';
import { type Each, parallel } from './parallel.ts';
import { mayComeWhole } from './s3-errors.ts';
import { Stages } from './staging.ts';
import type { KnownObject, Reading } from './store.ts';

/** Where objects come from that are not in the cache. */
export interface CacheSource {
  /** Where it is, for people. */
  readonly root: string;
  /** What tells one content of a key from another; undefined when there is no such object. */
  version(key: string): Promise<string | undefined>;
  /**
   * All bytes, of exactly this version if one is given; a stream that breaks off throws. @throws `object-missing` (conflict),
   * `transient` what may pass.
   */
  fetch(key: string, version: string | undefined): Promise<AsyncIterable<Uint8Array>>;
}

export interface CacheOptions {
  readonly directory: string;
  /** Most bytes that stay when nobody reads them. */
  readonly maxBytes: number;
  /** Objects fetched at once. */
  readonly parallel: number;
  readonly owner?: StageOwner | undefined;
  readonly now: () => number;
  readonly source: CacheSource;
}

/** Attempts at an object whose bytes do not come whole. */
const ATTEMPTS = 3;
/** How full the cache is left when something has to go, so that not every object makes it look again. */
const KEPT = 0.9;
/** The time of modification of every entry: always one, since engines take a change of it for a change of the content. */
const MODIFIED = 1;

/**
 * Objects as files, by their content: fetched once, by whichever process of the machine is first, and shared by all. What a reading
 * was given is a hard link of its own, so an entry may go at any moment without anybody losing a file.
 *
 * `objects/` holds the entries, `leases/` a directory per reading that bears the name of its owner.
 */
export class ReadCache {
  readonly #options: CacheOptions;
  readonly #leases: Stages;
  readonly #each: Each;
  /** What is being fetched, by the name of the entry. */
  readonly #flights = new Map<string, { readonly key: string; readonly done: Promise<unknown> }>();
  /** Bytes at the last look, and those added since. */
  #counted: number | undefined;
  #added = 0;
  #evicting: Promise<void> | undefined;

  constructor(options: CacheOptions) {
    this.#options = options;
    this.#each = parallel(options.parallel);
    const tree = new DirectoryTree(options.directory);
    this.#leases = new Stages({ tree, key: 'leases', owner: options.owner, each: parallel(16) });
  }

  /** A lease: nothing is made before the first path is asked for. */
  reading(): Reading {
    let lease: Promise<string> | undefined;
    let closing: Promise<void> | undefined;
    const paths = new Map<string, Promise<string>>();
    const end = async () => {
      await Promise.allSettled(paths.values());
      const directory = await lease?.catch(ignore);
      // What cannot be removed is left to `sweep`.
      if (directory) await rm(directory, { recursive: true, force: true }).catch(ignore);
    };
    const reading: Reading = {
      path: async (object) => {
        assertKey(object.key);
        if (closing !== undefined) throw closed(object.key);
        lease ??= this.#leases.directory();
        const known = paths.get(object.key);
        if (known !== undefined) return known;
        const path = this.#lend(lease, object);
        paths.set(object.key, path);
        return path;
      },
      close: () => {
        closing ??= end();
        return closing;
      },
      [Symbol.asyncDispose]: () => reading.close(),
    };
    return reading;
  }

  /** Takes in a file that is about to be removed, with the SHA-256 of its bytes. A cache is only a help, so failing is no failure. */
  async adopt(path: string, sha256: string): Promise<void> {
    const entry = this.#entry(sha256);
    try {
      await mkdir(dirname(entry), { recursive: true });
      await linkOrCopy(path, entry);
      await this.#use(entry);
      await this.#grew((await stat(entry)).size);
    } catch {
      // Whoever reads it will fetch it.
    }
  }

  /** Removes what readings of dead processes left; see `sweepStaging`. Returns how many. */
  sweep(olderThanMs: number, nowMs: number): Promise<number> {
    return this.#leases.sweep(olderThanMs, nowMs);
  }

  async #lend(leased: Promise<string>, object: KnownObject): Promise<string> {
    const lease = await leased;
    const { key } = object;
    const version = object.sha256 === undefined ? await this.#versionOf(key) : undefined;
    const name = object.sha256 ?? this.#nameOf(key, version);
    const path = join(lease, 'data', key);
    await attempt('write', path, () => mkdir(dirname(path), { recursive: true }));
    for (;;) {
      if (await this.#linked(name, path)) return path;
      const flight = this.#flights.get(name);
      if (flight === undefined) {
        const done = this.#each([object], () => this.#fetch({ object, version, name, lease, path }));
        this.#flights.set(name, { key, done });
        await done.finally(() => this.#flights.delete(name));
        return path;
      }
      // Another key with this content may be gone where this one is not.
      await flight.done.catch((error: unknown) => {
        if (flight.key === key) throw error;
      });
    }
  }

  async #versionOf(key: string): Promise<string> {
    const version = await this.#options.source.version(key);
    if (version === undefined) throw objectMissing(key, this.#options.source.root);
    return version;
  }

  #nameOf(key: string, version: string | undefined): string {
    return sha256Of([this.#options.source.root, key, version ?? ''].join('\0'));
  }

  #entry(name: string): string {
    return join(this.#options.directory, 'objects', name.slice(0, 2), name);
  }

  /** Whether the entry was there. */
  async #linked(name: string, path: string): Promise<boolean> {
    const entry = this.#entry(name);
    return attempt('read', entry, async () => {
      const there = await link(entry, path).then(() => true, ifAbsent(false));
      // Whoever evicts it in this moment is right to do so.
      if (there) await this.#use(entry).catch(ignore);
      return there;
    });
  }

  #use(entry: string): Promise<void> {
    return utimes(entry, this.#options.now() / 1000, MODIFIED);
  }

  async #fetch({ object, version, name, lease, path }: Fetch): Promise<void> {
    const part = join(lease, `${name}.part`);
    const bytes = await this.#download(object, version, part);
    await attempt('write', path, async () => {
      await hardLink(part, path);
      const entry = this.#entry(name);
      await mkdir(dirname(entry), { recursive: true });
      await this.#use(part);
      await rename(part, entry);
    });
    await this.#grew(bytes);
  }

  /** Into a file, verified. Returns its size. */
  async #download({ key, sha256 }: KnownObject, version: string | undefined, path: string): Promise<number> {
    const { source } = this.#options;
    for (let tried = 1; ; tried++) {
      try {
        const written = await attempt('write', path, () => writeStream(path, () => source.fetch(key, version)));
        if (sha256 === undefined || written.sha256 === sha256) return written.bytes;
        throw corrupt(key, source.root, sha256, written.sha256);
      } catch (error) {
        if (tried === ATTEMPTS || !mayComeWhole(error)) throw error;
      }
    }
  }

  async #grew(bytes: number): Promise<void> {
    const { maxBytes } = this.#options;
    this.#added += bytes;
    // Other processes add to it too, so it is looked at again now and then.
    while (this.#counted === undefined || this.#counted + this.#added > maxBytes || this.#added > maxBytes / 10) {
      this.#evicting ??= this.#evict().finally(() => {
        this.#evicting = undefined;
      });
      await this.#evicting;
    }
  }

  async #evict(): Promise<void> {
    const { directory, maxBytes } = this.#options;
    const root = join(directory, 'objects');
    await attempt('delete', root, async () => {
      this.#added = 0;
      const names = await readdir(root, { recursive: true, withFileTypes: true }).catch(ifAbsent([]));
      const paths = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
      const found = await Promise.all(
        paths.map(async (path) => {
          const stats = await stat(path).catch(ifAbsent(undefined));
          return stats === undefined ? [] : [{ path, bytes: stats.size, used: stats.atimeMs }];
        }),
      );
      const entries = found.flat().sort((a, b) => a.used - b.used);
      let total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
      const limit = total > maxBytes ? maxBytes * KEPT : maxBytes;
      for (const { path, bytes } of entries) {
        if (total <= limit) break;
        await unlink(path).catch(ifAbsent(undefined));
        total -= bytes;
      }
      this.#counted = total;
    });
  }
}

interface Fetch {
  readonly object: KnownObject;
  readonly version: string | undefined;
  readonly name: string;
  readonly lease: string;
  readonly path: string;
}

/** Durably: after a power cut a name must not stand for half a file. Nothing is fetched that cannot be written. */
async function writeStream(
  path: string,
  fetch: () => Promise<AsyncIterable<Uint8Array>>,
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  const file = await open(path, 'w');
  try {
    for await (const chunk of await fetch()) {
      hash.update(chunk);
      bytes += chunk.length;
      await file.writeFile(chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** The stage may be on another disk than the cache. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return;
    if (errnoOf(error) !== 'EXDEV') throw error;
    const copy = `${to}.${basename(dirname(from))}`;
    await copyFile(from, copy);
    await using written = await open(copy, 'r+');
    await written.sync();
    await rename(copy, to);
  }
}

function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function corrupt(key: string, root: string, expected: string, found: string): LakehouseError {
  return new LakehouseError(
    'object-corrupt',
    `The object '${key}' in ${root} does not have the content that the log knows`,
    {
      kind: 'data',
      hint: "Something else wrote or damaged it. 'lakehouse verify --deep' finds all such; 'lakehouse materialize --force' makes them anew.",
      details: { key, expected, found },
    },
  );
}

function closed(key: string): LakehouseError {
  return new LakehouseError('reading-closed', `The reading that is asked for '${key}' was closed`, {
    kind: 'internal',
  });
}
