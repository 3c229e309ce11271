import type { FlagObject } from '../../src/controllers/feature-flag/sources.ts';
import type { Manifest } from './manifests.ts';

/** A FeatureFlag as a cache has it: a boolean flag that is off, unless `spec` says otherwise. */
export function flagObject(name: string, spec: Manifest = {}, rest: Manifest = {}): FlagObject {
  const { metadata, ...others } = rest;
  return {
    apiVersion: 'sluice.dev/v1alpha1',
    kind: 'FeatureFlag',
    metadata: {
      name,
      namespace: 'shop',
      uid: `uid-of-${name}`,
      generation: 1,
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...metadata,
    },
    spec: {
      type: 'boolean',
      variants: { on: true, off: false },
      offVariant: 'off',
      defaultVariant: 'off',
      ...spec,
    },
    ...others,
  };
}
