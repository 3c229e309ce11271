import { ProviderEvents, ProviderStatus } from '@openfeature/server-sdk';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Flag } from '../../../src/wire/flag.ts';
import { signingKey } from '../../support/bundle-server.ts';
import { experimentFlag, experimentSidecar } from '../../support/experiment-sidecar.ts';
import { providerClient } from '../../support/provider-client.ts';
import { flagWith, ruleWith } from '../../support/ruleset.ts';
import { until } from '../../support/sidecar.ts';

const flags: Record<string, Flag> = {
  checkout: experimentFlag,
  fixed: flagWith(),
  killed: flagWith({ killSwitch: true }),
  disabled: flagWith({ enabled: false }),
  text: flagWith({ type: 'string', variants: { on: 'yes', off: '' }, overrides: [{ units: ['u-1'], variant: 'on' }] }),
  tree: flagWith({ type: 'object', variants: { on: { a: [1, null] }, off: {} }, defaultVariant: 'on' }),
  targeted: flagWith({
    rules: [
      ruleWith({ id: 'since', when: { attr: 'since', op: 'before', value: '2026-01-01T00:00:00Z' } }),
      ruleWith({ id: 'list', when: { attr: 'list', op: 'anyOf', value: ['x'] } }),
      ruleWith({ id: 'age', when: { attr: 'age', op: 'ge', value: 18 } }),
    ],
  }),
  drawn: flagWith({
    rules: [
      ruleWith({
        id: 'ramp',
        admissions: [{ unit: 'account', hash: 'murmur3-32/1', salt: 'drawn', ranges: [[0, 4_000]] }],
      }),
    ],
  }),
};

/** What an application may give as a context, dates and nonsense included. */
const contexts = fc.record(
  {
    targetingKey: fc.oneof(fc.stringMatching(/^u-[0-9]$/), fc.string()),
    account: fc.oneof(fc.integer({ min: 0, max: 9 }), fc.string(), fc.constant(null)),
    age: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY), fc.string()),
    since: fc.oneof(fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(2e12) }), fc.constant('soon')),
    list: fc.array(fc.oneof(fc.constant('x'), fc.string(), fc.constant(undefined))),
    inner: fc.record({ since: fc.date({ noInvalidDate: true }), deep: fc.array(fc.array(fc.string())) }),
  },
  { requiredKeys: [] },
);

test('in the process the answers are those of the sidecar, with reasons, metadata and exposure tokens', async () => {
  const { key, publicKey } = signingKey();
  const { sidecar } = await experimentSidecar(flags, key);
  const { client, initialised } = providerClient({ url: sidecar.url, publicKeys: [publicKey] });
  expect(await initialised).toBeUndefined();
  const methods = { boolean: 'getBooleanDetails', string: 'getStringDetails', object: 'getObjectDetails' } as const;
  const missing = { boolean: false, string: 'mine', object: { mine: true } };
  await fc.assert(
    fc.asyncProperty(contexts, async (context) => {
      const { body } = await sidecar.post('/ofrep/v1/evaluate/flags', { context });
      expect(body.flags).toHaveLength(Object.keys(flags).length);
      for (const { key, value, reason, variant, errorCode, metadata } of body.flags) {
        const type = flags[key]!.type as keyof typeof methods;
        const method = client[methods[type]].bind(client) as (
          key: string,
          fallback: unknown,
          context: object,
        ) => Promise<object>;
        // A mounted ruleset is stale, in the sidecar and so here.
        expect(metadata.stale).toBe(true);
        expect(await method(key, missing[type], context)).toEqual({
          flagKey: key,
          value: value ?? missing[type],
          reason: errorCode ? 'ERROR' : reason,
          flagMetadata: metadata,
          ...(variant && { variant }),
          ...(errorCode && { errorCode, errorMessage: expect.any(String) }),
        });
      }
    }),
    { numRuns: 150 },
  );
});

test('a sidecar that is stale itself makes the provider STALE', async () => {
  const { sidecar } = await experimentSidecar();
  const { client, events, initialised } = providerClient({ url: sidecar.url });
  await initialised;
  await until(() => client.providerStatus === ProviderStatus.STALE);
  expect(events).toEqual([ProviderEvents.Ready, ProviderEvents.Stale]);
});

test('a change comes by the event stream, long before the next poll', async () => {
  const { sidecar, mount } = await experimentSidecar({ a: flagWith({ defaultVariant: 'off' }) });
  const { client, events, initialised } = providerClient({ url: sidecar.url, pollMs: 86_400_000 });
  await initialised;
  expect(await client.getBooleanValue('a', true)).toBe(false);
  mount({ a: flagWith({ defaultVariant: 'on' }) }, 8);
  await until(() => events.includes(ProviderEvents.ConfigurationChanged));
  expect(await client.getBooleanDetails('a', false)).toMatchObject({ value: true, flagMetadata: { version: '8' } });
});

test('the sidecar is killed and a new one takes its port: the last ruleset answers meanwhile, then the new one', async () => {
  const first = await experimentSidecar({ a: flagWith() });
  const { client, initialised } = providerClient({ url: first.sidecar.url, pollMs: 50 });
  await initialised;
  await first.sidecar.stop('SIGKILL');
  expect(await client.getBooleanDetails('a', true)).toMatchObject({ value: false, reason: 'STATIC' });
  const { port } = new URL(first.sidecar.url);
  const second = await experimentSidecar({ a: flagWith({ defaultVariant: 'on' }) }, undefined, ['--port', port]);
  second.mount({ a: flagWith({ defaultVariant: 'on' }) }, 8);
  await until(async () => (await client.getBooleanDetails('a', false)).flagMetadata.version === '8');
  expect(await client.getBooleanValue('a', false)).toBe(true);
});
