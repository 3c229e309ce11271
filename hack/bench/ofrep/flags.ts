import { createHash } from 'node:crypto';
import { stringify } from 'yaml';

export const FLAG_COUNT = 100;
/** Asked in turn, each with its own body. */
const USERS = 1_000;
const COUNTRIES = ['DE', 'AT', 'FR'];

const keys = Array.from({ length: FLAG_COUNT }, (_, index) => `flag-${String(index).padStart(3, '0')}`);
/** The one that single evaluations ask for. */
export const SINGLE_KEY = keys[0] as string;

/** 100 flags, each a split in halves behind two conditions, which two of three users meet: as FeatureFlags. */
export function sluiceFlags(): string {
  return keys
    .map((name) =>
      stringify({
        apiVersion: 'sluice.dev/v1alpha1',
        kind: 'FeatureFlag',
        metadata: { name, namespace: 'bench' },
        spec: {
          type: 'boolean',
          variants: { on: true, off: false },
          offVariant: 'off',
          defaultVariant: 'off',
          rules: [
            {
              id: 'ramp',
              when: {
                all: [
                  { attr: 'country', op: 'in', value: ['DE', 'AT'] },
                  { attr: 'plan', op: 'eq', value: 'pro' },
                ],
              },
              serve: {
                split: [
                  { variant: 'on', weight: 50 },
                  { variant: 'off', weight: 50 },
                ],
                unit: 'targetingKey',
              },
            },
          ],
        },
      }),
    )
    .join('---\n');
}

/** The same in flagd's form. */
export function flagdFlags(): string {
  const isMeant = { and: [{ in: [{ var: 'country' }, ['DE', 'AT']] }, { '==': [{ var: 'plan' }, 'pro'] }] };
  const split = { fractional: [['on', 50], ['off', 50]] }; // biome-ignore format: one line reads better
  const flag = {
    state: 'ENABLED',
    variants: { on: true, off: false },
    defaultVariant: 'off',
    targeting: { if: [isMeant, split, 'off'] },
  };
  return JSON.stringify({ flags: Object.fromEntries(keys.map((key) => [key, flag])) });
}

/** What applications send, the same in every run. */
export function bodies(): string[] {
  return Array.from({ length: USERS }, (_, index) => {
    const targetingKey = createHash('sha256').update(`${index}`).digest('hex').slice(0, 36);
    const country = COUNTRIES[index % COUNTRIES.length];
    return JSON.stringify({ context: { targetingKey, country, plan: 'pro' } });
  });
}
