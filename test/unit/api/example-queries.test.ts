import { expect, test } from 'vitest';
import { parseTemplate } from '../../../src/providers/template.ts';
import { type Manifest, manifestsIn } from '../../support/manifests.ts';

const prometheuses = [
  ...manifestsIn('examples/metrics').map(([file, { spec }]) => [file, spec.provider.prometheus] as const),
  ...manifestsIn('examples/rollouts').flatMap(([file, { spec }]) =>
    (spec.guardrails ?? []).flatMap(({ query }: Manifest) => (query ? [[file, query] as const] : [])),
  ),
];

test.each(prometheuses)('%s asks with placeholders where they can stand', (_, { query, requestsQuery }) => {
  expect(parseTemplate(query)).toMatchObject({ kind: 'Template' });
  if (requestsQuery !== undefined) expect(parseTemplate(requestsQuery)).toMatchObject({ kind: 'Template' });
});
