import { expect, test } from 'vitest';
import { configMaps } from '../../../src/kube/builtins.ts';
import { pathOf } from '../../../src/kube/resource.ts';

test('an empty name is not the whole collection', () => {
  expect(pathOf(configMaps, { namespace: 'shop' })).toBe('/api/v1/namespaces/shop/configmaps');
  expect(() => pathOf(configMaps, { namespace: 'shop', name: '' })).toThrow('SLUICE_KUBE_REFUSED');
});
