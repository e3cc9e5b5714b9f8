/**
 * A file, all of it or a part, unless the client has it already.
 *
 * Source: RFC 9110, sections 13.2.2 (order of preconditions) and 14.
 */
import type { HttpReply, HttpRequest } from '../../platform/http-server.ts';
import type { ByteRange } from '../../util/byte-ranges.ts';
import type { Vfs } from '../vfs.ts';
import { parseRange } from './byte-range.ts';
import { openFileBody } from './file-body.ts';
import { evaluatePreconditions, formatHttpDate, rangeApplies, type Validators } from './preconditions.ts';
import { Refusal } from './refusal.ts';
import type { Resource } from './resource.ts';
import { contentsHeaders } from './security-headers.ts';

/** @throws Refusal, VfsError */
export async function replyFile(
  request: HttpRequest,
  resource: Resource,
  vfs: Vfs,
  validators: Validators,
): Promise<HttpReply> {
  const { method, headers, signal } = request;
  const { inode, attributes } = resource.found;
  const described = { ...describe(validators), ...contentsHeaders(resource.contentType) };
  const status = evaluatePreconditions(method, headers, validators);
  if (status === 304) return { status, headers: described };
  if (status === 412) throw new Refusal(412, 'The file is not as the request expects it.');
  const whole = { offset: 0, sizeBytes: attributes.sizeBytes };
  const asked = method === 'GET' && rangeApplies(headers['if-range'], validators) ? headers.range : undefined;
  const range = asked === undefined ? undefined : parseRange(asked, whole.sizeBytes);
  if (range === 'none') {
    throw new Refusal(416, 'The file has no such bytes.', {
      'content-range': `bytes */${whole.sizeBytes}`,
    });
  }
  const part = range ?? whole;
  const reply = {
    status: range === undefined ? 200 : 206,
    headers: {
      ...described,
      'accept-ranges': 'bytes',
      'content-length': String(part.sizeBytes),
      ...(range && { 'content-range': formatContentRange(part, whole.sizeBytes) }),
    },
  };
  if (method === 'HEAD') return reply;
  const body = await openFileBody(vfs, inode, part, signal);
  return { ...reply, body: (write) => body.write(write), release: () => body.close() };
}

function describe({ etag, modifiedS }: Validators): Record<string, string> {
  const modified = formatHttpDate(modifiedS);
  return { etag, ...(modified !== undefined && { 'last-modified': modified }) };
}

function formatContentRange({ offset, sizeBytes }: ByteRange, wholeBytes: number): string {
  return `bytes ${offset}-${offset + sizeBytes - 1}/${wholeBytes}`;
}
