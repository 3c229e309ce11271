import { randomUUID } from 'node:crypto';
import {
  AsyncLocalStorageTransactionContextPropagator,
  type BaseHook,
  type EvaluationContext,
  type Hook,
  OpenFeature,
  type Provider,
  ProviderEvents,
} from '@openfeature/server-sdk';
import type { CheckedFetch } from './checked-fetch.ts';
import { type Details, type Json, type Level, methods, type Question, type State, type World } from './world.ts';

/** A provider that will come into a state. */
export interface ServerProvider {
  readonly provider: Provider;
  /** What to do once it is registered, such as taking its server away. */
  readonly afterwards?: () => Promise<unknown>;
}

export interface ServerProviders {
  /** Rejects where there is no such state. */
  make(state: State, fetch: typeof globalThis.fetch): Promise<ServerProvider> | ServerProvider;
}

const silent = () => {};

/** A scenario by @openfeature/server-sdk. */
export function serverWorld(providers: ServerProviders, checked: CheckedFetch): World {
  const domain = randomUUID();
  const client = OpenFeature.getClient(domain);
  OpenFeature.setLogger({ debug: silent, info: silent, warn: silent, error: silent });
  OpenFeature.setTransactionContextPropagator(new AsyncLocalStorageTransactionContextPropagator());
  const contexts: Record<Level, EvaluationContext> = {
    API: {},
    Transaction: {},
    Client: {},
    Invocation: {},
    'Before Hooks': {},
  };
  const inHook: Hook = { before: () => contexts['Before Hooks'] };
  return {
    isAsynchronous: true,
    wireProblems: checked.problems,
    async register(state) {
      const { provider, afterwards } = await providers.make(state, checked.fetch);
      if (state === 'stable' || state === 'stale') await OpenFeature.setProviderAndWait(domain, provider);
      else if (state === 'not ready') OpenFeature.setProvider(domain, provider);
      else await OpenFeature.setProviderAndWait(domain, provider).catch(silent);
      if (state !== 'stale') return;
      const stale = new Promise<unknown>((resolve) => client.addHandler(ProviderEvents.Stale, resolve));
      await afterwards?.();
      await stale;
    },
    addContext(level, entries) {
      Object.assign(contexts[level], entries);
    },
    addHook: (hook) => void client.addHooks(hook as Hook),
    async evaluate({ type, key, fallback }: Question, hooks: readonly BaseHook[] = []): Promise<Details> {
      OpenFeature.setContext(contexts.API);
      client.setContext(contexts.Client);
      const options = { hooks: [inHook, ...(hooks as Hook[])] };
      const method = client[methods[type]].bind(client) as (
        key: string,
        fallback: Json,
        context: EvaluationContext,
        options: { hooks: Hook[] },
      ) => Promise<Details>;
      return new Promise((resolve, reject) => {
        const ask = () => method(key, fallback, contexts.Invocation, options).then(resolve, reject);
        OpenFeature.setTransactionContext(contexts.Transaction, ask);
      });
    },
    status: () => client.providerStatus,
    async close() {
      OpenFeature.setContext({});
      await OpenFeature.clearProviders();
    },
  };
}
