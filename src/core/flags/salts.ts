/** What a flag's draws are salted with, deterministic, so that a second cluster gives the same answers. */
export interface Drawing {
  readonly namespace: string;
  readonly key: string;
  readonly ruleId: string;
  /** `spec.salt`: replaces what follows the kind. */
  readonly salt: string | undefined;
}

/** Salt of a rule's split: who gets which variant. */
export const splitSalt = ({ namespace, key, ruleId, salt }: Drawing): string =>
  `flag/${salt ?? `${namespace}/${key}#${ruleId}`}`;

/** Salt of the admission at `index` of a rule: another draw, so that who is admitted says nothing about the variant. */
export const admissionSalt = (drawing: Drawing, index: number): string =>
  `${splitSalt(drawing)}/admission-${index + 1}`;
