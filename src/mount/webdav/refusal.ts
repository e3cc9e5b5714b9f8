/** Answers that end what is being done for a request, and why. */
import type { HttpReply } from '../../platform/http-server.ts';
import { fromUtf8 } from '../../util/bytes.ts';
import { plainHeaders } from './security-headers.ts';
import { encodeUrlPath } from './url-path.ts';

export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly reply: HttpReply;

  constructor(status: number, text: string, headers: Record<string, string> = {}) {
    super(text);
    this.reply = textReply(status, text, headers);
  }
}

export function textReply(status: number, text: string, headers: Record<string, string> = {}): HttpReply {
  const body = fromUtf8(`${text}\n`);
  const length = { 'content-length': String(body.length) };
  return { status, headers: { ...plainHeaders('text/plain; charset=utf-8'), ...length, ...headers }, body };
}

export function notFound(): Refusal {
  return new Refusal(404, 'There is nothing of this name.');
}

/** To a directory. */
export function redirect(status: 301 | 302, names: readonly Uint8Array[], query: string): Refusal {
  const location = `${encodeUrlPath(names, true)}${query === '' ? '' : `?${query}`}`;
  return new Refusal(status, `It is at ${location}`, { location });
}
