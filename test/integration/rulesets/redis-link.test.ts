import { rmSync, writeFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import type { Logger } from '../../../src/base/logger.ts';
import { RedisLink, type RedisSettings } from '../../../src/rulesets/redis-link.ts';
import { makeCertificate } from '../../support/certificates.ts';
import { RealRedis } from '../../support/redis.ts';
import { until } from '../../support/stream.ts';

const PASSWORD = 'not-to-be-told';

function open(settings: RedisSettings) {
  const lines: string[] = [];
  const log = (facts: object, message: string) => void lines.push(`${message} ${JSON.stringify(facts)}`);
  const logger: Logger = { debug: log, info: log, warn: log, error: log };
  const messages: string[] = [];
  const link = new RedisLink(settings, 'channel', {
    random: () => 0,
    logger,
    onReady: () => {},
    onMessage: (message) => messages.push(message),
  });
  onTestFinished(() => link.stop());
  link.start();
  return { link, lines, messages };
}

test('messages come on the connection that commands go over', async () => {
  const redis = await RealRedis.start();
  const { link, messages } = open({ url: redis.url });
  await until('Redis', () => link.isUp);
  await until('the message', async () => {
    await link.redis.publish('channel', 'hello');
    return messages.includes('hello');
  });
});

test('a password comes from its file, again at each try, and is told nobody', async () => {
  const redis = await RealRedis.start({ password: PASSWORD });
  const passwordFile = redis.file('password', 'an-old-one\n');
  const { link, lines } = open({ url: redis.url, passwordFile });
  await until('the refusal', () => lines.some((line) => line.includes('SLUICE_REDIS_REFUSED')));
  expect(link.isUp).toBe(false);
  rmSync(passwordFile);
  await until('the failure', () => lines.some((line) => line.includes('ENOENT')));
  writeFileSync(passwordFile, `${PASSWORD}\n`);
  await until('Redis', () => link.isUp);
  await expect(link.redis.ping()).resolves.toBe('PONG');
  expect(lines.join('\n')).not.toMatch(/an-old-one|not-to-be-told/);
});

test('with rediss the certificate must be of an authority in the file', async () => {
  const authority = makeCertificate({ name: 'authority' });
  const certificate = makeCertificate({ name: 'redis', hosts: ['localhost'], issuer: authority });
  const redis = await RealRedis.start({ certificate, password: PASSWORD });
  const url = `rediss://localhost:${redis.port}`;
  const [caFile, passwordFile] = [redis.file('ca.crt', authority.cert), redis.file('password', PASSWORD)];
  const { link } = open({ url, caFile, passwordFile });
  await until('Redis', () => link.isUp);
  const stranger = open({ url, passwordFile });
  await until('the refusal', () => stranger.lines.some((line) => line.includes('SLUICE_REDIS_UNREACHABLE')));
  const other = open({ url, caFile: redis.file('other.crt', makeCertificate({ name: 'other' }).cert), passwordFile });
  await until('the refusal', () => other.lines.length > 0);
  const none = open({ url, caFile: `${caFile}.missing`, passwordFile });
  await until('the refusals', () => none.link.failures >= 2);
  expect([stranger, other, none].map((one) => one.link.isUp)).toEqual([false, false, false]);
});

test('a server that quotes what it does not know makes no password known', () => {
  const { link, lines } = open({ url: 'redis://127.0.0.1:1' });
  const error = Object.assign(
    new Error(`ERR unknown command 'HELLO', with args beginning with: '3' 'AUTH' 'default' '${PASSWORD}'`),
    { name: 'ReplyError', command: { name: 'hello', args: ['3', 'AUTH', 'default', PASSWORD] } },
  );
  link.failed(error);
  expect(lines.at(-1)).toContain("ERR unknown command 'HELLO'");
  expect(lines.join()).not.toContain(PASSWORD);
});
