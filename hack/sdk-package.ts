import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';

const top = join(import.meta.dirname, '..');
const SDK = join(top, 'dist/sdk');
const SCOPED_NAME = '@sluice/sdk';
/** Packages that the provider uses and does not bring along, so that an application has each once. */
const DEPENDENCIES = ['re2js', 'zod'];
const PEER = '@openfeature/server-sdk';
/** What the types of the two entries need, of all that the compiler writes. */
const TYPES = [
  ...['sdk/exposures/exposures', 'sdk/exposures/last-moments', 'sdk/provider/sluice-provider'],
  ...['base/clock', 'base/random', 'base/units'],
].map((name) => `${name}.d.ts`);

/** Makes the npm package of src/sdk in dist/sdk and answers that path. Publishing it is done by hand. */
export async function buildSdk(): Promise<string> {
  rmSync(SDK, { recursive: true, force: true });
  const common = { bundle: true, format: 'esm', sourcemap: 'external', logLevel: 'warning' } as const;
  await Promise.all([
    // Browsers of the last two years; no name of Node's may be left in it.
    build({ ...common, ...file('exposures/exposures.ts', 'exposures.js'), platform: 'browser', target: 'es2022' }),
    build({
      ...common,
      ...file('provider/sluice-provider.ts', 'provider.js'),
      ...{ platform: 'node', target: 'node22', external: [...DEPENDENCIES, PEER] },
    }),
  ]);
  writeTypes();
  writeFileSync(join(SDK, 'package.json'), `${JSON.stringify(manifest(), null, 2)}\n`);
  copyFileSync(join(top, 'LICENSE'), join(SDK, 'LICENSE'));
  copyFileSync(join(top, 'docs/sdk.md'), join(SDK, 'README.md'));
  return SDK;
}

/** From src/sdk/tsconfig.json. */
function writeTypes(): void {
  const all = mkdtempSync(join(tmpdir(), 'sluice-types-'));
  const args = [join(top, 'node_modules/typescript/bin/tsc'), '-p', join(top, 'src/sdk'), '--outDir', all];
  execFileSync(process.execPath, args, { stdio: 'inherit' });
  for (const name of TYPES) cpSync(join(all, name), join(SDK, 'types', name));
  rmSync(all, { recursive: true });
}

const file = (from: string, to: string) => ({ entryPoints: [join(top, 'src/sdk', from)], outfile: join(SDK, to) });

function manifest(): object {
  const { version, license, dependencies, devDependencies } = JSON.parse(
    readFileSync(join(top, 'package.json'), 'utf8'),
  );
  const [major, minor] = devDependencies[PEER].split('.');
  return {
    name: SCOPED_NAME,
    version,
    description: 'Feature flags of Sluice: evaluation in the process, and exposures in batches',
    license,
    type: 'module',
    sideEffects: false,
    // URL.parse of the provider; the exposures run anywhere.
    engines: { node: '>=22.1' },
    exports: {
      './exposures': { types: './types/sdk/exposures/exposures.d.ts', default: './exposures.js' },
      './provider': { types: './types/sdk/provider/sluice-provider.d.ts', default: './provider.js' },
    },
    dependencies: Object.fromEntries(DEPENDENCIES.map((name) => [name, `^${dependencies[name]}`])),
    peerDependencies: { [PEER]: `^${major}.${minor}.0` },
    peerDependenciesMeta: { [PEER]: { optional: true } },
  };
}
