import { randomUUID } from 'node:crypto';
import {
  type BaseHook,
  type EvaluationContext,
  type Hook,
  OpenFeature,
  type Provider,
  ProviderEvents,
} from '@openfeature/web-sdk';
import type { CheckedFetch } from './checked-fetch.ts';
import { type Details, type Json, methods, type Question, type State, type World } from './world.ts';

export interface WebProviders {
  /** A provider in this state, and what to do once it is registered. */
  make(
    state: State,
    fetch: typeof globalThis.fetch,
  ): Promise<{ readonly provider: Provider; readonly afterwards?: () => Promise<unknown> }>;
}

const silent = () => {};

/** A scenario by @openfeature/web-sdk: one context for all evaluations, which are answered from memory. */
export function webWorld(providers: WebProviders, checked: CheckedFetch): World {
  const domain = randomUUID();
  const client = OpenFeature.getClient(domain);
  OpenFeature.setLogger({ debug: silent, info: silent, warn: silent, error: silent });
  const context: EvaluationContext = {};
  let isChanged = false;
  return {
    isAsynchronous: false,
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
      if (level !== 'API') throw new Error(`the web SDK has no context at the level ${level}`);
      Object.assign(context, entries);
      isChanged ||= Object.keys(entries).length > 0;
    },
    addHook: (hook) => void client.addHooks(hook as Hook),
    async evaluate({ type, key, fallback }: Question, hooks: readonly BaseHook[] = []): Promise<Details> {
      if (isChanged) await OpenFeature.setContext({ ...context });
      isChanged = false;
      const method = client[methods[type]].bind(client) as (
        key: string,
        fallback: Json,
        options: { hooks: Hook[] },
      ) => Details;
      return method(key, fallback, { hooks: hooks as Hook[] });
    },
    status: () => client.providerStatus,
    async close() {
      await OpenFeature.clearContexts();
      await OpenFeature.clearProviders();
    },
  };
}
