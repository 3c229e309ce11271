import { randomUUID } from 'node:crypto';
import { type Client, type EventDetails, OpenFeature, ProviderEvents } from '@openfeature/server-sdk';
import { onTestFinished } from 'vitest';
import {
  SluiceProvider,
  type SluiceProviderOptions,
  type SluiceProviderPorts,
} from '../../src/sdk/provider/sluice-provider.ts';

/** Our provider in OpenFeature's SDK, as an application has it. */
export interface ProviderClient {
  readonly client: Client;
  /** Events of the provider so far, in order. */
  readonly events: ProviderEvents[];
  /** What came with each. */
  readonly details: (EventDetails | undefined)[];
  /** The end of the initialisation: undefined, or what it rejected with. */
  readonly initialised: Promise<unknown>;
}

export function providerClient(
  options: SluiceProviderOptions,
  ports: Partial<SluiceProviderPorts> = {},
): ProviderClient {
  const silent = () => {};
  OpenFeature.setLogger({ debug: silent, info: silent, warn: silent, error: silent });
  const domain = randomUUID();
  const client = OpenFeature.getClient(domain);
  const events: ProviderEvents[] = [];
  const details: (EventDetails | undefined)[] = [];
  const initialised = OpenFeature.setProviderAndWait(domain, new SluiceProvider(options, ports)).then(
    () => undefined,
    (error: unknown) => error,
  );
  for (const event of Object.values(ProviderEvents)) {
    client.addHandler(event, (told) => {
      events.push(event);
      details.push(told);
    });
  }
  onTestFinished(() => OpenFeature.clearProviders());
  return { client, events, details, initialised };
}
