// build [ROLE...]: one file a role in dist/, each with its source map beside it; `sdk` is an npm package, in dist/sdk.
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { bundleOptions } from './bundle-options.ts';
import { buildSdk } from './sdk-package.ts';

const top = join(import.meta.dirname, '..');

/** Role → where its program begins. `plugin` is what kubectl finds under the name kubectl-sluice, `sidecar` what npx runs. */
const entries = {
  operator: 'src/operator.ts',
  plugin: 'src/plugin.ts',
  sidecar: 'src/sidecar.ts',
  shop: 'examples/shop/server.ts',
} as const;

export type Role = keyof typeof entries;

/** Packages in CommonJS call `require`, which a module does not have; and an older Node would fail with a riddle. */
const BANNER = [
  "if (Number.parseInt(process.versions.node) < 24) throw new Error('Sluice needs Node 24, this is ' + process.version);",
  "import { createRequire as __sluiceRequire } from 'node:module';",
  'const require = __sluiceRequire(import.meta.url);',
].join('\n');

/** Bundles a role with all its packages into dist/ROLE.mjs and answers that path: it runs on a bare Node 24. */
export async function bundle(role: Role): Promise<string> {
  const outfile = join(top, 'dist', `${role}.mjs`);
  await build({
    entryPoints: [join(top, entries[role])],
    outfile,
    ...bundleOptions,
    sourcemap: 'external',
    legalComments: 'linked',
    banner: { js: BANNER },
    logLevel: 'warning',
  });
  chmodSync(outfile, 0o755);
  return outfile;
}

const isRole = (name: string): name is Role => Object.hasOwn(entries, name);

if (import.meta.main) {
  const asked = process.argv.slice(2);
  const unknown = asked.filter((name) => name !== 'sdk' && !isRole(name));
  if (unknown.length > 0) throw new Error(`no role ${unknown.join(', ')}: choose from ${Object.keys(entries)},sdk`);
  const wanted = asked.length > 0 ? asked : [...Object.keys(entries), 'sdk'];
  for (const name of wanted) console.log(isRole(name) ? await bundle(name) : await buildSdk());
}
