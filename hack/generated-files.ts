import { readdirSync, readFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { crdOf, rootSchema } from '../src/api/crd.ts';
import { featureFlagResource, metricResource, type Resource, rolloutResource } from '../src/api/resource.ts';
import { chartSchema } from './chart-schema.ts';
import { errorsPage } from './errors-page.ts';
import { injectedSidecar } from './injected-sidecar.ts';
import { referencePage } from './reference-page.ts';
import { wireSchemas } from './wire-schemas.ts';

const HEADER = '# Made from src/api by `npm run gen`. Do not edit.\n';
/** Examples that need something of one's own, such as a Secret, are no presets. */
const NO_PRESETS = ['orders-per-request.yaml'];

/** Path from the top of the repository → text, for every file that is made from the schemas or the codes and committed. */
export function generatedFiles(): Map<string, string> {
  return new Map([
    ...[rolloutResource, metricResource, featureFlagResource].flatMap(filesOf),
    ['charts/sluice/values.schema.json', `${JSON.stringify(chartSchema(), undefined, 2)}\n`],
    ['charts/sluice/files/sidecar.json', injectedSidecar()],
    ['docs/errors.md', errorsPage()],
    ...wireSchemas(),
    ...presets(),
  ]);
}

function filesOf(resource: Resource): [string, string][] {
  const crd = HEADER + stringify(crdOf(resource), { lineWidth: 0, aliasDuplicateObjects: false });
  return [
    [`crds/${resource.plural}.yaml`, crd],
    [`charts/sluice/crds/${resource.plural}.yaml`, crd],
    [`docs/reference/${resource.singular}.md`, referencePage(resource, rootSchema(resource))],
  ];
}

/** The chart carries the example metrics, word for word. */
function presets(): [string, string][] {
  const names = readdirSync('examples/metrics').filter((name) => name.endsWith('.yaml') && !NO_PRESETS.includes(name));
  return names.map((name) => [`charts/sluice/presets/${name}`, readFileSync(`examples/metrics/${name}`, 'utf8')]);
}
