/** A tree, served on an address until it is told to stop. */
import { ClientGone, type RunningHttpServer, startHttpServer } from '../../platform/http-server.ts';
import { isLoopback } from '../../platform/ip-address.ts';
import { describeOsError, isOsError } from '../../platform/os-error.ts';
import { GeneralError } from '../../errors.ts';
import type { Context } from '../../util/context.ts';
import { printable, WebdavHandler, type WebdavOptions } from './webdav-handler.ts';

export interface WebdavServerOptions extends Omit<WebdavOptions, 'loopbackOnly'> {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

export interface WebdavServer extends AsyncDisposable {
  /** Where the root is. */
  readonly url: string;
}

/** @throws GeneralError where it can't listen there */
export async function startWebdavServer(ctx: Context, options: WebdavServerOptions): Promise<WebdavServer> {
  const { host, port, ...served } = options;
  const handler = new WebdavHandler(ctx, { ...served, loopbackOnly: isLoopback(host) });
  const server = await listen(ctx, host, port, handler);
  const shownHost = server.address.includes(':') ? `[${server.address}]` : server.address;
  return {
    url: `http://${shownHost}:${server.port}/`,
    [Symbol.asyncDispose]: () => server.close(),
  };
}

async function listen(
  { reporter }: Context,
  host: string,
  port: number,
  handler: WebdavHandler,
): Promise<RunningHttpServer> {
  try {
    return await startHttpServer({
      host,
      port,
      handle: (request) => handler.handle(request),
      answered({ remoteAddress, method, target }, { status, sentBytes, failure }) {
        const request = `${remoteAddress} ${method} ${printable(target)}`;
        if (failure === undefined) reporter.log('info', `${request} ${status} ${sentBytes}`);
        else if (failure instanceof ClientGone)
          reporter.log('info', `${request} ${status} ${sentBytes}, then left`);
        else {
          const text = failure instanceof Error ? failure.message : 'for no reason';
          reporter.log('error', `${request}: broken off after ${sentBytes} bytes: ${text}`);
        }
      },
    });
  } catch (error) {
    if (!isOsError(error)) throw error;
    const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    throw new GeneralError([`can't listen on ${address}: ${describeOsError(error)}`], error);
  }
}
