/** What the rooms log through; pino satisfies it. Facts first, then the sentence. Secrets never go in. */
export interface Logger {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

/** A logger that says nothing, for tests and tools. */
export const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
