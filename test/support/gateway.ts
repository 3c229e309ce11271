import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Flag } from '../../src/wire/flag.ts';
import { type CheckClient, checkClient } from './ext-authz.ts';
import { mountRuleset } from './rollout-flags.ts';
import { type RunningSidecar, startSidecar, until } from './sidecar.ts';

/** What the operator writes for the Rollout `shop/web`. */
export const EXTENSIONS = { 'sluice-rollout': 'shop/web', 'sluice-units': 'cookie:sluice-unit,header:x-user-id' };

export interface GatewayEvaluator {
  readonly sidecar: RunningSidecar;
  readonly port: number;
  readonly client: CheckClient;
  /** Takes the place of what is mounted. */
  mount(flags: Record<string, Flag>, revision: number): void;
}

/** A sidecar that a gateway may ask; undefined: it has no ruleset yet. */
export async function gatewayWith(flags: Record<string, Flag> | undefined): Promise<GatewayEvaluator> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-authz-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const boot = join(folder, 'ruleset.json.gz');
  if (flags) mountRuleset(boot, flags, 1);
  const sidecar = await startSidecar(['--boot', boot, '--state-dir', join(folder, 'state'), '--ext-authz-port', '0']);
  if (flags) await until(() => sidecar.ready());
  const port = sidecar.extAuthzPort ?? 0;
  return { sidecar, port, client: checkClient(port), mount: (next, revision) => mountRuleset(boot, next, revision) };
}
