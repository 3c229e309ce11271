import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { ControlPlane } from '../support/control-plane.ts';

const ANY_PORTS = { WEBHOOK_PORT: '0', HEALTH_PORT: '0', METRICS_PORT: '0', RULESETS_PORT: '0' };

test('an operator whose caches cannot be filled, because definitions are missing, ends when it is asked to', async ({
  signal,
}) => {
  const plane = await ControlPlane.start(signal);
  onTestFinished(() => plane.stop());
  const env = { ...process.env, ...ANY_PORTS, KUBECONFIG: plane.kubeconfigPath };
  const child = spawn(process.execPath, ['src/operator.ts', 'run'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = once(child, 'close');
  let log = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    log += chunk;
    if (!child.killed && /"plural":"httproutes".*broke off/.test(log)) child.kill('SIGTERM');
  }
  expect(await ended).toEqual([0, null]);
  expect(log).toMatch(/"msg":"stopped"/);
  expect(log).not.toMatch(/"msg":"ready"/);
});
