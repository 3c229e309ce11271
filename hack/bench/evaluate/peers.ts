import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { cacheDir } from '../../cluster/paths.ts';
import { type Evaluator, FLAG } from './subject.ts';

const versions = {
  '@openfeature/flagd-core': '4.0.1',
  '@openfeature/core': '1.12.0',
  '@growthbook/growthbook': '1.8.0',
  'unleash-client': '6.12.1',
} as const;

/** The npm evaluators, installed together into the cache folder when they are not there. */
export async function peers(): Promise<Evaluator[]> {
  const load = createRequire(join(installed(), 'package.json'));
  return [flagd(load), growthbook(load), await unleash(load)];
}

type Load = (name: string) => unknown;

function installed(): string {
  const home = join(cacheDir(), 'bench-evaluators');
  const wanted = JSON.stringify(versions);
  const stamp = join(home, 'sluice-packages');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return home;
  process.stderr.write(`installing ${Object.keys(versions).join(', ')} into ${home}\n`);
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'package.json'), JSON.stringify({ private: true, dependencies: versions }));
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: home,
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: 300_000,
  });
  // Last, so that a broken installation is made anew.
  writeFileSync(stamp, wanted);
  return home;
}

function flagd(load: Load): Evaluator {
  const name = '@openfeature/flagd-core';
  interface Core {
    setConfigurations(text: string): void;
    resolveBooleanEvaluation(key: string, otherwise: boolean, context: object, logger: object): { value: boolean };
  }
  const { FlagdCore } = load(name) as { FlagdCore: new () => Core };
  const core = new FlagdCore();
  const isMeant = { and: [{ in: [{ var: 'country' }, ['DE', 'AT']] }, { '===': [{ var: 'plan' }, 'pro'] }] };
  const split = {
    fractional: [
      ['on', 50],
      ['off', 50],
    ],
  };
  const flag = {
    state: 'ENABLED',
    variants: { on: true, off: false },
    defaultVariant: 'off',
    targeting: { if: [isMeant, split, 'off'] },
  };
  core.setConfigurations(JSON.stringify({ flags: { [FLAG]: flag } }));
  const silent = { error: quiet, warn: quiet, info: quiet, debug: quiet };
  return {
    name,
    version: versions[name],
    evaluate: (targetingKey, country) =>
      core.resolveBooleanEvaluation(FLAG, false, { targetingKey, country, plan: 'pro' }, silent).value,
  };
}

function growthbook(load: Load): Evaluator {
  const name = '@growthbook/growthbook';
  interface Client {
    initSync(options: object): void;
    isOn(key: string, context: object): boolean;
  }
  const { GrowthBookClient } = load(name) as { GrowthBookClient: new () => Client };
  const client = new GrowthBookClient();
  const condition = { country: { $in: ['DE', 'AT'] }, plan: 'pro' };
  const rule = { condition, variations: [true, false], weights: [0.5, 0.5], hashVersion: 2, hashAttribute: 'id' };
  client.initSync({ payload: { features: { [FLAG]: { defaultValue: false, rules: [rule] } } } });
  return {
    name,
    version: versions[name],
    evaluate: (id, country) => client.isOn(FLAG, { attributes: { id, country, plan: 'pro' } }),
  };
}

async function unleash(load: Load): Promise<Evaluator> {
  const name = 'unleash-client';
  interface Client {
    on(event: string, listener: () => void): void;
    isEnabled(key: string, context: object): boolean;
  }
  const { Unleash, InMemStorageProvider } = load(name) as {
    Unleash: new (options: object) => Client;
    InMemStorageProvider: new () => object;
  };
  const constraints = [
    { contextName: 'country', operator: 'IN', values: ['DE', 'AT'] },
    { contextName: 'plan', operator: 'IN', values: ['pro'] },
  ];
  const parameters = { rollout: '50', stickiness: 'userId', groupId: FLAG };
  const feature = { name: FLAG, enabled: true, strategies: [{ name: 'flexibleRollout', parameters, constraints }] };
  const client = new Unleash({
    appName: 'bench',
    url: 'http://127.0.0.1:9/api/',
    refreshInterval: 0,
    disableMetrics: true,
    skipInstanceCountWarning: true,
    storageProvider: new InMemStorageProvider(),
    bootstrap: { data: [feature] },
  });
  client.on('error', quiet); // nobody listens at that address, which is meant
  client.on('warn', quiet);
  await new Promise<void>((resolve) => client.on('ready', resolve));
  return {
    name,
    version: versions[name],
    evaluate: (userId, country) => client.isEnabled(FLAG, { userId, properties: { country, plan: 'pro' } }),
  };
}

function quiet(): void {}
