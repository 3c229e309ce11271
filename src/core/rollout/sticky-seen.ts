/** How far the gateway's policies for a Rollout are from being in effect. */
export type Attachment =
  | { readonly kind: 'Attached' }
  /** They are to be written now. */
  | { readonly kind: 'Due'; readonly message: string }
  /** The gateway has not taken them in. */
  | { readonly kind: 'Waiting'; readonly message: string }
  /** They cannot be attached, or the gateway does not accept them. */
  | { readonly kind: 'Refused'; readonly code: string; readonly message: string };

/** The evaluators that the gateway asks, as far as they are connected now. */
export interface EvaluatorsSeen {
  readonly listening: number;
  /** Those that run what status says of this Rollout. */
  readonly running: number;
}

/** What a Rollout with stickiness needs besides routes. */
export interface StickySeen {
  readonly attachment: Attachment;
  readonly evaluators: EvaluatorsSeen;
}
