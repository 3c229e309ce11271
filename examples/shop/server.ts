// The entry of the example shop: settings from the environment, one log line a change of state, SIGTERM drains.
import { setTimeout as sleep } from 'node:timers/promises';
import { ShopListener } from './listener.ts';
import { readSettings } from './settings.ts';

const log = (facts: object) => process.stdout.write(`${JSON.stringify(facts)}\n`);

async function main(): Promise<void> {
  const settings = readSettings(process.env);
  const listener = new ShopListener(settings);
  const port = await listener.start(settings.port);
  const { crashAfterMs } = settings;
  if (crashAfterMs !== undefined) setTimeout(() => process.exit(1), crashAfterMs).unref();
  process.once('SIGTERM', async () => {
    log({ message: 'draining', drainMs: settings.drainMs });
    await listener.stop(sleep(settings.drainMs));
    log({ message: 'stopped' });
    process.exit(0);
  });
  log({ message: 'listening', port, version: settings.version });
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
