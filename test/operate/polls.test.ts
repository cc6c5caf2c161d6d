import { mkdir, mkdtemp, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { filesIn, httpChanged, type ListedFile, newFiles, newValues, type PollFunction } from 'crypto-lakehouse';
import { describe, expect, onTestFinished, test } from 'vitest';

/** One look after the other; returns what each came to. */
function looking(poll: PollFunction) {
  let cursor: string | undefined;
  return async () => {
    const result = await poll({ cursor, resources: {}, signal: new AbortController().signal, now: () => 0 });
    cursor = result.cursor ?? cursor;
    return result.request ?? result.skip;
  };
}

describe('newFiles', () => {
  test('tells a listing from another, in whatever order it comes', async () => {
    let listing: ListedFile[] = [{ name: 'a' }, { name: 'b', version: '1' }];
    const next = looking(newFiles({ list: () => listing }));
    expect(await next()).toBe('the first look: 2 files');
    listing = listing.toReversed();
    expect(await next()).toBe('the same 2 files');
    listing = [...listing, { name: 'c' }];
    expect(await next()).toEqual({ reason: '3 files, 2 before' });
    listing = [{ name: 'a' }, { name: 'c' }, { name: 'b', version: '2' }];
    expect(await next()).toEqual({ reason: 'of 3 files some are others' });
    listing = [{ name: 'a' }];
    expect(await next()).toEqual({ reason: '1 file, 3 before' });
    expect(await next()).toBe('the same 1 file');
  });

  test('an empty listing after one that was not is an error, and the next look goes on', async () => {
    let listing: ListedFile[] = [{ name: 'a' }];
    const next = looking(newFiles({ list: async () => listing }));
    await next();
    listing = [];
    await expect(next()).rejects.toThrow('nothing is listed, but 1 files were there before');
    listing = [{ name: 'a' }];
    expect(await next()).toBe('the same 1 file');
  });

  test('remembers no more of a long listing than of a short one', async () => {
    const poll = newFiles({
      list: async function* () {
        for (let i = 0; i < 20_000; i++) yield { name: `file-${i}` };
      },
    });
    const { cursor } = await poll({
      cursor: undefined,
      resources: {},
      signal: new AbortController().signal,
      now: () => 0,
    });
    expect(cursor?.length).toBeLessThan(100);
  });

  test('of a directory', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'lakehouse-polls-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    await mkdir(join(directory, 'in'));
    await writeFile(join(directory, 'in', 'a.csv'), '1');
    const next = looking(newFiles({ list: filesIn(directory) }));
    expect(await next()).toBe('the first look: 1 file');
    // What is being written has a hidden name until it is whole.
    await writeFile(join(directory, 'in', '.b.csv'), '1');
    expect(await next()).toBe('the same 1 file');
    await rename(join(directory, 'in', '.b.csv'), join(directory, 'in', 'b.csv'));
    expect(await next()).toEqual({ reason: '2 files, 1 before' });
    await utimes(join(directory, 'in', 'a.csv'), 1, 1);
    expect(await next()).toEqual({ reason: 'of 2 files some are others' });
    await rm(join(directory, 'in'), { recursive: true });
    await expect(next()).rejects.toThrow('nothing is listed');
    await expect(looking(newFiles({ list: filesIn(join(directory, 'gone')) }))()).rejects.toThrow('ENOENT');
  });
});

describe('newValues', () => {
  test('requests what was not there before', async () => {
    let listing = ['BTCUSDT', 'ETHUSDT'];
    const next = looking(newValues({ dimension: 'symbol', list: () => listing }));
    expect(await next()).toBe('the first look: 2 of symbol');
    expect(await next()).toBe('no new symbol');
    listing = ['ETHUSDT', 'A/B', 'BTCUSDT', 'SOLUSDT'];
    expect(await next()).toEqual({ partitions: 'symbol=A%2FB|SOLUSDT', reason: 'new symbol: A/B, SOLUSDT' });
    listing = ['BTCUSDT'];
    expect(await next()).toBe('no new symbol');
    // Listed again.
    listing = ['BTCUSDT', 'SOLUSDT'];
    expect(await next()).toEqual({ partitions: 'symbol=SOLUSDT', reason: 'new symbol: SOLUSDT' });
    listing = [];
    await expect(next()).rejects.toThrow('nothing is listed, but 2 values of symbol were there before');
  });
});

describe('httpChanged', () => {
  async function serving(handle: (request: IncomingMessage, response: ServerResponse) => void) {
    const server = createServer(handle);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/list?key=secret`;
  }

  test('by ETag, which is asked for', async () => {
    let etag = '"1"';
    const asked: unknown[] = [];
    const url = await serving((request, response) => {
      asked.push([request.method, request.headers['if-none-match'], request.headers['x-key']]);
      response.statusCode = request.headers['if-none-match'] === etag ? 304 : 200;
      response.setHeader('etag', etag).end();
    });
    const next = looking(httpChanged({ url, headers: { 'x-key': 'k' } }));
    expect(await next()).toBe('the first look');
    expect(await next()).toBe('not modified');
    etag = '"2"';
    expect(await next()).toEqual({ reason: `${url.split('?')[0]} has changed` });
    expect(await next()).toBe('not modified');
    expect(asked).toEqual([
      ['HEAD', undefined, 'k'],
      ['HEAD', '"1"', 'k'],
      ['HEAD', '"1"', 'k'],
      ['HEAD', '"2"', 'k'],
    ]);
  });

  test('by Last-Modified, also where the server does not compare', async () => {
    let modified = 'Mon, 01 Jan 2024 00:00:00 GMT';
    const url = await serving((_, response) => response.setHeader('last-modified', modified).end());
    const next = looking(httpChanged({ url }));
    expect(await next()).toBe('the first look');
    expect(await next()).toBe('not modified');
    modified = 'Tue, 02 Jan 2024 00:00:00 GMT';
    expect(await next()).toMatchObject({ reason: expect.stringContaining('has changed') });
  });

  test('by its bytes where the server says nothing', async () => {
    let body = 'one';
    const url = await serving((_, response) => response.end(body));
    await expect(looking(httpChanged({ url }))()).rejects.toThrow('says neither ETag nor Last-Modified');
    const next = looking(httpChanged({ url, method: 'GET' }));
    expect(await next()).toBe('the first look');
    expect(await next()).toBe('not modified');
    body = 'two';
    expect(await next()).toMatchObject({ reason: expect.stringContaining('has changed') });
  });

  test('an answer that is none is an error, which keeps secrets of the address to itself', async () => {
    const url = await serving((_, response) => response.writeHead(503).end());
    const error = await looking(httpChanged({ url }))().catch((thrown: Error) => thrown);
    expect(error).toMatchObject({
      message: `${url.split('?')[0]} answered 503 Service Unavailable`,
      kind: 'transient',
    });
  });
});
