/** How much may be under way at a time. A body of unknown length counts as the largest. */
export interface LoadLimits {
  readonly requests: number;
  /** Bytes of bodies that are being received. */
  readonly bodyBytes: number;
  /** Of one body. */
  readonly largestBodyBytes: number;
}

/** Counts what is under way, so that memory stays bounded: what does not fit is refused, never queued. */
export class Load {
  readonly #limits: LoadLimits;
  #requests = 0;
  #bodyBytes = 0;
  #refused = 0;

  constructor(limits: LoadLimits) {
    this.#limits = limits;
  }

  /** Refused since the start. */
  get refused(): number {
    return this.#refused;
  }

  /** Takes in a request with a body of so many bytes: what to call when it is over, or undefined where it does not fit. */
  enter(contentLength: string | undefined): (() => void) | undefined {
    const { requests, bodyBytes, largestBodyBytes } = this.#limits;
    const said = contentLength === undefined ? largestBodyBytes : Number(contentLength);
    // More than the largest is refused without being read.
    const bytes = Number.isFinite(said) ? Math.min(Math.max(said, 0), largestBodyBytes) : largestBodyBytes;
    if (this.#requests >= requests || this.#bodyBytes + bytes > bodyBytes) {
      this.#refused++;
      return undefined;
    }
    this.#requests++;
    this.#bodyBytes += bytes;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#requests--;
      this.#bodyBytes -= bytes;
    };
  }
}
