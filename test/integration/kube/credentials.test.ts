import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { silent } from '../../../src/base/logger.ts';
import type { EpochMs } from '../../../src/base/units.ts';
import { configMaps } from '../../../src/kube/builtins.ts';
import { issueServingCertificate } from '../../../src/kube/certificates.ts';
import { createClient } from '../../../src/kube/create-client.ts';
import { kubeConfig } from '../../support/api-server.ts';
import { FaultProxy } from '../../support/fault-proxy.ts';

function makeDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-credentials-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  return dir;
}

const ref = { namespace: 'default', name: 'none' };

test('a client certificate that is exchanged on disk is used without a restart', async ({ signal }) => {
  const dir = makeDir();
  const admin = kubeConfig();
  const [certFile, keyFile] = [join(dir, 'tls.crt'), join(dir, 'tls.key')];
  const write = (cert: string, key: string) => {
    writeFileSync(certFile, cert);
    writeFileSync(keyFile, key);
  };
  const stranger = issueServingCertificate({ hosts: ['x'], notBefore: new Date(0), notAfter: new Date(2 ** 42) });
  write(stranger.cert, stranger.key);
  const config = new KubeConfig();
  config.loadFromClusterAndUser(admin.getCurrentCluster()!, { name: 'files', certFile, keyFile });
  let skippedMs = 0;
  const clock = { ...systemClock, now: () => (Date.now() + skippedMs) as EpochMs };
  const client = createClient(config, { clock, random: Math.random, logger: silent, userAgent: 'sluice-test' });
  onTestFinished(() => client.close(0));
  await expect(client.get(configMaps, ref, { signal })).rejects.toMatchObject({ code: 'SLUICE_KUBE_DENIED' });
  const { certData, keyData } = admin.getCurrentUser()!;
  const decode = (base64: string | undefined) => Buffer.from(base64 ?? '', 'base64').toString();
  write(decode(certData), decode(keyData));
  // The refusal made it forget what it had read, so no time has to pass.
  expect(await client.get(configMaps, ref, { signal })).toBeUndefined();
  write(stranger.cert, stranger.key);
  expect(await client.get(configMaps, ref, { signal })).toBeUndefined();
  skippedMs = 11_000;
  await expect(client.get(configMaps, ref, { signal })).rejects.toMatchObject({ code: 'SLUICE_KUBE_DENIED' });
});

test('a token is read from its file, and never stands in an error', async ({ signal }) => {
  const dir = makeDir();
  const proxy = await FaultProxy.start(kubeConfig());
  onTestFinished(() => proxy.stop());
  const tokenFile = join(dir, 'token');
  writeFileSync(tokenFile, 'first-secret\n');
  const config = proxy.config;
  config.users = [{ name: 'nobody', authProvider: { name: 'tokenFile', config: { tokenFile } } }];
  const client = createClient(config, { clock: systemClock, random: Math.random, logger: silent, userAgent: 'x' });
  onTestFinished(() => client.close(0));
  proxy.fault = ({ authorization }) => ({ answer: authorization === 'Bearer first-secret' ? 500 : 401 });
  const error = await client.get(configMaps, ref, { signal }).catch((reason) => reason);
  expect(error).toMatchObject({ code: 'SLUICE_KUBE_UNAVAILABLE', httpStatus: 500 });
  expect(`${error.stack} ${JSON.stringify(error)}`).not.toContain('secret');
});

test('a token that was refused is read again, as it may have been exchanged', async ({ signal }) => {
  const proxy = await FaultProxy.start(kubeConfig());
  onTestFinished(() => proxy.stop());
  const tokenFile = join(makeDir(), 'token');
  writeFileSync(tokenFile, 'first');
  const config = proxy.config;
  config.users = [{ name: 'nobody', authProvider: { name: 'tokenFile', config: { tokenFile } } }];
  const client = createClient(config, { clock: systemClock, random: Math.random, logger: silent, userAgent: 'x' });
  onTestFinished(() => client.close(0));
  let good = 'first';
  const found = { apiVersion: 'v1', kind: 'ConfigMap', metadata: ref };
  proxy.fault = ({ authorization }) => ({ answer: authorization === `Bearer ${good}` ? 200 : 401, body: found });
  expect(await client.get(configMaps, ref, { signal })).toEqual(found);
  good = 'second';
  writeFileSync(tokenFile, 'second');
  expect(await client.get(configMaps, ref, { signal })).toEqual(found);
});

test('a kubeconfig without a usable cluster is refused with a coded error', () => {
  const config = new KubeConfig();
  config.loadFromOptions({ clusters: [], users: [], contexts: [], currentContext: 'none' });
  const make = () => createClient(config, { clock: systemClock, random: Math.random, logger: silent, userAgent: 'x' });
  expect(make).toThrow(expect.objectContaining({ code: 'SLUICE_KUBE_CONFIG' }));
});
