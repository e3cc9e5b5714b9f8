/** The answer to PROPFIND: of one resource, or of a directory and what is in it. */
import type { HttpReply, HttpRequest } from '../../platform/http-server.ts';
import { isDirectory } from '../../platform/file-stat.ts';
import { fromUtf8 } from '../../util/bytes.ts';
import { directoryEntries } from './directory-entries.ts';
import { FINITE_DEPTH_ONLY, formatResponse, MULTISTATUS_END, MULTISTATUS_START } from './multistatus.ts';
import type { PropertySource } from './properties.ts';
import {
  MAX_PROPFIND_BYTES,
  parsePropfind,
  PropfindError,
  type PropfindRequest,
} from './propfind-request.ts';
import { Refusal } from './refusal.ts';
import { type Resource, resourceAt, validatorsOf } from './resource.ts';
import { plainHeaders } from './security-headers.ts';
import { isLostLink, isServed, type ServedTree } from './served-tree.ts';
import { TextWriter } from './text-writer.ts';

const XML = 'application/xml; charset=utf-8';

/** @throws Refusal, VfsError */
export async function replyPropfind(
  request: HttpRequest,
  resource: Resource,
  tree: ServedTree,
  nowNs: bigint,
): Promise<HttpReply> {
  const body = await request.readBody(MAX_PROPFIND_BYTES);
  if (body === undefined) throw new Refusal(413, 'The request is too long.');
  const wanted = parseWanted(body);
  const depth = request.headers['depth']?.trim();
  if (depth !== '0' && depth !== '1') {
    return { status: 403, headers: plainHeaders(XML), body: fromUtf8(FINITE_DEPTH_ONLY) };
  }
  const resources = depth === '1' && resource.isDirectory ? withMembers(tree, resource) : [resource];
  // Where it can't be read, that is said before the answer begins.
  if (depth === '1' && resource.isDirectory) await tree.vfs.entries(resource.found.inode, 0, () => false);
  const source: PropertySource = {
    title: tree.title,
    validatorsOf: ({ found }) => validatorsOf(tree, found, nowNs),
  };
  return {
    status: 207,
    headers: plainHeaders(XML),
    async body(write) {
      const writer = new TextWriter(write);
      await writer.add(MULTISTATUS_START);
      for await (const one of resources) await writer.add(formatResponse(one, wanted, source));
      await writer.add(MULTISTATUS_END);
      await writer.flush();
    },
  };
}

/** Files, also by symbolic links, and directories: what clients of WebDAV have a form for. */
async function* withMembers(tree: ServedTree, resource: Resource): AsyncGenerator<Resource, void, undefined> {
  yield resource;
  for await (const entry of directoryEntries(tree.vfs, resource.found.inode)) {
    const member = await tree.follow(resource.found, entry);
    if (isLostLink(member) || !isServed(member.attributes.mode)) continue;
    if (isDirectory(member.attributes.mode) && member.inode !== entry.inode) continue;
    yield resourceAt([...resource.names, entry.name], member);
  }
}

function parseWanted(body: Uint8Array): PropfindRequest {
  try {
    return parsePropfind(body);
  } catch (error) {
    if (error instanceof PropfindError) throw new Refusal(400, `The request's body: ${error.message}`);
    throw error;
  }
}
