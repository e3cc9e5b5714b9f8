/**
 * What is answered to a request: files, directories as pages, as tars and as WebDAV's collections, and no to whatever
 * would write. Knows nothing of sockets.
 *
 * Source: RFC 9110 (HTTP), RFC 4918 (WebDAV, class 1, of which a server that can't be written to needs two methods).
 */
import { DecompressionError, IntegrityError, ObjectNotFound } from '../../errors.ts';
import { sleep } from '../../platform/clock.ts';
import { isDirectory } from '../../platform/file-stat.ts';
import type { HttpReply, HttpRequest } from '../../platform/http-server.ts';
import { equalBytes, fromUtf8 } from '../../util/bytes.ts';
import type { Context } from '../../util/context.ts';
import { toDisplayText } from '../../util/surrogate-escape.ts';
import { VfsError } from '../vfs.ts';
import { replyFile } from './file-reply.ts';
import type { FolderTars } from './folder-tar.ts';
import { writeListing } from './listing.ts';
import { LISTING_STYLE } from './listing-style.ts';
import { isLoopbackHost } from './loopback.ts';
import type { Password } from './password.ts';
import { replyPropfind } from './propfind-reply.ts';
import { notFound, redirect, Refusal, textReply } from './refusal.ts';
import { type Resource, resourceAt, validatorsOf } from './resource.ts';
import { pageHeaders, plainHeaders } from './security-headers.ts';
import { isLostLink, isServed, type ServedTree } from './served-tree.ts';
import { decodeUrlPath, encodeUrlName, type UrlPath } from './url-path.ts';

export interface WebdavOptions {
  readonly tree: ServedTree;
  /** Undefined where directories can't be had as tars. */
  readonly tars?: FolderTars | undefined;
  /** Whoever asks has to know it. Default: nobody is asked. */
  readonly password?: Password | undefined;
  /** Refuse requests that name this machine as others may. */
  readonly loopbackOnly: boolean;
  /** Sizes in units of 1024. */
  readonly iec: boolean;
  /** How long the answer to a wrong password takes. Default: a second. */
  readonly wrongPasswordMs?: number | undefined;
}

const METHODS = 'OPTIONS, GET, HEAD, PROPFIND';
const WRONG_PASSWORD_MS = 1000;
/** Class 1: no locks. */
const OPTIONS_HEADERS = { allow: METHODS, dav: '1', 'ms-author-via': 'DAV', 'content-length': '0' } as const;

export class WebdavHandler {
  readonly #ctx: Context;
  readonly #options: WebdavOptions;
  readonly #tree: ServedTree;

  constructor(ctx: Context, options: WebdavOptions) {
    this.#ctx = ctx;
    this.#options = options;
    this.#tree = options.tree;
  }

  /** Never rejects; the body may. */
  async handle(request: HttpRequest): Promise<HttpReply> {
    try {
      return await this.#answer(request);
    } catch (error) {
      if (error instanceof Refusal) return error.reply;
      if (request.signal.aborted) return textReply(499, 'The client has gone.');
      return this.#failed(request, error);
    }
  }

  async #answer(request: HttpRequest): Promise<HttpReply> {
    const { origin, path, query } = splitTarget(request.target);
    await this.#admit(request, origin);
    const { method } = request;
    if (!METHODS.split(', ').includes(method)) {
      throw new Refusal(405, 'What is served here can only be read.', { allow: METHODS });
    }
    if (method === 'OPTIONS') return { status: 204, headers: OPTIONS_HEADERS };
    const url = decodeUrlPath(path);
    if (url === undefined) throw notFound();
    const resource = await this.#find(url, method, query);
    return method === 'PROPFIND'
      ? await replyPropfind(request, resource, this.#tree, this.#ctx.nowNs())
      : await this.#get(request, resource, new URLSearchParams(query));
  }

  /** @throws Refusal */
  async #admit({ headers, signal }: HttpRequest, origin: string | undefined): Promise<void> {
    const { loopbackOnly, password, wrongPasswordMs = WRONG_PASSWORD_MS } = this.#options;
    if (loopbackOnly && !isLoopbackHost(origin ?? headers.host)) {
      throw new Refusal(421, 'This server answers to localhost and to addresses of this machine only.');
    }
    if (password === undefined || password.isIn(headers.authorization)) return;
    // A guess that may be one of many costs time; to come without a password is how every client begins.
    if (headers.authorization !== undefined) await sleep(wrongPasswordMs, signal);
    throw new Refusal(401, 'The password of this server is needed; any name of a user will do.', {
      'www-authenticate': 'Basic realm="alcove", charset="UTF-8"',
    });
  }

  /** @throws Refusal */
  async #find({ names, endsInSlash }: UrlPath, method: string, query: string): Promise<Resource> {
    const found = await this.#tree.find(names);
    if (found === undefined) throw notFound();
    if (isLostLink(found)) {
      const [link, target] = [found.link.map(toDisplayText).join('/'), toDisplayText(found.target)];
      throw new Refusal(404, `${link} is a symbolic link to ${target}, which is not in what is served here.`);
    }
    if (!isServed(found.attributes.mode)) throw new Refusal(403, 'This is no file that has contents.');
    const directory = isDirectory(found.attributes.mode);
    if (endsInSlash && !directory) throw notFound();
    // A link to a file is as good as the file. From one to a directory the client is sent to the directory itself.
    if (directory && !sameNames(found.path, names)) throw redirect(302, found.path, query);
    // Clients of WebDAV ask for directories either way.
    if (directory && !endsInSlash && method !== 'PROPFIND') throw redirect(301, names, query);
    return resourceAt(names, found);
  }

  async #get(request: HttpRequest, resource: Resource, query: URLSearchParams): Promise<HttpReply> {
    if (!resource.isDirectory) {
      const validators = validatorsOf(this.#tree, resource.found, this.#ctx.nowNs());
      return await replyFile(request, resource, this.#tree.vfs, validators);
    }
    return query.get('download') === 'tar'
      ? this.#getTar(request, resource)
      : this.#getListing(resource, query);
  }

  #getTar({ signal }: HttpRequest, { found }: Resource): HttpReply {
    const { tars } = this.#options;
    const place = this.#tree.placeOf(found.path);
    if (tars === undefined || place === undefined) throw notFound();
    if (tars.isBusy)
      throw new Refusal(503, 'Other tars are being made. Try again later.', { 'retry-after': '10' });
    const name = place.path.at(-1) ?? fromUtf8(place.archive.name);
    const fileName = `${toDisplayText(name)}.tar`;
    return {
      status: 200,
      headers: { ...plainHeaders('application/x-tar'), 'content-disposition': attachment(fileName) },
      body: (write) => tars.write(place, write, signal),
    };
  }

  async #getListing(resource: Resource, query: URLSearchParams): Promise<HttpReply> {
    // Where it can't be read, that is said before the page begins.
    await this.#tree.vfs.entries(resource.found.inode, 0, () => false);
    const { tars, iec } = this.#options;
    const hasTar = tars !== undefined && this.#tree.placeOf(resource.found.path) !== undefined;
    return {
      status: 200,
      headers: pageHeaders(LISTING_STYLE),
      body: (write) => writeListing(this.#tree, resource, { hasTar, iec, sort: query.get('sort') }, write),
    };
  }

  #failed({ method, target }: HttpRequest, error: unknown): HttpReply {
    if (error instanceof VfsError && error.code === 'EIO') {
      if (isDamage(error.cause))
        return textReply(500, 'This is damaged in the repository: see the log of the server.');
      const text = 'The repository could not be read: see the log of the server.';
      return textReply(503, text, { 'retry-after': '30' });
    }
    const text = error instanceof Error ? error.message : String(error);
    this.#ctx.reporter.log('error', `${method} ${printable(target)}: ${text}`);
    return textReply(500, 'The server failed: see its log.');
  }
}

function isDamage(cause: unknown): boolean {
  return (
    cause === undefined ||
    [IntegrityError, ObjectNotFound, DecompressionError].some((one) => cause instanceof one)
  );
}

/** @throws Refusal */
function splitTarget(target: string): { origin: string | undefined; path: string; query: string } {
  const [, origin, rest = ''] = /^(?:https?:\/\/([^/?#]*))?(.*)$/is.exec(target) ?? [];
  if (rest === '*') return { origin, path: '/', query: '' };
  const mark = rest.indexOf('?');
  const path = mark < 0 ? rest : rest.slice(0, mark);
  return { origin, path: path === '' ? '/' : path, query: mark < 0 ? '' : rest.slice(mark + 1) };
}

/** What came from outside, for a line of the log. */
export function printable(target: string): string {
  return target.replaceAll(/[^!-~]/g, (character) => encodeUrlName(fromUtf8(character)));
}

/** For a browser of this century, and for others: RFC 6266. */
function attachment(fileName: string): string {
  const plain = fileName.replaceAll(/[^\w.+ -]/g, '_');
  return `attachment; filename="${plain}"; filename*=UTF-8''${encodeUrlName(fromUtf8(fileName.toWellFormed()))}`;
}

function sameNames(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a.length === b.length && a.every((name, index) => equalBytes(name, b[index]!));
}
