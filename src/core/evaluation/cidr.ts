/** An address as words of 32 bits, unsigned: one for IPv4, four for IPv6. */
type Address = readonly number[];

/** The addresses whose first `bits` bits are those of `address`. */
export interface Network {
  readonly address: Address;
  readonly bits: number;
}

const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;
const GROUP = /^[0-9a-f]{1,4}$/i;
const PREFIX_LENGTH = /^\d{1,3}$/;
/** The longest form has 45 characters: eight groups whose last two are written as IPv4. */
const MAX_ADDRESS_CHARS = 45;

/** `10.0.0.0/8`, `2001:db8::/32`, or one address. Bits after the prefix do not matter. Undefined for other text. */
export function parseNetwork(text: string): Network | undefined {
  const [addressText, prefix, ...rest] = text.split('/', 3);
  const address = parseAddress(addressText ?? '');
  if (address === undefined || rest.length > 0) return undefined;
  const most = address.length * 32;
  if (prefix === undefined) return { address, bits: most };
  if (!PREFIX_LENGTH.test(prefix) || Number(prefix) > most) return undefined;
  return { address, bits: Number(prefix) };
}

/** An IPv4 or IPv6 address; IPv4 written as IPv6 (`::ffff:10.0.0.1`) is IPv4. No zone. Undefined for other text. */
export function parseAddress(text: string): Address | undefined {
  if (text.length > MAX_ADDRESS_CHARS) return undefined;
  const address = text.includes(':') ? parseIpv6(text) : parseIpv4(text);
  return address !== undefined && isMapped(address) ? address.slice(3) : address;
}

export function isInNetwork(address: Address, network: Network): boolean {
  if (address.length !== network.address.length) return false;
  return address.every((word, index) => {
    const bits = Math.min(32, Math.max(0, network.bits - index * 32));
    return bits === 0 || (word ^ (network.address[index] as number)) >>> (32 - bits) === 0;
  });
}

function parseIpv4(text: string): Address | undefined {
  const match = IPV4.exec(text);
  if (match === null) return undefined;
  const bytes = match.slice(1);
  // A leading zero is octal to some and decimal to others: refused, as by inet_pton.
  if (bytes.some((byte) => Number(byte) > 255 || (byte.length > 1 && byte.startsWith('0')))) return undefined;
  return [bytes.reduce((word, byte) => word * 256 + Number(byte), 0)];
}

/** RFC 4291 §2.2. */
function parseIpv6(text: string): Address | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = [groupsOf(halves[0] ?? '', halves.length === 1), groupsOf(halves[1] ?? '', true)];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...Array<number>(missing).fill(0), ...tail];
  return [0, 2, 4, 6].map((index) => (groups[index] as number) * 65_536 + (groups[index + 1] as number));
}

/** Groups of 16 bits; the last two may be written as IPv4 where the text ends. */
function groupsOf(text: string, isEnd: boolean): number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const last = parts.at(-1) ?? '';
  const embedded = isEnd && last.includes('.') ? parseIpv4(last)?.[0] : undefined;
  const words = embedded === undefined ? parts : parts.slice(0, -1);
  if (!words.every((word) => GROUP.test(word))) return undefined;
  const groups = words.map((word) => Number.parseInt(word, 16));
  return embedded === undefined ? groups : [...groups, Math.floor(embedded / 65_536), embedded % 65_536];
}

/** `::ffff:0:0/96`, RFC 4291 §2.5.5.2. */
function isMapped(address: Address): boolean {
  return address.length === 4 && address[0] === 0 && address[1] === 0 && address[2] === 0xffff;
}
