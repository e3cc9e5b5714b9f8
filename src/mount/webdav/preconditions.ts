/**
 * What a client has already, and whether it is still right.
 *
 * Source: RFC 9110, sections 5.6.7 (dates), 8.8.3.2 (comparison of entity tags) and 13.
 */
import type { HttpHeaders } from '../../platform/http-server.ts';

export interface Validators {
  /** A strong one, in its quotes. */
  readonly etag: string;
  /** Seconds since 1970. */
  readonly modifiedS: number;
}

/** The status with which the request ends here; undefined where it goes on. */
export function evaluatePreconditions(
  method: string,
  headers: HttpHeaders,
  { etag, modifiedS }: Validators,
): 304 | 412 | undefined {
  const reads = method === 'GET' || method === 'HEAD';
  const { 'if-match': match, 'if-none-match': noneMatch } = headers;
  if (match !== undefined) {
    if (!matches(match, etag, { weak: false })) return 412;
  } else {
    const unmodifiedSince = parseHttpDate(headers['if-unmodified-since']);
    if (unmodifiedSince !== undefined && modifiedS > unmodifiedSince) return 412;
  }
  if (noneMatch !== undefined) {
    if (matches(noneMatch, etag, { weak: true })) return reads ? 304 : 412;
  } else if (reads) {
    const modifiedSince = parseHttpDate(headers['if-modified-since']);
    if (modifiedSince !== undefined && modifiedS <= modifiedSince) return 304;
  }
  return undefined;
}

/** Whether a range may be sent: the client has other parts of the very same contents, or did not ask for that. */
export function rangeApplies(ifRange: string | undefined, { etag, modifiedS }: Validators): boolean {
  if (ifRange === undefined) return true;
  const text = ifRange.trim();
  if (text.startsWith('"') || text.startsWith('W/')) return text === etag;
  return parseHttpDate(text) === modifiedS;
}

function matches(list: string, etag: string, { weak }: { weak: boolean }): boolean {
  if (list.trim() === '*') return true;
  const tags = list.match(/(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g) ?? [];
  return tags.some((tag) => (weak ? tag.replace(/^W\//, '') : tag) === etag);
}

/** Whole seconds since 1970; undefined where it is no date, which is then as if it were not there. */
export function parseHttpDate(text: string | undefined): number | undefined {
  if (text === undefined || !/^\w+, \d\d[ -]\w{3}[ -]\d{2,4} \d\d:\d\d:\d\d GMT$/.test(text.trim()))
    return undefined;
  const timeMs = Date.parse(text);
  return Number.isNaN(timeMs) ? undefined : timeMs / 1000;
}

/** `Sun, 22 Nov 2026 13:00:00 GMT`; undefined where the calendar of HTTP does not reach. */
export function formatHttpDate(timeS: number): string | undefined {
  const date = new Date(timeS * 1000);
  const year = date.getUTCFullYear();
  return year >= 0 && year <= 9999 ? date.toUTCString() : undefined;
}
