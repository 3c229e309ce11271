import { stringify } from 'yaml';
import { crdOf, rootSchema } from '../src/api/crd.ts';
import { metricResource, type Resource, rolloutResource } from '../src/api/resource.ts';
import { referencePage } from './reference-page.ts';

const HEADER = '# Made from src/api by `npm run gen`. Do not edit.\n';

/** Path from the top of the repository → text, for every file that is made from the schemas and committed. */
export function generatedFiles(): Map<string, string> {
  return new Map([rolloutResource, metricResource].flatMap(filesOf));
}

function filesOf(resource: Resource): [string, string][] {
  const crd = stringify(crdOf(resource), { lineWidth: 0, aliasDuplicateObjects: false });
  return [
    [`crds/${resource.plural}.yaml`, HEADER + crd],
    [`docs/reference/${resource.singular}.md`, referencePage(resource, rootSchema(resource))],
  ];
}
