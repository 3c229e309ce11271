/** An image that lies ready as a docker-archive. */
export interface BuiltImage {
  /** `name:tag`; another content has another tag. */
  readonly reference: string;
  readonly archive: string;
}
