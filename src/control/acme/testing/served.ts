/** What a front door shows for a name. */
import { connect, type PeerCertificate } from 'node:tls';

/** The certificate, when it leads to the root. */
export function served(address: string, port: number, servername: string, root: string): Promise<PeerCertificate> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, servername, ca: root });
    socket.on('error', reject);
    socket.on('secureConnect', () => {
      resolve(socket.getPeerCertificate());
      socket.destroy();
    });
  });
}
