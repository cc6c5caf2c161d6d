import { connect } from 'node:net';
import type { EmailDestination } from './destinations.ts';
import { notDelivered, refused } from './failure.ts';
import { type Message, textOf, titleOf } from './message.ts';

/**
 * Sends a mail to all recipients at once. Its Message-ID is the message's id: mailboxes show it once however often it arrives.
 * @returns recipients that the server refused while it took others.
 * @throws LakehouseError `alert-not-delivered`, `alert-refused`.
 */
export async function sendEmail(
  destination: EmailDestination,
  message: Message,
  most: number,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { host, port, security, auth, from, to, timeoutMs } = destination;
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    host,
    port,
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    ...(auth && { auth: { ...auth } }),
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
    // A socket of our own, because nothing else ends a conversation that has begun.
    getSocket: (_options, callback) => {
      const socket = connect({ host, port });
      const stop = () => socket.destroy();
      if (signal.aborted) stop();
      signal.addEventListener('abort', stop, { once: true });
      const failed = (error?: Error) => callback(error ?? new Error('the connection was closed'), undefined);
      socket.once('error', failed).once('close', () => {
        signal.removeEventListener('abort', stop);
        failed();
      });
      socket.once('connect', () => {
        socket.removeAllListeners('error').removeAllListeners('close');
        callback(null, { connection: socket });
      });
    },
  });
  try {
    const { rejected } = await transport.sendMail({
      from,
      to: [...to],
      subject: `[lakehouse ${message.origin.host}] ${titleOf(message)}`,
      text: `${textOf(message, most)}\n`,
      messageId: `<${message.id}@${message.origin.host.replace(/[^\w.-]/g, '-')}>`,
      date: new Date(message.at),
      headers: { 'Auto-Submitted': 'auto-generated' },
    });
    return rejected.map(String);
  } catch (error) {
    if (signal.aborted) throw notDelivered(signal.reason?.name === 'TimeoutError' ? 'it took too long' : 'stopped');
    const { code, responseCode = 0 } = error as { readonly code?: string; readonly responseCode?: number };
    const text = error instanceof Error ? error.message : String(error);
    throw code === 'EMESSAGE' && responseCode >= 500 ? refused(text) : notDelivered(text);
  } finally {
    transport.close();
  }
}
