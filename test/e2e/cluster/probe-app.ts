// A small web server for tests of the cluster: says its version, counts requests for Prometheus, looks names up.
import { lookup } from 'node:dns/promises';
import { createServer } from 'node:http';

const version = process.env.VERSION ?? 'v1';
let requests = 0;

const server = createServer(async (request, response) => {
  // Prometheus takes no answer without a type.
  response.setHeader('content-type', 'text/plain; version=0.0.4');
  response.end(await answer(new URL(request.url ?? '/', 'http://probe')));
});
server.listen(8080);
process.on('SIGTERM', () => server.close(() => process.exit(0)));

async function answer({ pathname, searchParams }: URL): Promise<string> {
  if (pathname === '/ready') return 'ready';
  if (pathname === '/metrics') return `probe_requests_total{version="${version}"} ${requests}\n`;
  if (pathname === '/lookup') {
    const found = await lookup(searchParams.get('name') ?? '').catch((error: Error) => ({ address: error.message }));
    return found.address;
  }
  requests += 1;
  return version;
}
