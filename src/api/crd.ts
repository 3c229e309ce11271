import { z } from 'zod';
import { GROUP, VERSION } from './names.ts';
import type { Resource } from './resource.ts';
import { type StructuralSchema, structuralSchema } from './structural-schema.ts';

/** The CustomResourceDefinition of a resource, as a plain object. Throws where the schema has no structural form. */
export function crdOf(resource: Resource) {
  const { kind, plural, singular, shortName, columns } = resource;
  const version = {
    name: VERSION,
    served: true,
    storage: true,
    subresources: { status: {} },
    additionalPrinterColumns: columns,
    schema: { openAPIV3Schema: rootSchema(resource) },
  };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: { kind, listKind: `${kind}List`, plural, singular, shortNames: [shortName], categories: ['sluice'] },
      versions: [version],
    },
  };
}

/** The schema of the whole object. The API server itself describes and checks apiVersion, kind and metadata. */
export function rootSchema({ kind, object, status }: Resource): StructuralSchema {
  // Description and rules of the whole object, as `constrained` left them.
  const meta = z.globalRegistry.get(object) as Partial<StructuralSchema>;
  return {
    ...meta,
    type: 'object',
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string', description: `Always ${GROUP}/${VERSION}.` },
      kind: { type: 'string', description: `Always ${kind}.` },
      metadata: { type: 'object' },
      spec: structuralSchema(object.shape.spec, 'spec'),
      status: structuralSchema(status, 'status'),
    },
  };
}
