/**
 * Splits a byte stream at newlines and yields whole lines as text, without the newline; an unfinished last line is
 * dropped, because a stream that was cut ends in the middle of an object. Throws `tooLong()` beyond `maxLineBytes`.
 */
export async function* lines(
  stream: AsyncIterable<Buffer>,
  maxLineBytes: number,
  tooLong: () => Error,
): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      if (bytes + end - start > maxLineBytes) throw tooLong();
      const tail = chunk.subarray(start, end);
      yield parts.length === 0 ? tail.toString('utf8') : Buffer.concat([...parts, tail]).toString('utf8');
      parts = [];
      bytes = 0;
      start = end + 1;
    }
    if (start < chunk.length) {
      parts.push(chunk.subarray(start));
      bytes += chunk.length - start;
      if (bytes > maxLineBytes) throw tooLong();
    }
  }
}
