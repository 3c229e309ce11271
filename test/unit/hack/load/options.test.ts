import { describe, expect, it } from 'vitest';
import { mixedClients, readCommandLine } from '../../../../hack/load/options.ts';

const needed = ['--target', '127.0.0.1:30080', '--host', 'shop.example'];

describe('the command line of the load generator', () => {
  it('needs only where to send to', () => {
    expect(readCommandLine(needed)).toEqual({
      target: { host: '127.0.0.1', port: 30080 },
      hostHeader: 'shop.example',
      durationMs: undefined,
      timeoutMs: 10_000,
      clients: mixedClients,
      follow: false,
      json: false,
    });
  });

  it('takes groups of clients with headers', () => {
    const options = readCommandLine([...needed, '--client', 'http2:3:40', '--client', 'short:1:5:x-team=shop,x-a=b=c']);
    expect(options).toMatchObject({
      clients: [
        { kind: 'http2', count: 3, ratePerSecond: 40, headers: {} },
        { kind: 'short', count: 1, ratePerSecond: 5, headers: { 'x-team': 'shop', 'x-a': 'b=c' } },
      ],
    });
  });

  it.each([
    [['--host', 'a'], '--target'],
    [['--target', 'nowhere', '--host', 'a'], 'HOST:PORT'],
    [[...needed, '--duration', 'long'], '--duration'],
    [[...needed, '--client', 'carrier-pigeon:1:1'], 'carrier-pigeon'],
    [[...needed, '--clients', 'x'], '--clients'],
  ])('refuses %j and names what is wrong', (args, word) => {
    expect(() => readCommandLine(args)).toThrow(word);
  });
});
