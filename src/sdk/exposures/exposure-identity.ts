/**
 * What makes two tokens the same exposure: experiment, phase, unit hash and arm, but not the revision of the ruleset
 * (`exposureId` in wire/exposure.ts says the same). A token that cannot be read stands for itself.
 */
export function exposureIdentity(token: string): string {
  try {
    const said = JSON.parse(atob(token.replaceAll('-', '+').replaceAll('_', '/')));
    return JSON.stringify([said.experiment, said.phase, said.unitHash, said.arm]);
  } catch {
    return token;
  }
}
