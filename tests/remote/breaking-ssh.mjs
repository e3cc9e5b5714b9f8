#!/usr/bin/env node
// Stands in for ssh over a line on which something goes wrong: after BREAK_AFTER_BYTES from the client ("up") or from the
// server ("down", BREAK_DIRECTION), and BREAK_DELAY_MS more, BREAK_FAULT happens:
//
//   half         nothing more goes in that direction, and the receiving side sees its end
//   cut          the line is gone in both, and ssh ends
//   stall        nothing more goes in either for the delay, then as cut
//   kill-server  the server gets SIGKILL
//   kill-client  the client gets SIGKILL
//
// BREAK_RECORD names a file for "server PID", "struck", and the bytes that went "up" and "down". The rest is as with
// fake-ssh, whose words it takes.
import { spawn } from 'node:child_process';
import { appendFileSync, closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';

const { BREAK_FAULT: fault = 'half', BREAK_DIRECTION: brokenWay = 'up', BREAK_RECORD: path } = process.env;
const afterBytes = Number(process.env['BREAK_AFTER_BYTES'] ?? Infinity);
const delayMs = Number(process.env['BREAK_DELAY_MS'] ?? 0);
const client = process.ppid;
const wentBytes = { up: 0, down: 0 };
let isStruck = false;

const record = (line) => path && appendFileSync(path, `${line}\n`);

// A group of its own, so that whatever the shell starts goes with it.
const server = spawn(fileURLToPath(new URL('fake-ssh', import.meta.url)), process.argv.slice(2), {
  stdio: 'pipe',
  detached: true,
});
record(`server ${server.pid}`);
process.on('SIGINT', () => {});
const fromClient = new Socket({ fd: 0, readable: true, writable: false });
const toClient = new Socket({ fd: 1, readable: false, writable: true });
forward('up', fromClient, server.stdin);
forward('down', server.stdout, toClient);
server.stderr.on('data', (piece) => ignoringErrors(() => process.stderr.write(piece)));
process.stderr.on('error', () => {});
server.on('close', (code) => {
  toClient.end(() => end(code ?? 255));
  toClient.once('error', () => end(code ?? 255));
});

function forward(way, from, to) {
  to.on('error', () => {});
  from.on('error', () => to.end());
  from.on('end', () => to.end());
  from.on('data', (piece) => {
    const left = way === brokenWay ? afterBytes - wentBytes[way] : Infinity;
    // The line itself is in order where somebody dies.
    const isKill = fault.startsWith('kill');
    if (left > piece.length || isKill) pass(way, piece, to);
    else if (left > 0) pass(way, piece.subarray(0, left), to);
    if (left <= piece.length) strike(from, to);
  });
}

function pass(way, piece, to) {
  wentBytes[way] += piece.length;
  to.write(piece);
}

function strike(from, to) {
  if (isStruck) return;
  isStruck = true;
  if (fault === 'stall') for (const stream of [fromClient, server.stdout]) stream.pause();
  // What was passed on is on its way by then.
  setTimeout(() => {
    record('struck');
    if (fault === 'kill-server') return ignoringErrors(() => process.kill(-server.pid, 'SIGKILL'));
    if (fault === 'kill-client') return process.ppid === client && process.kill(client, 'SIGKILL');
    if (fault !== 'half') return end(255);
    // Of descriptors like these, Node closes none.
    if (to === toClient) return to.end(() => ignoringErrors(() => closeSync(1)));
    to.end();
    from.destroy();
  }, delayMs);
}

function ignoringErrors(work) {
  try {
    work();
  } catch {}
}

function end(code) {
  record(`up ${wentBytes.up}`);
  record(`down ${wentBytes.down}`);
  process.exit(code);
}
