/** A handler of requests for a tree that has everything, and what asks it. */
import { VfsError } from '../../../src/mount/vfs.ts';
import { ServedTree } from '../../../src/mount/webdav/served-tree.ts';
import { WebdavHandler, type WebdavOptions } from '../../../src/mount/webdav/webdav-handler.ts';
import type { HttpReply, HttpRequest } from '../../../src/platform/http-server.ts';
import { fromUtf8 } from '../../../src/util/bytes.ts';
import { testContext } from '../../archive/crafted-archive.ts';
import { bodyOf, damaged, FakeVfs, fifo, link, MTIME_NS } from './fake-vfs.ts';

export const text = 'remember the milk\n';
const tree = {
  home: {
    'notes.txt': text,
    'page.html': '<script>alert(1)</script>',
    'caf\xe9 <b>&"\x01': 'not UTF-8',
    run: new Uint8Array([1, 2, 3]),
    pipe: fifo,
    broken: damaged,
    empty: {},
    'to-file': link('notes.txt'),
    'to-root': link('/'),
    'to-itself': link('to-itself'),
    'to-nothing': link('../../../etc/passwd'),
    'absolute.txt': link('/home/./notes.txt'),
    up: link('..'),
  },
  'through-link': link('home/to-file'),
};

export function serve(options: Partial<WebdavOptions> = {}, vfs = new FakeVfs(tree)) {
  const served = new ServedTree({
    vfs,
    title: 'repo::monday',
    archive: { name: 'monday', idHex: '0'.repeat(64) },
    stripComponents: 0,
  });
  const handler = new WebdavHandler(
    { ...testContext('/'), nowNs: () => 2n * MTIME_NS },
    {
      tree: served,
      loopbackOnly: true,
      iec: false,
      wrongPasswordMs: 1,
      ...options,
    },
  );
  const ask = async (
    method: string,
    target: string,
    headers: Record<string, string> = {},
    body = '',
    signal = new AbortController().signal,
  ) => {
    const request: HttpRequest = {
      method,
      target,
      headers: { host: 'localhost:8080', ...headers },
      remoteAddress: '127.0.0.1',
      signal,
      readBody: (limit) => Promise.resolve(body.length > limit ? undefined : fromUtf8(body)),
    };
    const reply = await handler.handle(request);
    const text = async (): Promise<string> => {
      const body = await bodyOf(reply.body);
      reply.release?.();
      return body.toString('latin1');
    };
    return { ...reply, text };
  };
  return { ask, vfs };
}

export async function statusOf(reply: Promise<HttpReply>): Promise<number> {
  const { status, release } = await reply;
  release?.();
  return status;
}

/** A server of a tree that can't be read. */
export const failing = (cause?: unknown) => {
  const fake = new FakeVfs(tree);
  fake.failure = new VfsError('EIO', 'it failed', cause);
  return serve({}, fake).ask;
};
