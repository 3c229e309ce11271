/** What a reader of an error may do about it, and whether trying again can help. */
export interface CodeInfo {
  /** `never`: only a change by a person helps. `backoff`: the same call may succeed later. */
  readonly retry: 'never' | 'backoff';
  readonly fix: string;
}
