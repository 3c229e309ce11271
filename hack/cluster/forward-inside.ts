// forward-inside.ts SOCKET HOST:PORT: runs inside an instance and passes connections at the Unix socket on to the address.
import { rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { connectBoth } from './forward.ts';

const [socketPath = '', target = ''] = process.argv.slice(2);
const [host = '', port] = target.split(':');
rmSync(socketPath, { force: true });
createServer((client) => connectBoth(client, connect({ host, port: Number(port) }))).listen(socketPath, () =>
  console.log('ready'),
);
