import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { compareKeys } from '../assets/exchanges/binance/archive.ts';
import type { SimulatedHead } from '../assets/exchanges/simulated/archive.ts';
import { listingPage, listingRequest, listingXml } from '../assets/exchanges/simulated/listing.ts';

// A process of its own, so that it costs whoever downloads nothing: a mirror, held in memory, as an S3 bucket and a web server have it.
// Says its port when it is ready, and ends with its input.
const [directory = ''] = process.argv.slice(2);
const BUCKET = 'bucket';
const objects = new Map<string, SimulatedHead & { readonly body: Uint8Array }>();
for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile()) continue;
  const path = join(entry.parentPath, entry.name);
  const body = await readFile(path);
  objects.set(path.slice(directory.length + 1), {
    body,
    bytes: body.length,
    etag: createHash('md5').update(body).digest('hex'),
    modifiedMs: (await stat(path)).mtimeMs,
  });
}
const keys = [...objects.keys()].sort(compareKeys);

const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const key = decodeURIComponent(url.pathname).slice(1);
  if (key === BUCKET || key === `${BUCKET}/`) {
    const asked = listingRequest(url.searchParams);
    const archive = { head: (one: string) => objects.get(one) };
    response.setHeader('content-type', 'application/xml');
    response.end(listingXml(archive, BUCKET, asked, listingPage(keys, asked)));
    return;
  }
  const object = objects.get(key);
  if (object === undefined) response.writeHead(404).end();
  else response.writeHead(200, { etag: `"${object.etag}"`, 'content-length': object.bytes }).end(object.body);
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const address = server.address();
process.stdout.write(`${typeof address === 'object' ? address?.port : ''}\n`);
process.stdin.resume().on('end', () => process.exit());
