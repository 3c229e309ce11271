/** A drawing surface of fixed size, in pixels, with what the figures need and no more. */
export class Svg {
  readonly #parts: string[] = [];
  readonly width: number;
  readonly height: number;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
  }

  line(x1: number, y1: number, x2: number, y2: number, color = '#999', dashed = false): void {
    const dash = dashed ? ' stroke-dasharray="4 3"' : '';
    this.#parts.push(
      `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${color}"${dash}/>`,
    );
  }

  path(points: readonly (readonly [number, number])[], color: string): void {
    const d = points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${round(x)} ${round(y)}`).join('');
    this.#parts.push(`<path d="${d}" fill="none" stroke="${color}" stroke-width="2"/>`);
  }

  dot(x: number, y: number, color: string, filled = true): void {
    this.#parts.push(
      `<circle cx="${round(x)}" cy="${round(y)}" r="4" fill="${filled ? color : '#fff'}" stroke="${color}"/>`,
    );
  }

  bar(x: number, y: number, width: number, height: number, color: string): void {
    this.#parts.push(
      `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${height}" fill="${color}"/>`,
    );
  }

  text(x: number, y: number, text: string, anchor: 'start' | 'middle' | 'end' = 'start', color = '#222'): void {
    this.#parts.push(
      `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" fill="${color}">${escapeText(text)}</text>`,
    );
  }

  toString(title: string): string {
    return [
      `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${this.width} ${this.height}" width="${this.width}" height="${this.height}" font-family="sans-serif" font-size="12" role="img">`,
      `<title>${escapeText(title)}</title>`,
      `<rect width="${this.width}" height="${this.height}" fill="#fff"/>`,
      ...this.#parts,
      '</svg>',
      '',
    ].join('\n');
  }
}

const round = (value: number): string => value.toFixed(1);
const escapeText = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
