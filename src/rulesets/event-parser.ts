/** A server-sent event. */
export interface StreamEvent {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: string;
}

/** A snapshot at its largest is 2.4 MiB in Base64. */
const MAX_EVENT_CHARS = 4 * 1024 * 1024;

/**
 * Server-sent events (HTML Living Standard §9.2.6) from chunks of ASCII text, which is all that the hub sends; lines end in LF or
 * CR LF. Throws a RangeError for an event that is too large.
 */
export class EventParser {
  #event = 'message';
  #id: string | undefined;
  #data: string[] = [];
  /** The line that has not ended yet. */
  #parts: string[] = [];
  #chars = 0;

  feed(chunk: Buffer): StreamEvent[] {
    const events: StreamEvent[] = [];
    const [first = '', ...lines] = chunk.toString('latin1').split('\n');
    this.#keep(first);
    for (const next of lines) {
      const event = this.#line(this.#parts.join('').replace(/\r$/, ''));
      if (event) events.push(event);
      this.#parts = [];
      this.#keep(next);
    }
    return events;
  }

  #keep(part: string): void {
    this.#chars += part.length;
    if (this.#chars > MAX_EVENT_CHARS) throw new RangeError(`an event is larger than ${MAX_EVENT_CHARS} characters`);
    if (part !== '') this.#parts.push(part);
  }

  #line(line: string): StreamEvent | undefined {
    if (line === '') return this.#dispatch();
    const [, field = '', value = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (field === 'event') this.#event = value;
    else if (field === 'id') this.#id = value;
    else if (field === 'data') this.#data.push(value);
    return undefined;
  }

  #dispatch(): StreamEvent | undefined {
    const [event, id, data] = [this.#event, this.#id, this.#data];
    this.#event = 'message';
    this.#id = undefined;
    this.#data = [];
    this.#chars = 0;
    return data.length === 0 ? undefined : { event, id, data: data.join('\n') };
  }
}
